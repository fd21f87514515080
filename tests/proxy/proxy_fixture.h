#pragma once

#include "config/model.h"
#include "health/status.h"
#include "net/event_loop.h"
#include "proxy/counters.h"
#include "proxy/data_plane.h"
#include "proxy/log/access_log_sink.h"
#include "tests/support/loopback.h"

#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace weir::proxy {

// One data plane on a loop of its own, with a listener on 127.0.0.1 whose default rule forwards to the target group
// `blue`. Change `model` and `targets` before Start, or call Publish again later.
class ProxyFixture {
 public:
  ProxyFixture();
  ~ProxyFixture();
  ProxyFixture(const ProxyFixture&) = delete;
  ProxyFixture& operator=(const ProxyFixture&) = delete;

  void AddTarget(const Endpoint& endpoint);
  void Start();
  // Gives the data plane `model` and `targets` as a new revision.
  void Publish();
  // Runs `task` on the worker's thread and waits for it.
  void OnWorker(const std::function<void(DataPlane&)>& task);
  [[nodiscard]] testing::Connection Connect() const;
  [[nodiscard]] const Endpoint& endpoint() const { return endpoint_; }
  [[nodiscard]] std::shared_ptr<const RoutingTable> table() const { return table_; }

  config::Model model;
  std::vector<health::TargetStatus> targets;
  ClientCrowd* crowd = nullptr;  // outlives the fixture

 private:
  void Apply();

  AccessLogSinks sinks_;
  CounterRegistry counters_{1};
  std::uint64_t revision_ = 0;
  Endpoint endpoint_;
  std::shared_ptr<const RoutingTable> table_;
  net::EventLoop loop_;
  std::unique_ptr<DataPlane> data_plane_;
  std::thread thread_;
};

}  // namespace weir::proxy
