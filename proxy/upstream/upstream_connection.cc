#include "proxy/upstream/upstream_connection.h"

#include "proxy/upstream/function_upstream.h"
#include "proxy/upstream/http1_upstream_connection.h"
#include "proxy/upstream/http2_upstream_connection.h"

namespace weir::proxy {

std::unique_ptr<UpstreamConnection> MakeUpstreamConnection(WorkerState& worker, UpstreamPool& pool,
                                                           std::shared_ptr<UpstreamEndpoint> endpoint) {
  switch (endpoint->key.protocol) {
    case UpstreamProtocol::kHttp1:
      return std::make_unique<Http1UpstreamConnection>(worker, pool, std::move(endpoint));
    case UpstreamProtocol::kHttp2:
      return std::make_unique<Http2UpstreamConnection>(worker, pool, std::move(endpoint));
    case UpstreamProtocol::kInvocation:
      return std::make_unique<FunctionUpstream>(worker, pool, std::move(endpoint));
  }
  std::unreachable();
}

}  // namespace weir::proxy
