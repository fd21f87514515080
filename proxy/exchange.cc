#include "proxy/exchange.h"

#include "base/check.h"
#include "base/text.h"
#include "net/tls_facts.h"
#include "proxy/actions/authenticate/callback.h"
#include "proxy/balancing/hash_key.h"
#include "proxy/forwarding.h"
#include "proxy/log/connection_log.h"
#include "proxy/routing/protocol_version.h"
#include "proxy/routing/request_facts.h"
#include "proxy/upgrade.h"
#include "proxy/upstream/upstream_connection.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

namespace weir::proxy {
namespace {

// RFC 9110 section 9.2.2.
bool IsIdempotent(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "OPTIONS" || method == "PUT" || method == "DELETE";
}

void CountAnswer(const Forward& /*action*/, ListenerCounters& /*counters*/) {}
void CountAnswer(const Redirect& /*action*/, ListenerCounters& counters) { counters.redirects.Add(); }
void CountAnswer(const FixedResponse& /*action*/, ListenerCounters& counters) { counters.fixed_responses.Add(); }

// The first `count` actions of the rule, as the log spells them: `forward`, behind what transforms did. `joined` keeps
// them where they are several.
std::string_view NamesOfActions(const Rule& rule, std::size_t count, TransformStatus transformed, std::string& joined) {
  const std::string_view last = ToString(KindOf(rule.action));
  const bool rewrites = transformed != TransformStatus::kNone;
  if (rule.leading_actions.empty() && !rewrites) return last;
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) joined += ',';
    const bool is_last = i >= rule.leading_actions.size();
    if (is_last && rewrites) joined += "rewrite,";
    joined += is_last ? last : rule.leading_actions[i].action->name();
  }
  return joined;
}

// INTERNAL_ERROR, which HTTP/2 clients get for a response that breaks off, and CANCEL, for a tunnel.
constexpr std::uint32_t kAbortedByUs = 0x2;
constexpr std::uint32_t kTunnelBroken = 0x8;

// HTTP1 is left out of the access log.
std::string_view LoggedProtocolVersion(const TargetGroupRoute& group) {
  if (group.config->protocol_version == config::TargetProtocolVersion::kHttp1) return {};
  return group.protocol_version();
}

double Seconds(SteadyTime from, SteadyTime to) { return std::chrono::duration<double>(to - from).count(); }

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

// ---- the request

void Exchange::Begin(DownstreamStream& downstream, DownstreamConnectionFacts& connection, const http::RequestHead& head,
                     const Content& content) {
  run_.downstream = &downstream;
  run_.connection = &connection;
  run_.request.complete = content.is_last();
  ReadRequest(head);
  if (!CheckFraming(head)) return;
  if (run_.listener->login_callback != nullptr && LoginCallback::Takes(head)) return RunLoginCallback(head, content);
  MatchRule(head);
  if (content.trailers != nullptr && !content.trailers->empty()) {
    return RunActions(head, WithoutReservedTrailers(content));
  }
  RunActions(head, content);
}

void Exchange::BeginRefused(DownstreamStream& downstream, DownstreamConnectionFacts& connection,
                            const http::RequestHead& head, ErrorCode code) {
  run_.downstream = &downstream;
  run_.connection = &connection;
  run_.request.complete = true;
  ReadRequest(head);
  Fail(code);
}

void Exchange::ReadRequest(const http::RequestHead& head) {
  const ListenerSlot& slot = *run_.connection->slot;
  run_.view = slot.view;
  run_.listener = slot.listener;
  run_.timing.begun = worker_.loop.now();
  run_.timing.begun_wall = worker_.loop.wall_now();
  run_.request.is_head = head.method == "HEAD";
  run_.request.expects_continue = head.expects_continue;
  run_.request.version = head.version;
  run_.request.asks_for_tunnel = head.upgrade && head.version == http::Version::kHttp2;
  run_.request.desync_class = head.desync_class;
  run_.request.desync_reason = head.desync_reason;
  slot.counters->requests.Add();
  if (head.desync_class != http::DesyncClass::kCompliant) slot.counters->desync_requests.Add();
  if (logs()) {
    texts_.Clear();
    AppendLoggedRequest(texts_.request_line, head, run_.connection->scheme, run_.connection->local(), slot.bound.port);
    const auto agent = std::ranges::find(head.fields, http::FieldId::kUserAgent, http::IdOf);
    texts_.user_agent.assign(agent == head.fields.end() ? std::string_view() : agent->value);
  }
}

// What the parser let through is framed in one way only; the load balancer's mode decides what is done with the rest.
// The connection that it came over distrusts itself (Http1Connection).
bool Exchange::CheckFraming(const http::RequestHead& head) {
  const auto refuse = [this](ErrorCode code) {
    Fail(code);
    return false;
  };
  if (head.desync_class != http::DesyncClass::kCompliant &&
      attributes().desync_mitigation_mode == config::DesyncMitigationMode::kStrictest) {
    return refuse(ErrorCode::kDesyncBlocked);
  }
  if (head.method == "TRACE" || head.method == "CONNECT") return refuse(ErrorCode::kMethodNotAllowed);
  if (attributes().xff_processing == config::XffProcessing::kAppend &&
      CountForwardedFor(head.fields) > kForwardedForAddressesMax) {
    return refuse(ErrorCode::kForwardedForTooLong);
  }
  return true;
}

