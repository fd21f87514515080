// What of stickiness is kept in the state directory, and how anything is.

#include "app/appliance.h"
#include "base/log.h"
#include "config/forwarding.h"
#include "net/cookie_cipher.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace weir::app {
namespace {

// Of the file in the state directory.
constexpr std::string_view kStickinessKeyName = "stickiness-key";

// Some cookie is made with a key of our own.
bool MakesCookies(const config::Model& model) {
  if (!model.stickiness_keys.empty()) return false;
  if (std::ranges::any_of(model.target_groups, [](const auto& group) { return group.stickiness.enabled; })) return true;
  const auto signs_in = [](const config::Rule& rule) {
    return std::ranges::any_of(rule.leading_actions, [](const config::LeadingAction& action) {
      return std::holds_alternative<config::AuthenticateOidcAction>(action);
    });
  };
  for (const config::LoadBalancer& balancer : model.load_balancers) {
    for (const config::Listener& listener : balancer.listeners) {
      if (signs_in(listener.default_rule)) return true;
      if (std::ranges::any_of(listener.rules, [&](const auto& rule) { return signs_in(*rule); })) return true;
    }
  }
  const auto is_plain = [](const config::Rule&, const config::ForwardAction& forward) { return !forward.stickiness; };
  return !std::ranges::all_of(model.load_balancers,
                              [&](const auto& balancer) { return EachForward(balancer, is_plain); });
}

}  // namespace

void RunningAppliance::RestoreStickinessKey(const Proposal& proposal) {
  const std::string& ordered = options_.state_directory;
  const std::string& path = ordered.empty() ? proposal.model->state_directory.text : ordered;
  if (path.empty()) return;
  const StateDirectory state = StateDirectory::At(path);
  const auto kept = state.Read(kStickinessKeyName);
  if (!kept) {
    LogError(kept.error().message + "; a new stickiness key takes its place");
    return;
  }
  if (!*kept) return;
  const auto secret = net::ParseOwnCookieKey(**kept);
  if (secret) {
    adoption_.RestoreStickinessSecret(*secret);
  } else {
    LogError(state.PathOf(kStickinessKeyName) + ' ' + secret.error().message + "; a new one takes its place");
  }
}

void RunningAppliance::KeepStickinessKey() {
  if (!state_ || keeps_stickiness_key_ || !MakesCookies(*adoption_.model())) return;
  keeps_stickiness_key_ =
      Keep(kStickinessKeyName, net::FormatOwnCookieKey(adoption_.stickiness_secret()), "the stickiness key is");
}

bool RunningAppliance::Keep(std::string_view name, const std::optional<std::string>& text, std::string_view noun) {
  const auto kept = text ? state_->Write(name, *text) : state_->Remove(name);
  if (kept) return true;
  LogError(std::string(noun) + " not kept: " + kept.error().message);
  const std::lock_guard lock(runtime_mutex_);
  ++runtime_.state_write_failures;
  return false;
}

}  // namespace weir::app
