#include "tests/control/control_fixture.h"

#include "config/load.h"
#include "dns/counters.h"
#include "dns/zone/zone_set.h"
#include "health/status_rules.h"
#include "proxy/counters.h"

#include <gtest/gtest.h>

#include <chrono>
#include <utility>

namespace weir::control {

const std::string_view kShopYaml = R"(
load-balancers:
  - name: shop
    addresses: [127.0.0.1]
    listeners:
      - port: 8080
        protocol: HTTP
        rules:
          - {name: ping, priority: 30, conditions: [{path-pattern: [/ping]}], actions: [{fixed-response: {status-code: 200, content-type: text/plain, message-body: pong}}]}
          - {priority: 40, conditions: [{path-pattern: ["/old/*"]}], actions: [{redirect: {path: "/new", status-code: HTTP_302}}]}
        default-actions:
          - forward: {target-groups: [{name: blue, weight: 8}, {name: green, weight: 2}]}
target-groups:
  - name: blue
    targets: [{address: 127.0.0.1, port: 9001, zone: a}, {address: "::1", port: 9001, zone: b}]
  - name: green
    targets: [{address: 127.0.0.1, port: 9002}]
dns: {addresses: [127.0.0.1], port: 5353}
health-checks:
  - {name: eu, type: TCP, address: 127.0.0.1, port: 9001}
zones:
  - name: example.test
    name-servers: [ns1.example.test.]
    records:
      - {name: ns1, type: A, ttl: 5m, values: [192.0.2.1]}
      - {name: www, type: A, set: one, failover: PRIMARY, ttl: 10s, values: [192.0.2.10], health-check: eu}
      - {name: www, type: A, set: two, failover: SECONDARY, ttl: 10s, values: [192.0.2.20]}
)";

std::shared_ptr<View> MakeView(std::string_view yaml) {
  const auto loaded = config::LoadText(yaml, "shop.yaml");
  EXPECT_TRUE(loaded.model) << loaded.diagnostics.FormatAll();
  auto view = std::make_shared<View>();
  if (!loaded.model) return view;
  view->revision = 7;
  view->model = loaded.model;
  proxy::CounterRegistry counters(1);
  dns::CounterRegistry dns_counters(1);
  view->routing = proxy::RoutingTable::Build(view->model, view->revision, {}, counters).value();
  view->zones = dns::ZoneSet::Build(view->model, dns_counters).value();
  auto table = std::make_shared<health::StatusTable>();
  table->revision = view->revision;
  for (const auto& group : view->model->target_groups) {
    health::GroupStatus status;
    for (const auto& target : group.targets) {
      health::TargetStatus out;
      out.endpoint = {*target.address, target.port};
      out.zone = target.zone;
      out.state = health::HealthState::kHealthy;
      out.measured_state = out.state;
      out.observations = std::make_shared<health::TargetObservations>(1);
      (*out.observations)[0].requests.Add(3);
      status.targets.push_back(std::move(out));
    }
    health::SummarizeGroup(group, status);
    table->groups.push_back(std::move(status));
  }
  table->checks.resize(view->model->health_checks.size());
  table->load_balancers.resize(view->model->load_balancers.size());
  view->health = std::move(table);
  return view;
}

void FakeAppliance::Submit(Change change, OnDone done) {
  {
    const std::lock_guard lock(mutex_);
    changes_.push_back(std::move(change));
    if (hold) held_ = std::exchange(done, nullptr);
  }
  held_changed_.notify_all();
  if (done) done(answer);
}

void FakeAppliance::WaitForHeld() {
  std::unique_lock lock(mutex_);
  EXPECT_TRUE(held_changed_.wait_for(lock, std::chrono::seconds(20), [this] { return held_ != nullptr; }));
}

void FakeAppliance::Release() {
  OnDone done;
  {
    const std::lock_guard lock(mutex_);
    done = std::exchange(held_, nullptr);
  }
  if (done) done(answer);
}

std::size_t FakeAppliance::submitted() const {
  const std::lock_guard lock(mutex_);
  return changes_.size();
}

}  // namespace weir::control