void Exchange::MatchRule(const http::RequestHead& head) {
  const RequestFacts facts = MakeFacts(head, run_.connection->peer().address, worker_.path_out);
  run_.rule = &run_.listener->Match(facts);
  (*run_.rule->counters)[worker_.worker].requests.Add();
  listener_counters().rule_evaluations.Add(run_.rule->evaluations);
}

// ---- actions

ActionRequest Exchange::MakeActionRequest(const http::RequestHead& head) {
  return {.head = head,
          .connection = *run_.connection,
          .listener = *run_.listener,
          .view = *run_.view,
          .worker = worker_,
          .wait = wait_,
          .added = added_};
}

void Exchange::RunLoginCallback(const http::RequestHead& head, const Content& content) {
  const ActionOutcome outcome = run_.listener->login_callback->Run(MakeActionRequest(head), run_.rule);
  run_.actions_run = 1;
  CountAction(outcome);
  Obey(outcome, worker_.generated, head, content);
}

// In their order, from the first that was not asked yet.
void Exchange::RunActions(const http::RequestHead& head, const Content& content) {
  const ActionRequest request = MakeActionRequest(head);
  const Rule& rule = *run_.rule;
  if (!rule.leading_actions.empty()) {
    const ActionOutcome outcome = RunLeadingActions(request);
    if (outcome.kind != ActionOutcome::Kind::kGoOn) return Obey(outcome, worker_.generated, head, content);
  }
  ++run_.actions_run;
  const auto outcome = std::visit(
      [&](const auto& action) {
        const ActionOutcome said = action.Run(request);
        if (said.kind == ActionOutcome::Kind::kRespond) CountAnswer(action, listener_counters());
        return said;
      },
      rule.action);
  if (outcome.kind == ActionOutcome::Kind::kForward) {
    if (IsFault(outcome.group_cookie)) {
      NoteCookie(CookiePurpose::kGroup, outcome.group_cookie,
                 listener_counters().group_cookies[std::to_underlying(outcome.group_cookie)]);
    }
    return Forward(outcome.group, head, content);
  }
  if (outcome.kind == ActionOutcome::Kind::kRespond) return SendGenerated(worker_.generated);
  Obey(outcome, worker_.generated, head, content);
}

ActionOutcome Exchange::RunLeadingActions(const ActionRequest& request) {
  const auto& actions = run_.rule->leading_actions;
  ActionOutcome outcome;
  while (outcome.kind == ActionOutcome::Kind::kGoOn && run_.actions_run < actions.size()) {
    outcome = actions[run_.actions_run++].action->Run(request);
    CountAction(outcome);
  }
  NoteAddedReason();
  return outcome;
}

// What the action that was asked last made of the request. A provider's answer that names no login is no rule's.
void Exchange::CountAction(const ActionOutcome& outcome) {
  if (run_.rule == nullptr) return;
  WEIR_DCHECK(run_.actions_run > 0 && run_.actions_run <= run_.rule->leading_actions.size());
  LeadingActionCounters& counters = (*run_.rule->leading_actions[run_.actions_run - 1].counters)[worker_.worker];
  switch (outcome.kind) {
    case ActionOutcome::Kind::kGoOn:
      return counters.passed.Add();
    case ActionOutcome::Kind::kFail:
      return counters.failed[std::to_underlying(outcome.error)].Add();
    case ActionOutcome::Kind::kForward:
    case ActionOutcome::Kind::kRespond:
      return counters.answered.Add();
    case ActionOutcome::Kind::kWait:
      return;  // counted when it is known
  }
}

void Exchange::NoteAddedReason() {
  if (added_ != nullptr && !added_->error_reason.empty()) run_.response.error_reason = added_->error_reason;
}

void Exchange::Obey(ActionOutcome outcome, const GeneratedResponse& response, const http::RequestHead& head,
                    const Content& content) {
  switch (outcome.kind) {
    case ActionOutcome::Kind::kForward:
      return Forward(outcome.group, head, content);
    case ActionOutcome::Kind::kRespond:
      return SendGenerated(response);
    case ActionOutcome::Kind::kFail:
      return Fail(outcome.error);
    case ActionOutcome::Kind::kGoOn:
      WEIR_CHECK(run_.actions_run <= run_.rule->leading_actions.size());  // there is nothing behind the last one
      return RunActions(head, content);
    case ActionOutcome::Kind::kWait:
      return Await(head, content);
  }
  std::unreachable();
}

// The request is the exchange's own from here on: the connection's buffer is used again, and the client says no more.
void Exchange::Await(const http::RequestHead& head, const Content& content) {
  held_.Hold(content);
  PauseRequest();
  BeginWait(wait_, head, *this);
}

