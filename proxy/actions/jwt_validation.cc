#include "proxy/actions/jwt_validation.h"

#include "proxy/actions/jwt/jwks_endpoint.h"
#include "proxy/actions/jwt/token.h"
#include "proxy/worker_state.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>

namespace weir::proxy {
namespace {

using Kind = JwtValidation::Verdict::Kind;

ErrorCode CodeOf(TokenFault fault) {
  switch (fault) {
    case TokenFault::kNotPresent:
      return ErrorCode::kJwtNotPresent;
    case TokenFault::kFormat:
      return ErrorCode::kJwtFormatInvalid;
    case TokenFault::kSignature:
      return ErrorCode::kJwtSignatureInvalid;
    case TokenFault::kClaimNotPresent:
      return ErrorCode::kJwtClaimNotPresent;
    case TokenFault::kClaimFormat:
      return ErrorCode::kJwtClaimFormatInvalid;
    case TokenFault::kClaimValue:
      return ErrorCode::kJwtClaimValueInvalid;
  }
  std::unreachable();
}

JwtValidation::Verdict Bad(TokenFault fault) { return {.kind = Kind::kBad, .error = CodeOf(fault)}; }

// A request that waits for the key of its token. The action is that of the view that the exchange pins.
class KeyWait final : public ActionWork, private KeyWaiter {
 public:
  KeyWait(const JwtValidation& action, std::shared_ptr<JwksEndpoint> endpoint, WorkerState& worker)
      : action_(action), endpoint_(std::move(endpoint)), worker_(worker) {}

  void Start(const http::RequestHead& head, const ActionHandle& handle) override {
    head_ = &head;
    handle_ = handle;
    for (;;) {
      if (Decide()) return;
      switch (endpoint_->Await(worker_, *this)) {
        case JwksEndpoint::Wait::kBegun:
          return;
        case JwksEndpoint::Wait::kNewKeys:
          break;
        case JwksEndpoint::Wait::kRefused:
          if (const auto refusal = endpoint_->Refusal(worker_)) return handle_.Fail(*refusal);
          break;
      }
    }
  }
  void Cancel() override { endpoint_->Forget(worker_, *this); }

 private:
  void OnKeys() override {
    if (!Decide()) handle_.Fail(endpoint_->NoteUnknownKey());
  }
  // False where the key is still missing.
  bool Decide() {
    const auto verdict = action_.Judge(head_->fields, endpoint_->KeysOf(worker_), worker_.loop.wall_now());
    switch (verdict.kind) {
      case Kind::kGood:
        handle_.GoOn();
        return true;
      case Kind::kBad:
        handle_.Fail(verdict.error);
        return true;
      case Kind::kKeyMissing:
        return false;
    }
    std::unreachable();
  }

  const JwtValidation& action_;
  std::shared_ptr<JwksEndpoint> endpoint_;
  WorkerState& worker_;
  const http::RequestHead* head_ = nullptr;
  ActionHandle handle_;
};

std::string_view WordOf(config::JwtClaimFormat format) {
  switch (format) {
    case config::JwtClaimFormat::kSingleString:
      return "is";
    case config::JwtClaimFormat::kStringArray:
      return "has one of";
    case config::JwtClaimFormat::kSpaceSeparatedValues:
      return "has all of";
  }
  std::unreachable();
}

}  // namespace

JwtValidation::JwtValidation(const config::JwtValidationAction& settings, std::shared_ptr<JwksEndpoint> endpoint)
    : settings_(settings), endpoint_(std::move(endpoint)) {
  const auto allow = [this](net::SignatureAlgorithm algorithm) { allowed_ |= 1U << std::to_underlying(algorithm); };
  for (const std::string& name : settings.algorithms) {
    if (const auto algorithm = net::FindSignatureAlgorithm(name)) allow(*algorithm);
  }
  if (settings.algorithms.empty()) allow(net::SignatureAlgorithm::kRs256);
}

JwtValidation::Verdict JwtValidation::Judge(const std::vector<http::Field>& fields, const TokenKeys& keys,
                                            WallTime now) const {
  const auto text = BearerToken(fields);
  if (!text) return Bad(text.error());
  const auto token = ParseToken(*text);
  if (!token) return Bad(token.error());
  if (!Allows(token->algorithm)) return Bad(TokenFault::kSignature);
  const auto found = keys.Find(token->key_id, token->algorithm);
  if (!found.is_known) return {.kind = Kind::kKeyMissing};
  if (found.key == nullptr || !found.key->Verify(token->algorithm, token->signed_text, token->signature)) {
    return Bad(TokenFault::kSignature);
  }
  if (const auto fault = CheckClaims(token->claims, settings_, now)) return Bad(*fault);
  return {.kind = Kind::kGood};
}

ActionOutcome JwtValidation::Run(const ActionRequest& request) const {
  WorkerState& worker = request.worker;
  const Verdict verdict = Judge(request.head.fields, endpoint_->KeysOf(worker), worker.loop.wall_now());
  switch (verdict.kind) {
    case Kind::kGood:
      return ActionOutcome::GoOn();
    case Kind::kBad:
      return ActionOutcome::Fail(verdict.error);
    case Kind::kKeyMissing:
      break;
  }
  // However many come with a key that nobody knows: only those that are worth it are kept.
  if (const auto refusal = endpoint_->Refusal(worker)) return ActionOutcome::Fail(*refusal);
  return request.Wait(std::make_unique<KeyWait>(*this, endpoint_, worker));
}

std::string JwtValidation::Explain() const {
  std::string text =
      fmt::format("jwt-validation: one bearer token, signed by {} with a key of {}, of the issuer {}, in its time",
                  settings_.algorithms.empty() ? "RS256" : fmt::format("{}", fmt::join(settings_.algorithms, " or ")),
                  endpoint_->address(), settings_.issuer);
  for (const config::JwtClaim& claim : settings_.additional_claims) {
    text += fmt::format("; its claim `{}` {} {}", claim.name, WordOf(claim.format), fmt::join(claim.values, ", "));
  }
  return text + "; else 401";
}

}  // namespace weir::proxy
