#pragma once

#include "base/result.h"

#include <filesystem>
#include <string>

namespace weir::app {

// The certificate of the demo's HTTPS listener: signed by itself, for `localhost` and both loopback addresses, in a
// folder of its own that goes with the object. Thread: control.
class DemoCertificate {
 public:
  // Fails where nothing can be written to the folder of temporary files.
  [[nodiscard]] static Result<DemoCertificate> Make();
  DemoCertificate() = default;
  ~DemoCertificate();
  DemoCertificate(DemoCertificate&& other) noexcept;
  DemoCertificate& operator=(DemoCertificate&& other) noexcept;
  DemoCertificate(const DemoCertificate&) = delete;
  DemoCertificate& operator=(const DemoCertificate&) = delete;

  // Paths of PEM files; the key is readable by its owner alone.
  [[nodiscard]] std::string certificate() const { return (folder_ / "localhost.pem").string(); }
  [[nodiscard]] std::string key() const { return (folder_ / "localhost.key").string(); }

 private:
  std::filesystem::path folder_;  // empty: there is none
};

}  // namespace weir::app
