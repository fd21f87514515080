#include "proxy/upstream/upstream_pool.h"

#include "proxy/upstream/http1_upstream_connection.h"

#include <algorithm>
#include <utility>

namespace weir::proxy {

UpstreamPool::UpstreamPool(WorkerState& worker) : worker_(worker) {}

UpstreamPool::~UpstreamPool() = default;

UpstreamStream* UpstreamPool::Acquire(const Endpoint& endpoint, Mode mode, std::chrono::seconds idle_timeout,
                                      UpstreamEvents& events, int& error) {
  error = 0;
  if (mode == Mode::kReuse) {
    // Closing a stale connection changes the list, so it is looked up anew each time.
    for (auto found = idle_.find(endpoint); found != idle_.end() && !found->second.empty();
         found = idle_.find(endpoint)) {
      Http1UpstreamConnection& connection = *found->second.back();
      if (connection.Reuse(events)) {
        found->second.pop_back();
        connection.set_idle_timeout(idle_timeout);
        return &connection;
      }
      connection.Close();  // takes it out of the list
    }
  }
  auto connection = std::make_unique<Http1UpstreamConnection>(worker_, *this, endpoint);
  connection->set_idle_timeout(idle_timeout);
  error = connection->Connect(events);
  if (error != 0) return nullptr;
  connection->pool_index_ = connections_.size();
  connections_.push_back(std::move(connection));
  return connections_.back().get();
}

void UpstreamPool::PutIdle(Http1UpstreamConnection& connection) {
  auto& idle = idle_[connection.endpoint()];
  if (idle.size() >= kIdlePerEndpointMax) {
    // The oldest has waited longest and goes; erasing at the front is rare.
    idle.front()->Close();
  }
  idle.push_back(&connection);
}

void UpstreamPool::TakeIdle(Http1UpstreamConnection& connection) {
  const auto found = idle_.find(connection.endpoint());
  if (found == idle_.end()) return;
  std::erase(found->second, &connection);
  if (found->second.empty()) idle_.erase(found);
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

void UpstreamPool::CloseIdle() {
  std::vector<Http1UpstreamConnection*> all;
  for (auto& [endpoint, idle] : idle_) all.insert(all.end(), idle.begin(), idle.end());
  for (Http1UpstreamConnection* connection : all) connection->Close();
}

}  // namespace weir::proxy