void Exchange::OnActionDone(ActionOutcome outcome, const GeneratedResponse* response) {
  const std::shared_ptr<ActionWait> wait = std::move(wait_);  // the head lives in it
  EndWait(*wait, WaitEnd::kDone, worker_.loop);
  if (wait->additions != nullptr) added_ = std::move(wait->additions);
  CountAction(outcome);
  Obey(outcome, response != nullptr ? *response : worker_.generated, wait->head->head(), held_.content());
  if (wait_ == nullptr) ResumeRequestWithHeld();
}

void Exchange::FillTlsFields(const net::TlsFacts& agreed, OwnTlsFields& fields) const {
  const config::Listener& listener = *run_.listener->listener_config;
  const config::ListenerAttributes& names = listener.attributes;
  if (attributes().tls_version_and_cipher_suite) {
    fields.tls = {.version_name = names.tls_version_field,
                  .version = net::ToString(agreed.version),
                  .cipher_suite_name = names.tls_cipher_suite_field,
                  .cipher_suite = agreed.suite};
  }
  // The connection may be older than what is configured now.
  const bool asks = listener.mutual_authentication.mode != config::MutualAuthenticationMode::kOff;
  if (asks || agreed.client_certificate != nullptr) {
    fields.mtls = {.names = &names.mtls_fields, .certificate = agreed.client_certificate.get()};
  }
}

bool Exchange::Transform(const http::RequestHead& head) {
  const http::Target& parts = head.parts;
  run_.transformed = run_.rule->transforms->Apply(
      head.authority.host, parts.path, parts.has_query ? std::optional(parts.query) : std::nullopt, transformed_);
  listener_counters().transforms[std::to_underlying(run_.transformed)].Add();
  if (run_.transformed <= TransformStatus::kSuccess) return true;
  Fail(ErrorCode::kTransformFailed);
  return false;
}

void Exchange::Forward(std::uint32_t group, const http::RequestHead& head, const Content& content) {
  if (run_.rule->transforms != nullptr && !Transform(head)) return;
  OwnTlsFields own;
  const net::TlsFacts* const agreed = run_.connection->stream->tls();
  if (agreed != nullptr) FillTlsFields(*agreed, own);
  const ListenerSlot& slot = *run_.connection->slot;
  const Endpoint& local = run_.connection->local();
  const RequestOrigin origin{.peer = run_.connection->peer(),
                             .local = local,
                             .port = slot.bound.port,
                             .forwarded_port = slot.expects_proxy_header ? local.port : slot.bound.port,
                             .scheme = run_.connection->scheme,
                             .tls = own.tls ? &*own.tls : nullptr,
                             .mtls = own.mtls ? &*own.mtls : nullptr,
                             .tells_claims = run_.listener->login_callback != nullptr,
                             .added_fields = added_ == nullptr ? std::string_view() : added_->request_fields,
                             .transformed_host = transformed_.host,
                             .transformed_target = transformed_.target};
  BuildRequestMessage(head, attributes(), origin, run_.timing.begun_wall, worker_.random, message_, texts_.trace_id);
  message_.asks_for_websocket = head.upgrade && AsksForWebSocket(head);
  if (run_.request.asks_for_tunnel) AppendWebSocketKey(worker_.random, message_.fields);
  run_.request.names_are_plain = head.names_are_plain;
  run_.request.is_grpc = run_.request.version == http::Version::kHttp2 && IsGrpcContent(head.fields);
  if (group == ActionOutcome::kNoGroup) {
    Fail(ErrorCode::kNoTarget);
    return;
  }
  run_.group = group;
  const VersionedRequest versioned{
      .version = run_.request.version, .method = head.method, .is_grpc = run_.request.is_grpc};
  if (FitOf(*this->group().config, versioned) != VersionFit::kFits) return Fail(ErrorCode::kProtocolVersionMismatch);
  if (run_.rule->is_sticky && this->group().config->stickiness.enabled) FindStickyTarget(head);
  if (this->group().config->algorithm == config::BalancingAlgorithm::kConsistentHash) {
    run_.hash_key = HashKeyOf(this->group().config->hash_key, {.fields = head.fields,
                                                               .client = run_.connection->peer().address,
                                                               .path = head.parts.path,
                                                               .query = head.parts.query});
  }
  if (!SelectTarget()) {
    group_counters().no_target.Add();
    Fail(ErrorCode::kNoTarget);
    return;
  }
  // ALB answers 100 Continue itself and at once (spec: alb.md 12.1).
  if (run_.request.expects_continue && !run_.request.complete && content.bytes.empty()) {
    run_.downstream->SendInterim(
        {.status = 100, .reason = "Continue", .fields = {}, .framing = {}, .announced_length = {}});
  }
  AcquireUpstream(content);
}

// ---- the target

