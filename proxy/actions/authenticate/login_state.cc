#include "proxy/actions/authenticate/login_state.h"

#include "base/text.h"
#include "proxy/actions/authenticate/packed_text.h"
#include "proxy/actions/authenticate/plan.h"

namespace weir::proxy {
namespace {

constexpr std::uint64_t kVersion = 1;
constexpr std::uint16_t kHttpsPort = 443;

}  // namespace

std::string EncodeLoginState(const LoginState& state) {
  std::string out;
  PackNumber(out, kVersion);
  PackNumber(out, state.action);
  PackNumber(out, static_cast<std::uint64_t>(state.begun.time_since_epoch().count()));
  PackNumber(out, state.same_site == SameSite::kNone ? 1 : 0);
  for (const auto* text : {&state.browser, &state.authority, &state.target, &state.nonce, &state.verifier}) {
    PackText(out, *text);
  }
  return out;
}

std::optional<LoginState> DecodeLoginState(std::string_view text) {
  Unpacker in(text);
  if (in.Number() != kVersion) return std::nullopt;
  LoginState state;
  state.action = in.Number();
  state.begun = std::chrono::sys_seconds(std::chrono::seconds(in.Number()));
  state.same_site = in.Number() == 0 ? SameSite::kDefault : SameSite::kNone;
  state.browser = in.Text();
  state.authority = in.Text();
  state.target = in.Text();
  state.nonce = in.Text();
  state.verifier = in.Text();
  if (!in.whole()) return std::nullopt;
  return state;
}

std::string AuthorityOf(const http::RequestHead& head) {
  std::string out = ToLowerAscii(head.authority.host);
  if (out.empty()) return out;
  const std::uint16_t port = head.authority.port.value_or(kHttpsPort);
  if (port == kHttpsPort) return out;
  out += ':';
  AppendDecimal(out, port);
  return out;
}

std::string RedirectUri(std::string_view authority) {
  std::string out = "https://";
  out += authority;
  out += kCallbackPath;
  return out;
}

void AppendOriginalUri(const LoginState& state, std::string& out) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  (out += "https://") += state.authority;
  if (!state.target.starts_with('/')) out += '/';  // of `OPTIONS *`
  for (const char c : state.target) {
    if (c > 0x20 && c < 0x7f) {
      if (c != '*' || state.target.size() > 1) out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += kHex[byte >> 4U];
    out += kHex[byte & 0x0fU];
  }
}

}  // namespace weir::proxy
