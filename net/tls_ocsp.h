#pragma once

#include "base/clock.h"
#include "base/result.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace weir::net {

class TlsCredential;

// What an authority says of one certificate.
struct TlsOcspAnswer {
  enum class Standing : std::uint8_t { kGood, kRevoked, kUnknown };
  Standing standing = Standing::kUnknown;
  WallTime this_update;
  std::optional<WallTime> next_update;  // absent: there is always something newer to be had
};

// What an authority says of certificates (RFC 6960), from a file. Immutable. Thread: any (const).
class TlsOcspResponse {
 public:
  // DER, as `openssl ocsp -respout` writes it. Fails where the file holds no response, or one that says that there is
  // no answer. Blocks on the file system.
  [[nodiscard]] static Result<std::shared_ptr<const TlsOcspResponse>> Load(const std::string& path);

  [[nodiscard]] const std::string& file() const { return file_; }
  [[nodiscard]] const std::string& encoded() const { return encoded_; }
  // What it says of this certificate. Fails where it is about others, or where its signature is not that of the issuer
  // or of somebody to whom the issuer gave this task; that is known only where the file of the certificate has the
  // issuer, or the certificate signs itself.
  [[nodiscard]] Result<TlsOcspAnswer> AnswerFor(const TlsCredential& credential) const;

 private:
  TlsOcspResponse(std::string file, std::string encoded) : file_(std::move(file)), encoded_(std::move(encoded)) {}

  std::string file_;
  std::string encoded_;
};

// What clients that ask for it (RFC 6066 section 8) get with a certificate. A value.
struct TlsStaple {
  std::shared_ptr<const TlsOcspResponse> response;  // null: there is none
  WallTime valid_from;
  WallTime valid_until;

  [[nodiscard]] bool IsServed(WallTime now) const {
    return response != nullptr && now >= valid_from && now <= valid_until;
  }
  friend bool operator==(const TlsStaple&, const TlsStaple&) = default;
};

// Clocks of authorities and of this system differ; a response from a moment ago is taken.
inline constexpr std::chrono::minutes kOcspClockDifference{5};

}  // namespace weir::net
