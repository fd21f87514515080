// What changes without a new configuration: certificates, trust stores and the keys of session tickets.

#include "app/appliance.h"
#include "base/log.h"

#include <fmt/format.h>

#include <utility>

namespace weir::app {
namespace {

constexpr std::chrono::minutes kTicketKeyPoll{10};

}  // namespace

void RunningAppliance::RotateTicketKeys() {
  adoption_.ticket_keys().Rotate(SystemClock().WallNow());
  loop_.timers().Schedule(ticket_key_timer_, loop_.now() + kTicketKeyPoll);
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
  };
  for (const auto& balancer : adoption_.model()->load_balancers) {
    for (const auto& listener : balancer.listeners) {
      for (const auto& certificate : listener.certificates) add_files(certificate);
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
