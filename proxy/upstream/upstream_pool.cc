#include "proxy/upstream/upstream_pool.h"

#include "proxy/upstream/http1_upstream_connection.h"

#include <algorithm>
#include <utility>

namespace weir::proxy {

UpstreamPool::UpstreamPool(WorkerState& worker) : worker_(worker) {}

UpstreamPool::~UpstreamPool() = default;

std::shared_ptr<UpstreamEndpoint> UpstreamPool::EndpointFor(const Endpoint& endpoint) {
  auto& known = endpoints_[endpoint];
  if (known == nullptr) known = std::make_shared<UpstreamEndpoint>(UpstreamEndpoint{.endpoint = endpoint});
  return known;
}

void UpstreamPool::ForgetUnused() {
  std::erase_if(endpoints_, [](const auto& entry) { return entry.second.use_count() == 1; });
}

UpstreamStream* UpstreamPool::Acquire(const std::shared_ptr<UpstreamEndpoint>& endpoint, Mode mode,
                                      std::chrono::seconds idle_timeout, UpstreamEvents& events, int& error) {
  error = 0;
  if (mode == Mode::kReuse) {
    while (Http1UpstreamConnection* const connection = endpoint->newest) {
      if (connection->Reuse(events)) {
        TakeIdle(*connection);
        connection->set_idle_timeout(idle_timeout);
        return connection;
      }
      connection->Close();  // takes it out of the list
    }
  }
  if (connections_.size() >= worker_.limits.targets) MakeRoom();
  auto connection = std::make_unique<Http1UpstreamConnection>(worker_, *this, endpoint);
  connection->set_idle_timeout(idle_timeout);
  error = connection->Connect(events);
  if (error != 0) return nullptr;
  connection->pool_index_ = connections_.size();
  connections_.push_back(std::move(connection));
  return connections_.back().get();
}

void UpstreamPool::PutIdle(Http1UpstreamConnection& connection) {
  UpstreamEndpoint& endpoint = *connection.endpoint_;
  // The oldest has waited longest and goes.
  if (endpoint.idle_count >= kIdlePerEndpointMax) endpoint.oldest->Close();
  connection.older_ = endpoint.newest;
  connection.newer_ = nullptr;
  (endpoint.newest == nullptr ? endpoint.oldest : endpoint.newest->newer_) = &connection;
  endpoint.newest = &connection;
  ++endpoint.idle_count;
}

void UpstreamPool::TakeIdle(Http1UpstreamConnection& connection) {
  UpstreamEndpoint& endpoint = *connection.endpoint_;
  (connection.newer_ == nullptr ? endpoint.newest : connection.newer_->older_) = connection.older_;
  (connection.older_ == nullptr ? endpoint.oldest : connection.older_->newer_) = connection.newer_;
  connection.older_ = connection.newer_ = nullptr;
  --endpoint.idle_count;
}

void UpstreamPool::Destroy(Http1UpstreamConnection& connection) {
  const std::size_t index = connection.pool_index_;
  if (index >= connections_.size() || connections_[index].get() != &connection) return;  // on its way already
  std::unique_ptr<Http1UpstreamConnection> owned = std::move(connections_[index]);
  if (index + 1 != connections_.size()) {
    connections_[index] = std::move(connections_.back());
    connections_[index]->pool_index_ = index;
  }
  connections_.pop_back();
  worker_.loop.DestroyLater(std::move(owned));
}

void UpstreamPool::MakeRoom() {
  for (const auto& [endpoint, connections] : endpoints_) {
    if (connections->oldest == nullptr) continue;
    connections->oldest->Close();
    return;
  }
}

void UpstreamPool::CloseIdle() {
  for (auto& [endpoint, connections] : endpoints_) {
    while (connections->newest != nullptr) connections->newest->Close();
  }
}

}  // namespace weir::proxy
