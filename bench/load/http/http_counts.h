#pragma once

#include "base/enumerators.h"
#include "bench/load/run_record.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace weir::bench {

// Why a request got no answer; docs/bench.md explains each.
enum class ErrorKind : std::uint8_t {
  kConnectRefused,
  kConnectTimeout,
  kConnectReset,
  kUnreachable,
  kConnectFailed,
  kNoLocalPort,
  kNoDescriptor,
  kTlsHandshake,
  kTlsCertificate,
  kTlsWithoutHttp2,
  kTimeout,
  kReset,
  kClosedEarly,
  kClosedIdle,
  kMalformed,
  kStrayBytes,
  kHttp2Protocol,
  kHttp2StreamReset,
  kHttp2Refused,
  kBacklog,
  kUnsent,
};
inline constexpr std::size_t kErrorKinds = CountEnumerators<ErrorKind>();
// `connect refused`: the key in Counts::errors.
[[nodiscard]] std::string_view ToString(ErrorKind kind);
[[nodiscard]] std::vector<std::string_view> ErrorKindNames();
// The kind of a connection attempt that failed with an errno.
[[nodiscard]] ErrorKind ConnectErrorKind(int error);

// The values of one response header, numbered, so that counting one costs no look-up by text in most cases. Bounded:
// what comes after the first kValuesMax is counted as `other`. Thread: one at a time.
class ShareNames {
 public:
  static constexpr std::size_t kValuesMax = 256;
  static constexpr std::uint32_t kAbsent = 0;  // the response has no such header
  static constexpr std::uint32_t kOther = 1;

  [[nodiscard]] std::uint32_t NumberOf(std::string_view value);
  [[nodiscard]] std::string_view NameOf(std::uint32_t number) const { return names_[number]; }

 private:
  std::vector<std::string> names_ = {"(none)", "other"};
  std::uint32_t last_ = kOther;
};

// What one generator thread counts in its hot path: numbers, no texts. Thread: that of the generator.
class HttpCounts {
 public:
  std::uint64_t started = 0;
  std::uint64_t bytes_received = 0;
  std::uint64_t bytes_sent = 0;
  std::uint64_t connections = 0;
  std::uint64_t handshakes_full = 0;  // of TLS
  std::uint64_t handshakes_resumed = 0;
  Histogram latency;
  Histogram lateness;  // open loop: how long after its time a request was sent

  void AddResponse(std::uint16_t status, std::chrono::nanoseconds took) {
    latency.Record(took);
    ++statuses_[status < statuses_.size() ? status : 0];
  }
  void AddShare(std::uint32_t number) {
    if (number >= shares_.size()) shares_.resize(number + 1);
    ++shares_[number];
  }
  void AddHandshake(bool is_resumed) { ++(is_resumed ? handshakes_resumed : handshakes_full); }
  // The warm-up is over: bytes and connections, which belong to no request, are counted anew.
  void ForgetTraffic() {
    bytes_received = bytes_sent = connections = 0;
    handshakes_full = handshakes_resumed = 0;
  }
  void AddError(ErrorKind kind) { ++errors_[static_cast<std::size_t>(kind)]; }

  // Moves everything to the form that is shown, and starts from zero. `lateness` stays: it is for the whole run.
  void MoveTo(Counts& out, const ShareNames& names);

 private:
  std::array<std::uint64_t, 1000> statuses_{};
  std::array<std::uint64_t, kErrorKinds> errors_{};
  std::vector<std::uint64_t> shares_;
};

}  // namespace weir::bench
