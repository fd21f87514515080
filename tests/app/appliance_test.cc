#include "app/appliance.h"

#include "base/log.h"
#include "control/admin_client.h"
#include "tests/app/temporary_folder.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

namespace weir::app {
namespace {

std::string Shop(std::string_view body, std::string_view blue = "8") {
  return std::string(R"(
load-balancers:
  - name: shop
    addresses: [127.0.0.1]
    listeners:
      - port: 0
        protocol: HTTP
        rules:
          - {priority: 1, conditions: [{path-pattern: [/ping]}], actions: [{fixed-response: {status-code: 200, content-type: text/plain, message-body: )") +
         std::string(body) + R"(}}]}
          - {priority: 5, name: split, conditions: [{path-pattern: [/split]}], actions: [{forward: {target-groups: [{name: blue, weight: 1}, {name: green, weight: 1}]}}]}
        default-actions: [{forward: {target-groups: [{name: blue, weight: )" +
         std::string(blue) +
         R"(}, {name: green, weight: 2}]}}]
target-groups:
  - {name: blue, targets: [{address: 127.0.0.1, port: 1}]}
  - {name: green, targets: [{address: 127.0.0.1, port: 1}]}
admin: {address: 127.0.0.1, port: 0}
dns: {addresses: [127.0.0.1], port: 0}
zones:
  - name: example.test
    name-servers: [ns1]
    records:
      - {name: www, type: A, ttl: 60s, values: [192.0.2.1]}
      - {name: w, type: A, ttl: 60s, values: [192.0.2.2], weight: 1, set: one}
)";
}

// The appliance in a thread of its own, from ready to the end that Stop asks for.
class ApplianceTest : public ::testing::Test {
 protected:
  ApplianceTest() : file_(folder_.Write("shop.yaml", Shop("pong"))) {
    BlockSignals();
    SetLogLevel(LogLevel::kOff);
    ApplianceOptions options;
    options.name = file_;
    options.load = [this] { return config::LoadFile(file_); };
    options.workers = 2;
    options.drain_timeout = std::chrono::seconds(5);
    options.on_ready = [this](const control::Runtime& runtime) { ready_.set_value(runtime); };
    appliance_ = std::make_unique<RunningAppliance>(std::move(options));
    thread_ = std::thread([this] {
      // The control thread's part of the descriptors is taken down where it was put up.
      failed_ = appliance_->Run().has_value();
    });
    auto ready = ready_.get_future();
    EXPECT_EQ(ready.wait_for(std::chrono::seconds(30)), std::future_status::ready);
    runtime_ = ready.get();
  }
  ~ApplianceTest() override { Stop(); }
  void Stop() {
    if (!thread_.joinable()) return;
    kill(getpid(), SIGTERM);
    thread_.join();
  }
  control::AdminReply Admin(std::string_view method, std::string_view target, std::string_view body = {}) {
    return control::CallAdmin(runtime_.admin, method, target, body).value_or(control::AdminReply{});
  }
  control::AdminReply Get(std::string_view path) {
    return control::CallAdmin(listener(), "GET", path).value_or(control::AdminReply{});
  }
  [[nodiscard]] const Endpoint& listener() const { return runtime_.listeners[0].endpoints[0]; }
  [[nodiscard]] std::string WeightsPath() const {
    return "/v1/load-balancers/shop/listeners/" + std::to_string(listener().port) + "/rules/default/weights";
  }
  bool WaitFor(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return true;
  }

  TemporaryFolder folder_;
  std::string file_;
  std::promise<control::Runtime> ready_;
  std::unique_ptr<RunningAppliance> appliance_;
  std::thread thread_;
  control::Runtime runtime_;
  bool failed_ = false;
};

TEST_F(ApplianceTest, ServesUntilSigterm) {
  EXPECT_EQ(Get("/ping").body, "pong");
  EXPECT_EQ(Admin("GET", "/healthz").status, 200U);
  Stop();
  EXPECT_FALSE(failed_);
  EXPECT_EQ(Get("/ping").status, 0U);
}

TEST_F(ApplianceTest, AShiftIsANewRevisionAndGoesBackWhenItIsTakenAway) {
  const auto shifted = Admin("PUT", WeightsPath(), R"({"blue": 0, "green": 100})");
  EXPECT_EQ(shifted.body, R"({"revision":2})");
  auto status = Admin("GET", "/v1/status").body;
  EXPECT_NE(status.find(R"({"name":"blue","weight":0},{"name":"green","weight":100})"), std::string::npos) << status;
  EXPECT_NE(status.find(R"("kind":"weights")"), std::string::npos);
  EXPECT_EQ(Admin("DELETE", WeightsPath()).body, R"({"revision":3})");
  status = Admin("GET", "/v1/status").body;
  EXPECT_NE(status.find(R"({"name":"blue","weight":8},{"name":"green","weight":2})"), std::string::npos) << status;
  EXPECT_EQ(Admin("DELETE", WeightsPath()).body, R"({"revision":3})") << "nothing to take away";
}

TEST_F(ApplianceTest, AShiftKeepsTheCompiledZonesAndAReloadDoesNot) {
  const auto zones_of = [this](std::uint64_t revision) {
    EXPECT_TRUE(WaitFor([&] { return appliance_->CurrentView()->revision == revision; }));
    return appliance_->CurrentView()->zones;
  };
  const auto first = zones_of(1);
  EXPECT_EQ(Admin("PUT", WeightsPath(), R"({"blue": 0, "green": 100})").body, R"({"revision":2})");
  EXPECT_EQ(zones_of(2), first);
  EXPECT_EQ(Admin("POST", "/v1/reload").body, R"({"revision":3})");
  EXPECT_NE(zones_of(3), first);
  const auto status = Admin("GET", "/v1/status").body;
  EXPECT_NE(status.find(R"("record-count":2)"), std::string::npos) << status;
  EXPECT_NE(status.find(R"("set":"one")"), std::string::npos) << status;
}

TEST_F(ApplianceTest, AShiftNamesExactlyTheGroupsOfAForwardAction) {
  EXPECT_EQ(Admin("PUT", WeightsPath(), R"({"blue": 1})").status, 400U);
  EXPECT_EQ(Admin("PUT", WeightsPath(), R"({"blue": 1, "red": 1})").status, 400U);
  const auto port = std::to_string(listener().port);
  EXPECT_EQ(Admin("PUT", "/v1/load-balancers/shop/listeners/" + port + "/rules/1/weights", R"({"blue": 1})").status,
            409U);
  EXPECT_EQ(Admin("PUT", "/v1/load-balancers/shop/listeners/" + port + "/rules/2/weights", R"({"blue": 1})").status,
            404U);
  EXPECT_EQ(Admin("PUT", "/v1/load-balancers/shop/listeners/1/rules/1/weights", R"({"blue": 1})").status, 404U);
  EXPECT_EQ(Admin("PUT", "/v1/load-balancers/shp/listeners/1/rules/1/weights", R"({"blue": 1})").status, 404U);
}

TEST_F(ApplianceTest, AShiftNamesItsRuleByItsNameToo) {
  const auto rules = "/v1/load-balancers/shop/listeners/" + std::to_string(listener().port) + "/rules/";
  EXPECT_EQ(Admin("PUT", rules + "split/weights", R"({"blue": 0, "green": 7})").body, R"({"revision":2})");
  ASSERT_EQ(appliance_->CurrentRuntime().shifts.size(), 1U);
  EXPECT_EQ(appliance_->CurrentRuntime().shifts[0].weights.priority, 5U);
  EXPECT_EQ(Admin("DELETE", rules + "5/weights").body, R"({"revision":3})") << "name and priority are the same rule";
  const auto unknown = Admin("PUT", rules + "splitt/weights", R"({"blue": 0, "green": 7})");
  EXPECT_EQ(unknown.status, 404U);
  EXPECT_NE(unknown.body.find("did you mean split?"), std::string::npos) << unknown.body;
  const auto group = Admin("PUT", rules + "split/weights", R"({"blue": 0, "gren": 7})");
  EXPECT_EQ(group.status, 400U);
  EXPECT_NE(group.body.find("did you mean green?"), std::string::npos) << group.body;
}

TEST_F(ApplianceTest, AChangedFileIsLoadedAndTheListenerStays) {
  const auto status_path = "/ping";
  folder_.Replace("shop.yaml", Shop("pong-two"));
  EXPECT_TRUE(WaitFor([&] { return Get(status_path).body == "pong-two"; }));
  // The workers serve a revision before the control thread has counted it.
  EXPECT_TRUE(WaitFor([&] { return appliance_->CurrentRuntime().reloads_accepted == 1; }));
}

TEST_F(ApplianceTest, AWrongFileIsRefusedAndTheOldOneServesOn) {
  folder_.Write("shop.yaml", "load-balancer: nonsense\n");
  const auto reply = Admin("POST", "/v1/reload");
  EXPECT_EQ(reply.status, 422U);
  EXPECT_NE(reply.body.find(R"("line":1)"), std::string::npos) << reply.body;
  EXPECT_EQ(Get("/ping").body, "pong");
  EXPECT_FALSE(appliance_->CurrentRuntime().last_reload_accepted);
  folder_.Write("shop.yaml", Shop("healed"));
  EXPECT_TRUE(WaitFor([&] { return Get("/ping").body == "healed"; }));
}

TEST_F(ApplianceTest, AnEmptyFileDoesNotTakeEverythingDown) {
  folder_.Write("shop.yaml", "");
  EXPECT_EQ(Admin("POST", "/v1/reload").status, 422U);
  EXPECT_EQ(Get("/ping").body, "pong");
}

TEST_F(ApplianceTest, TheAdminAddressMovesAndTheRequestThatAskedIsAnswered) {
  folder_.Write("shop.yaml", Shop("pong").replace(Shop("pong").find("admin: {address: 127.0.0.1"), 26,
                                                  "admin: {address: 127.0.0.2"));
  EXPECT_EQ(Admin("POST", "/v1/reload").status, 200U);
  EXPECT_FALSE(control::CallAdmin(runtime_.admin, "GET", "/healthz", {}, std::chrono::seconds(2)));
  const auto moved = appliance_->CurrentRuntime().admin;
  EXPECT_EQ(moved.address.ToString(), "127.0.0.2");
  EXPECT_EQ(control::CallAdmin(moved, "GET", "/healthz").value_or(control::AdminReply{}).status, 200U);
}

TEST_F(ApplianceTest, OverridesAreKeptThroughReloadsUntilTheirRuleChanges) {
  EXPECT_EQ(Admin("PUT", WeightsPath(), R"({"blue": 0, "green": 1})").status, 200U);
  const std::string target = "/v1/target-groups/blue/targets/127.0.0.1:1/admin-state";
  EXPECT_EQ(Admin("PUT", target, R"({"state": "draining"})").status, 200U);
  EXPECT_EQ(Admin("POST", "/v1/reload").status, 200U);
  EXPECT_EQ(appliance_->CurrentRuntime().shifts.size(), 1U);
  ASSERT_EQ(appliance_->CurrentRuntime().health_overrides.size(), 1U);
  EXPECT_EQ(appliance_->CurrentView()->health->groups[0].targets[0].state, health::HealthState::kDraining);
  auto without_green = Shop("pong");
  without_green.replace(without_green.find(", {name: green, weight: 2}"), 26, "");
  folder_.Write("shop.yaml", without_green);
  EXPECT_EQ(Admin("POST", "/v1/reload").status, 200U);
  EXPECT_TRUE(appliance_->CurrentRuntime().shifts.empty());
  EXPECT_EQ(Admin("DELETE", target).status, 200U);
  EXPECT_TRUE(appliance_->CurrentRuntime().health_overrides.empty());
}

TEST_F(ApplianceTest, AnAddressInUseRefusesTheReload) {
  folder_.Write("shop.yaml", Shop("pong") + "dns: {addresses: [127.0.0.1], port: " + std::to_string(listener().port) +
                                 "}\nzones: [{name: a.test, name-servers: [ns.a.test.], records: [{name: ns, type: A, "
                                 "ttl: 5m, values: [192.0.2.1]}]}]\n");
  // The listener's own TCP port: sharing it with the DNS responder would split its connections.
  const auto reply = Admin("POST", "/v1/reload");
  EXPECT_EQ(reply.status, 422U) << reply.body;
  EXPECT_EQ(Get("/ping").body, "pong");
}

}  // namespace
}  // namespace weir::app
