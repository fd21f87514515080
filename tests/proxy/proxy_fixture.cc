#include "tests/proxy/proxy_fixture.h"

#include "net/socket.h"

#include <gtest/gtest.h>

#include <future>
#include <utility>

namespace weir::proxy {

ProxyFixture::ProxyFixture() {
  config::TargetGroup group;
  group.name = "blue";
  group.in_use = true;
  model.target_groups.push_back(group);
  config::Listener listener;
  listener.default_rule.action = config::ForwardAction{{{.target_group = 0, .weight = 1}}};
  config::LoadBalancer load_balancer;
  load_balancer.name = "shop";
  load_balancer.addresses = {IpAddress::V4({127, 0, 0, 1})};
  load_balancer.listeners.push_back(listener);
  model.load_balancers.push_back(load_balancer);
}

ProxyFixture::~ProxyFixture() {
  if (!thread_.joinable()) return;
  OnWorker([this](DataPlane&) { data_plane_.reset(); });
  loop_.Stop();
  thread_.join();
}

void ProxyFixture::AddTarget(const Endpoint& endpoint) {
  health::TargetStatus target;
  target.endpoint = endpoint;
  target.state = health::HealthState::kHealthy;
  target.observations = std::make_shared<health::TargetObservations>(1);
  targets.push_back(target);
}

void ProxyFixture::Apply() {
  ++revision_;
  auto table = RoutingTable::Build(std::make_shared<const config::Model>(model), revision_, {}, counters_);
  ASSERT_TRUE(table.has_value());
  table_ = *table;
  auto status = std::make_shared<health::StatusTable>();
  status->revision = revision_;
  status->groups.resize(model.target_groups.size());
  health::GroupStatus& group = status->groups[0];
  group.targets = targets;
  for (std::uint32_t i = 0; i < targets.size(); ++i) {
    if (targets[i].state == health::HealthState::kHealthy) group.routable.push_back(i);
  }
  data_plane_->SetView(table_, std::move(status));
}

void ProxyFixture::Start() {
  auto listening = net::ListenTcp({IpAddress::V4({127, 0, 0, 1}), 0});
  ASSERT_TRUE(listening.has_value());
  endpoint_ = net::LocalEndpoint(listening->get());
  DataPlaneOptions options;
  options.access_logs = &sinks_;
  options.client_crowd = crowd;
  data_plane_ = std::make_unique<DataPlane>(loop_, options);
  Apply();
  data_plane_->AddListener({"shop", 0}, endpoint_, std::move(*listening));
  thread_ = std::thread([this] { loop_.Run(); });
}

void ProxyFixture::Publish() {
  OnWorker([this](DataPlane&) { Apply(); });
}

void ProxyFixture::OnWorker(const std::function<void(DataPlane&)>& task) {
  std::promise<void> done;
  loop_.Post([&] {
    task(*data_plane_);
    done.set_value();
  });
  done.get_future().wait();
}

testing::Connection ProxyFixture::Connect() const { return testing::Connection::To(endpoint_); }

}  // namespace weir::proxy