std::optional<std::uint32_t> Exchange::ChooseTarget(const health::GroupStatus& status) {
  Selector& selector = worker_.selector;
  if (run_.attempts.count() > 0) return selector.NextTarget(run_.group, status);
  if (run_.sticky_target) return run_.sticky_target;
  // They stay for long: fairness in turn would not last (spec: alb.md 8).
  if (message_.asks_for_websocket) return selector.LeastBusyTarget(status);
  return selector.SelectTarget(*group().config, run_.group, status, run_.timing.begun_wall, run_.hash_key);
}

// As the group's algorithm wants it; a further attempt takes in turn one that was not asked.
bool Exchange::SelectTarget() {
  const health::GroupStatus& status = group_status();
  for (std::size_t turn = 0; turn <= status.routable.size(); ++turn) {
    const auto index = ChooseTarget(status);
    if (!index) return false;
    if (run_.attempts.HasAsked(*index)) continue;
    run_.attempts.Ask(*index);
    run_.target = &run_.view->targets[run_.group][*index];
    if (run_.attempts.is_first()) {
      group_counters().requests.Add();
      NoteFirstTarget();
      if (status.fail_open) {
        group_counters().fail_open_requests.Add();
        listener_counters().fail_open_requests.Add();
      }
    }
    return true;
  }
  return false;
}

void Exchange::FindStickyTarget(const http::RequestHead& head) {
  const TargetGroupRoute& route = group();
  const auto found = worker_.stickiness.FindTarget(route, group_status(), head.fields, run_.timing.begun_wall);
  const bool by_application = route.config->stickiness.type == config::StickinessType::kAppCookie;
  run_.sticky_target = found.chosen;
  run_.same_site_none = by_application && NeedsSameSiteNone(head.fields);
  if (found.chosen) return;
  GroupCounters& counters = group_counters();
  (by_application ? counters.app_cookie_non_sticky_requests : counters.non_sticky_requests).Add();
  if (!IsFault(found.verdict)) return;
  NoteCookie(by_application ? CookiePurpose::kApplication : CookiePurpose::kTarget, found.verdict,
             counters.cookies[std::to_underlying(found.verdict)]);
}

void Exchange::NoteCookie(CookiePurpose purpose, StickyVerdict verdict, Counter& counter) {
  counter.Add();
  // The group's, which was looked at first, is told of where both are at fault.
  if (run_.response.error_reason.empty()) run_.response.error_reason = LogReasonOf(purpose, verdict);
}

void Exchange::AcquireUpstream(const Content& content) {
  observation().requests.Add();
  observation().active_requests.Add();
  const auto mode =
      run_.attempts.wants_fresh_connection() ? UpstreamSource::Mode::kFresh : UpstreamSource::Mode::kReuse;
  int error = 0;
  UpstreamStream* const stream =
      worker_.upstreams->Acquire(run_.target->upstream, mode, attributes().idle_timeout, *this, error);
  run_.attempt.stream = stream;
  if (stream == nullptr) {
    observation().active_requests.Subtract();
    held_.Hold(content);
    const ErrorCode code = CodeForConnectError(error);
    if (!Retry(code, false)) Fail(code);
    return;
  }
  if (stream->connected()) {
    SendRequest(content);
    return;
  }
  if (stream->opens_connection()) observation().connections_opened.Add();
  held_.Hold(content);
  run_.attempt.waiting = true;
  PauseRequest();
}

void Exchange::SendRequest(const Content& content) {
  run_.timing.sent = worker_.loop.now();
  // Only a reused connection can turn out to be dead, and only idempotent requests are sent again after bytes went out.
  run_.attempt.repeatable =
      run_.attempt.stream->reused() && run_.attempts.may_forgive() && IsIdempotent(message_.method);
  // What was not processed may be anything.
  run_.attempt.replayable = run_.attempt.repeatable || (TellsUnprocessed(run_.target->upstream->key.protocol) &&
                                                        content.bytes.size() <= HeldContent::kRepeatableBytesMax);
  if (!run_.attempt.stream->SendRequest(message_, content)) {
    // Nothing went out.
    held_.Hold(content);
    ReleaseUpstream(UpstreamStream::Reusable::kNever);
    if (run_.attempts.ForgiveStaleConnection() && SelectTarget()) {
      group_counters().retries.Add();
      AcquireUpstream(held_.content());
    } else {
      Fail(ErrorCode::kTargetReset);
    }
    return;
  }
  if (run_.attempt.replayable) held_.Hold(content);
  PauseRequestWhileCongested();
}

void Exchange::OnUpstreamConnected() {
  run_.attempt.waiting = false;
  const net::TlsFacts* const agreed = run_.attempt.stream->tls();
  if (agreed != nullptr && run_.attempt.stream->opens_connection()) {
    (*group().tls_counters)[worker_.worker].Note(*agreed);
  }
  // What was held is what the request has so far.
  SendRequest(held_.content());
  ResumeRequestWithHeld();
}

// What was held went out, unless there is a connection to be waited for: the client may go on.
void Exchange::ResumeRequestWithHeld() {
  if (!under_way() || run_.attempt.waiting) return;
  if (!run_.attempt.replayable) held_.Clear();
  if (run_.request.paused && !run_.attempt.stream->congested()) {
    run_.request.paused = false;
    run_.downstream->ResumeRequestContent();
  }
}

