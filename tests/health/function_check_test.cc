// Functions as the engine sees them: without checks, and with checks that are invocations; spec: alb.md 11.

#include "functions/function_target.h"
#include "tests/health/engine_fixture.h"

#include <gtest/gtest.h>

#include <atomic>

namespace weir::health::testing {
namespace {

// Answers at once with a status, or fails.
class FakeInvoker final : public functions::FunctionInvoker {
 public:
  std::unique_ptr<functions::Invocation> Invoke(net::EventLoop& loop, std::string event, OnResult done) override {
    ++invoked;
    if (event.find(R"("headers":{"user-agent":"ELB-HealthChecker/2.0"})") == std::string::npos) ++odd;
    return std::make_unique<Call>(loop, status.load(), std::move(done));
  }
  std::atomic<int> status{200};  // 0: it fails
  std::atomic<int> invoked{0};
  std::atomic<int> odd{0};

 private:
  class Call final : public functions::Invocation, private net::Task {
   public:
    Call(net::EventLoop& loop, int status, OnResult done) : status_(status), done_(std::move(done)) {
      loop.RunSoon(*this);
    }

   private:
    void RunTask() override {
      const OnResult done = std::move(done_);
      if (status_ == 0) {
        done(std::unexpected(functions::InvokeError{functions::InvokeFailure::kFunctionError, {}}));
      } else {
        done(functions::Invoked{R"({"isBase64Encoded":false,"headers":{},"statusCode":)" + std::to_string(status_) +
                                "}"});
      }
    }
    int status_;
    OnResult done_;
  };
};

class FunctionCheckTest : public EngineTest {
 protected:
  // A group `fn` in use.
  static config::Model ModelOf(bool enabled) {
    config::Model model;
    config::TargetGroup group = Group("fn", {});
    group.function.emplace().versions.resize(1);
    group.function->alias = "live";
    group.health_check.enabled = enabled;
    model.target_groups.push_back(std::move(group));
    return model;
  }
  void ApplyFunction(const config::Model& model) {
    Apply(model, {},
          {std::make_shared<const functions::FunctionTarget>(
              "arn", functions::Values::kLast, "live",
              std::vector<functions::VersionTarget>{{.name = "1", .weight = 1, .invoker = invoker_}})});
  }
  std::shared_ptr<FakeInvoker> invoker_ = std::make_shared<FakeInvoker>();
};

TEST_F(FunctionCheckTest, WithoutChecksItIsUnavailableAndTakesRequests) {
  Start();
  ApplyFunction(ModelOf(false));
  const auto table = AwaitState(HealthState::kUnavailable);
  const GroupStatus& group = table->groups[0];
  ASSERT_EQ(group.targets.size(), 1U);
  EXPECT_EQ(group.targets[0].reason, HealthReason::kHealthCheckDisabled);
  EXPECT_EQ(group.targets[0].description, "Health checks are disabled");
  EXPECT_EQ(group.targets[0].id(), "fn:live");
  EXPECT_EQ(group.routable.size(), 1U);
  EXPECT_EQ(group.healthy, 1U);
  EXPECT_FALSE(group.fail_open);
  EXPECT_TRUE(group.healthy_for_dns);
  EXPECT_EQ(invoker_->invoked, 0);
}

TEST_F(FunctionCheckTest, AnEnabledCheckIsAnInvocation) {
  Start();
  ApplyFunction(ModelOf(true));
  AwaitState(HealthState::kHealthy);
  invoker_->status = 503;
  const auto table = AwaitState(HealthState::kUnhealthy);
  EXPECT_EQ(table->groups[0].targets[0].reason, HealthReason::kResponseCodeMismatch);
  EXPECT_TRUE(table->groups[0].fail_open);
  invoker_->status = 200;
  AwaitState(HealthState::kHealthy);
  invoker_->status = 0;
  AwaitState(HealthState::kUnhealthy);
  EXPECT_EQ(invoker_->odd, 0);
}

TEST_F(FunctionCheckTest, ChecksThatAreTurnedOffLeaveNothingBehind) {
  Start();
  invoker_->status = 503;
  ApplyFunction(ModelOf(true));
  AwaitState(HealthState::kUnhealthy);
  ApplyFunction(ModelOf(false));
  AwaitState(HealthState::kUnavailable);
  ApplyFunction(ModelOf(true));
  AwaitState(HealthState::kUnhealthy);
}

}  // namespace
}  // namespace weir::health::testing
