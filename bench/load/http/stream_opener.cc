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
                                                          const net::TlsClientSettings& tls,
                                                          const Resumption& resumption) {
  std::unique_ptr<StreamOpener> made(new StreamOpener(loop, origins));
  made->turns_.resize(origins.size());
  made->resumes_percent_ = resumption.percent;
  made->sessions_.resize(origins.size());
  for (Sessions& sessions : made->sessions_) sessions.turns.resize(2 * resumption.connections);
  if (std::ranges::any_of(origins, &Origin::tls)) {
    auto client = net::TlsClient::Build(tls);
    if (!client) return std::unexpected(client.error());
    made->tls_ = std::move(*client);
  }
  return made;
}

bool StreamOpener::ResumesNext() {
  resumption_due_ += resumes_percent_;
  if (resumption_due_ < 100) return false;
  resumption_due_ -= 100;
  return true;
}

net::TlsClientSessions& StreamOpener::NextSessions(std::uint32_t origin) {
  Sessions& sessions = sessions_[origin];
  return sessions.turns[sessions.next++ % sessions.turns.size()];
}

OpenedStream StreamOpener::Open(std::uint32_t origin, net::StreamEvents& events, int& error) {
  const Origin& to = origins_[origin];
  const Endpoint& endpoint = to.endpoints[turns_[origin]++ % to.endpoints.size()];
  OpenedStream opened;
  if (!to.tls) {
    opened.stream = net::TcpStream::Connect(loop_, endpoint, events, error);
    return opened;
  }
  std::unique_ptr<net::TlsStream> stream;
  if (ResumesNext()) {
    // The TLS stream hears that the transport is connected, and begins the handshake then.
    auto transport = net::TcpStream::Connect(loop_, endpoint, events, error);
    if (transport == nullptr) return opened;
    stream = tls_->Secure(std::move(transport), to.host, NextSessions(origin), events);
  } else {
    stream = tls_->Connect(loop_, endpoint, to.host, events, error);
  }
  opened.tls = stream.get();
  opened.stream = std::move(stream);
  return opened;
}

}  // namespace weir::bench
