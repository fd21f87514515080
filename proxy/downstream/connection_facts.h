#pragma once

#include "base/ip_address.h"
#include "net/stream.h"
#include "proxy/worker_state.h"

#include <memory>
#include <string>
#include <string_view>

namespace weir::proxy {

// What an exchange has to know of the connection its request came over. Outlives the exchange.
struct DownstreamConnectionFacts {
  std::shared_ptr<ListenerSlot> slot;
  std::unique_ptr<net::Stream> stream;
  std::string_view scheme = "http";       // of the requests: http or https; a static text
  std::unique_ptr<const std::string> id;  // TID_…, made when it or a request is first logged

  [[nodiscard]] const Endpoint& peer() const { return stream->peer(); }
  [[nodiscard]] const Endpoint& local() const { return stream->local(); }
};

}  // namespace weir::proxy
