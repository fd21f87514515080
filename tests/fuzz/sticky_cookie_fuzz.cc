// Cookies of clients: of whatever shape they are, only what was sealed with the key is read, and nothing is read of
// bytes that are not there. Lines of the input are Cookie fields.

#include "base/check.h"
#include "net/key_secret.h"
#include "proxy/balancing/sticky_cookie.h"
#include "tests/fuzz/fuzz_target.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace {

using weir::proxy::CookiePurpose;
using weir::proxy::StickyCookieCodec;

StickyCookieCodec MakeCodec() {
  weir::net::KeySecret secret{};
  secret.fill(1);
  return StickyCookieCodec({weir::net::CookieKey::From(secret)});
}

void CheckInside(std::string_view input, const std::optional<std::string_view>& value) {
  if (!value || value->empty()) return;
  WEIR_CHECK(value->data() >= input.data() && value->data() + value->size() <= input.data() + input.size());
  WEIR_CHECK(!value->contains(';') && !value->contains('\n'));
}

// What can be read is a whole session, made for one purpose; written again and read again it is the same.
void CheckValue(StickyCookieCodec& codec, std::string_view value) {
  int read = 0;
  for (const auto purpose : {CookiePurpose::kTarget, CookiePurpose::kApplication, CookiePurpose::kGroup}) {
    const auto session = codec.Decode(purpose, value);
    if (!session) continue;
    ++read;
    WEIR_CHECK(value.size() == StickyCookieCodec::kValueBytes);
    const auto again = codec.Encode(purpose, *session);
    WEIR_CHECK(codec.Decode(purpose, {again.data(), again.size()}) == session);
  }
  WEIR_CHECK(read <= 1);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static StickyCookieCodec codec = MakeCodec();
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  std::vector<weir::http::Field> fields;
  for (std::string_view rest = input;;) {
    const std::size_t end = rest.find('\n');
    fields.push_back({.name = "Cookie", .value = rest.substr(0, end)});
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }
  const auto cookies = weir::proxy::ReadStickyCookies(fields, "sid");
  for (const auto& value : {cookies.target, cookies.application, cookies.group}) {
    CheckInside(input, value);
    if (value) CheckValue(codec, *value);
  }
  CheckValue(codec, input);
  for (auto& field : fields) field.name = "Set-Cookie";
  static_cast<void>(weir::proxy::SetsCookie(fields, "sid"));
  static_cast<void>(
      weir::proxy::NeedsSameSiteNone({{.name = "Origin", .value = input}, {.name = "User-Agent", .value = input}}));
  return 0;
}
