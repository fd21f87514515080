#pragma once

#include "config/model.h"
#include "http/message.h"

#include <cstdint>
#include <string_view>
#include <vector>

namespace weir::proxy {

// A request as far as the protocol version of a target group has something to say about it.
struct VersionedRequest {
  http::Version version = http::Version::kHttp11;
  std::string_view method;
  bool is_grpc = false;  // HTTP/2, and IsGrpcContent
};

// What gRPC is known by (its protocol's section "Requests"): the content type.
[[nodiscard]] bool IsGrpcContent(const std::vector<http::Field>& fields);

// Whether a group takes such a request, and if not, what it does not take: the answer is 464. spec: alb.md 7.1.
enum class VersionFit : std::uint8_t { kFits, kNoGrpc, kNoHttp1, kPostOnly };
[[nodiscard]] VersionFit FitOf(const config::TargetGroup& group, const VersionedRequest& request);

// `1.0`, `1.1`, `2`.
[[nodiscard]] std::string_view VersionName(http::Version version);

}  // namespace weir::proxy
