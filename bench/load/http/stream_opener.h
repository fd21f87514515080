#pragma once

#include "base/result.h"
#include "bench/load/http/http_counts.h"
#include "bench/load/http/load_plan.h"
#include "net/event_loop.h"
#include "net/stream.h"
#include "net/tls_client.h"
#include "net/tls_client_sessions.h"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace weir::bench {

// A stream to an origin, with or without TLS.
struct OpenedStream {
  std::unique_ptr<net::Stream> stream;  // null when the system refused at once
  net::TlsStream* tls = nullptr;        // the same stream, when it speaks TLS
};

// Why a stream did not open.
struct OpenFailure {
  ErrorKind kind = ErrorKind::kConnectFailed;
  std::string_view detail;
};
// From what OnConnected said. `tls` may be null.
[[nodiscard]] OpenFailure OpenFailureOf(int error, const net::TlsStream* tls);

// Which TLS connections resume sessions.
struct Resumption {
  double percent = 0;           // of the new connections, evenly, as far as the server gave sessions to resume
  std::size_t connections = 1;  // to each origin at a time, at least one
};

// Opens streams to the origins of a plan; each origin's addresses take turns. Thread: that of its loop.
class StreamOpener {
 public:
  // `origins` outlives it. Fails when TLS is needed and cannot be set up.
  [[nodiscard]] static Result<std::unique_ptr<StreamOpener>> Build(net::EventLoop& loop,
                                                                   const std::vector<Origin>& origins,
                                                                   const net::TlsClientSettings& tls,
                                                                   const Resumption& resumption);
  [[nodiscard]] OpenedStream Open(std::uint32_t origin, net::StreamEvents& events, int& error);

 private:
  StreamOpener(net::EventLoop& loop, const std::vector<Origin>& origins) : loop_(loop), origins_(origins) {}
  [[nodiscard]] bool ResumesNext();
  [[nodiscard]] net::TlsClientSessions& NextSessions(std::uint32_t origin);

  net::EventLoop& loop_;
  const std::vector<Origin>& origins_;
  std::vector<std::size_t> turns_;  // by origin: how many were opened
  std::shared_ptr<net::TlsClient> tls_;
  double resumes_percent_ = 0;
  double resumption_due_ = 0;  // percent: the next connection resumes when it comes to a hundred
  // The sessions of an origin that connections take turns with: twice as many as there are connections, so that the one
  // that is to leave a session has ended when it is its turn again.
  struct Sessions {
    std::vector<net::TlsClientSessions> turns;
    std::size_t next = 0;
  };
  std::vector<Sessions> sessions_;  // by origin
};

}  // namespace weir::bench
