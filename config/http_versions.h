#pragma once

// Who speaks HTTP/2: the only places that compare versions for it. Thread: any.

#include "config/model.h"

#include <utility>

namespace weir::config {

// Whether targets of this version are spoken to by HTTP/2. A version that is not said here does not compile.
[[nodiscard]] constexpr bool SpeaksHttp2(TargetProtocolVersion version) {
  switch (version) {
    case TargetProtocolVersion::kHttp1:
      return false;
    case TargetProtocolVersion::kHttp2:
    case TargetProtocolVersion::kGrpc:
      return true;
  }
  std::unreachable();
}

// Whether a listener takes HTTP/2 of clients: over TLS where its load balancer, with `attributes`, offers it by ALPN,
// else by prior knowledge.
[[nodiscard]] inline bool TakesHttp2(const LoadBalancerAttributes& attributes, const Listener& listener) {
  return listener.protocol == ListenerProtocol::kHttps ? attributes.http2 : listener.attributes.http2_cleartext;
}

}  // namespace weir::config
