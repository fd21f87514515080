#include "bench/load/dns/tally.h"

#include "dns/wire/types.h"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>

namespace weir::bench {
namespace {

constexpr std::array<std::string_view, static_cast<std::size_t>(QueryError::kCount)> kErrorNames = {
    "timeout",     "malformed",      "mismatch",          "refused", "unreachable",
    "send failed", "connect failed", "connection closed", "not sent"};

std::uint64_t HashOf(std::uint16_t type, std::span<const std::uint8_t> rdata) {
  constexpr std::uint64_t kPrime = 0x9fb21c651e98df25ULL;
  std::uint64_t hash = (rdata.size() << 16 | type) * kPrime;
  std::size_t at = 0;
  for (; at < rdata.size(); at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, rdata.data() + at, std::min<std::size_t>(8, rdata.size() - at));
    hash = (hash ^ word) * kPrime;
    hash ^= hash >> 32;
  }
  return hash;
}

std::string OutcomeName(std::uint16_t rcode, bool truncated) {
  return dns::RcodeName(static_cast<dns::Rcode>(rcode)) + (truncated ? " (truncated)" : "");
}

}  // namespace

std::vector<std::string_view> QueryErrorKinds() { return {kErrorNames.begin(), kErrorNames.end()}; }

void ShareCounter::Add(std::uint16_t type, std::span<const std::uint8_t> rdata) {
  const std::uint64_t hash = HashOf(type, rdata);
  std::size_t at = hash % kSlots;
  for (; slots_[at] != 0; at = (at + 1) % kSlots) {
    Value& value = values_[slots_[at] - 1U];
    if (value.hash == hash && value.type == type && std::ranges::equal(value.rdata, rdata)) {
      ++value.count;
      return;
    }
  }
  if (values_.size() == kShareValuesMax) {
    ++other_;
    return;
  }
  values_.push_back({hash, 1, type, {rdata.begin(), rdata.end()}});
  slots_[at] = static_cast<std::uint8_t>(values_.size());
}

void ShareCounter::Take(std::map<std::string, std::uint64_t>& shares) {
  for (Value& value : values_) {
    if (value.count > 0) shares[ValueText(value.type, value.rdata)] += std::exchange(value.count, 0);
  }
  if (other_ > 0) shares["other"] += std::exchange(other_, 0);
  if (none_ > 0) shares["(none)"] += std::exchange(none_, 0);
}

void Tally::CountAnswer(std::span<const std::uint8_t> message, const Response& response,
                        std::chrono::nanoseconds latency) {
  if (response.value_type != 0) {
    if (!value_.Assign(message, response.value_type, response.value_offset, response.value_bytes)) {
      CountError(QueryError::kMalformed);
      return;
    }
    shares_.Add(response.value_type, value_.view());
  } else {
    shares_.AddNone();
  }
  ++counts_.completed;
  counts_.bytes_received += message.size();
  counts_.latency.Record(latency);
  if (response.rcode < kPlainRcodes) {
    ++rcodes_[response.truncated ? 1 : 0][response.rcode];
  } else {
    ++other_rcodes_[response.rcode];
  }
}

Counts Tally::Take() {
  for (const bool truncated : {false, true}) {
    auto& by_rcode = rcodes_[truncated ? 1 : 0];
    for (std::size_t i = 0; i < kPlainRcodes; ++i) {
      if (by_rcode[i] > 0) counts_.outcomes[OutcomeName(static_cast<std::uint16_t>(i), truncated)] = by_rcode[i];
    }
    by_rcode.fill(0);
  }
  for (const auto& [rcode, count] : other_rcodes_) counts_.outcomes[OutcomeName(rcode, false)] += count;
  other_rcodes_.clear();
  for (std::size_t i = 0; i < errors_.size(); ++i) {
    if (errors_[i] > 0) counts_.errors[std::string(kErrorNames[i])] = std::exchange(errors_[i], 0);
  }
  shares_.Take(counts_.shares);
  return std::exchange(counts_, Counts());
}

}  // namespace weir::bench
