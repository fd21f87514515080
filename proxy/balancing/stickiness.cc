#include "proxy/balancing/stickiness.h"

#include "base/check.h"
#include "base/text_writer.h"
#include "proxy/actions/forward.h"
#include "proxy/routing/routing_table.h"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>

namespace weir::proxy {
namespace {

using std::chrono::floor;
using std::chrono::seconds;

// Of every cookie, whatever its session's duration. spec: alb.md 9.
constexpr std::chrono::days kCookieLifetime{7};

bool SameEndpoint(const Endpoint& known, const Endpoint& named) {
  return known.port == named.port && std::ranges::equal(known.address.bytes(), named.address.bytes());
}

// Where `session` names it, else wherever it is now.
std::optional<std::uint32_t> FindRegistered(const health::GroupStatus& status, const StickySession& session) {
  const auto& targets = status.targets;
  if (session.position < targets.size() && SameEndpoint(targets[session.position].endpoint, session.target)) {
    return session.position;
  }
  const auto found =
      std::ranges::find_if(targets, [&](const auto& target) { return SameEndpoint(target.endpoint, session.target); });
  if (found == targets.end()) return std::nullopt;
  return static_cast<std::uint32_t>(found - targets.begin());
}

// Which of a value's characters are other ones is not to be told by the time that it takes.
bool SameValue(const StickyCookieCodec::Value& known, std::string_view value) {
  static_assert(StickyCookieCodec::kValueBytes % sizeof(std::uint64_t) == 0);
  std::uint64_t other = 0;
  for (std::size_t at = 0; at < known.size(); at += sizeof(std::uint64_t)) {
    std::uint64_t have = 0;
    std::uint64_t want = 0;
    std::memcpy(&have, value.data() + at, sizeof have);
    std::memcpy(&want, known.data() + at, sizeof want);
    other |= have ^ want;
  }
  return other == 0;
}

// By its nonce, which is random.
std::size_t PlaceOf(std::string_view value) {
  constexpr std::size_t kNonceAt = 8;
  std::uint64_t nonce = 0;
  std::memcpy(&nonce, value.data() + kNonceAt, sizeof nonce);
  return static_cast<std::size_t>(nonce * 0x9e3779b97f4a7c15U >> 32U);
}

StickyVerdict Judge(const health::GroupStatus& status, std::uint32_t target) {
  // In ascending order (health::GroupStatus).
  if (std::ranges::binary_search(status.routable, target)) return StickyVerdict::kHolds;
  const health::TargetStatus& known = status.targets[target];
  if (known.deregistered || known.state == health::HealthState::kDraining) return StickyVerdict::kDraining;
  return StickyVerdict::kUnhealthy;
}

}  // namespace

void Stickiness::Reset(const RoutingTable& table) {
  if (codec_ != nullptr && codec_->keys() == table.stickiness_keys()) return;
  codec_ = std::make_unique<StickyCookieCodec>(table.stickiness_keys());
  made_.assign(kMadeMax, {});
  opened_.assign(kOpenedMax, {});
}

std::optional<StickySession> Stickiness::SessionOf(CookiePurpose purpose, std::string_view value) {
  if (value.size() != StickyCookieCodec::kValueBytes) return std::nullopt;
  Made& opened = opened_[PlaceOf(value) % kOpenedMax];
  if (opened.purpose == purpose && SameValue(opened.value, value)) return opened.session;
  const auto session = codec_->Decode(purpose, value);
  if (!session) return std::nullopt;
  opened.purpose = purpose;
  opened.session = *session;
  std::ranges::copy(value, opened.value.begin());
  return session;
}

StickyVerdict Stickiness::Open(CookiePurpose purpose, const std::optional<std::string_view>& value, WallTime now,
                               std::optional<StickySession>& session) {
  if (!value) return StickyVerdict::kNoCookie;
  session = SessionOf(purpose, *value);
  if (!session) return StickyVerdict::kInvalid;
  return session->expires <= now ? StickyVerdict::kExpired : StickyVerdict::kHolds;
}

StickyChoice Stickiness::FindTarget(const TargetGroupRoute& group, const health::GroupStatus& status,
                                    const std::vector<http::Field>& fields, WallTime now) {
  const config::TargetGroupStickiness& settings = group.config->stickiness;
  const bool by_application = settings.type == config::StickinessType::kAppCookie;
  const ReceivedCookies cookies = ReadStickyCookies(fields, by_application ? settings.cookie_name : "");
  StickyChoice out;
  if (by_application && cookies.application && !cookies.has_own) {
    out.verdict = StickyVerdict::kNoApplicationCookie;
    return out;
  }
  out.verdict = by_application ? Open(CookiePurpose::kApplication, cookies.application, now, out.session)
                               : Open(CookiePurpose::kTarget, cookies.target, now, out.session);
  if (out.verdict != StickyVerdict::kHolds) return out;
  const StickySession& session = *out.session;
  if (session.group != group.sticky_id) {
    out.verdict = StickyVerdict::kElsewhere;
  } else if (const auto target = FindRegistered(status, session); !target) {
    out.verdict = StickyVerdict::kGone;
  } else if (out.verdict = Judge(status, *target); out.verdict == StickyVerdict::kHolds) {
    out.chosen = target;
  }
  return out;
}

StickyChoice Stickiness::FindGroup(const Forward& forward, const RoutingTable& table, const health::StatusTable* status,
                                   const std::vector<http::Field>& fields, WallTime now) {
  StickyChoice out;
  out.verdict = Open(CookiePurpose::kGroup, ReadStickyCookies(fields, {}).group, now, out.session);
  if (out.verdict != StickyVerdict::kHolds) return out;
  const auto found = std::ranges::find_if(forward.choices, [&](const ForwardChoice& choice) {
    return table.groups()[choice.group].sticky_id == out.session->group;
  });
  if (found == forward.choices.end()) {
    out.verdict = StickyVerdict::kElsewhere;
  } else if (status != nullptr && status->groups[found->group].routable.empty()) {
    out.verdict = StickyVerdict::kGone;
  } else {
    out.chosen = found->group;
  }
  return out;
}

const StickyCookieCodec::Value& Stickiness::ValueOf(CookiePurpose purpose, const StickySession& session) {
  Made& made = made_[(session.group + session.position + std::to_underlying(purpose)) % kMadeMax];
  if (made.purpose != purpose || made.session != session) {
    made = {.purpose = purpose, .session = session, .value = codec_->Encode(purpose, session)};
  }
  return made.value;
}

void Stickiness::AppendCookie(std::string_view name, const StickyCookieCodec::Value& value, bool same_site_none,
                              WallTime now, FieldBlock& out) {
  constexpr std::size_t kFixedBytesMax = 128;
  AppendWith(out, kFixedBytesMax + name.size() + value.size(), [&](TextWriter& line) {
    line.Put("Set-Cookie: ");
    line.Put(name);
    line.Put('=');
    line.Put(std::string_view(value.data(), value.size()));
    line.Put("; Expires=");
    line.Put(expires_.At(now + kCookieLifetime));
    line.Put("; Path=/");
    if (same_site_none) line.Put("; SameSite=None; Secure");
    line.Put("\r\n");
  });
}

void Stickiness::AppendTargetCookies(const TargetGroupRoute& group, const Endpoint& target, std::size_t position,
                                     const std::vector<http::Field>& response, bool same_site_none, WallTime now,
                                     FieldBlock& out) {
  const config::TargetGroupStickiness& settings = group.config->stickiness;
  const bool by_application = settings.type == config::StickinessType::kAppCookie;
  if (by_application && !SetsCookie(response, settings.cookie_name)) return;
  const StickySession session{.group = group.sticky_id,
                              .target = target,
                              .position = static_cast<std::uint32_t>(position) & StickySession::kPositionMax,
                              .expires = floor<seconds>(now) + settings.duration};
  if (by_application) {
    return AppendCookie("AWSALBAPP-0", ValueOf(CookiePurpose::kApplication, session), same_site_none, now, out);
  }
  const StickyCookieCodec::Value& value = ValueOf(CookiePurpose::kTarget, session);
  AppendCookie("AWSALB", value, false, now, out);
  AppendCookie("AWSALBCORS", value, true, now, out);
}

void Stickiness::AppendGroupCookies(const Forward& forward, const RoutingTable& table, std::uint32_t group,
                                    WallTime now, FieldBlock& out) {
  const auto choice = std::ranges::find(forward.choices, group, &ForwardChoice::group);
  if (choice == forward.choices.end() || choice->weight == 0) return;
  const StickySession session{.group = table.groups()[group].sticky_id,
                              .target = {},
                              .position = 0,
                              .expires = floor<seconds>(now) + forward.stickiness};
  const StickyCookieCodec::Value& value = ValueOf(CookiePurpose::kGroup, session);
  AppendCookie("AWSALBTG", value, false, now, out);
  AppendCookie("AWSALBTGCORS", value, true, now, out);
}

}  // namespace weir::proxy
