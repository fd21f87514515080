// Tokens and key sets that strangers write. The first byte says which: `t` a token, `c` its claims as JSON, else a key
// set. What is taken keeps to its bounds, and keys of a set do not break what verifies with them.

#include "base/base64.h"
#include "base/check.h"
#include "proxy/actions/jwt/key_set.h"
#include "proxy/actions/jwt/token.h"
#include "tests/fuzz/fuzz_target.h"

#include <chrono>
#include <string_view>

namespace {

using namespace weir;

void TryToken(std::string_view text) {
  const auto token = proxy::ParseToken(text);
  if (!token) return;
  WEIR_CHECK(token->signed_text.size() < text.size() && !token->signature.empty());
  WEIR_CHECK(token->signed_text.ends_with(token->claims));
}

void TryClaims(std::string_view text) {
  config::JwtValidationAction expected;
  expected.issuer = "i";
  expected.additional_claims = {
      {.name = "a", .format = config::JwtClaimFormat::kSingleString, .values = {"x"}},
      {.name = "b", .format = config::JwtClaimFormat::kStringArray, .values = {"x", "y"}},
      {.name = "c", .format = config::JwtClaimFormat::kSpaceSeparatedValues, .values = {"x", "y"}}};
  const WallTime now{std::chrono::seconds(1'000)};
  const auto fault = proxy::CheckClaims(EncodeBase64Url(text), expected, now);
  WEIR_CHECK(fault.has_value() || text.size() > 40);
}

void TryKeySet(std::string_view text) {
  const auto set = proxy::ParseKeySet(text);
  if (!set) return;
  WEIR_CHECK(set->size() <= proxy::kKeySetKeysMax);
  proxy::TokenKeys keys;
  keys.Set(*set);
  for (const proxy::JsonWebKey& key : *set) {
    for (const auto algorithm : {net::SignatureAlgorithm::kRs256, net::SignatureAlgorithm::kEs256}) {
      const auto found = keys.Find(key.id, algorithm);
      if (found.key != nullptr) WEIR_CHECK(!found.key->Verify(algorithm, "message", "signature"));
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0]) {
    case 't':
      TryToken(text);
      break;
    case 'c':
      TryClaims(text);
      break;
    default:
      TryKeySet(text);
      break;
  }
  return 0;
}
