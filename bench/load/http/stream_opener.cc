#include "bench/load/http/stream_opener.h"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace weir::bench {

OpenFailure OpenFailureOf(int error, const net::TlsStream* tls) {
  if (tls == nullptr || tls->failure().reason.empty()) return {.kind = ConnectErrorKind(error), .detail = {}};
  return {.kind = tls->failure().certificate_refused ? ErrorKind::kTlsCertificate : ErrorKind::kTlsHandshake,
          .detail = tls->failure().reason};
}

Result<std::unique_ptr<StreamOpener>> StreamOpener::Build(net::EventLoop& loop, const std::vector<Origin>& origins,
                                                          const net::TlsClientSettings& tls) {
  std::unique_ptr<StreamOpener> made(new StreamOpener(loop, origins));
  made->turns_.resize(origins.size());
  if (std::ranges::any_of(origins, &Origin::tls)) {
    auto client = net::TlsClient::Build(tls);
    if (!client) return std::unexpected(client.error());
    made->tls_ = std::move(*client);
  }
  return made;
}

OpenedStream StreamOpener::Open(std::uint32_t origin, net::StreamEvents& events, int& error) {
  const Origin& to = origins_[origin];
  const Endpoint& endpoint = to.endpoints[turns_[origin]++ % to.endpoints.size()];
  OpenedStream opened;
  if (!to.tls) {
    opened.stream = net::TcpStream::Connect(loop_, endpoint, events, error);
    return opened;
  }
  auto stream = tls_->Connect(loop_, endpoint, to.host, events, error);
  opened.tls = stream.get();
  opened.stream = std::move(stream);
  return opened;
}

}  // namespace weir::bench
