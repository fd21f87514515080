#pragma once

#include "base/clock.h"
#include "proxy/actions/action.h"
#include "proxy/attempts.h"
#include "proxy/balancing/node.h"
#include "proxy/downstream/connection_facts.h"
#include "proxy/downstream/downstream_stream.h"
#include "proxy/error.h"
#include "proxy/generated_response.h"
#include "proxy/held_content.h"
#include "proxy/message.h"
#include "proxy/routing/transforms.h"
#include "proxy/upstream/upstream_stream.h"
#include "proxy/worker_state.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::proxy {

struct OwnTlsFields;  // forwarding.h

// One request and its response, whatever the version and transport of either side. Its life is the list of phases
// below, in the order in which they run; every failure goes through Fail, every exchange ends in Finish. Made and
// recycled by the worker (Begin … Finish); the downstream stream owns the right to call On…. Thread: worker.
class Exchange final : private UpstreamEvents, private ActionEvents {
 public:
  explicit Exchange(WorkerState& worker) : worker_(worker) {}
  ~Exchange() = default;
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  // A spare exchange of the worker, or a new one.
  [[nodiscard]] static Exchange& Take(WorkerState& worker);

  // Runs the phases as far as they go. `content` is what arrived with the head. May finish before it returns.
  void Begin(DownstreamStream& downstream, DownstreamConnectionFacts& connection, const http::RequestHead& head,
             const Content& content);
  // For a request whose head was refused or never came (408): answers, logs, finishes. `head` may be half filled.
  void BeginRefused(DownstreamStream& downstream, DownstreamConnectionFacts& connection, const http::RequestHead& head,
                    ErrorCode code);

  // ---- from the downstream side ----
  void OnRequestContent(const Content& content);
  // OnRequestContent takes a pipe now: the content goes to a target, and will not have to be sent again.
  [[nodiscard]] bool TakesRequestPipe() const;
  void OnDownstreamDrained();
  // The client is gone, or its content was malformed. Finishes.
  void OnDownstreamFailed(ErrorCode code);
  // Nothing moved for the idle timeout. Finishes.
  void OnIdleTimeout();
  // The head of the response was sent.
  [[nodiscard]] bool response_began() const { return run_.response.head_sent; }

  // ---- from the worker ----
  // Ends the exchange with 502 when its target has left the group for good (spec: alb.md 8.2).
  void EndIfDeregistered(const DataView& newest);
  // Ends it now: the process is stopping.
  void Abort();

