#pragma once

#include "config/model.h"
#include "functions/function_targets.h"
#include "health/engine.h"

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace weir::health::testing {

constexpr std::chrono::seconds kDeadline{10};

// An engine and what it published. Thread: the test's; tables and transitions arrive on the engine's.
class EngineTest : public ::testing::Test {
 protected:
  using Table = std::shared_ptr<const StatusTable>;

  Engine& Start(EngineOptions options = {}) {
    options.on_transition = [this](const Transition& transition) {
      const std::lock_guard lock(mutex_);
      transitions_.push_back(transition);
    };
    engine_ = std::make_unique<Engine>(std::move(options), [this](Table table) {
      const std::lock_guard lock(mutex_);
      table_ = std::move(table);
      published_.push_back(std::chrono::steady_clock::now());
      changed_.notify_all();
    });
    return *engine_;
  }
  void TearDown() override { engine_.reset(); }

  void Apply(const config::Model& model, const Engine::TargetTls& tls = {},
             const functions::FunctionTargetList& functions = {}) {
    engine_->Apply(std::make_shared<config::Model>(model), ++revision_, tls, functions);
  }

  Table Now() const {
    const std::lock_guard lock(mutex_);
    return table_;
  }
  // Waits until a table satisfies `claim`; the test fails at the deadline.
  Table Await(const std::function<bool(const StatusTable&)>& claim) {
    std::unique_lock lock(mutex_);
    const bool held = changed_.wait_for(lock, kDeadline, [&] { return table_ && claim(*table_); });
    EXPECT_TRUE(held) << "no table with what was waited for";
    return table_;
  }
  Table AwaitCheck(bool healthy, std::size_t check = 0) {
    return Await([=](const StatusTable& table) {
      return table.checks.size() > check && table.checks[check].healthy == healthy &&
             !table.checks[check].last_result.empty();
    });
  }
  Table AwaitState(HealthState state, std::size_t target = 0, std::size_t group = 0) {
    return Await([=](const StatusTable& table) {
      return table.groups.size() > group && table.groups[group].targets.size() > target &&
             table.groups[group].targets[target].state == state;
    });
  }
  std::vector<Transition> Transitions() const {
    const std::lock_guard lock(mutex_);
    return transitions_;
  }
  std::vector<std::chrono::steady_clock::time_point> PublicationTimes() const {
    const std::lock_guard lock(mutex_);
    return published_;
  }

  // A group in use with a fast check.
  static config::TargetGroup Group(const std::string& name, const std::vector<Endpoint>& endpoints) {
    config::TargetGroup group;
    group.name = name;
    group.in_use = true;
    for (const Endpoint& endpoint : endpoints) {
      config::Target target;
      target.address = endpoint.address;
      target.port = endpoint.port;
      group.targets.push_back(target);
    }
    group.health_check.path = "/health";
    group.health_check.interval = std::chrono::milliseconds(50);
    group.health_check.timeout = std::chrono::milliseconds(1'000);
    group.health_check.healthy_threshold = 2;
    group.health_check.unhealthy_threshold = 2;
    return group;
  }
  static config::Model Model(std::vector<config::TargetGroup> groups) {
    config::Model model;
    model.target_groups = std::move(groups);
    return model;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Table table_;
  std::vector<Transition> transitions_;
  std::vector<std::chrono::steady_clock::time_point> published_;
  std::unique_ptr<Engine> engine_;
  std::uint64_t revision_ = 0;
};

}  // namespace weir::health::testing
