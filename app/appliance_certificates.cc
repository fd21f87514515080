// What changes without a new configuration: certificates, trust stores and the keys of session tickets, which are kept
// in the state directory.

#include "app/appliance.h"
#include "base/log.h"
#include "net/tls_client.h"
#include "net/tls_server.h"

#include <fmt/format.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::app {
namespace {

constexpr std::chrono::minutes kUpkeepInterval{10};
// Of the file in the state directory.
constexpr std::string_view kTicketKeysName = "tls-ticket-keys";

}  // namespace

void RunningAppliance::Upkeep() {
  adoption_.ticket_keys().Rotate(SystemClock().WallNow());
  KeepTicketKeys();
  KeepStickinessKey();
  KeepZonalShift();
  TellExpiry();
  loop_.timers().Schedule(upkeep_timer_, loop_.now() + kUpkeepInterval);
}

RunningAppliance::OpenedState RunningAppliance::OpenState(const Proposal& proposal) const {
  const config::LocatedText& wanted = proposal.model->state_directory;
  const bool is_ordered = !options_.state_directory.empty();
  const std::string& path = is_ordered ? options_.state_directory : wanted.text;
  if (path.empty()) return std::nullopt;
  if (state_ && state_->path() == path) return state_;
  auto opened = StateDirectory::Open(path);
  if (opened) return std::move(*opened);
  control::Refusal refusal{.kind = control::RefusalKind::kConfiguration, .error = {}, .diagnostics = {}};
  if (is_ordered) {
    refusal.error = std::move(opened.error());
  } else {
    refusal.diagnostics = {.files = proposal.files,
                           .items = {{.severity = config::Severity::kError,
                                      .position = wanted.position,
                                      .path = "state.directory",
                                      .message = opened.error().message,
                                      .hint = opened.error().hint}}};
  }
  return std::unexpected(std::move(refusal));
}

void RunningAppliance::UseState(std::optional<StateDirectory> state) {
  const bool is_other = state && (!state_ || state_->path() != state->path());
  state_ = std::move(state);
  {
    const std::lock_guard lock(runtime_mutex_);
    runtime_.state_directory = state_ ? state_->path() : std::string();
  }
  if (!state_ || is_other) {
    kept_ticket_keys_.clear();
    keeps_stickiness_key_ = false;
    kept_zonal_shift_.clear();
  }
  // Later the keys that serve are newer than what another directory holds.
  if (is_other && adoption_.revision() == 0) {
    RestoreTicketKeys();
    RestoreZonalShift();
  }
}

void RunningAppliance::RestoreTicketKeys() {
  const auto kept = state_->Read(kTicketKeysName);
  if (!kept) {
    LogError(kept.error().message + "; new ticket keys take its place");
    return;
  }
  if (!*kept) return;
  auto keys = net::ParseOwnTicketKeys(**kept);
  if (!keys) {
    LogError(state_->PathOf(kTicketKeysName) + ' ' + keys.error().message + "; new ones take its place");
    return;
  }
  adoption_.ticket_keys().Restore(std::move(*keys), SystemClock().WallNow());
  adoption_.ticket_keys().Rotate(SystemClock().WallNow());
}

void RunningAppliance::KeepTicketKeys() {
  if (!state_) return;
  const auto& own = adoption_.ticket_keys().own();
  // Others are configured: what was kept is of no use any more.
  const auto text = own.empty() ? std::nullopt : std::optional(net::FormatOwnTicketKeys(own));
  const std::string known = text.value_or("none");
  if (known != kept_ticket_keys_ && Keep(kTicketKeysName, text, "the ticket keys are")) kept_ticket_keys_ = known;
}

void RunningAppliance::TellExpiry() {
  if (adoption_.routing() == nullptr) return;
  std::vector<ExpiringCertificate> certificates;
  const auto add = [&certificates](const net::TlsCredential& credential) {
    certificates.push_back({.file = credential.certificate_file(), .not_after = credential.facts().not_after});
  };
  for (const auto& listener : adoption_.routing()->listeners()) {
    if (listener->tls == nullptr) continue;
    for (const auto& credential : listener->tls->choice->credentials()) add(*credential);
  }
  for (const auto& group : adoption_.routing()->groups()) {
    if (group.is_https() && group.tls->credential != nullptr) add(*group.tls->credential);
  }
  for (const auto& notice : certificate_expiry_.Step(certificates, SystemClock().WallNow())) {
    LogWarning(events_.Expires(notice));
  }
}

void RunningAppliance::WatchCertificates() {
  if (!certificate_watcher_) return;
  WatchedPaths paths;
  const auto add = [&paths](const std::string& path) {
    if (!path.empty()) paths.files.push_back(path);
  };
  const auto add_files = [&add](const config::CertificateFiles& files) {
    add(files.certificate.text);
    add(files.key.text);
    if (files.passphrase) add(files.passphrase->file);
    add(files.ocsp_response.text);
  };
  const auto add_providers = [&add](const config::Rule& rule) {
    for (const config::LeadingAction& action : rule.leading_actions) {
      std::visit([&add](const auto& kind) { add(kind.ca_bundle.text); }, action);
      const auto* const authenticate = std::get_if<config::AuthenticateOidcAction>(&action);
      if (authenticate != nullptr && authenticate->client_secret) add(authenticate->client_secret->file);
    }
  };
  for (const auto& balancer : adoption_.model()->load_balancers) {
    for (const auto& listener : balancer.listeners) {
      for (const auto& certificate : listener.certificates) add_files(certificate);
      for (const auto& rule : listener.rules) add_providers(*rule);
      add_providers(listener.default_rule);
    }
  }
  for (const auto& group : adoption_.model()->target_groups) {
    add(group.tls.ca_bundle.text);
    if (group.tls.certificate) add_files(*group.tls.certificate);
  }
  for (const auto& store : adoption_.model()->trust_stores) {
    add(store.ca_bundle.text);
    for (const auto& revocations : store.revocations) add(revocations.text);
  }
  for (const auto& key : adoption_.model()->tls_ticket_keys) add(key.text);
  for (const auto& key : adoption_.model()->stickiness_keys) add(key.text);
  certificate_watcher_->Watch(std::move(paths));
}

void RunningAppliance::LogRoutingWarnings() const {
  const config::Diagnostics findings{.files = adoption_.files(), .items = adoption_.routing_warnings()};
  for (const auto& item : findings.items) LogWarning(findings.Format(item));
}

// The model stays as it is; whatever has become of its YAML file meanwhile does not matter.
void RunningAppliance::RenewCertificates() {
  certificate_watcher_->NoteState();
  auto renewed = Adopt(adoption_.Again(CurrentRuntime().shifts));
  WatchCertificates();
  if (!renewed) return NoteRefusal(renewed.error());
  LogRoutingWarnings();
  LogInfo(fmt::format("certificates read again revision={}", *renewed));
  Tell(fmt::format("certificates read again, revision {}", *renewed));
}

}  // namespace weir::app
