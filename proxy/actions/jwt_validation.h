#pragma once

#include "base/clock.h"
#include "config/model.h"
#include "http/message.h"
#include "net/signature_key.h"
#include "proxy/actions/action.h"
#include "proxy/actions/jwt/key_set.h"
#include "proxy/error.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace weir::proxy {

class JwksEndpoint;

// Lets requests go on that bear a good token, and changes nothing of them. spec: alb.md 5.5. Only a request whose key
// is not there waits, for the keys.
class JwtValidation final : public LeadingAction {
 public:
  // `settings` is owned by the table's model.
  JwtValidation(const config::JwtValidationAction& settings, std::shared_ptr<JwksEndpoint> endpoint);

  [[nodiscard]] ActionOutcome Run(const ActionRequest& request) const override;
  [[nodiscard]] std::string_view name() const override { return "jwt-validation"; }
  [[nodiscard]] std::string Explain() const override;

  struct Verdict {
    enum class Kind : std::uint8_t { kGood, kBad, kKeyMissing };
    Kind kind = Kind::kGood;
    ErrorCode error = ErrorCode::kJwtSignatureInvalid;  // of kBad
  };
  // Of a request with these fields, as `keys` show it at `now`.
  [[nodiscard]] Verdict Judge(const std::vector<http::Field>& fields, const TokenKeys& keys, WallTime now) const;
  [[nodiscard]] JwksEndpoint& endpoint() const { return *endpoint_; }

 private:
  [[nodiscard]] bool Allows(net::SignatureAlgorithm algorithm) const {
    return (allowed_ >> static_cast<unsigned>(algorithm) & 1U) != 0;
  }

  const config::JwtValidationAction& settings_;
  std::shared_ptr<JwksEndpoint> endpoint_;
  std::uint32_t allowed_ = 0;  // a bit for each algorithm
};

}  // namespace weir::proxy
