#pragma once

#include "base/counters.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace weir::proxy {

// Counters of one thing that are kept apart by something of it, each with one T for every worker: a writer takes those
// of its part once, and counts as if there were no parts. Never changes, and those of a part are the same objects in
// every table that has it. Thread: any; each counter is written by its worker.
template <class Part, class T>
class CountersBy {
 public:
  using OfPart = std::pair<Part, std::shared_ptr<PerWorker<T>>>;
  // At least one.
  explicit CountersBy(std::vector<OfPart> parts) : parts_(std::move(parts)) {}

  // Those of a worker for a part; for the first one where that is not known.
  [[nodiscard]] T& At(const Part& part, std::size_t worker) const {
    const auto found = std::ranges::find(parts_, part, &OfPart::first);
    return (*(found == parts_.end() ? parts_.front() : *found).second)[worker];
  }
  [[nodiscard]] bool Has(const Part& part) const {
    return std::ranges::find(parts_, part, &OfPart::first) != parts_.end();
  }
  [[nodiscard]] std::span<const OfPart> parts() const { return parts_; }
  // Adds up one counter of every worker and part.
  template <class Read>
  [[nodiscard]] std::uint64_t Sum(Read read) const {
    std::uint64_t sum = 0;
    for (const auto& [part, counters] : parts_) sum += counters->Sum(read);
    return sum;
  }
  // The same of one part; 0 where that is not known.
  template <class Read>
  [[nodiscard]] std::uint64_t SumOf(const Part& part, Read read) const {
    for (const auto& [known, counters] : parts_) {
      if (known == part) return counters->Sum(read);
    }
    return 0;
  }

 private:
  std::vector<OfPart> parts_;
};

}  // namespace weir::proxy
