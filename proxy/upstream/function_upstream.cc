#include "proxy/upstream/function_upstream.h"

#include "base/text.h"
#include "functions/function_target.h"
#include "http/head_parser.h"
#include "http/http2_head.h"
#include "http/writer.h"
#include "proxy/routing/routing_table.h"
#include "proxy/upstream/upstream_pool.h"
#include "proxy/worker_state.h"

#include <algorithm>
#include <utility>

namespace weir::proxy {
namespace {

// As Lambda's Invoke call says it.
constexpr std::string_view kExecutedVersion = "X-Amz-Executed-Version";

// spec: alb.md 13, 16.2.
ErrorCode CodeFor(functions::InvokeFailure failure) {
  using enum functions::InvokeFailure;
  switch (failure) {
    case kFunctionError:
    case kTimeout:
      return ErrorCode::kLambdaUnhandled;
    case kThrottled:
      return ErrorCode::kLambdaThrottling;
    case kTooLarge:
      return ErrorCode::kLambdaResponseTooLarge;
    case kUnreachable:
      return ErrorCode::kLambdaConnectionError;
    case kNoAnswer:
      return ErrorCode::kLambdaConnectionTimeout;
    case kServiceError:
      return ErrorCode::kLambdaServiceException;
    case kAccessDenied:
      return ErrorCode::kLambdaAccessDenied;
    case kNotFound:
      return ErrorCode::kLambdaResourceNotFound;
    case kBadRequest:
      return ErrorCode::kLambdaBadRequest;
  }
  std::unreachable();
}

// Of requests that are still coming, on one worker: clients who send slowly fill no more memory than this.
constexpr std::size_t kGatheredBytesMax = std::size_t{64} << 20;

// RFC 9110 sections 15.3.5, 15.4.5.
bool HasContent(std::string_view method, std::uint16_t status) {
  return method != "HEAD" && status != 204 && status != 304;
}

bool HasField(const functions::EventResponse& response, std::string_view name) {
  return std::ranges::any_of(response.fields,
                             [name](const auto& field) { return EqualsIgnoreCase(field.first, name); });
}

}  // namespace

FunctionUpstream::~FunctionUpstream() = default;

UpstreamStream* FunctionUpstream::Connect(UpstreamEvents& events, int& error) {
  error = 0;
  events_ = &events;
  return this;
}

// ---- the request

bool FunctionUpstream::SendRequest(const RequestMessage& request, const Content& content) {
  request_ = &request;
  if (request.asks_for_websocket) {
    FailSoon(ErrorCode::kLambdaWebsocketNotSupported);
  } else if (request.framing.kind == http::FramingKind::kContentLength &&
             request.framing.content_length > functions::kContentBytesMax) {
    FailSoon(ErrorCode::kLambdaRequestTooLarge);
  } else {
    SendContent(content);
  }
  return true;
}

void FunctionUpstream::SendContent(const Content& content) {
  if (failure_ || events_ == nullptr) return;
  if (content.bytes.size() > functions::kContentBytesMax - content_.size()) {
    return FailSoon(ErrorCode::kLambdaRequestTooLarge);
  }
  if (content.bytes.size() > kGatheredBytesMax - worker_.function_content_bytes) {
    return FailSoon(ErrorCode::kLambdaThrottling);
  }
  content_ += content.bytes;
  CountGathered(content_.size());
  if (content.is_last()) Invoke();
}

void FunctionUpstream::CountGathered(std::size_t bytes) {
  worker_.function_content_bytes += bytes - counted_;
  counted_ = bytes;
}

void FunctionUpstream::Invoke() {
  std::vector<http::Field> fields;
  http::AppendFieldsOf(request_->host_lines, fields);
  http::AppendFieldsOf(request_->fields, fields);
  std::string length;
  if (request_->framing.kind == http::FramingKind::kContentLength) {
    AppendDecimal(length, request_->framing.content_length);
    fields.push_back({.name = "content-length", .value = length});
  }
  const functions::FunctionTarget& target = *key().function->target;
  std::string event = functions::EncodeEvent({.target_group_arn = target.target_group_arn(),
                                              .method = request_->method,
                                              .target = request_->target,
                                              .fields = fields,
                                              .content = content_},
                                             target.values());
  std::string().swap(content_);
  CountGathered(0);
  (*key().function->counters)[worker_.worker].lambda_bytes.Add(event.size());
  const functions::VersionTarget& version = target.Draw(worker_.random.Fraction());
  events_->NoteInvocation(version.name, {});
  invocation_ = version.invoker->Invoke(
      worker_.loop, std::move(event),
      [this, &version](functions::InvokeResult result) { OnResult(version, std::move(result)); });
}

// ---- the response

void FunctionUpstream::OnResult(const functions::VersionTarget& version, functions::InvokeResult result) {
  if (events_ == nullptr) return;
  worker_.loop.DestroyLater(std::move(invocation_));
  if (!result) {
    events_->NoteInvocation(version.name, result.error().detail.empty() ? functions::ToString(result.error().failure)
                                                                        : std::string_view(result.error().detail));
    return Fail(CodeFor(result.error().failure));
  }
  (*key().function->counters)[worker_.worker].lambda_bytes.Add(result->response.size());
  if (result->response.size() > functions::kContentBytesMax) return Fail(ErrorCode::kLambdaResponseTooLarge);
  const auto response = functions::DecodeResponse(result->response, key().function->target->values());
  if (!response) return Fail(ErrorCode::kLambdaInvalidResponse);
  Answer(version, *response);
}

std::string FunctionUpstream::HeadOf(const functions::VersionTarget& version,
                                     const functions::EventResponse& response) const {
  std::string head = "HTTP/1.1 ";
  AppendDecimal(head, response.status);
  head += ' ';
  head += response.reason.empty() ? http::ReasonPhrase(response.status) : std::string_view(response.reason);
  head += "\r\n";
  // As on every other response of a Load Balancer.
  if (!HasField(response, "date")) http::AppendField(head, "Date", worker_.date.At(worker_.loop.wall_now()));
  if (events_->wants_server_field() && !HasField(response, "server")) {
    http::AppendField(head, "Server", "awselb/2.0");
  }
  for (const auto& [name, value] : response.fields) http::AppendField(head, name, value);
  if (key().function->target->has_versions() && !HasField(response, kExecutedVersion)) {
    http::AppendField(head, kExecutedVersion, version.name);
  }
  if (response.status != 204) http::AppendContentLength(head, response.content.size());
  head += "\r\n";
  return head;
}

void FunctionUpstream::Answer(const functions::VersionTarget& version, const functions::EventResponse& response) {
  const std::string text = HeadOf(version, response);
  http::ResponseHead& head = worker_.response_head;
  std::size_t scanned = 0;
  const auto outcome = http::ParseResponseHead(text, scanned, http::ResponseHeadLimits(), request_->method, head);
  if (outcome.status != http::ParseStatus::kDone) {
    return Fail(outcome.too_large ? ErrorCode::kLambdaResponseTooLarge : ErrorCode::kLambdaInvalidResponse);
  }
  Content content;
  content.end = ContentEnd::kLast;
  if (HasContent(request_->method, response.status)) content.bytes = response.content;
  events_->OnResponse(head, content);
}

// ---- the end

void FunctionUpstream::FailSoon(ErrorCode code) {
  failure_ = code;
  std::string().swap(content_);
  CountGathered(0);
  worker_.loop.RunSoon(*this);
}

void FunctionUpstream::RunTask() {
  if (events_ != nullptr) Fail(*failure_);
}

void FunctionUpstream::Fail(ErrorCode code) { events_->OnUpstreamFailed(code, false); }

void FunctionUpstream::Release(Reusable /*reusable*/) {
  events_ = nullptr;
  request_ = nullptr;
  // At once: an answer that is on its way would find nobody. Within its own answer it was taken away before.
  invocation_.reset();
  CountGathered(0);
  pool_.Destroy(*this);
}

}  // namespace weir::proxy