 private:
  // The life of a request.
  void ReadRequest(const http::RequestHead& head);
  [[nodiscard]] bool CheckFraming(const http::RequestHead& head);
  // Takes what an identity provider sends back, on a listener that signs users in.
  void RunLoginCallback(const http::RequestHead& head, const Content& content);
  void MatchRule(const http::RequestHead& head);
  void RunActions(const http::RequestHead& head, const Content& content);
  [[nodiscard]] ActionRequest MakeActionRequest(const http::RequestHead& head);
  [[nodiscard]] ActionOutcome RunLeadingActions(const ActionRequest& request);
  void CountAction(const ActionOutcome& outcome);
  void NoteFirstTarget();
  void NoteExemplar(std::size_t bucket);
  void Await(const http::RequestHead& head, const Content& content);
  void OnActionDone(ActionOutcome outcome, const GeneratedResponse* response) override;
  void Obey(ActionOutcome outcome, const GeneratedResponse& response, const http::RequestHead& head,
            const Content& content);
  // Changes what is forwarded as the rule wants it. False when that fails, which is answered.
  [[nodiscard]] bool Transform(const http::RequestHead& head);
  void Forward(std::uint32_t group, const http::RequestHead& head, const Content& content);
  // What of a connection over TLS the target is told.
  void FillTlsFields(const net::TlsFacts& agreed, OwnTlsFields& fields) const;
  // The content, which has trailers, without those of them that only we may send. Valid until the next call.
  [[nodiscard]] Content WithoutReservedTrailers(const Content& content);
  [[nodiscard]] std::optional<std::uint32_t> ChooseTarget(const health::GroupStatus& status);
  [[nodiscard]] bool SelectTarget();
  // Of a sticky group: what the client's cookie asks for.
  void FindStickyTarget(const http::RequestHead& head);
  // A cookie that chose nothing is no failure, but is told of.
  void NoteCookie(CookiePurpose purpose, StickyVerdict verdict, Counter& counter);
  // What actions before the last one want the client to get, and the log to say.
  void AppendAddedFields() {
    if (added_ != nullptr) worker_.fields_out += added_->response_fields;
  }
  void NoteAddedReason();
  // Of a rule that is sticky.
  void AppendStickinessCookies(const http::ResponseHead& head);
  void AcquireUpstream(const Content& content);
  void SendRequest(const Content& content);
  // ReadResponse, SendResponse: the upstream's events.
  [[nodiscard]] Ends ends() const override { return {run_.connection->peer(), run_.connection->local()}; }
  [[nodiscard]] bool wants_server_field() const override {
    return run_.listener->listener_config->attributes.server_header_enabled;
  }
  void NoteInvocation(std::string_view version, std::string_view error) override;
  void OnUpstreamConnected() override;
  void OnResponse(const http::ResponseHead& head, const Content& content) override;
  void OnResponseContent(const Content& content) override;
  [[nodiscard]] bool TakesResponsePipe() const override { return run_.downstream->takes_pipe(); }
  void OnUpstreamDrained() override;
  void OnUpstreamFailed(ErrorCode code, bool response_began) override;
  void CompleteResponse();
  // The tunnel that a response may open (exchange_tunnel.cc).
  void OpenTunnel(const http::ResponseHead& head, ResponseMessage& response, const Content& content);
  void SendIntoTunnel(const Content& content);
  void FinishTunnelWhenOver();
  void EndTunnel(std::optional<ErrorCode> reason);
  void OnIdleTunnel();
  // The other ends.
  void SendGenerated(const GeneratedResponse& response);
  [[nodiscard]] bool Retry(ErrorCode code, bool response_began);
  // Gives the client the error code that the target reset its stream with, where the group wants that. Finishes.
  [[nodiscard]] bool ForwardReset(ErrorCode code);
  void Fail(ErrorCode code);
  void Finish();

  void PauseRequest();
  void ResumeRequestWithHeld();
  void PauseRequestWhileCongested();
  void PauseResponseWhileCongested();
  void ReleaseUpstream(UpstreamStream::Reusable reusable);
  void CountResponse(std::uint16_t status);
  // Counts a failure of TLS towards the target, and notes OpenSSL's reason for the log.
  void NoteTlsFailure(ErrorCode code);
  void WriteAccessLog();
  [[nodiscard]] bool under_way() const { return run_.downstream != nullptr; }
  // What the node that the request came in by uses of the group.
  [[nodiscard]] const health::GroupStatus& group_status() const {
    const health::GroupStatus& status = run_.view->status->groups[run_.group];
    if (status.by_zone.empty()) return status;
    return StatusOfNode(*run_.listener->load_balancer_config, run_.connection->slot->bound.address, *group().config,
                        status);
  }
  [[nodiscard]] const TargetGroupRoute& group() const { return run_.view->routing->groups()[run_.group]; }
  [[nodiscard]] GroupCounters& group_counters() const { return (*group().counters)[worker_.worker]; }
  [[nodiscard]] ListenerCounters& listener_counters() const { return *run_.connection->slot->counters; }
  [[nodiscard]] health::TargetObservation& observation() const { return *run_.target->seen; }
  [[nodiscard]] const config::LoadBalancerAttributes& attributes() const {
    return run_.listener->load_balancer_config->attributes;
  }
  [[nodiscard]] bool logs() const { return run_.listener->logs_requests; }
  // That of this request; null: it is logged nowhere.
  [[nodiscard]] const config::LogFile* log() const {
    const CanaryTraffic* const canary = run_.rule != nullptr ? run_.rule->canary.get() : nullptr;
    if (canary != nullptr && run_.target != nullptr && run_.group == canary->group) return &canary->log;
    const auto& log = run_.listener->load_balancer_config->access_log;
    return log ? &*log : nullptr;
  }

