#pragma once

#include "base/clock.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace weir::app {

// When a certificate expires, as it is told to people.
struct ExpiringCertificate {
  std::string file;
  WallTime not_after;
};

// Tells of certificates that they expire: 30, 7 and 1 days before, once each. Pure: time and certificates come from
// outside. Thread: one owner.
class CertificateExpiry {
 public:
  struct Notice {
    ExpiringCertificate certificate;
    int days = 0;  // it is less than so many until it expires
  };
  // What is due at `now` and was not told before; of a certificate that is seen late the last one alone. One that has
  // expired is passed over. What is not among `certificates` any more is forgotten, a renewed file begins anew.
  [[nodiscard]] std::vector<Notice> Step(const std::vector<ExpiringCertificate>& certificates, WallTime now);

 private:
  std::map<std::pair<std::string, WallTime>, int> told_;  // the days of the last notice
};

}  // namespace weir::app
