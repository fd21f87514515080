// How an exchange ends: failures, retries, the access log line.
#include "proxy/exchange.h"
#include "proxy/upstream/upstream_pool.h"

#include <algorithm>
#include <utility>

namespace weir::proxy {
namespace {

double Seconds(SteadyTime from, SteadyTime to) { return std::chrono::duration<double>(to - from).count(); }

}  // namespace

// ---- failures

void Exchange::OnUpstreamFailed(ErrorCode code, bool response_began) {
  observation().connection_errors.Add();
  (*view_->routing->groups()[group_].counters)[worker_.worker].connection_errors.Add();
  if (!Retry(code, response_began)) Fail(code);
}

// True when the request goes out again.
bool Exchange::Retry(ErrorCode code, bool response_began) {
  if (response_began || response_head_sent_) return false;
  const RetryAdvice advice = TraitsOf(code).retry;
  if (advice == RetryAdvice::kNo) return false;
  if (advice == RetryAdvice::kIfReused) {
    if (!replayable_ || stale_retry_used_ || upstream_ == nullptr || !upstream_->reused()) return false;
    stale_retry_used_ = true;
    attempts_ = 0;
  }
  if (attempts_ >= kAttemptsMax) return false;
  ReleaseUpstream(false);
  fresh_connection_ = true;
  waiting_for_upstream_ = false;
  if (!SelectTarget()) return false;
  (*view_->routing->groups()[group_].counters)[worker_.worker].retries.Add();
  AcquireUpstream({.bytes = held_content_, .end = held_end_, .trailers = held_trailers_});
  return true;
}

void Exchange::OnDownstreamFailed(ErrorCode code) { Fail(code); }

void Exchange::OnIdleTimeout() {
  if (downstream_->congested()) {
    Fail(ErrorCode::kResponseStalled);
  } else if (response_head_sent_) {
    Fail(ErrorCode::kTargetResponseIncomplete);
  } else if (!request_complete_ && !request_paused_) {
    // The client announced more than it sends: it is late, not the target (RFC 9110 section 15.5.9).
    Fail(ErrorCode::kRequestContentStalled);
  } else {
    Fail(ErrorCode::kTargetResponseTimeout);
  }
}

void Exchange::EndIfDeregistered(const DataView& newest) {
  if (target_ == nullptr || view_->status == newest.status) return;
  const std::string& name = view_->routing->groups()[group_].name;
  const auto& groups = newest.routing->groups();
  std::size_t index = group_;
  if (index >= groups.size() || groups[index].name != name) {
    const auto found = std::ranges::find(groups, name, &TargetGroupRoute::name);
    if (found == groups.end()) return;  // the whole group is gone: what is under way may finish
    index = static_cast<std::size_t>(found - groups.begin());
  }
  const auto& targets = newest.status->groups[index].targets;
  if (std::ranges::find(targets, target_->endpoint, &health::TargetStatus::endpoint) != targets.end()) return;
  Fail(ErrorCode::kTargetDeregistered);
}

void Exchange::Abort() { Fail(ErrorCode::kClientClosed); }

// The one place where a failure becomes a status, a log reason and an end.
void Exchange::Fail(ErrorCode code) {
  const ErrorTraits& traits = TraitsOf(code);
  ReleaseUpstream(false);
  error_reason_ = traits.reason;
  (*listener_->counters)[worker_.worker].errors[std::to_underlying(code)].Add();
  if (target_ != nullptr && traits.status >= 500) {
    (*view_->routing->groups()[group_].counters)[worker_.worker].failures.Add();
  }
  if (response_head_sent_) {
    // The status that the client saw stays in the log, unless it went away itself.
    if (traits.status == 460) status_ = traits.status;
    downstream_->AbortResponse();
    Finish();
    return;
  }
  status_ = traits.status;
  if (traits.status == 460) {
    // The client is gone, or takes nothing any more.
    downstream_->EndWithoutResponse();
    Finish();
    return;
  }
  if (!request_complete_) downstream_->CloseAfterResponse();
  BuildErrorResponse(traits.status, worker_.date.At(worker_.loop.wall_now()), listener_->listener_config->attributes,
                     worker_.generated);
  SendGenerated(worker_.generated);
}

void Exchange::SendGenerated(const GeneratedResponse& generated) {
  status_ = generated.status;
  auto& counters = (*listener_->counters)[worker_.worker];
  counters.generated_responses.Add(generated.status);
  ResponseMessage response{.status = generated.status,
                           .reason = generated.reason,
                           .fields = generated.fields,
                           .framing = {http::FramingKind::kContentLength, generated.body.size()},
                           .announced_length = {}};
  std::string_view body = generated.body;
  if (generated.status == 204) {
    response.framing = {};
    body = {};
  }
  if (is_head_) {
    response.framing = {};
    response.announced_length = body.size();
    body = {};
  }
  response_head_sent_ = true;
  downstream_->SendResponse(response, {.bytes = body, .end = ContentEnd::kLast, .trailers = nullptr});
  Finish();
}

// ---- the end

void Exchange::ReleaseUpstream(bool reusable) {
  if (upstream_ == nullptr) return;
  observation().active_requests.Subtract();
  UpstreamStream* const upstream = std::exchange(upstream_, nullptr);
  if (!reusable) upstream->CloseAfterExchange();
  upstream->Release();
}

void Exchange::CountResponse(std::uint16_t status) {
  auto& group = (*view_->routing->groups()[group_].counters)[worker_.worker];
  group.responses.Add(status);
  group.response_time.Record(answered_ - sent_);
  auto& seen = observation();
  switch (status / 100) {
    case 2:
      seen.responses_2xx.Add();
      break;
    case 3:
      seen.responses_3xx.Add();
      break;
    case 4:
      seen.responses_4xx.Add();
      break;
    case 5:
      seen.responses_5xx.Add();
      break;
    default:
      break;
  }
}

void Exchange::Finish() {
  finished_ = true;
  auto& counters = (*listener_->counters)[worker_.worker];
  if (status_ != 460) counters.responses.Add(status_);
  counters.exchange_duration.Record(worker_.loop.now() - begun_);
  if (logs()) WriteAccessLog();
  downstream_->FinishExchange();

  downstream_ = nullptr;
  connection_ = nullptr;
  rule_ = nullptr;
  target_ = nullptr;
  listener_ = nullptr;
  attempts_ = 0;
  held_content_.clear();
  if (held_content_.capacity() > kHeldBytesMax) held_content_.shrink_to_fit();
  held_end_ = ContentEnd::kMore;
  held_trailers_ = nullptr;
  waiting_for_upstream_ = replayable_ = stale_retry_used_ = fresh_connection_ = false;
  request_paused_ = response_paused_ = response_head_sent_ = was_sent_ = was_answered_ = false;
  status_ = target_status_ = 0;
  error_reason_ = actions_ = {};
  redirect_url_.clear();
  trace_id_.clear();
  view_.reset();

  Exchange* const last = worker_.active.back();
  worker_.active[active_index_] = last;
  last->active_index_ = active_index_;
  worker_.active.pop_back();
  worker_.spare.emplace_back(this);
}

void Exchange::WriteAccessLog() {
  if (connection_->id == nullptr) {
    std::string id = "TID_";
    worker_.random.AppendHex(id, 32);
    connection_->id = std::make_unique<const std::string>(std::move(id));
  }
  AccessLogRecord record{
      .time = worker_.loop.wall_now(),
      .creation_time = begun_wall_,
      .load_balancer = listener_->load_balancer,
      .client = {connection_->peer().address.Unmapped(), connection_->peer().port},
      .node = connection_->local(),
      .has_target = was_sent_ && target_ != nullptr,
      .target = target_ != nullptr ? target_->endpoint : Endpoint{},
      .status = status_,
      .target_status = target_status_,
      .received_bytes = downstream_->bytes_received(),
      .sent_bytes = downstream_->bytes_sent(),
      .request_line = request_line_,
      .user_agent = user_agent_,
      .target_group = target_ != nullptr ? std::string_view(view_->routing->groups()[group_].name) : std::string_view(),
      .trace_id = trace_id_,
      .rule_priority = rule_ != nullptr ? static_cast<std::int32_t>(rule_->priority) : -2,
      .rule_name = rule_ != nullptr ? std::string_view(rule_->name) : std::string_view(),
      .actions = actions_,
      .redirect_url = redirect_url_,
      .error_reason = error_reason_,
      .desync_class = desync_class_,
      .desync_reason = desync_reason_,
      .connection_id = *connection_->id};
  if (was_sent_) record.request_processing_seconds = Seconds(begun_, sent_);
  if (was_answered_) {
    record.target_processing_seconds = Seconds(sent_, answered_);
    record.response_processing_seconds = 0;
  }
  worker_.access_log->Append(*listener_->load_balancer_config->access_log, record);
  if (!worker_.log_flush_timer.scheduled()) {
    worker_.loop.timers().Schedule(worker_.log_flush_timer, worker_.loop.now() + AccessLog::kFlushInterval);
  }
}

}  // namespace weir::proxy
