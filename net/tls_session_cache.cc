#include "net/tls_session_cache.h"

#include <utility>

namespace weir::net {

void TlsSessionCache::Put(std::string_view id, std::string session) {
  Shard& shard = ShardOf(id);
  const std::lock_guard lock(shard.mutex);
  if (!shard.sessions.insert_or_assign(std::string(id), std::move(session)).second) return;
  shard.order.emplace_back(id);
  while (shard.order.size() > kSessionsPerShardMax) {
    shard.sessions.erase(shard.order.front());
    shard.order.pop_front();
  }
}

std::optional<std::string> TlsSessionCache::Find(std::string_view id) const {
  const Shard& shard = ShardOf(id);
  const std::lock_guard lock(shard.mutex);
  const auto found = shard.sessions.find(std::string(id));
  return found == shard.sessions.end() ? std::nullopt : std::optional(found->second);
}

void TlsSessionCache::Remove(std::string_view id) {
  Shard& shard = ShardOf(id);
  const std::lock_guard lock(shard.mutex);
  shard.sessions.erase(std::string(id));
}

}  // namespace weir::net
