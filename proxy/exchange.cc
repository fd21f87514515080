#include "proxy/exchange.h"

#include "base/text.h"
#include "http/target.h"
#include "proxy/forwarding.h"
#include "proxy/routing/redirect.h"
#include "proxy/routing/request_facts.h"
#include "proxy/upstream/upstream_pool.h"

#include <algorithm>
#include <utility>

namespace weir::proxy {
namespace {

double Seconds(SteadyTime from, SteadyTime to) { return std::chrono::duration<double>(to - from).count(); }

// RFC 9110 section 9.2.2.
bool IsIdempotent(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "OPTIONS" || method == "PUT" || method == "DELETE";
}

std::string_view VersionText(http::Version version) {
  switch (version) {
    case http::Version::kHttp10:
      return "HTTP/1.0";
    case http::Version::kHttp11:
      return "HTTP/1.1";
    case http::Version::kHttp2:
      return "HTTP/2.0";
  }
  return "HTTP/1.1";
}

// METHOD proto://host:port/uri HTTP/x, the port always printed. spec: alb.md 16.1 field 13.
void BuildLogLine(const http::RequestHead& head, const Endpoint& local, std::uint16_t port, std::string& out) {
  if (head.method.empty()) {
    // No request line was understood: the form that ALB's logs show.
    out = "- http://";
    local.AppendTo(out);
    out += "- -";
    return;
  }
  out.assign(head.method);
  out += ' ';
  const auto target = http::ParseTarget(head.method, head.target);
  if (!target || target->form != http::TargetForm::kAbsolute) {
    out += "http://";
    if (const auto host = http::ParseHostPort(head.host)) {
      out += host->host;
    } else {
      const bool v6 = !local.address.is_v4();
      if (v6) out += '[';
      local.address.AppendTo(out);
      if (v6) out += ']';
    }
    out += ':';
    out += std::to_string(port);
  }
  out += head.target;
  out += ' ';
  out += VersionText(head.version);
}

}  // namespace

Exchange& Exchange::Take(WorkerState& worker) {
  std::unique_ptr<Exchange> exchange;
  if (worker.spare.empty()) {
    exchange = std::make_unique<Exchange>(worker);
  } else {
    exchange = std::move(worker.spare.back());
    worker.spare.pop_back();
  }
  exchange->active_index_ = worker.active.size();
  worker.active.push_back(exchange.release());
  return *worker.active.back();
}

// ---- the life of a request
// ------------------------------------------------------------------------------------------------------

void Exchange::Begin(DownstreamStream& downstream, DownstreamConnectionFacts& connection, const http::RequestHead& head,
                     const Content& content) {
  downstream_ = &downstream;
  connection_ = &connection;
  request_complete_ = content.is_last();
  ReadRequest(head);
  if (!CheckFraming(head)) return;
  const Rule& rule = MatchRule(head);
  RunActions(rule, head, content);
}

void Exchange::BeginRefused(DownstreamStream& downstream, DownstreamConnectionFacts& connection,
                            const http::RequestHead& head, ErrorCode code) {
  downstream_ = &downstream;
  connection_ = &connection;
  request_complete_ = true;
  ReadRequest(head);
  downstream_->CloseAfterResponse();
  Fail(code);
}

void Exchange::ReadRequest(const http::RequestHead& head) {
  view_ = connection_->slot->view;
  listener_ = connection_->slot->listener;
  finished_ = false;
  begun_ = worker_.loop.now();
  begun_wall_ = worker_.loop.wall_now();
  is_head_ = head.method == "HEAD";
  idempotent_ = IsIdempotent(head.method);
  client_knows_interim_ = head.version != http::Version::kHttp10;
  expects_continue_ = head.expects_continue && client_knows_interim_;
  desync_class_ = head.desync_class;
  desync_reason_ = head.desync_reason;
  auto& counters = *connection_->slot->counters;
  counters.requests.Add();
  if (desync_class_ != http::DesyncClass::kCompliant) counters.desync_requests.Add();
  if (logs()) {
    BuildLogLine(head, connection_->local(), connection_->slot->bound.port, request_line_);
    const auto agent = std::ranges::find(head.fields, http::FieldId::kUserAgent, http::IdOf);
    user_agent_.assign(agent == head.fields.end() ? std::string_view() : agent->value);
  }
}

// What the parser let through is framed in one way only; the load balancer's mode decides what is done with the rest.
bool Exchange::CheckFraming(const http::RequestHead& head) {
  using enum config::DesyncMitigationMode;
  const auto& attributes = listener_->load_balancer_config->attributes;
  const auto refuse = [this](ErrorCode code) {
    if (!request_complete_ || TraitsOf(code).status == 400) downstream_->CloseAfterResponse();
    Fail(code);
    return false;
  };
  if (desync_class_ != http::DesyncClass::kCompliant && attributes.desync_mitigation_mode == kStrictest) {
    return refuse(ErrorCode::kDesyncBlocked);
  }
  if (desync_class_ >= http::DesyncClass::kAmbiguous && attributes.desync_mitigation_mode == kDefensive) {
    downstream_->CloseAfterResponse();
  }
  if (head.method == "TRACE" || head.method == "CONNECT") return refuse(ErrorCode::kMethodNotAllowed);
  if (attributes.xff_processing == config::XffProcessing::kAppend &&
      CountForwardedFor(head.fields) > kForwardedForAddressesMax) {
    return refuse(ErrorCode::kForwardedForTooLong);
  }
  return true;
}

const Rule& Exchange::MatchRule(const http::RequestHead& head) {
  const RequestFacts facts = MakeFacts(head, connection_->peer().address, worker_.path_out);
  rule_ = &listener_->Match(facts);
  (*rule_->counters)[worker_.worker].requests.Add();
  return *rule_;
}

void Exchange::RunActions(const Rule& rule, const http::RequestHead& head, const Content& content) {
  if (const auto* forward = std::get_if<proxy::Forward>(&rule.action)) {
    actions_ = "forward";
    Forward(*forward, head, content);
    return;
  }
  if (!request_complete_) downstream_->CloseAfterResponse();
  if (const auto* redirect = std::get_if<proxy::Redirect>(&rule.action)) {
    actions_ = "redirect";
    Redirect(*redirect, head);
    return;
  }
  actions_ = "fixed-response";
  const auto& fixed = std::get<FixedResponse>(rule.action);
  BuildFixedResponse(fixed, worker_.date.At(worker_.loop.wall_now()), listener_->listener_config->attributes,
                     worker_.generated);
  SendGenerated(worker_.generated);
}

void Exchange::Redirect(const proxy::Redirect& redirect, const http::RequestHead& head) {
  std::string local_host;
  if (head.host.empty()) local_host = connection_->local().address.ToString();
  const auto parts = MakeTargetParts(head, "http", connection_->slot->bound.port, local_host);
  if (!BuildLocation(*redirect.templates, parts, redirect_url_)) {
    redirect_url_.clear();
    Fail(ErrorCode::kRedirectTooLong);
    return;
  }
  BuildRedirectResponse(redirect.templates->status_code, redirect_url_, worker_.date.At(worker_.loop.wall_now()),
                        listener_->listener_config->attributes, worker_.generated);
  SendGenerated(worker_.generated);
}

void Exchange::Forward(const proxy::Forward& forward, const http::RequestHead& head, const Content& content) {
  const RequestOrigin origin{.peer = connection_->peer(),
                             .local = connection_->local(),
                             .port = connection_->slot->bound.port,
                             .scheme = "http"};
  BuildRequestMessage(head, listener_->load_balancer_config->attributes, origin, begun_wall_, worker_.random, request_,
                      trace_id_);
  const auto group = worker_.selector.SelectGroup(forward);
  if (!group) {
    Fail(ErrorCode::kNoTarget);
    return;
  }
  group_ = *group;
  if (!SelectTarget()) {
    (*view_->routing->groups()[group_].counters)[worker_.worker].no_target.Add();
    Fail(ErrorCode::kNoTarget);
    return;
  }
  // ALB answers 100 Continue itself and at once (spec: alb.md 12.1).
  if (expects_continue_ && !request_complete_ && content.bytes.empty()) {
    downstream_->SendInterim(
        {.status = 100, .reason = "Continue", .fields = {}, .framing = {}, .announced_length = {}});
  }
  AcquireUpstream(content);
}

// Round robin over the routable targets; a second attempt takes one that was not tried.
bool Exchange::SelectTarget() {
  const health::GroupStatus& status = group_status();
  const auto was_tried = [this](std::uint32_t index) {
    return std::find(tried_, tried_ + attempts_, index) != tried_ + attempts_;
  };
  for (std::size_t turn = 0; turn <= status.routable.size(); ++turn) {
    const auto index = worker_.selector.SelectTarget(group_, status);
    if (!index) return false;
    if (was_tried(*index)) continue;
    tried_[attempts_++] = *index;
    target_ = &view_->targets[group_][*index];
    auto& counters = (*view_->routing->groups()[group_].counters)[worker_.worker];
    if (attempts_ == 1) {
      counters.requests.Add();
      if (status.fail_open) counters.fail_open_requests.Add();
    }
    return true;
  }
  return false;
}

void Exchange::AcquireUpstream(const Content& content) {
  observation().requests.Add();
  observation().active_requests.Add();
  const auto mode = fresh_connection_ ? UpstreamPool::Mode::kFresh : UpstreamPool::Mode::kReuse;
  int error = 0;
  upstream_ = worker_.upstreams->Acquire(target_->upstream, mode,
                                         listener_->load_balancer_config->attributes.idle_timeout, *this, error);
  if (upstream_ == nullptr) {
    observation().active_requests.Subtract();
    HoldContent(content);
    const ErrorCode code = CodeForConnectError(error);
    if (!Retry(code, false)) Fail(code);
    return;
  }
  if (desync_class_ >= http::DesyncClass::kAmbiguous) upstream_->CloseAfterExchange();
  if (upstream_->connected()) {
    SendRequest(content);
    return;
  }
  observation().connections_opened.Add();
  HoldContent(content);
  waiting_for_upstream_ = true;
  if (!request_complete_) {
    request_paused_ = true;
    downstream_->PauseRequestContent();
  }
}

void Exchange::SendRequest(const Content& content) {
  sent_ = worker_.loop.now();
  was_sent_ = true;
  // Only a reused connection can turn out to be dead, and only idempotent requests are sent again after bytes went out.
  const bool may_repeat = upstream_->reused() && idempotent_ && !stale_retry_used_;
  replayable_ = may_repeat;
  if (!upstream_->SendRequest(request_, content)) {
    HoldContent(content);
    ReleaseUpstream(false);
    fresh_connection_ = true;
    attempts_ = 0;  // the target itself was not at fault
    if (!std::exchange(stale_retry_used_, true) && SelectTarget()) {
      AcquireUpstream({.bytes = held_content_, .end = held_end_, .trailers = held_trailers_});
    } else {
      Fail(ErrorCode::kTargetReset);
    }
    return;
  }
  if (replayable_) HoldContent(content);
  if (!request_complete_ && upstream_->congested()) {
    request_paused_ = true;
    downstream_->PauseRequestContent();
  }
}

void Exchange::OnUpstreamConnected() {
  waiting_for_upstream_ = false;
  const std::string content = std::move(held_content_);
  held_content_.clear();
  // What was held is what the request has so far; it is held again where it may have to be repeated.
  SendRequest({.bytes = content, .end = held_end_, .trailers = held_trailers_});
  if (finished_ || waiting_for_upstream_) return;
  if (request_paused_ && !upstream_->congested()) {
    request_paused_ = false;
    downstream_->ResumeRequestContent();
  }
}

// Keeps content that has to wait for a connection or may have to be sent again. What does not fit ends the right to
// repeat.
void Exchange::HoldContent(const Content& content) {
  if (content.bytes.data() == held_content_.data() && !content.bytes.empty()) return;  // already held
  held_content_.append(content.bytes);
  held_end_ = content.end;
  held_trailers_ = content.trailers;
}

void Exchange::OnRequestContent(const Content& content) {
  request_complete_ = content.is_last();
  if (upstream_ == nullptr) return;
  if (waiting_for_upstream_) {
    HoldContent(content);
    return;
  }
  if (replayable_) {
    replayable_ = held_content_.size() + content.bytes.size() <= kHeldBytesMax;
    if (replayable_) {
      HoldContent(content);
    } else {
      held_content_.clear();
    }
  }
  sent_ = worker_.loop.now();
  upstream_->SendContent(content);
  if (!request_complete_ && upstream_->congested()) {
    request_paused_ = true;
    downstream_->PauseRequestContent();
  }
}

bool Exchange::TakesRequestPipe() const {
  return upstream_ != nullptr && !waiting_for_upstream_ && !replayable_ && upstream_->takes_pipe();
}

void Exchange::OnUpstreamDrained() {
  if (!std::exchange(request_paused_, false)) return;
  downstream_->ResumeRequestContent();
}

void Exchange::OnResponse(const http::ResponseHead& head, const Content& content) {
  worker_.fields_out.clear();
  AppendResponseFields(head, listener_->listener_config->attributes, worker_.fields_out);
  ResponseMessage response{.status = head.status,
                           .reason = head.reason,
                           .fields = worker_.fields_out,
                           .framing = head.framing,
                           .announced_length = {}};
  if (head.status < 200) {
    if (head.status == 101) {
      // Nothing asked for an upgrade: what follows is in no protocol that is understood here.
      Fail(ErrorCode::kTargetResponseMalformed);
    } else if (client_knows_interim_ && head.status != 100) {
      downstream_->SendInterim(response);
    }
    return;
  }
  answered_ = worker_.loop.now();
  was_answered_ = true;
  target_status_ = head.status;
  status_ = head.status;
  CountResponse(head.status);
  if (is_head_ || head.status == 304) {
    const http::Field* length = http::FindField(head.fields, "content-length");
    if (length != nullptr) response.announced_length = ParseDecimal(length->value);
  }
  if (content.is_last() && !request_complete_) downstream_->CloseAfterResponse();
  response_head_sent_ = true;
  downstream_->SendResponse(response, content);
  if (content.is_last()) {
    CompleteResponse();
  } else if (downstream_->congested()) {
    response_paused_ = true;
    upstream_->PauseResponse();
  }
}

void Exchange::OnResponseContent(const Content& content) {
  if (content.is_last() && !request_complete_) downstream_->CloseAfterResponse();
  downstream_->SendContent(content);
  if (content.is_last()) {
    CompleteResponse();
  } else if (downstream_->congested()) {
    response_paused_ = true;
    upstream_->PauseResponse();
  }
}

void Exchange::OnDownstreamDrained() {
  if (!std::exchange(response_paused_, false) || upstream_ == nullptr) return;
  upstream_->ResumeResponse();
}

void Exchange::CompleteResponse() {
  ReleaseUpstream(true);
  Finish();
}

// ---- failures
// -------------------------------------------------------------------------------------------------------------------

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
  if (response_head_sent_) {
    Fail(downstream_->congested() ? ErrorCode::kResponseStalled : ErrorCode::kTargetResponseIncomplete);
  } else if (!request_complete_ && !request_paused_) {
    // The client announced more than it sends (spec: alb.md 13, 504).
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
  if (response_head_sent_) {
    // The status that the client saw stays in the log, unless it went away itself.
    if (traits.status == 460) status_ = traits.status;
    downstream_->AbortResponse();
    Finish();
    return;
  }
  status_ = traits.status;
  const bool client_gone = code == ErrorCode::kClientClosed;
  if (client_gone) {
    downstream_->AbortResponse();
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
// --------------------------------------------------------------------------------------------------------------------

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
