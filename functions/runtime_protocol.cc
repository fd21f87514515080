#include "functions/runtime_protocol.h"

#include "base/check.h"
#include "functions/runtime_limits.h"

#include <fmt/format.h>

namespace weir::functions {
namespace {

constexpr std::string_view kPrefix = "/2018-06-01/runtime/";
constexpr std::string_view kAccepted = R"({"status":"OK"})";

RuntimeAnswer Accepted() { return {.status = 202, .content = std::string(kAccepted)}; }

RuntimeAnswer OutOfOrder(std::string_view wanted) {
  return RuntimeFault(403, "InvalidStateTransition",
                      fmt::format("{} is not allowed now: Error: State transition is not allowed", wanted));
}

// `ID/response` and `ID/error`, without more slashes.
std::optional<RuntimeRequest> ReadInvocationPath(std::string_view rest) {
  const std::size_t slash = rest.find('/');
  if (slash == 0 || slash == std::string_view::npos) return std::nullopt;
  const auto what = rest.substr(slash + 1);
  if (what == "response") return RuntimeRequest{.call = RuntimeCall::kResponse, .id = rest.substr(0, slash)};
  if (what == "error") return RuntimeRequest{.call = RuntimeCall::kError, .id = rest.substr(0, slash)};
  return std::nullopt;
}

std::optional<RuntimeRequest> ReadPath(std::string_view path) {
  if (!path.starts_with(kPrefix)) return std::nullopt;
  path.remove_prefix(kPrefix.size());
  if (path == "invocation/next") return RuntimeRequest{.call = RuntimeCall::kNext, .id = {}};
  if (path == "init/error") return RuntimeRequest{.call = RuntimeCall::kInitError, .id = {}};
  constexpr std::string_view kInvocation = "invocation/";
  if (!path.starts_with(kInvocation)) return std::nullopt;
  return ReadInvocationPath(path.substr(kInvocation.size()));
}

}  // namespace

RuntimeAnswer RuntimeFault(int status, std::string_view type, std::string_view message) {
  return {.status = status, .content = fmt::format(R"({{"errorMessage":"{}","errorType":"{}"}})", message, type)};
}

RuntimeAnswer TooLargeFault() {
  return RuntimeFault(413, "RequestEntityTooLarge",
                      fmt::format("Exceeded maximum allowed payload size ({} bytes).", kResponseBytesMax));
}

std::expected<RuntimeRequest, RuntimeAnswer> ReadRuntimeRequest(std::string_view method, std::string_view path) {
  const auto request = ReadPath(path);
  if (!request) return std::unexpected(RuntimeFault(404, "NotFound", "there is no such path"));
  const std::string_view wanted = request->call == RuntimeCall::kNext ? "GET" : "POST";
  if (method == wanted) return *request;
  auto fault = RuntimeFault(405, "MethodNotAllowed", fmt::format("the method is {}", wanted));
  fault.fields.emplace_back("Allow", wanted);
  return std::unexpected(std::move(fault));
}

RuntimeProtocol::Step RuntimeProtocol::Take(const RuntimeRequest& request, bool too_large) {
  switch (request.call) {
    case RuntimeCall::kNext:
      if (phase_ == Phase::kBusy || phase_ == Phase::kFailed) return {.answer = OutOfOrder("next")};
      phase_ = Phase::kWaiting;
      return {.answer = std::nullopt, .event = Event::kReady};
    case RuntimeCall::kInitError:
      if (phase_ != Phase::kInit) return {.answer = OutOfOrder("init/error")};
      phase_ = Phase::kFailed;
      return {.answer = Accepted(), .event = Event::kInitError};
    case RuntimeCall::kResponse:
    case RuntimeCall::kError:
      break;
  }
  return TakeResult(request, too_large);
}

RuntimeProtocol::Step RuntimeProtocol::TakeResult(const RuntimeRequest& request, bool too_large) {
  if (phase_ != Phase::kBusy || request.id != id_) {
    return {.answer = RuntimeFault(400, "InvalidRequestID", "Invalid request ID")};
  }
  phase_ = Phase::kIdle;
  id_.clear();
  if (request.call == RuntimeCall::kError) return {.answer = Accepted(), .event = Event::kError};
  if (too_large) return {.answer = TooLargeFault(), .event = Event::kTooLarge};
  return {.answer = Accepted(), .event = Event::kResponse};
}

RuntimeAnswer RuntimeProtocol::Give(RuntimeInvocation invocation) {
  WEIR_CHECK(phase_ == Phase::kWaiting);
  phase_ = Phase::kBusy;
  id_ = invocation.id;
  RuntimeAnswer answer{.status = 200};
  answer.fields = {{"Lambda-Runtime-Aws-Request-Id", std::move(invocation.id)},
                   {"Lambda-Runtime-Deadline-Ms", std::to_string(invocation.deadline_ms)},
                   {"Lambda-Runtime-Invoked-Function-Arn", std::move(invocation.function_arn)},
                   {"Lambda-Runtime-Trace-Id", std::move(invocation.trace_id)}};
  answer.content = std::move(invocation.event);
  return answer;
}

void RuntimeProtocol::LoseNext() {
  if (phase_ == Phase::kWaiting) phase_ = Phase::kIdle;
}

}  // namespace weir::functions