// By a trailer the client could say what only we may say in a field.
Content Exchange::WithoutReservedTrailers(const Content& content) {
  OwnTlsFields own;
  const net::TlsFacts* const agreed = run_.connection->stream->tls();
  if (agreed != nullptr) FillTlsFields(*agreed, own);
  const TlsFields* const tls = own.tls ? &*own.tls : nullptr;
  const MtlsFields* const mtls = own.mtls ? &*own.mtls : nullptr;
  trailers_ = *content.trailers;
  const bool tells_claims = run_.listener->login_callback != nullptr;
  std::erase_if(trailers_, [&](const http::Field& field) {
    return IsReserved(field.name, tls, mtls) || (tells_claims && TellsOfUser(field.name));
  });
  Content out = content;
  out.trailers = &trailers_;
  return out;
}

void Exchange::OnRequestContent(const Content& content) {
  if (run_.response.is_tunnel) return SendIntoTunnel(content);
  if (content.trailers != nullptr && content.trailers != &trailers_ && !content.trailers->empty()) {
    return OnRequestContent(WithoutReservedTrailers(content));
  }
  run_.request.complete = content.is_last();
  Attempt& attempt = run_.attempt;
  if (attempt.stream == nullptr) {
    if (wait_ != nullptr) held_.Hold(content);  // was on its way when the pause was asked for
    return;
  }
  if (attempt.waiting) {
    held_.Hold(content);
    return;
  }
  if (attempt.replayable) {
    // What does not fit ends the right to repeat.
    attempt.replayable = held_.HasRoomFor(content);
    if (attempt.replayable) {
      held_.Hold(content);
    } else {
      held_.Clear();
    }
  }
  run_.timing.sent = worker_.loop.now();
  attempt.stream->SendContent(content);
  PauseRequestWhileCongested();
}

bool Exchange::TakesRequestPipe() const {
  const Attempt& attempt = run_.attempt;
  return attempt.stream != nullptr && !attempt.waiting && !attempt.replayable && attempt.stream->takes_pipe();
}

void Exchange::PauseRequest() {
  if (run_.request.complete) return;
  run_.request.paused = true;
  run_.downstream->PauseRequestContent();
}

// The client says no more until the target has taken what it was sent: OnUpstreamDrained.
void Exchange::PauseRequestWhileCongested() {
  if (run_.request.complete || !run_.attempt.stream->congested()) return;
  run_.request.paused = true;
  run_.downstream->PauseRequestContent();
}

void Exchange::OnUpstreamDrained() {
  if (run_.response.is_tunnel && run_.request.complete) return FinishTunnelWhenOver();
  if (!std::exchange(run_.request.paused, false)) return;
  run_.downstream->ResumeRequestContent();
}

// ---- the response

void Exchange::AppendStickinessCookies(const http::ResponseHead& head) {
  const auto* const forward = std::get_if<proxy::Forward>(&run_.rule->action);
  const bool keeps_group = forward != nullptr && forward->is_sticky();
  const bool keeps_target = group().config->stickiness.enabled;
  const WallTime now = worker_.loop.wall_now();
  if (keeps_group) {
    worker_.stickiness.AppendGroupCookies(*forward, *run_.view->routing, run_.group, now, worker_.fields_out);
  }
  if (!keeps_target) return;
  const auto position = static_cast<std::size_t>(run_.target - run_.view->targets[run_.group].data());
  worker_.stickiness.AppendTargetCookies(group(), run_.target->endpoint, position, head.fields, run_.same_site_none,
                                         now, worker_.fields_out);
}

void Exchange::OnResponse(const http::ResponseHead& head, const Content& content) {
  worker_.fields_out.clear();
  AppendResponseFields(head, run_.listener->listener_config->attributes, worker_.fields_out);
  const bool is_final = head.status >= 200 || head.status == 101;
  if (run_.rule->is_sticky && is_final) AppendStickinessCookies(head);
  if (is_final) AppendAddedFields();
  ResponseMessage response{.status = head.status,
                           .reason = head.reason,
                           .fields = worker_.fields_out,
                           .framing = head.framing,
                           .announced_length = {}};
  if (head.status < 200) {
    if (head.status == 101) return OpenTunnel(head, response, content);
    if (head.status != 100) {  // which weir has answered itself
      run_.downstream->SendInterim(response);
      PauseResponseWhileCongested();
    }
    return;
  }
  // To the client 2xx would say that the tunnel is there (RFC 8441 section 5).
  if (run_.request.asks_for_tunnel && head.status < 300) return Fail(ErrorCode::kTargetResponseMalformed);
  run_.timing.answered = worker_.loop.now();
  run_.response.target_status = head.status;
  run_.response.status = head.status;
  CountResponse(head.status);
  if (run_.request.is_head || head.status == 304) {
    const http::Field* length = http::FindField(head.fields, "content-length");
    if (length != nullptr) response.announced_length = ParseDecimal(length->value);
  }
  run_.response.head_sent = true;
  run_.downstream->SendResponse(response, content);
  if (content.is_last()) {
    CompleteResponse();
  } else {
    PauseResponseWhileCongested();
  }
}

