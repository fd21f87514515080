#include "bench/load/http/http_counts.h"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace weir::bench {

std::string_view ToString(ErrorKind kind) {
  static constexpr std::array<std::string_view, kErrorKinds> kNames = {
      "connect refused",  "connect timeout", "connect reset",      "unreachable",     "connect failed",
      "no local port",    "no descriptor",   "tls handshake",      "tls certificate", "tls without http2",
      "timeout",          "reset",           "closed early",       "closed idle",     "malformed response",
      "stray bytes",      "http2 protocol",  "http2 stream reset", "http2 refused",   "backlog",
      "unsent at the end"};
  return kNames[static_cast<std::size_t>(kind)];
}

std::vector<std::string_view> ErrorKindNames() {
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < kErrorKinds; ++i) names.push_back(ToString(static_cast<ErrorKind>(i)));
  return names;
}

ErrorKind ConnectErrorKind(int error) {
  switch (error) {
    case ECONNREFUSED:
      return ErrorKind::kConnectRefused;
    case ETIMEDOUT:
      return ErrorKind::kConnectTimeout;
    case ECONNRESET:
    case ECONNABORTED:
      return ErrorKind::kConnectReset;
    case ENETUNREACH:
    case EHOSTUNREACH:
      return ErrorKind::kUnreachable;
    case EADDRNOTAVAIL:
      return ErrorKind::kNoLocalPort;
    case EMFILE:
    case ENFILE:
      return ErrorKind::kNoDescriptor;
    default:
      return ErrorKind::kConnectFailed;
  }
}

std::uint32_t ShareNames::NumberOf(std::string_view value) {
  if (names_[last_] == value) return last_;
  // The texts of the first two are ours; a header may say the same.
  const auto found = std::find(names_.begin() + 2, names_.end(), value);
  if (found == names_.end()) {
    if (names_.size() >= kValuesMax + 2) return kOther;
    names_.emplace_back(value);
    last_ = static_cast<std::uint32_t>(names_.size() - 1);
  } else {
    last_ = static_cast<std::uint32_t>(found - names_.begin());
  }
  return last_;
}

void HttpCounts::MoveTo(Counts& out, const ShareNames& names) {
  out.started = std::exchange(started, 0);
  out.bytes_received = std::exchange(bytes_received, 0);
  out.bytes_sent = std::exchange(bytes_sent, 0);
  out.connections = std::exchange(connections, 0);
  out.handshakes_full = std::exchange(handshakes_full, 0);
  out.handshakes_resumed = std::exchange(handshakes_resumed, 0);
  // `out` comes empty: its histogram serves on here, so that nothing is copied.
  std::swap(out.latency, latency);
  latency.Clear();
  out.completed = out.latency.count();
  for (std::size_t i = 0; i < statuses_.size(); ++i) {
    if (statuses_[i] > 0) out.outcomes[std::to_string(i)] = std::exchange(statuses_[i], 0);
  }
  for (std::size_t i = 0; i < errors_.size(); ++i) {
    if (errors_[i] > 0) out.errors[std::string(ToString(static_cast<ErrorKind>(i)))] = std::exchange(errors_[i], 0);
  }
  for (std::size_t i = 0; i < shares_.size(); ++i) {
    if (shares_[i] > 0) {
      out.shares[std::string(names.NameOf(static_cast<std::uint32_t>(i)))] += std::exchange(shares_[i], 0);
    }
  }
}

}  // namespace weir::bench
