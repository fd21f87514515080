#include "app/certificate_expiry.h"

#include <array>
#include <chrono>
#include <limits>

namespace weir::app {
namespace {

// The smallest limit that the time until `not_after` is within; 0 when it is within none.
int LimitOf(WallTime not_after, WallTime now) {
  constexpr std::array kDays = {1, 7, 30};
  for (const int days : kDays) {
    if (not_after - now < std::chrono::days(days)) return days;
  }
  return 0;
}

}  // namespace

std::vector<CertificateExpiry::Notice> CertificateExpiry::Step(const std::vector<ExpiringCertificate>& certificates,
                                                               WallTime now) {
  std::vector<Notice> due;
  std::map<std::pair<std::string, WallTime>, int> told;
  for (const ExpiringCertificate& certificate : certificates) {
    const std::pair key(certificate.file, certificate.not_after);
    const auto before = told_.find(key);
    const int last = before == told_.end() ? std::numeric_limits<int>::max() : before->second;
    if (!told.emplace(key, last).second) continue;  // of another listener, too
    const int days = LimitOf(certificate.not_after, now);
    if (days == 0 || days >= last || now >= certificate.not_after) continue;
    told[key] = days;
    due.push_back({.certificate = certificate, .days = days});
  }
  told_ = std::move(told);
  return due;
}

}  // namespace weir::app
