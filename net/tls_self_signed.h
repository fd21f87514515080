#pragma once

#include "base/clock.h"
#include "base/result.h"

#include <chrono>
#include <string>
#include <vector>

namespace weir::net {

struct SelfSignedRequest {
  std::vector<std::string> names;  // host names, wildcards and addresses; the first is the subject. Not empty.
  std::chrono::days lifetime{365};
  WallTime now;  // valid from an hour before, for clocks that differ
};
struct SelfSignedCertificate {
  std::string certificate;  // PEM
  std::string key;          // PEM, ECDSA on P-256, not encrypted
};
// A certificate that signs itself: for rehearsals, and for clients that are told to trust it. Fails when a name cannot
// stand in a certificate. Thread: any.
[[nodiscard]] Result<SelfSignedCertificate> MakeSelfSigned(const SelfSignedRequest& request);

}  // namespace weir::net
