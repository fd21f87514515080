// PEM files with certificates, and what is asked about each of them.

#include "base/check.h"
#include "net/pem_file.h"
#include "net/tls_certificate.h"
#include "tests/fuzz/fuzz_target.h"

#include <algorithm>
#include <string>
#include <string_view>

namespace {

bool IsVisible(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto certificates = weir::net::ParseCertificates(text, "file.pem");
  if (!certificates) {
    WEIR_CHECK(certificates.error().message.find("file.pem") != std::string::npos);
    return 0;
  }
  WEIR_CHECK(!certificates->empty());
  for (const auto& certificate : *certificates) {
    const auto facts = weir::net::FactsOf(*certificate);
    // They go into header fields and logs.
    WEIR_CHECK(IsVisible(facts.subject));
    WEIR_CHECK(IsVisible(facts.issuer));
    WEIR_CHECK(IsVisible(facts.serial_number));
    WEIR_CHECK(facts.id.size() == 36);
    WEIR_CHECK(!weir::net::FormatCertificateTime(facts.not_before).empty());
    WEIR_CHECK(!weir::net::FormatCertificateTime(facts.not_after).empty());
  }
  return 0;
}
