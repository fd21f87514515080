#include "proxy/routing/protocol_version.h"

#include <utility>

namespace weir::proxy {

bool IsGrpcContent(const std::vector<http::Field>& fields) {
  const http::Field* const type = http::FindField(fields, "content-type");
  return type != nullptr && type->value.starts_with("application/grpc");
}

VersionFit FitOf(const config::TargetGroup& group, const VersionedRequest& request) {
  const bool is_http2 = request.version == http::Version::kHttp2;
  switch (group.protocol_version) {
    case config::TargetProtocolVersion::kHttp1:
      return request.is_grpc ? VersionFit::kNoGrpc : VersionFit::kFits;
    case config::TargetProtocolVersion::kHttp2:
      return is_http2 || group.takes_http1 ? VersionFit::kFits : VersionFit::kNoHttp1;
    case config::TargetProtocolVersion::kGrpc:
      if (!is_http2) return VersionFit::kNoHttp1;
      return request.method == "POST" ? VersionFit::kFits : VersionFit::kPostOnly;
  }
  std::unreachable();
}

std::string_view VersionName(http::Version version) {
  switch (version) {
    case http::Version::kHttp10:
      return "1.0";
    case http::Version::kHttp11:
      return "1.1";
    case http::Version::kHttp2:
      return "2";
  }
  std::unreachable();
}

}  // namespace weir::proxy
