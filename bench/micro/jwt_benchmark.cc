// What a token costs beside the signature that it is verified by: the issue wants no more than half as much again.

#include "base/base64.h"
#include "config/model.h"
#include "http/message.h"
#include "net/signature_key.h"
#include "outbound/http_client.h"
#include "proxy/actions/jwt/jwks_endpoint.h"
#include "proxy/actions/jwt/key_set.h"
#include "proxy/actions/jwt/token.h"
#include "proxy/actions/jwt_validation.h"

#include <benchmark/benchmark.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace weir;

// RS256 with a key that was made for this, 2,048 bits; the claims of an everyday token.
constexpr std::string_view kModulus =
    "p3WidStlopSPNVDE6QHB6NDhXlnvJz6btsOxAN8epsxeOLhMnL-XKKSO0TlSiMMJLPM-vyibEycHEL0jjTwwypjRu1g29RyWXoU-"
    "5zmJ6IQOtGzvAvj652sam08VDSovb_usqbExBy_q_xv0KuX1Zd0b33jWUTOJfVyY9BpuxqJt8xLZMLX_SmfC_MGgdoxnEFPlHZNF"
    "uGb9LuaFj5e9sCP84ImYoeU2JvchpSVacxJalUBj6jnBiK_M-sDnTcBeBPSlW_8FBFu9tfTQZH3_ZEN5aRiWWjGtDIzRwOmbqZ-n"
    "I4N_y8tflXry0pMEwkwNrCBqT7xE4mtt2bWrar94sQ";
constexpr std::string_view kToken =
    "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6IjIwMjYtMTEifQ.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUudGVzd"
    "CIsInN1YiI6IjI0ODI4OTc2MTAwMSIsImF1ZCI6InNob3AiLCJleHAiOjk5OTk5OTk5OTk5LCJpYXQiOjE3MDAwMDAwMDAsIm5iZ"
    "iI6MTcwMDAwMDAwMCwianRpIjoiNWYxYzBlNWUtOGE1Mi00ZjBmLTlmMGUtNmYxYzJhMGM5ZDNiIiwiZW1haWwiOiJzb21lb25lQ"
    "GV4YW1wbGUudGVzdCIsInNjb3BlIjoib3BlbmlkIHByb2ZpbGUgcmVhZCB3cml0ZSJ9.Qcu4DLt6b9DtakAEQ3bJ879atSN-3-Xl"
    "KzT_YqYrw99WSPVeAfSUFxNyKxt6LFBlPH9uNBz52JjyW-uDX651j3-6UJUiNJP1edByHpyHhFY83hd7TjmEvidOyHgRWAUVsHjC"
    "xFwxVuYvev50YvmP-nuEkjTjhjopS4Uy4Xjbnjtr6sQXtPqp3PvyHsWqk10sBVsvLqbpcfsGs7W7Kc9Uyoe04z2DCdIsUkwDupR-"
    "fUA5Ib9XnZoz4Ac9Qo3ERvRzufFiKM7OfUCHYyRF-yPDqZ2c8w-rdjTWRCQe6e5yoam7WJahjCGs5l0l1CLjT-TrcaRXLjr-Woc9"
    "gVSbaIFyGw";
constexpr WallTime kNow{std::chrono::seconds(1'800'000'000)};

proxy::KeySet Keys() {
  return {{.id = "2026-11",
           .algorithm = "RS256",
           .numbers = {.kind = net::PublicKeyKind::kRsa,
                       .first = DecodeBase64Url(kModulus).value_or(""),
                       .second = std::string("\x01\x00\x01", 3)}}};
}

// RSA and SHA-256, nothing else.
void BM_Signature(benchmark::State& state) {
  const auto token = proxy::ParseToken(kToken);
  const auto key = net::SignatureKey::Build(Keys()[0].numbers);
  if (!token || key == nullptr) return state.SkipWithError("no token");
  for ([[maybe_unused]] auto _ : state) {
    if (!key->Verify(token->algorithm, token->signed_text, token->signature)) return state.SkipWithError("not signed");
  }
}
BENCHMARK(BM_Signature);

// All that jwt-validation does for a request whose key is known.
void BM_Request(benchmark::State& state) {
  config::JwtValidationAction settings;
  settings.issuer = "https://id.example.test";
  settings.additional_claims = {
      {.name = "scope", .format = config::JwtClaimFormat::kSpaceSeparatedValues, .values = {"read"}}};
  const proxy::JwtValidation action(settings, nullptr);
  proxy::TokenKeys keys;
  keys.Set(Keys());
  const std::string authorization = "Bearer " + std::string(kToken);
  const std::vector<http::Field> fields = {{.name = "Host", .value = "shop.example.test"},
                                           {.name = "User-Agent", .value = "benchmark"},
                                           {.name = "Accept", .value = "*/*"},
                                           {.name = "Authorization", .value = authorization}};
  for ([[maybe_unused]] auto _ : state) {
    const auto verdict = action.Judge(fields, keys, kNow);
    if (verdict.kind != proxy::JwtValidation::Verdict::Kind::kGood) return state.SkipWithError("refused");
  }
}
BENCHMARK(BM_Request);

}  // namespace
