#pragma once

#include <boost/beast/core/tcp_stream.hpp>

#include <memory>

namespace weir::control {

// Ends a connection whose last answer has been written: sends the end, then reads and drops what the client still sends
// until it closes, for two seconds and 16 MiB at most, and closes. A close before that could destroy the answer on its
// way (RFC 9112 section 9.6). No operation is under way on `stream`, which `owner` keeps alive. Thread: that of the
// stream's executor.
void Linger(boost::beast::tcp_stream& stream, std::shared_ptr<void> owner);

}  // namespace weir::control
