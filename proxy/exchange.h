#pragma once

#include "base/clock.h"
#include "net/stream.h"
#include "proxy/downstream/downstream_stream.h"
#include "proxy/error.h"
#include "proxy/generated_response.h"
#include "proxy/message.h"
#include "proxy/upstream/upstream_stream.h"
#include "proxy/worker_state.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace weir::proxy {

// What an exchange has to know of the connection its request came over. Outlives the exchange.
struct DownstreamConnectionFacts {
  std::shared_ptr<ListenerSlot> slot;
  std::unique_ptr<net::Stream> stream;
  std::unique_ptr<const std::string> id;  // TID_…, made when it is first logged

  [[nodiscard]] const Endpoint& peer() const { return stream->peer(); }
  [[nodiscard]] const Endpoint& local() const { return stream->local(); }
};

// One request and its response, whatever the version and transport of either side. Its life is the list of phases
// below, in the order in which they run; every failure goes through Fail, every exchange ends in Finish. Made and
// recycled by the worker (Begin … Finish); the downstream stream owns the right to call On…. Thread: worker.
class Exchange final : private UpstreamEvents {
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
  // The client closed its sending side after a complete request.
  [[nodiscard]] bool response_began() const { return response_head_sent_; }

  // ---- from the worker ----
  // Ends the exchange with 502 when its target has left the group for good (spec: alb.md 8.2).
  void EndIfDeregistered(const DataView& newest);
  // Ends it now: the process is stopping.
  void Abort();

 private:
  // The life of a request.
  void ReadRequest(const http::RequestHead& head);
  [[nodiscard]] bool CheckFraming(const http::RequestHead& head);
  const Rule& MatchRule(const http::RequestHead& head);
  void RunActions(const Rule& rule, const http::RequestHead& head, const Content& content);
  void Redirect(const proxy::Redirect& redirect, const http::RequestHead& head);
  void Forward(const proxy::Forward& forward, const http::RequestHead& head, const Content& content);
  [[nodiscard]] bool SelectTarget();
  void AcquireUpstream(const Content& content);
  void SendRequest(const Content& content);
  // ReadResponse, SendResponse: the upstream's events.
  void OnUpstreamConnected() override;
  void OnResponse(const http::ResponseHead& head, const Content& content) override;
  void OnResponseContent(const Content& content) override;
  [[nodiscard]] bool TakesResponsePipe() const override { return downstream_->takes_pipe(); }
  void OnUpstreamDrained() override;
  void OnUpstreamFailed(ErrorCode code, bool response_began) override;
  void PauseResponseWhileCongested();
  void CompleteResponse();
  void SendGenerated(const GeneratedResponse& response);
  void Fail(ErrorCode code);
  void Finish();

  [[nodiscard]] bool Retry(ErrorCode code, bool response_began);
  void HoldContent(const Content& content);
  void ReleaseUpstream(bool reusable);
  void CountResponse(std::uint16_t status);
  void WriteAccessLog();
  [[nodiscard]] const health::GroupStatus& group_status() const { return view_->status->groups[group_]; }
  [[nodiscard]] health::TargetObservation& observation() const { return *target_->seen; }
  [[nodiscard]] bool logs() const { return listener_->load_balancer_config->access_log.has_value(); }

  // Content kept for a request that may have to be sent again, or whose connection is not there yet.
  static constexpr std::size_t kHeldBytesMax = 64 * 1024;
  static constexpr int kAttemptsMax = 3;

  WorkerState& worker_;
  std::size_t active_index_ = 0;
  DownstreamStream* downstream_ = nullptr;
  DownstreamConnectionFacts* connection_ = nullptr;
  UpstreamStream* upstream_ = nullptr;
  std::shared_ptr<const DataView> view_;
  const Listener* listener_ = nullptr;  // of view_
  const Rule* rule_ = nullptr;
  std::uint32_t group_ = 0;
  const TargetHandle* target_ = nullptr;  // of view_
  std::uint32_t tried_[kAttemptsMax] = {};
  int attempts_ = 0;

  RequestMessage request_;
  std::string held_content_;
  ContentEnd held_end_ = ContentEnd::kMore;
  const std::vector<http::Field>* held_trailers_ = nullptr;

  bool request_complete_ = false;      // the client's content was received whole
  bool waiting_for_upstream_ = false;  // content is held until the connection is there
  bool replayable_ = false;            // held_content_ is everything that was sent
  bool stale_retry_used_ = false;
  bool fresh_connection_ = false;  // the next attempt must not reuse one
  bool idempotent_ = false;
  bool is_head_ = false;
  bool client_knows_interim_ = false;
  bool expects_continue_ = false;
  bool request_paused_ = false;
  bool response_paused_ = false;
  bool response_head_sent_ = false;
  bool finished_ = true;

  SteadyTime begun_;
  SteadyTime sent_;
  SteadyTime answered_;
  WallTime begun_wall_;
  bool was_sent_ = false;
  bool was_answered_ = false;
  std::uint16_t status_ = 0;
  std::uint16_t target_status_ = 0;
  http::DesyncClass desync_class_ = http::DesyncClass::kCompliant;
  http::DesyncReason desync_reason_ = http::DesyncReason::kNone;
  std::string_view error_reason_;
  std::string_view actions_;
  std::string request_line_;
  std::string user_agent_;
  std::string trace_id_;
  std::string redirect_url_;
};

}  // namespace weir::proxy
