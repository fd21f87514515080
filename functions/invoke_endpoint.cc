#include "functions/invoke_endpoint.h"

#include "functions/event.h"
#include "net/tls_authorities.h"
#include "outbound/http_client.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

namespace weir::functions {
namespace {

constexpr std::string_view kFunctionError = "x-amz-function-error";
constexpr std::size_t kDetailMax = 256;

InvokeFailure FailureOf(outbound::Failure failure) {
  switch (failure) {
    case outbound::Failure::kTimeout:
      return InvokeFailure::kNoAnswer;
    case outbound::Failure::kTooLarge:
      return InvokeFailure::kTooLarge;
    case outbound::Failure::kMalformed:
      return InvokeFailure::kServiceError;
    case outbound::Failure::kResolve:
    case outbound::Failure::kConnect:
    case outbound::Failure::kTls:
      return InvokeFailure::kUnreachable;
  }
  std::unreachable();
}

InvokeFailure FailureOf(int status) {
  switch (status) {
    case 403:
      return InvokeFailure::kAccessDenied;
    case 404:
      return InvokeFailure::kNotFound;
    case 429:
      return InvokeFailure::kThrottled;
    default:
      return status >= 400 && status < 500 ? InvokeFailure::kBadRequest : InvokeFailure::kServiceError;
  }
}

InvokeResult ResultOf(outbound::Answer answer) {
  if (!answer) {
    return std::unexpected(InvokeError{FailureOf(answer.error()), std::string(outbound::ToString(answer.error()))});
  }
  const std::string_view error = answer->Field(kFunctionError);
  if (!error.empty()) {
    return std::unexpected(InvokeError{InvokeFailure::kFunctionError,
                                       fmt::format("{}: {}", error, answer->content.substr(0, kDetailMax))});
  }
  if (answer->status != 200) {
    return std::unexpected(InvokeError{FailureOf(answer->status), fmt::format("HTTP {}", answer->status)});
  }
  return Invoked{std::move(answer->content)};
}

}  // namespace

// Counts as one of those under way for as long as it lives. Thread: that of its loop.
class InvokeEndpoint::Call final : public Invocation, private net::Task {
 public:
  Call(net::EventLoop& loop, std::shared_ptr<std::atomic<std::uint32_t>> active, OnResult done)
      : loop_(loop), active_(std::move(active)), client_(loop), done_(std::move(done)) {}
  ~Call() override {
    call_.reset();
    Leave();
  }

  void Start(outbound::Request request) {
    call_ = client_.Start(std::move(request), [this](outbound::Answer answer) { Finish(ResultOf(std::move(answer))); });
  }
  // Without a call; it is not one of those under way.
  void Refuse(InvokeError error) {
    refusal_ = std::move(error);
    loop_.RunSoon(*this);
  }

 private:
  void RunTask() override { Finish(std::unexpected(std::move(*refusal_))); }
  void Finish(InvokeResult result) {
    Leave();
    const OnResult done = std::move(done_);  // which may destroy this
    done(std::move(result));
  }
  void Leave() {
    if (active_ == nullptr) return;
    active_->fetch_sub(1, std::memory_order_relaxed);
    active_.reset();
  }

  net::EventLoop& loop_;
  std::shared_ptr<std::atomic<std::uint32_t>> active_;  // null: it is not counted
  outbound::HttpClient client_;
  std::unique_ptr<outbound::Call> call_;
  OnResult done_;
  std::optional<InvokeError> refusal_;
};

InvokeEndpoint::InvokeEndpoint(config::FunctionCode code) : code_(std::move(code)) {
  if (!code_.invoke.starts_with("https:")) return;
  if (auto loaded = net::TlsAuthorities::OfSystem()) authorities_ = std::move(*loaded);
}

std::unique_ptr<Invocation> InvokeEndpoint::Invoke(net::EventLoop& loop, std::string event, OnResult done) {
  if (active_->fetch_add(1, std::memory_order_relaxed) >= code_.concurrency) {
    active_->fetch_sub(1, std::memory_order_relaxed);
    auto call = std::make_unique<Call>(loop, nullptr, std::move(done));
    call->Refuse({InvokeFailure::kThrottled, {}});
    return call;
  }
  auto call = std::make_unique<Call>(loop, active_, std::move(done));
  auto url = outbound::ParseUrl(code_.invoke);
  if (!url) {
    call->Refuse({InvokeFailure::kUnreachable, url.error().message});
    return call;
  }
  outbound::Request request;
  request.method = "POST";
  request.url = std::move(*url);
  request.fields = {{"Content-Type", "application/json"}};
  request.content = std::move(event);
  request.timeout = code_.timeout;
  request.content_max = kContentBytesMax;
  request.authorities = authorities_;
  call->Start(std::move(request));
  return call;
}

}  // namespace weir::functions
