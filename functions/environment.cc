#include "functions/environment.h"

#include <fmt/format.h>

#include <algorithm>

namespace weir::functions {
namespace {

using Variables = std::vector<std::pair<std::string, std::string>>;

constexpr std::string_view kAccount = "000000000000";
constexpr std::string_view kLatest = "$LATEST";
// What Lambda calls the smallest memory that a function can have; nothing bounds it here.
constexpr std::string_view kMemoryMegabytes = "128";

std::string_view RegionOf(const Program& program) {
  return program.region.empty() ? std::string_view("local") : std::string_view(program.region);
}

void Set(Variables& variables, std::string_view name, std::string_view value) {
  const auto found = std::ranges::find(variables, name, &std::pair<std::string, std::string>::first);
  if (found != variables.end()) {
    found->second = value;
  } else {
    variables.emplace_back(name, value);
  }
}

}  // namespace

std::string FunctionArn(const Program& program) {
  std::string arn = fmt::format("arn:aws:lambda:{}:{}:function:{}", RegionOf(program), kAccount, program.name);
  if (program.version != kLatest) arn += ":" + program.version;
  return arn;
}

Variables EnvironmentOf(const Program& program, std::string_view root, std::string_view runtime_api,
                        std::string_view path, std::string_view stream) {
  Variables variables;
  Set(variables, "PATH", path);
  Set(variables, "LANG", "en_US.UTF-8");
  Set(variables, "TZ", ":UTC");
  for (const auto& [name, value] : program.code.environment) Set(variables, name, value);
  Set(variables, "AWS_LAMBDA_RUNTIME_API", runtime_api);
  Set(variables, "_HANDLER", program.code.handler);
  Set(variables, "LAMBDA_TASK_ROOT", root);
  Set(variables, "LAMBDA_RUNTIME_DIR", root);
  Set(variables, "AWS_LAMBDA_FUNCTION_NAME", program.name);
  Set(variables, "AWS_LAMBDA_FUNCTION_VERSION", program.version);
  Set(variables, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", kMemoryMegabytes);
  Set(variables, "AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand");
  Set(variables, "AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/" + program.name);
  Set(variables, "AWS_LAMBDA_LOG_STREAM_NAME", stream);
  Set(variables, "AWS_REGION", RegionOf(program));
  Set(variables, "AWS_DEFAULT_REGION", RegionOf(program));
  // Those of the runtimes that weir brings are set by themselves, who know their versions.
  if (!program.code.runtime) Set(variables, "AWS_EXECUTION_ENV", "AWS_Lambda_provided");
  return variables;
}

}  // namespace weir::functions
