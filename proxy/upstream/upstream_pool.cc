#include "proxy/upstream/upstream_pool.h"

#include <utility>

namespace weir::proxy {

UpstreamPool::UpstreamPool(WorkerState& worker, Connector connector)
    : worker_(worker), connector_(std::move(connector)) {}

UpstreamPool::~UpstreamPool() = default;

std::shared_ptr<UpstreamEndpoint> UpstreamPool::EndpointFor(const UpstreamKey& key) {
  auto& known = endpoints_[key];
  if (known == nullptr) {
    known = std::make_shared<UpstreamEndpoint>();
    known->key = key;
  }
  return known;
}

void UpstreamPool::ForgetUnused() {
  std::erase_if(endpoints_, [](const auto& entry) { return entry.second.use_count() == 1; });
}

UpstreamStream* UpstreamPool::Acquire(const std::shared_ptr<UpstreamEndpoint>& endpoint, Mode mode,
                                      std::chrono::seconds idle_timeout, UpstreamEvents& events, int& error) {
  error = 0;
  while (UpstreamConnection* const connection = endpoint->newest) {
    if (mode == Mode::kFresh && !connection->is_fresh()) break;
    if (UpstreamStream* const stream = connection->Open(events)) {
      if (!connection->has_room()) Withdraw(*connection);
      connection->set_idle_timeout(idle_timeout);
      return stream;
    }
    connection->Close();
    Withdraw(*connection);
  }
  if (connections_.size() >= worker_.limits.targets) MakeRoom();
  auto connection = MakeUpstreamConnection(worker_, *this, endpoint);
  connection->set_idle_timeout(idle_timeout);
  UpstreamStream* const stream = connection->Connect(events, error);
  if (stream == nullptr) return nullptr;
  connection->pool_index_ = connections_.size();
  UpstreamConnection& connecting = *connections_.emplace_back(std::move(connection));
  if (connecting.has_room()) PutAvailable(connecting);
  return stream;
}

void UpstreamPool::PutAvailable(UpstreamConnection& connection) {
  if (connection.available_) return;
  UpstreamEndpoint& endpoint = *connection.endpoint_;
  // The oldest has waited longest and goes.
  if (endpoint.available_count >= kAvailablePerEndpointMax) {
    UpstreamConnection& oldest = *endpoint.oldest;
    oldest.Close();
    Withdraw(oldest);
  }
  connection.older_ = endpoint.newest;
  connection.newer_ = nullptr;
  (endpoint.newest == nullptr ? endpoint.oldest : endpoint.newest->newer_) = &connection;
  endpoint.newest = &connection;
  connection.available_ = true;
  ++endpoint.available_count;
}

void UpstreamPool::Withdraw(UpstreamConnection& connection) {
  if (!connection.available_) return;
  UpstreamEndpoint& endpoint = *connection.endpoint_;
  (connection.newer_ == nullptr ? endpoint.newest : connection.newer_->older_) = connection.older_;
  (connection.older_ == nullptr ? endpoint.oldest : connection.older_->newer_) = connection.newer_;
  connection.older_ = connection.newer_ = nullptr;
  connection.available_ = false;
  --endpoint.available_count;
}

void UpstreamPool::Destroy(UpstreamConnection& connection) {
  const std::size_t index = connection.pool_index_;
  if (index >= connections_.size() || connections_[index].get() != &connection) return;  // on its way already
  Withdraw(connection);
  std::unique_ptr<UpstreamConnection> owned = std::move(connections_[index]);
  if (index + 1 != connections_.size()) {
    connections_[index] = std::move(connections_.back());
    connections_[index]->pool_index_ = index;
  }
  connections_.pop_back();
  worker_.loop.DestroyLater(std::move(owned));
}

void UpstreamPool::MakeRoom() {
  for (const auto& [key, endpoint] : endpoints_) {
    UpstreamConnection* const oldest = endpoint->oldest;
    if (oldest == nullptr || !oldest->is_idle()) continue;
    oldest->Close();
    return;
  }
}

void UpstreamPool::CloseIdle() {
  for (auto& [key, endpoint] : endpoints_) {
    for (UpstreamConnection* connection = endpoint->newest; connection != nullptr;) {
      UpstreamConnection* const next = connection->older_;
      if (connection->is_idle()) connection->Close();
      connection = next;
    }
  }
}

}  // namespace weir::proxy
