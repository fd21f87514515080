// PROXY headers: what is read does not depend on how the bytes are cut, is bounded, and is read again as it is written.

#include "base/check.h"
#include "net/proxy_protocol.h"
#include "tests/fuzz/fuzz_target.h"

#include <string>
#include <string_view>

using weir::net::ParseProxyHeader;
using weir::net::ProxyParse;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const ProxyParse whole = ParseProxyHeader(bytes);
  if (whole.status == ProxyParse::Status::kNeedMore) {
    WEIR_CHECK(size < weir::net::kProxyHeaderBytesMax);
    return 0;
  }
  if (whole.status == ProxyParse::Status::kRefused) {
    WEIR_CHECK(!whole.why.empty());
    return 0;
  }
  WEIR_CHECK(whole.size <= size && whole.size <= weir::net::kProxyHeaderBytesMax);
  for (std::size_t cut = 0; cut < whole.size; ++cut) {
    WEIR_CHECK(ParseProxyHeader(bytes.substr(0, cut)).status == ProxyParse::Status::kNeedMore);
  }
  const ProxyParse alone = ParseProxyHeader(bytes.substr(0, whole.size));
  WEIR_CHECK(alone.status == ProxyParse::Status::kDone && alone.size == whole.size);
  if (whole.header.is_local) return 0;
  const auto& [version, is_local, source, destination] = whole.header;
  WEIR_CHECK(source.address.family() == destination.address.family());
  std::string written;
  weir::net::AppendProxyHeader(written, version, source, destination);
  const ProxyParse again = ParseProxyHeader(written);
  WEIR_CHECK(again.status == ProxyParse::Status::kDone && again.size == written.size());
  // An address that is IPv4 within IPv6 is written as IPv4, where both are.
  if (again.header.is_local) return 0;
  WEIR_CHECK(again.header.source.address == source.address.Unmapped() && again.header.source.port == source.port);
  WEIR_CHECK(again.header.destination.port == destination.port);
  return 0;
}
