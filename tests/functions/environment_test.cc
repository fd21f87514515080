#include "functions/environment.h"

#include "functions/bootstrap.h"
#include "functions/runtime_api.h"

#include <gtest/gtest.h>

#include <map>

namespace weir::functions {
namespace {

Program TestProgram() {
  Program program{.name = "shop", .version = "2", .region = "eu-west-1"};
  program.code.command = {"./bootstrap"};
  program.code.handler = "app.handler";
  program.code.environment = {{"TABLE", "carts"}, {"TZ", "Europe/Berlin"}, {"_HANDLER", "other"}};
  return program;
}

std::map<std::string, std::string> EnvironmentMap(const Program& program) {
  const auto variables = EnvironmentOf(program, "/srv/shop", "127.0.0.1:4711", "/usr/bin", "2026/11/30/[2]abc");
  std::map<std::string, std::string> map(variables.begin(), variables.end());
  EXPECT_EQ(map.size(), variables.size());  // none twice
  return map;
}

TEST(EnvironmentTest, WhatAwsSetsIsSet) {
  auto map = EnvironmentMap(TestProgram());
  EXPECT_EQ(map["AWS_LAMBDA_RUNTIME_API"], "127.0.0.1:4711");
  EXPECT_EQ(map["_HANDLER"], "app.handler");
  EXPECT_EQ(map["LAMBDA_TASK_ROOT"], "/srv/shop");
  EXPECT_EQ(map["LAMBDA_RUNTIME_DIR"], "/srv/shop");
  EXPECT_EQ(map["AWS_LAMBDA_FUNCTION_NAME"], "shop");
  EXPECT_EQ(map["AWS_LAMBDA_FUNCTION_VERSION"], "2");
  EXPECT_EQ(map["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"], "128");
  EXPECT_EQ(map["AWS_REGION"], "eu-west-1");
  EXPECT_EQ(map["AWS_DEFAULT_REGION"], "eu-west-1");
  EXPECT_EQ(map["AWS_EXECUTION_ENV"], "AWS_Lambda_provided");
  EXPECT_EQ(map["AWS_LAMBDA_LOG_GROUP_NAME"], "/aws/lambda/shop");
  EXPECT_EQ(map["AWS_LAMBDA_LOG_STREAM_NAME"], "2026/11/30/[2]abc");
  EXPECT_EQ(map["LANG"], "en_US.UTF-8");
  EXPECT_EQ(map["PATH"], "/usr/bin");
}

TEST(EnvironmentTest, WhatIsConfiguredIsAddedAndDoesNotReplaceWhatTheInstanceGoesBy) {
  auto map = EnvironmentMap(TestProgram());
  EXPECT_EQ(map["TABLE"], "carts");
  EXPECT_EQ(map["TZ"], "Europe/Berlin");
  EXPECT_EQ(map["_HANDLER"], "app.handler");
  auto program = TestProgram();
  program.code.environment.clear();
  EXPECT_EQ(EnvironmentMap(program)["TZ"], ":UTC");
}

TEST(EnvironmentTest, TheNameOfAVersionIsPartOfTheArn) {
  auto program = TestProgram();
  EXPECT_EQ(FunctionArn(program), "arn:aws:lambda:eu-west-1:000000000000:function:shop:2");
  program.version = "$LATEST";
  program.region.clear();
  EXPECT_EQ(FunctionArn(program), "arn:aws:lambda:local:000000000000:function:shop");
}

TEST(BootstrapTest, TheProgramsAreInTheBinary) {
  const auto python = BootstrapOf(config::FunctionRuntime::kPython);
  EXPECT_EQ(python.command, std::vector<std::string>({"python3", "-"}));
  EXPECT_NE(python.program.find("class Context"), std::string_view::npos);
  const auto node = BootstrapOf(config::FunctionRuntime::kNode);
  EXPECT_EQ(node.command, std::vector<std::string>({"node", "-"}));
  EXPECT_NE(node.program.find("getRemainingTimeInMillis"), std::string_view::npos);
}

TEST(ErrorTextTest, AnErrorIsOneLine) {
  EXPECT_EQ(ErrorText(R"({"errorMessage":"no\nluck","errorType":"ValueError","stackTrace":[]})", "x"),
            R"(ValueError: no\x0aluck)");
  EXPECT_EQ(ErrorText(R"({"errorMessage":"m"})", "Runtime.Unknown"), "Runtime.Unknown: m");
  EXPECT_EQ(ErrorText(R"({"errorMessage":7,"errorType":[]})", ""), "Unhandled");
  EXPECT_EQ(ErrorText("[1]", ""), "Unhandled");
  EXPECT_EQ(ErrorText("it broke", "Runtime.ExitError"), "Runtime.ExitError: it broke");
  EXPECT_EQ(ErrorText("", ""), "Unhandled");
  EXPECT_EQ(ErrorText(std::string(100'000, '['), "deep").size(), 1'024U);
}

}  // namespace
}  // namespace weir::functions
