#include "proxy/exchange.h"

#include "base/text.h"
#include "proxy/forwarding.h"
#include "proxy/routing/redirect.h"
#include "proxy/routing/request_facts.h"
#include "proxy/upstream/upstream_pool.h"

#include <algorithm>
#include <utility>

namespace weir::proxy {
namespace {

// RFC 9110 section 9.2.2.
bool IsIdempotent(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "OPTIONS" || method == "PUT" || method == "DELETE";
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
    request_line_.clear();
    AppendLoggedRequest(request_line_, head, connection_->local(), connection_->slot->bound.port);
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
  if (head.authority.host.empty()) local_host = connection_->local().address.ToString();
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
      PauseResponseWhileCongested();
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
  } else {
    PauseResponseWhileCongested();
  }
}

void Exchange::OnResponseContent(const Content& content) {
  if (content.is_last() && !request_complete_) downstream_->CloseAfterResponse();
  downstream_->SendContent(content);
  if (content.is_last()) {
    CompleteResponse();
  } else {
    PauseResponseWhileCongested();
  }
}

// The target says no more until the client has taken what it was sent: OnDownstreamDrained.
void Exchange::PauseResponseWhileCongested() {
  if (!downstream_->congested()) return;
  response_paused_ = true;
  upstream_->PauseResponse();
}

void Exchange::OnDownstreamDrained() {
  if (!std::exchange(response_paused_, false) || upstream_ == nullptr) return;
  upstream_->ResumeResponse();
}

void Exchange::CompleteResponse() {
  ReleaseUpstream(true);
  Finish();
}

}  // namespace weir::proxy