void Exchange::OnResponseContent(const Content& content) {
  run_.downstream->SendContent(content);
  if (content.is_last()) {
    run_.response.tunnel_ended = run_.response.is_tunnel;
    if (run_.response.is_tunnel) return FinishTunnelWhenOver();
    CompleteResponse();
  } else {
    PauseResponseWhileCongested();
  }
}

// The target says no more until the client has taken what it was sent: OnDownstreamDrained.
void Exchange::PauseResponseWhileCongested() {
  if (!run_.downstream->congested()) return;
  run_.response.paused = true;
  run_.attempt.stream->PauseResponse();
}

void Exchange::OnDownstreamDrained() {
  if (!std::exchange(run_.response.paused, false) || run_.attempt.stream == nullptr) return;
  run_.attempt.stream->ResumeResponse();
}

void Exchange::CompleteResponse() {
  // A request that parsers may read differently leaves no connection behind that another one could be taken for.
  const bool ambiguous = run_.request.desync_class >= http::DesyncClass::kAmbiguous;
  ReleaseUpstream(ambiguous ? UpstreamStream::Reusable::kNever : UpstreamStream::Reusable::kWhenComplete);
  Finish();
}

void Exchange::CountResponse(std::uint16_t status) {
  group_counters().responses.Add(status);
  run_.target->response_time->Record(run_.timing.answered - run_.timing.sent);
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

void Exchange::SendGenerated(const GeneratedResponse& generated) {
  // To the client 2xx would say that the tunnel is there (RFC 8441 section 5).
  if (run_.request.asks_for_tunnel && generated.status < 300) return Fail(ErrorCode::kMethodNotAllowed);
  run_.response.status = generated.status;
  run_.response.redirect_url = generated.location;
  listener_counters().generated_responses.Add(generated.status);
  if (generated.status >= 500) listener_counters().NoteServerError(generated.status);
  std::string_view fields = generated.fields;
  if (added_ != nullptr && !added_->response_fields.empty()) {
    worker_.fields_out = fields;
    AppendAddedFields();
    fields = worker_.fields_out;
  }
  ResponseMessage response{.status = generated.status,
                           .reason = generated.reason,
                           .fields = fields,
                           .framing = {http::FramingKind::kContentLength, generated.body.size()},
                           .announced_length = {}};
  std::string_view body = generated.body;
  if (generated.status == 204) {
    response.framing = {};
    body = {};
  }
  if (run_.request.is_head) {
    response.framing = {};
    response.announced_length = body.size();
    body = {};
  }
  run_.response.head_sent = true;
  run_.downstream->SendResponse(response, {.bytes = body, .end = ContentEnd::kLast, .trailers = nullptr});
  Finish();
}

// ---- failures

void Exchange::NoteInvocation(std::string_view version, std::string_view error) {
  run_.response.function_version = version;
  texts_.function_error = error;
}

void Exchange::OnUpstreamFailed(ErrorCode code, bool response_began) {
  // No connection failed, and what a function did is not done again.
  if (group().config->function) return Fail(code);
  observation().connection_errors.Add();
  group_counters().connection_errors.Add();
  NoteTlsFailure(code);
  run_.response.target_error = run_.attempt.stream->reset_code();
  if (ForwardReset(code) || Retry(code, response_began)) return;
  Fail(code);
}

// spec: alb.md 12.7.
bool Exchange::ForwardReset(ErrorCode code) {
  constexpr std::uint32_t kForwarded = 1U << 0x2U | 1U << 0x7U | 1U << 0x8U | 1U << 0xbU;
  const auto reset = run_.response.target_error;
  if (!reset || *reset > 0xbU || (kForwarded >> *reset & 1U) == 0 || !group().config->forwards_resets) return false;
  if (!run_.downstream->ForwardReset(*reset)) return false;
  ReleaseUpstream(UpstreamStream::Reusable::kNever);
  run_.response.error = reset;
  run_.response.error_reason = TraitsOf(code).reason;
  listener_counters().errors[std::to_underlying(code)].Add();
  group_counters().failures.Add();
  Finish();
  return true;
}

void Exchange::NoteTlsFailure(ErrorCode code) {
  texts_.error_reason.clear();
  const net::TlsFailure* const failure = run_.attempt.stream->tls_failure();
  const bool is_by_tls = code == ErrorCode::kTlsHandshakeFailed || code == ErrorCode::kTlsHandshakeTimeout ||
                         code == ErrorCode::kTlsBroken;
  if (failure == nullptr || !is_by_tls) return;
  if (run_.attempt.stream->opens_connection()) (*group().tls_counters)[worker_.worker].Note(*failure);
  if (failure->reason.empty()) return;
  texts_.error_reason += TraitsOf(code).reason;
  texts_.error_reason += ": ";
  texts_.error_reason += failure->reason;
}

// True when the request goes out again, or was answered while that was tried.
bool Exchange::Retry(ErrorCode code, bool response_began) {
  if (response_began || run_.response.head_sent) return false;
  switch (TraitsOf(code).retry) {
    case RetryAdvice::kNo:
      return false;
    case RetryAdvice::kIfReused:
      if (!run_.attempt.waiting && (!run_.attempt.replayable || !run_.attempt.repeatable)) return false;
      if (!run_.attempts.ForgiveStaleConnection()) return false;
      break;
    case RetryAdvice::kUnprocessed:
      // Its target is not at fault, and may be the only one: by another connection, or where there is room.
      if (!run_.attempt.waiting && !run_.attempt.replayable) return false;
      if (!run_.attempts.ForgiveRefusal()) return false;
      break;
    case RetryAdvice::kYes:
      if (run_.attempts.exhausted()) return false;
      run_.attempts.WantFreshConnection();
      break;
  }
  ReleaseUpstream(UpstreamStream::Reusable::kNever);
  if (!SelectTarget()) return false;
  run_.response.target_error.reset();
  group_counters().retries.Add();
  AcquireUpstream(held_.content());
  ResumeRequestWithHeld();  // it may have found a connection that is there
  return true;
}

void Exchange::OnDownstreamFailed(ErrorCode code) { Fail(code); }

void Exchange::OnIdleTimeout() {
  if (run_.response.is_tunnel) return OnIdleTunnel();
  if (run_.downstream->congested()) {
    Fail(ErrorCode::kResponseStalled);
  } else if (run_.response.head_sent) {
    Fail(ErrorCode::kTargetResponseIncomplete);
  } else if (wait_ != nullptr) {
    Fail(ErrorCode::kActionTimeout);
  } else if (!run_.request.complete && !run_.request.paused) {
    // The client announced more than it sends: it is late, not the target (RFC 9110 section 15.5.9).
    Fail(ErrorCode::kRequestContentStalled);
  } else if (run_.target != nullptr && group().config->function) {
    Fail(ErrorCode::kLambdaConnectionTimeout);
  } else {
    Fail(ErrorCode::kTargetResponseTimeout);
  }
}

void Exchange::EndIfDeregistered(const DataView& newest) {
  if (run_.target == nullptr || run_.view->status == newest.status) return;
  const std::string& name = group().name;
  const auto& groups = newest.routing->groups();
  std::size_t index = run_.group;
  if (index >= groups.size() || groups[index].name != name) {
    const auto found = std::ranges::find(groups, name, &TargetGroupRoute::name);
    if (found == groups.end()) return;  // the whole group is gone: what is under way may finish
    index = static_cast<std::size_t>(found - groups.begin());
  }
  const auto& targets = newest.status->groups[index].targets;
  if (std::ranges::find(targets, run_.target->endpoint, &health::TargetStatus::endpoint) != targets.end()) return;
  if (run_.response.is_tunnel) return EndTunnel(ErrorCode::kTargetDeregistered);
  Fail(ErrorCode::kTargetDeregistered);
}

void Exchange::Abort() {
  if (run_.response.is_tunnel) return EndTunnel({});
  Fail(ErrorCode::kClientClosed);
}

// The one place where a failure becomes a status, a log reason and an end.
void Exchange::Fail(ErrorCode code) {
  const ErrorTraits& traits = TraitsOf(code);
  if (const std::shared_ptr<ActionWait> wait = std::move(wait_); wait != nullptr) {
    EndWait(*wait, WaitEnd::kCancelled, worker_.loop);
    CountAction(ActionOutcome::Fail(code));
  }
  ReleaseUpstream(UpstreamStream::Reusable::kNever);
  // An attempt before the last one may have failed for another reason.
  const std::string_view reason = texts_.error_reason;
  run_.response.error_reason = reason.starts_with(traits.reason) ? reason : traits.reason;
  listener_counters().errors[std::to_underlying(code)].Add();
  if (run_.target != nullptr && traits.status >= 500) group_counters().failures.Add();
  if (traits.lambda_fault == LambdaFault::kUser) group_counters().lambda_user_errors.Add();
  if (traits.lambda_fault == LambdaFault::kInternal) group_counters().lambda_internal_errors.Add();
  // The client is gone, or takes nothing any more.
  const bool nobody_waits = traits.status == 460;
  if (run_.response.head_sent) {
    // The status that the client saw stays in the log, unless it went away itself.
    if (nobody_waits && !run_.response.is_tunnel) run_.response.status = traits.status;
    run_.downstream->AbortResponse();
    if (run_.request.version == http::Version::kHttp2) {
      run_.response.error = run_.response.is_tunnel ? kTunnelBroken : kAbortedByUs;
    }
    Finish();
  } else if (nobody_waits) {
    run_.response.status = traits.status;
    run_.downstream->EndWithoutResponse();
    Finish();
  } else {
    BuildErrorResponse(traits.status, worker_.date.At(worker_.loop.wall_now()),
                       run_.listener->listener_config->attributes, worker_.generated);
    SendGenerated(worker_.generated);
  }
}

// ---- the end

void Exchange::ReleaseUpstream(UpstreamStream::Reusable reusable) {
  UpstreamStream* const stream = run_.attempt.stream;
  if (stream == nullptr) return;
  observation().active_requests.Subtract();
  run_.attempt = {};
  stream->Release(reusable);
}

void Exchange::Finish() {
  ListenerCounters& counters = listener_counters();
  if (run_.response.is_tunnel) {
    counters.websockets_active.Subtract();
  } else {
    if (run_.response.status != 460) counters.responses.Add(run_.response.status);
    const SteadyTime now = worker_.loop.now();
    const std::size_t bucket = counters.exchange_duration.Record(now - run_.timing.begun);
    if (counters.exemplars.wanted(bucket, now)) [[unlikely]]
      NoteExemplar(bucket);
  }
  if (logs()) WriteAccessLog();
  if (run_.transformed != TransformStatus::kNone) transformed_.Clear();
  run_.downstream->FinishExchange();

  // In its place: assigning would build a second one first.
  std::destroy_at(&run_);
  std::construct_at(&run_);
  held_.Clear();
  added_.reset();
  Exchange* const last = worker_.active.back();
  worker_.active[active_index_] = last;
  last->active_index_ = active_index_;
  worker_.active.pop_back();
  worker_.spare.emplace_back(this);
}

// What CloudWatch counts of requests that were routed to a target.
void Exchange::NoteFirstTarget() {
  if (run_.request.is_grpc && group().config->protocol_version == config::TargetProtocolVersion::kGrpc) {
    group_counters().grpc_requests.Add();
  }
  if (run_.request.names_are_plain) return;
  ListenerCounters& counters = listener_counters();
  (attributes().drop_invalid_header_fields ? counters.dropped_invalid_field_names
                                           : counters.forwarded_invalid_field_names)
      .Add();
}

void Exchange::NoteExemplar(std::size_t bucket) {
  const SteadyTime now = worker_.loop.now();
  const std::string_view trace = run_.target != nullptr ? std::string_view(texts_.trace_id) : std::string_view();
  listener_counters().exemplars.Note(bucket, now, trace, now - run_.timing.begun, worker_.loop.wall_now());
}

void Exchange::WriteAccessLog() {
  const config::LogFile* const file = log();
  if (file == nullptr) return;
  const DownstreamConnectionFacts& connection = *run_.connection;
  if (connection.id == nullptr) {
    run_.connection->id = std::make_unique<const std::string>(MakeConnectionId(worker_.random));
  }
  const Timing& timing = run_.timing;
  const TargetHandle* const target = run_.target;
  std::string actions;
  AccessLogRecord record{
      .time = worker_.loop.wall_now(),
      .creation_time = timing.begun_wall,
      .load_balancer = run_.listener->load_balancer,
      .client = {connection.peer().address.Unmapped(), connection.peer().port},
      .node = connection.local(),
      .has_target = timing.was_sent() && target != nullptr && !group().config->function,
      .target = target != nullptr ? target->endpoint : Endpoint{},
      .status = run_.response.status,
      .target_status = run_.response.target_status,
      .received_bytes = run_.downstream->bytes_received(),
      .sent_bytes = run_.downstream->bytes_sent(),
      .version = run_.request.version,
      .request_line = texts_.request_line,
      .user_agent = texts_.user_agent,
      .target_group = target != nullptr ? std::string_view(group().name) : std::string_view(),
      .target_protocol_version = target != nullptr ? LoggedProtocolVersion(group()) : std::string_view(),
      .trace_id = texts_.trace_id,
      .rule_priority = run_.rule != nullptr ? static_cast<std::int32_t>(run_.rule->priority) : -2,
      .rule_name = run_.rule != nullptr ? std::string_view(run_.rule->name) : std::string_view(),
      .actions = run_.rule != nullptr ? NamesOfActions(*run_.rule, run_.actions_run, run_.transformed, actions)
                                      : std::string_view(),
      .redirect_url = run_.response.redirect_url,
      .transformed_host = transformed_.host,
      .transformed_target = transformed_.target,
      .transform_status = run_.transformed,
      .error_reason = run_.response.error_reason,
      .desync_class = run_.request.desync_class,
      .desync_reason = run_.request.desync_reason,
      .connection_id = *connection.id,
      .tls = connection.stream->tls(),
      .is_grpc = run_.request.is_grpc,
      .target_error = run_.response.target_error,
      .error = run_.response.error,
      .is_websocket = run_.response.is_tunnel,
      .function_version = run_.response.function_version,
      .function_error = texts_.function_error};
  if (timing.was_sent()) record.request_processing_seconds = Seconds(timing.begun, timing.sent);
  if (timing.was_answered()) {
    record.target_processing_seconds = Seconds(timing.sent, timing.answered);
    record.response_processing_seconds = 0;
  }
  worker_.access_log->Append(*file, record);
  worker_.FlushLogsSoon();
}

}  // namespace weir::proxy