  // The client's request as it stands.
  struct Request {
    bool complete = false;  // its content was received whole
    bool paused = false;
    bool is_head = false;
    bool expects_continue = false;
    bool is_grpc = false;
    bool names_are_plain = true;   // http::RequestHead
    bool asks_for_tunnel = false;  // by an extended CONNECT of HTTP/2 (RFC 8441)
    http::Version version = http::Version::kHttp11;
    http::DesyncClass desync_class = http::DesyncClass::kCompliant;
    http::DesyncReason desync_reason = http::DesyncReason::kNone;
  };
  // What goes back to it.
  struct Response {
    bool head_sent = false;
    bool paused = false;
    bool is_tunnel = false;     // from here on what it and the request are, is content of a tunnel
    bool tunnel_ended = false;  // by the target
    std::uint16_t status = 0;
    std::uint16_t target_status = 0;
    // Of RST_STREAM, from the target and to the client.
    std::optional<std::uint32_t> target_error;
    std::optional<std::uint32_t> error;
    std::string_view error_reason;
    std::string_view redirect_url;
    std::string_view function_version;  // of view
  };
  // The target's side of the attempt that is under way.
  struct Attempt {
    UpstreamStream* stream = nullptr;
    bool waiting = false;     // for its connection: content is held
    bool replayable = false;  // what is held is everything that was sent
    bool repeatable = false;  // may be sent again although the target may have got it
  };
  // When the phases were passed; the epoch: not yet.
  struct Timing {
    SteadyTime begun;
    SteadyTime sent;
    SteadyTime answered;
    WallTime begun_wall;
    [[nodiscard]] bool was_sent() const { return sent != SteadyTime{}; }
    [[nodiscard]] bool was_answered() const { return answered != SteadyTime{}; }
  };
  // All that belongs to one request: a new one for each.
  struct Run {
    DownstreamStream* downstream = nullptr;  // null: no request is under way
    DownstreamConnectionFacts* connection = nullptr;
    std::shared_ptr<const DataView> view;
    const Listener* listener = nullptr;  // of view
    const Rule* rule = nullptr;
    std::uint32_t actions_run = 0;  // of the rule
    TransformStatus transformed = TransformStatus::kNone;
    std::uint32_t group = 0;
    const TargetHandle* target = nullptr;        // of view
    std::optional<std::uint32_t> sticky_target;  // index into the group's targets; absent: its algorithm chooses
    std::optional<std::uint64_t> hash_key;       // what consistent hashing goes by
    bool same_site_none = false;                 // NeedsSameSiteNone
    Request request;
    Response response;
    Attempts attempts;
    Attempt attempt;
    Timing timing;
  };
  // The texts of the access log's line. Kept from one exchange to the next for their room; of a request that is not
  // logged they may be of the one before.
  struct LogTexts {
    std::string request_line;
    std::string user_agent;
    std::string trace_id;
    std::string error_reason;  // where it is more than the code's
    std::string function_error;

    void Clear() {
      for (std::string* text : {&request_line, &user_agent, &trace_id, &error_reason, &function_error}) text->clear();
    }
  };

  WorkerState& worker_;
  std::size_t active_index_ = 0;
  Run run_;
  RequestMessage message_;
  HeldContent held_;
  std::vector<http::Field> trailers_;       // of the client's those that may go on, where some may not
  std::shared_ptr<ActionWait> wait_;        // null: no action waits
  std::unique_ptr<ActionAdditions> added_;  // null: no action has added anything
  LogTexts texts_;
  TransformedRequest transformed_;  // empty where the rule has no transforms
};

}  // namespace weir::proxy
