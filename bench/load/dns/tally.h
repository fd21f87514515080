#pragma once

#include "bench/load/dns/response.h"
#include "bench/load/run_record.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace weir::bench {

// Values whose share is counted; answers with any further value count as `other`.
inline constexpr std::size_t kShareValuesMax = 32;

// How often each value was answered. Known values cost a hash and a comparison. Thread: one.
class ShareCounter {
 public:
  void Add(std::uint16_t type, std::span<const std::uint8_t> rdata);
  // An answer without a value counts as `(none)`, so that shares are those of all answers.
  void AddNone() { ++none_; }
  // Adds what was counted since the last call to `shares`, by the values' text; the values stay known.
  void Take(std::map<std::string, std::uint64_t>& shares);

 private:
  static constexpr std::size_t kSlots = kShareValuesMax * 4;
  struct Value {
    std::uint64_t hash = 0;
    std::uint64_t count = 0;
    std::uint16_t type = 0;
    std::vector<std::uint8_t> rdata;
  };
  std::vector<Value> values_;
  std::array<std::uint8_t, kSlots> slots_{};  // index into values_ plus one; 0: free
  std::uint64_t other_ = 0;
  std::uint64_t none_ = 0;
};

// What goes wrong with a query.
enum class QueryError : std::uint8_t {
  kTimeout,           // no answer in time
  kMalformed,         // an answer that breaks the rules of messages
  kMismatch,          // an answer that no query waits for, or with another question
  kRefused,           // ICMP says that nobody listens
  kUnreachable,       // ICMP or the system says that there is no way
  kSendFailed,        // the system does not take the datagram
  kConnectFailed,     // TCP
  kConnectionClosed,  // TCP: closed or reset with the query unanswered
  kNotSent,           // due, but the run ended before the window had room
  kCount
};

// How errors are told, each kind by its words.
[[nodiscard]] std::vector<std::string_view> QueryErrorKinds();

// Counts one thread's run without allocating; maps are made when an interval is handed over. Thread: one.
class Tally {
 public:
  void CountStarted(std::uint64_t queries) { counts_.started += queries; }
  void CountSent(std::uint64_t bytes) { counts_.bytes_sent += bytes; }
  void CountConnection() { ++counts_.connections; }
  void CountError(QueryError error, std::uint64_t queries = 1) { errors_[static_cast<std::size_t>(error)] += queries; }
  // `message` is what `response` was read from.
  void CountAnswer(std::span<const std::uint8_t> message, const Response& response, std::chrono::nanoseconds latency);
  // Everything since the last call.
  [[nodiscard]] Counts Take();

 private:
  static constexpr std::size_t kPlainRcodes = 24;

  Counts counts_;
  std::array<std::array<std::uint64_t, kPlainRcodes>, 2> rcodes_{};  // whole, truncated
  std::map<std::uint16_t, std::uint64_t> other_rcodes_;
  std::array<std::uint64_t, static_cast<std::size_t>(QueryError::kCount)> errors_{};
  ShareCounter shares_;
  PlainRdata value_;
};

}  // namespace weir::bench
