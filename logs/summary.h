#pragma once

// What a log says as a whole: counts and times by rule, group, target, reason and over time. Its memory is bounded,
// however long the log.

#include "logs/entry.h"
#include "logs/latency_sketch.h"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace weir::logs {

struct Tally {
  std::uint64_t requests = 0;
  std::array<std::uint64_t, 6> by_hundred{};  // of the answer's status; [0] counts 000
  std::uint64_t received_bytes = 0;
  std::uint64_t sent_bytes = 0;
  LatencySketch times;  // all that a request took; of targets until their response began

  void Count(const Entry& entry, std::optional<std::chrono::microseconds> took);
  void Add(const Tally& other);
  [[nodiscard]] std::uint64_t errors() const { return by_hundred[5]; }
};

struct SlowRequest {
  std::chrono::microseconds took{0};
  WallTime time;
  std::string request;  // as it is logged
  std::string target;
  std::uint16_t status = 0;
};

class Summary {
 public:
  // Further names are counted together, as kOthers.
  static constexpr std::size_t kNamesMax = 20'000;
  static constexpr std::string_view kOthers = "(others)";
  static constexpr std::size_t kSlowestKept = 10;
  static constexpr std::size_t kIntervalsMax = 2'000;

  // Counts requests; of connections their number and why they failed.
  void Add(const Entry& entry);

  struct Names {
    struct Hash {
      using is_transparent = void;
      std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
    };
    template <class Value>
    using Table = std::unordered_map<std::string, Value, Hash, std::equal_to<>>;
  };
  using Tallies = Names::Table<Tally>;
  using Counts = Names::Table<std::uint64_t>;

  [[nodiscard]] const Tally& all() const { return all_; }
  [[nodiscard]] const LatencySketch& target_times() const { return target_times_; }
  [[nodiscard]] const std::array<std::uint64_t, 1000>& statuses() const { return statuses_; }
  [[nodiscard]] const Counts& reasons() const { return reasons_; }  // `502 LambdaUnhandled`: status and reason
  [[nodiscard]] const Tallies& rules() const { return rules_; }     // by priority, or by name where one is known
  [[nodiscard]] const Tallies& groups() const { return groups_; }
  [[nodiscard]] const Tallies& targets() const { return targets_; }
  [[nodiscard]] const std::vector<SlowRequest>& slowest() const { return slowest_; }  // the slowest first
  [[nodiscard]] std::uint64_t connections() const { return connections_; }
  [[nodiscard]] const Counts& failed_connections() const { return failed_connections_; }
  // Of everything that was added; equal while nothing was.
  [[nodiscard]] WallTime first() const { return first_; }
  [[nodiscard]] WallTime last() const { return last_; }
  // Equal parts of the time between, each from its start on; at most `parts`. Those without a request are there too.
  struct Interval {
    WallTime start;
    Tally tally;
  };
  [[nodiscard]] std::vector<Interval> Intervals(std::size_t parts, std::chrono::seconds& width) const;

 private:
  void AddRequest(const Entry& entry);
  void NoteSlow(const Entry& entry, std::chrono::microseconds took);
  void NoteTime(WallTime time);

  Tally all_;
  LatencySketch target_times_;
  std::array<std::uint64_t, 1000> statuses_{};
  Counts reasons_;
  Tallies rules_;
  Tallies groups_;
  Tallies targets_;
  std::vector<SlowRequest> slowest_;
  std::uint64_t connections_ = 0;
  Counts failed_connections_;
  WallTime first_;
  WallTime last_;
  bool any_ = false;
  std::chrono::seconds width_{60};
  std::map<std::int64_t, Tally> intervals_;  // by time since 1970, in widths
  std::pair<std::int64_t, Tally*> last_interval_{0, nullptr};
};

}  // namespace weir::logs
