#pragma once

#include <array>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace weir::net {

// Sessions of clients below TLS 1.3 that resume by session ID because they know no tickets: few, and a client may come
// to another worker. Beside counters the one thing that workers share and write; a lock of one shard is held for a
// look-up. Bounded: the oldest go. Thread: any.
class TlsSessionCache {
 public:
  static constexpr std::size_t kSessionsPerShardMax = 1'024;

  void Put(std::string_view id, std::string session);
  [[nodiscard]] std::optional<std::string> Find(std::string_view id) const;
  void Remove(std::string_view id);

 private:
  struct Shard {
    mutable std::mutex mutex;
    std::unordered_map<std::string, std::string> sessions;  // guarded by mutex
    std::deque<std::string> order;                          // guarded by mutex; may name what was removed
  };
  [[nodiscard]] Shard& ShardOf(std::string_view id) const {
    // IDs are random.
    return shards_[id.empty() ? 0 : static_cast<unsigned char>(id.front()) % shards_.size()];
  }

  mutable std::array<Shard, 16> shards_;
};

}  // namespace weir::net
