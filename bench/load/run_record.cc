#include "bench/load/run_record.h"

namespace weir::bench {
namespace {

void AddCounts(const std::map<std::string, std::uint64_t>& from, std::map<std::string, std::uint64_t>& to) {
  for (const auto& [name, count] : from) to[name] += count;
}

}  // namespace

std::uint64_t Counts::error_count() const {
  std::uint64_t sum = 0;
  for (const auto& [kind, count] : errors) sum += count;
  return sum;
}

void Counts::Add(const Counts& other) {
  started += other.started;
  completed += other.completed;
  bytes_received += other.bytes_received;
  bytes_sent += other.bytes_sent;
  connections += other.connections;
  latency.Add(other.latency);
  AddCounts(other.outcomes, outcomes);
  AddCounts(other.errors, errors);
  AddCounts(other.shares, shares);
}

}  // namespace weir::bench
