#include "app/demo_certificate.h"

#include "base/clock.h"
#include "base/file.h"
#include "net/tls_self_signed.h"

#include <stdlib.h>
#include <sys/stat.h>

#include <cerrno>
#include <chrono>
#include <system_error>
#include <utility>

namespace weir::app {
namespace {

constexpr std::chrono::days kLifetime{30};

}  // namespace

Result<DemoCertificate> DemoCertificate::Make() {
  const auto made = net::MakeSelfSigned(
      {.names = {"localhost", "127.0.0.1", "::1"}, .lifetime = kLifetime, .now = SystemClock().WallNow()});
  if (!made) return std::unexpected(made.error());
  std::error_code none;
  std::string pattern = (std::filesystem::temp_directory_path(none) / "weir-demo-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) {
    return Failure("cannot make " + pattern + ": " + std::generic_category().message(errno));
  }
  DemoCertificate out;
  out.folder_ = pattern;
  auto written = WriteNewFile(out.key(), made->key, S_IRUSR | S_IWUSR);
  if (written) written = WriteNewFile(out.certificate(), made->certificate, S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH);
  if (!written) return std::unexpected(written.error());
  return out;
}

DemoCertificate::~DemoCertificate() {
  if (folder_.empty()) return;
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

DemoCertificate::DemoCertificate(DemoCertificate&& other) noexcept : folder_(std::move(other.folder_)) {
  other.folder_.clear();
}

DemoCertificate& DemoCertificate::operator=(DemoCertificate&& other) noexcept {
  std::swap(folder_, other.folder_);
  return *this;
}

}  // namespace weir::app
