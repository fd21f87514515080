#include "proxy/exemplars.h"

#include "proxy/trace_root.h"

#include <algorithm>
#include <cstring>

namespace weir::proxy {
void Exemplars::Note(std::size_t bucket, SteadyTime now, std::string_view trace, std::chrono::nanoseconds duration,
                     WallTime time) {
  next_[bucket] = now + kPause;
  const std::string_view root = RootOfTrace(trace);
  if (root.empty() || root.size() > kTraceBytesMax) return;
  std::array<std::uint64_t, std::tuple_size_v<Words>> text{};
  std::memcpy(text.data(), root.data(), root.size());
  Slot& slot = slots_[bucket];
  // Each store is a release, and each load of a reader an acquire: who sees a word of this writing sees the odd
  // version.
  const std::uint64_t version = slot.version.load(std::memory_order_relaxed);
  slot.version.store(version + 1, std::memory_order_relaxed);
  for (std::size_t i = 0; i < text.size(); ++i) slot.trace[i].store(text[i], std::memory_order_release);
  slot.microseconds.store(std::chrono::duration_cast<std::chrono::microseconds>(duration).count(),
                          std::memory_order_release);
  slot.nanoseconds.store(std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count(),
                         std::memory_order_release);
  slot.version.store(version + 2, std::memory_order_release);
}

std::optional<Exemplar> Exemplars::Read(std::size_t bucket) const {
  const Slot& slot = slots_[bucket];
  const std::uint64_t version = slot.version.load(std::memory_order_acquire);
  if (version == 0 || version % 2 != 0) return std::nullopt;
  std::array<char, kTraceBytesMax> text{};
  for (std::size_t i = 0; i < slot.trace.size(); ++i) {
    const std::uint64_t word = slot.trace[i].load(std::memory_order_acquire);
    std::memcpy(text.data() + i * sizeof(word), &word, sizeof(word));
  }
  Exemplar out;
  out.duration = std::chrono::microseconds(slot.microseconds.load(std::memory_order_acquire));
  out.time = WallTime(std::chrono::duration_cast<WallTime::duration>(
      std::chrono::nanoseconds(slot.nanoseconds.load(std::memory_order_acquire))));
  if (slot.version.load(std::memory_order_relaxed) != version) return std::nullopt;
  out.trace_id.assign(text.data(), static_cast<std::size_t>(std::ranges::find(text, '\0') - text.begin()));
  return out;
}

}  // namespace weir::proxy
