#include "proxy/connection_limits.h"

#include "base/log.h"

#include <string>

namespace weir::proxy {

void ClientCrowd::SetLimit(std::uint64_t clients, std::uint64_t descriptors) {
  const std::lock_guard lock(mutex_);
  clients_ = clients;
  descriptors_ = descriptors;
}

void ClientCrowd::Begin() {
  const std::lock_guard lock(mutex_);
  if (full_workers_++ > 0) return;
  ++episodes_;
  if (silent_) return;
  LogWarning("clients wait to be accepted: the limit of client connections is reached client_connections_max=" +
             std::to_string(clients_) + " descriptors=" + std::to_string(descriptors_));
}

void ClientCrowd::End() {
  const std::lock_guard lock(mutex_);
  if (--full_workers_ > 0 || silent_) return;
  LogInfo("clients no longer wait to be accepted client_connections_max=" + std::to_string(clients_));
}

void ClientCrowd::FallSilent() {
  const std::lock_guard lock(mutex_);
  silent_ = true;
}

std::uint64_t ClientCrowd::clients_max() const {
  const std::lock_guard lock(mutex_);
  return clients_;
}

std::uint64_t ClientCrowd::episodes() const {
  const std::lock_guard lock(mutex_);
  return episodes_;
}

bool ClientCrowd::waiting() const {
  const std::lock_guard lock(mutex_);
  return full_workers_ > 0;
}

}  // namespace weir::proxy
