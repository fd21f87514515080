// Request targets, authorities and paths. A normal path never holds a dot segment and never gets longer.

#include "base/check.h"
#include "http/target.h"
#include "tests/fuzz/fuzz_target.h"

#include <string>
#include <string_view>

namespace {

void CheckPath(std::string_view path) {
  std::string out = "kept";
  if (!weir::http::NormalizePath(path, out)) {
    WEIR_CHECK(out == "kept");
    return;
  }
  WEIR_CHECK(out.starts_with("kept/"));
  const std::string normal = out.substr(4);
  WEIR_CHECK(normal != path);
  WEIR_CHECK(normal.size() <= path.size());
  const std::string closed = normal + "/";
  WEIR_CHECK(closed.find("/./") == std::string::npos);
  WEIR_CHECK(closed.find("/../") == std::string::npos);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  CheckPath(text);
  for (const std::string_view method : {"GET", "OPTIONS", "CONNECT"}) {
    const auto target = weir::http::ParseTarget(method, text);
    if (!target) continue;
    WEIR_CHECK(target->has_query || target->query.empty());
    if (target->form == weir::http::TargetForm::kAuthority) continue;
    WEIR_CHECK(target->path == "*" || target->path.starts_with('/'));
    CheckPath(target->path);
    if (!target->authority.empty()) WEIR_CHECK(weir::http::ParseHostPort(target->authority).has_value());
  }
  const auto host = weir::http::ParseHostPort(text);
  if (host) WEIR_CHECK(!host->host.empty() && text.starts_with(host->host));
  return 0;
}
