#include "functions/instance.h"

#include "base/check.h"
#include "base/log.h"
#include "base/printable.h"
#include "base/random.h"
#include "functions/bootstrap.h"
#include "functions/environment.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <utility>

namespace weir::functions {
namespace {

constexpr std::string_view kDefaultPath = "/usr/local/bin:/usr/bin:/bin";

std::string InheritedPath() {
  const char* const path = std::getenv("PATH");  // nobody sets variables of weir while it runs
  return path == nullptr || *path == '\0' ? std::string(kDefaultPath) : std::string(path);
}

// 8-4-4-4-12 digits, as Lambda's ids of requests.
std::string MakeRequestId(Random& random) {
  std::string id;
  for (const int digits : {8, 4, 4, 4, 12}) {
    if (!id.empty()) id += '-';
    random.AppendHex(id, digits);
  }
  return id;
}

std::int64_t SecondsOf(WallTime time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

std::string MakeTraceId(Random& random, WallTime now) {
  std::string id = fmt::format("Root=1-{:08x}-", SecondsOf(now));
  random.AppendHex(id, 24);
  return id + ";Sampled=0";
}

std::string MakeStreamName(Random& random, const Program& program, WallTime now) {
  std::string name =
      fmt::format("{:%Y/%m/%d}/[{}]", fmt::gmtime(std::chrono::system_clock::to_time_t(now)), program.version);
  random.AppendHex(name, 32);
  return name;
}

std::string AbsoluteRoot(const std::string& root) {
  std::error_code error;
  const auto absolute = std::filesystem::absolute(root, error).lexically_normal();
  return error ? root : absolute.string();
}

}  // namespace

Instance::Instance(net::EventLoop& loop, process::ProcessClient& processes, Setting setting, InstanceEvents& events)
    : loop_(loop),
      processes_(processes),
      setting_(std::move(setting)),
      events_(events),
      timer_([this] { OnTimer(); }),
      refusal_timer_([this] {
        phase_ = Phase::kEnded;
        events_.OnEnded(*this, std::exchange(init_failure_, std::nullopt));
      }) {}

Instance::~Instance() {
  if (process_) processes_.Forget(*process_);
  if (!api_) return;
  api_->Close();
  loop_.DestroyLater(std::move(api_));
}

std::string Instance::Name() const {
  return fmt::format("function={} version={} instance={}", setting_.program->name, setting_.program->version,
                     setting_.number);
}

process::SpawnRequest Instance::RequestOf(const std::string& root) const {
  const Program& program = *setting_.program;
  process::SpawnRequest request{
      .command = program.code.command,
      .environment = EnvironmentOf(program, root, api_->endpoint().ToString(), InheritedPath(), stream_name_),
      .directory = root};
  if (program.code.runtime) {
    auto bootstrap = BootstrapOf(*program.code.runtime);
    request.command = std::move(bootstrap.command);
    request.input = bootstrap.program;
  }
  return request;
}

void Instance::Start() {
  Random random;
  stream_name_ = MakeStreamName(random, *setting_.program, loop_.wall_now());
  auto api = RuntimeApi::Listen(loop_, static_cast<RuntimeApiEvents&>(*this));
  if (!api) return EndLater({InvokeFailure::kUnreachable, api.error().message});
  api_ = std::move(*api);
  process_ = processes_.Spawn(RequestOf(AbsoluteRoot(setting_.program->code.root)),
                              static_cast<process::ProcessEvents&>(*this));
  loop_.timers().Schedule(timer_, loop_.now() + setting_.times.init_timeout);
}

void Instance::EndLater(InvokeError failure) {
  init_failure_ = std::move(failure);
  phase_ = Phase::kEnding;
  loop_.timers().Schedule(refusal_timer_, loop_.now());
}

void Instance::Invoke(std::string event, OnResult done) {
  WEIR_CHECK(ready());
  phase_ = Phase::kBusy;
  done_ = std::move(done);
  const auto timeout = setting_.program->code.timeout;
  loop_.timers().Schedule(timer_, loop_.now() + timeout);
  const auto deadline = (loop_.wall_now() + timeout).time_since_epoch();
  Random random;
  api_->Give({.id = MakeRequestId(random),
              .event = std::move(event),
              .deadline_ms = std::chrono::duration_cast<std::chrono::milliseconds>(deadline).count(),
              .function_arn = FunctionArn(*setting_.program),
              .trace_id = MakeTraceId(random, loop_.wall_now())});
}

void Instance::Finish(InvokeResult result) {
  if (auto done = std::exchange(done_, nullptr)) done(std::move(result));
}

void Instance::FinishFailed(InvokeFailure failure, std::string detail) {
  Finish(std::unexpected(InvokeError{failure, std::move(detail)}));
}

void Instance::Kill() {
  phase_ = Phase::kEnding;
  timer_.Cancel();
  processes_.End(*process_, std::chrono::milliseconds(0));
}

void Instance::End() {
  if (phase_ == Phase::kEnding || phase_ == Phase::kEnded) return;
  phase_ = Phase::kEnding;
  timer_.Cancel();
  processes_.End(*process_, setting_.times.end_grace);
}

// ---- what its process does

void Instance::OnStarted(pid_t pid) { LogInfo(fmt::format("function instance started {} pid={}", Name(), pid)); }

void Instance::OnOutput(process::OutputStream stream, std::string_view line) {
  LogInfo(fmt::format("function output {} stream={} line=\"{}\"", Name(),
                      stream == process::OutputStream::kOutput ? "stdout" : "stderr", Printable(line)));
}

void Instance::OnOutputDropped(process::OutputStream stream, std::size_t lines) {
  LogWarning(fmt::format("function output dropped {} stream={} lines={}", Name(),
                         stream == process::OutputStream::kOutput ? "stdout" : "stderr", lines));
}

void Instance::OnEnded(const process::ProcessEnd& end) {
  const bool expected = phase_ == Phase::kEnding && !init_failure_;
  const bool lost = end.kind == process::ProcessEnd::Kind::kLost;
  const bool busy = phase_ == Phase::kBusy;
  phase_ = Phase::kEnded;
  process_.reset();
  timer_.Cancel();
  api_->Close();
  loop_.DestroyLater(std::move(api_));
  const auto how = ToString(end);
  const auto line = fmt::format("function instance ended {} how=\"{}\"", Name(), how);
  expected ? LogInfo(line) : LogWarning(line);
  if (!was_ready_ && !expected && !lost && !init_failure_) {
    const bool started = end.kind != process::ProcessEnd::Kind::kNotStarted;
    init_failure_ = started ? InvokeError{InvokeFailure::kFunctionError, "Runtime.ExitError: " + how}
                            : InvokeError{InvokeFailure::kUnreachable, how};
  }
  if (busy) FinishFailed(InvokeFailure::kFunctionError, "Runtime.ExitError: " + how);
  events_.OnEnded(*this, std::exchange(init_failure_, std::nullopt));
}

// ---- what it says

void Instance::OnNext() {
  if (phase_ != Phase::kStarting && phase_ != Phase::kReady && phase_ != Phase::kAnswered) return;
  phase_ = Phase::kReady;
  was_ready_ = true;
  timer_.Cancel();
  idle_since_ = loop_.now();
  events_.OnReady(*this);
}

// One that asks no more would take up room for ever.
void Instance::OnNextLost() {
  if (phase_ == Phase::kReady) loop_.timers().Schedule(timer_, loop_.now() + setting_.times.init_timeout);
}

void Instance::OnResponse(std::string response) {
  if (phase_ != Phase::kBusy) return;
  phase_ = Phase::kAnswered;
  Finish(Invoked{.response = std::move(response)});
}

void Instance::OnError(std::string error) {
  if (phase_ != Phase::kBusy) return;
  phase_ = Phase::kAnswered;
  FinishFailed(InvokeFailure::kFunctionError, std::move(error));
}

void Instance::OnTooLarge() {
  if (phase_ != Phase::kBusy) return;
  phase_ = Phase::kAnswered;
  FinishFailed(InvokeFailure::kTooLarge,
               fmt::format("Function.ResponseSizeTooLarge: more than {} bytes", kResponseBytesMax));
}

void Instance::OnInitError(std::string error) {
  if (phase_ != Phase::kStarting) return;
  init_failure_ = InvokeError{InvokeFailure::kFunctionError, std::move(error)};
  // It ends by itself, as a rule; in its own time it may still write what happened.
  phase_ = Phase::kEnding;
  processes_.End(*process_, setting_.times.end_grace);
}

void Instance::OnTimer() {
  const auto seconds = [](std::chrono::milliseconds time) {
    return fmt::format("{:.2f} seconds", std::chrono::duration<double>(time).count());
  };
  const Phase phase = phase_;
  if (phase == Phase::kStarting) {
    init_failure_ =
        InvokeError{InvokeFailure::kTimeout, "Init timed out after " + seconds(setting_.times.init_timeout)};
  }
  Kill();
  if (phase == Phase::kBusy) {
    FinishFailed(InvokeFailure::kTimeout, "Task timed out after " + seconds(setting_.program->code.timeout));
  }
}

}  // namespace weir::functions
