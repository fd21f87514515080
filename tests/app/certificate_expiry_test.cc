#include "app/certificate_expiry.h"

#include "tests/support/manual_clock.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

namespace weir::app {
namespace {

using std::chrono::days;
using std::chrono::hours;

class CertificateExpiryTest : public ::testing::Test {
 protected:
  // What is due now, as `shop.pem 7`.
  std::vector<std::string> Due() {
    std::vector<std::string> out;
    for (const auto& notice : expiry_.Step(certificates_, clock_.WallNow())) {
      out.push_back(notice.certificate.file + " " + std::to_string(notice.days));
    }
    return out;
  }

  weir::testing::ManualClock clock_;
  CertificateExpiry expiry_;
  std::vector<ExpiringCertificate> certificates_{{.file = "shop.pem", .not_after = clock_.WallNow() + days(90)}};
};

using Texts = std::vector<std::string>;

TEST_F(CertificateExpiryTest, ItIsTold30And7And1DaysBeforeOnceEach) {
  Texts told;
  // Looked at every hour until it has expired.
  for (int hour = 0; hour < 91 * 24; ++hour, clock_.Advance(hours(1))) {
    for (const auto& text : Due()) told.push_back(std::to_string(hour) + " " + text);
  }
  EXPECT_EQ(told, (Texts{std::to_string(60 * 24 + 1) + " shop.pem 30", std::to_string(83 * 24 + 1) + " shop.pem 7",
                         std::to_string(89 * 24 + 1) + " shop.pem 1"}));
}

TEST_F(CertificateExpiryTest, OneThatIsSeenLateIsToldOnce) {
  clock_.Advance(days(86));
  EXPECT_EQ(Due(), Texts{"shop.pem 7"});
  EXPECT_EQ(Due(), Texts{});
  clock_.Advance(days(10));
  EXPECT_EQ(Due(), Texts{}) << "what has expired is no news";
}

TEST_F(CertificateExpiryTest, ARenewedOneBeginsAnew) {
  clock_.Advance(days(86));
  EXPECT_EQ(Due(), Texts{"shop.pem 7"});
  certificates_.front().not_after += days(20);
  EXPECT_EQ(Due(), Texts{"shop.pem 30"});
}

TEST_F(CertificateExpiryTest, EachFileIsToldOnce) {
  certificates_.push_back(certificates_.front());
  certificates_.push_back({.file = "api.pem", .not_after = clock_.WallNow() + hours(20)});
  clock_.Advance(hours(1));
  EXPECT_EQ(Due(), Texts{"api.pem 1"});
  clock_.Advance(days(70));
  EXPECT_EQ(Due(), Texts{"shop.pem 30"});
  EXPECT_EQ(Due(), Texts{});
}

}  // namespace
}  // namespace weir::app
