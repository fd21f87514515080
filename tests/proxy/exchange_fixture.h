#pragma once

#include "config/model.h"
#include "health/status.h"
#include "net/event_loop.h"
#include "proxy/counters.h"
#include "proxy/exchange.h"
#include "proxy/upstream/upstream_pool.h"
#include "proxy/worker_state.h"
#include "tests/proxy/fake_stream.h"

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::proxy {

// The client's side of one exchange, without a connection: keeps what it is given and checks the order of the calls.
class FakeDownstream final : public DownstreamStream {
 public:
  std::vector<std::uint16_t> interim;
  std::uint16_t status = 0;  // of the response; 0: none was sent
  std::string fields;
  http::Framing framing;
  std::optional<std::uint64_t> announced_length;
  std::string content;
  bool complete = false;  // the response was sent whole
  bool tunnel = false;    // it opened one
  bool aborted = false;
  bool ended_without_response = false;
  bool forwards_resets = false;            // speaks HTTP/2
  std::optional<std::uint32_t> forwarded;  // what the stream was reset with
  int finished = 0;
  bool request_paused = false;
  bool is_congested = false;
  bool pipes = false;

  void SendInterim(const ResponseMessage& response) override;
  void SendResponse(const ResponseMessage& response, const Content& piece) override;
  void SendContent(const Content& piece) override;
  [[nodiscard]] bool takes_pipe() const override { return pipes; }
  [[nodiscard]] bool congested() const override { return is_congested; }
  void PauseRequestContent() override { request_paused = true; }
  void ResumeRequestContent() override;
  void AbortResponse() override;
  [[nodiscard]] bool ForwardReset(std::uint32_t code) override;
  void EndWithoutResponse() override;
  void FinishExchange() override;
  [[nodiscard]] std::uint64_t bytes_received() const override { return 100; }
  [[nodiscard]] std::uint64_t bytes_sent() const override { return content.size(); }
};

// The target's side of one attempt.
class FakeUpstream final : public UpstreamStream {
 public:
  UpstreamEvents* events = nullptr;
  Endpoint endpoint;
  bool is_connected = true;
  bool was_reused = false;
  bool fails_to_send = false;
  bool is_congested = false;
  bool pipes = false;
  const net::TlsFacts* agreed = nullptr;
  const net::TlsFailure* tls_failed = nullptr;
  std::optional<std::uint32_t> reset_by;  // the target's error code

  std::string head;  // `GET /path`; empty: nothing was sent
  std::string fields;
  bool asked_for_websocket = false;
  std::string content;  // all of it
  bool complete = false;
  bool response_paused = false;
  bool released = false;
  Reusable reusable = Reusable::kNever;

  // What the target does. `pieces` are only used up during the call.
  void Connect();
  void Fail(ErrorCode code, bool response_began = false);
  void Answer(std::uint16_t answer_status, std::string_view piece = {}, ContentEnd end = ContentEnd::kLast);
  void Say(std::string_view piece, ContentEnd end = ContentEnd::kMore);

  [[nodiscard]] bool connected() const override { return is_connected; }
  [[nodiscard]] bool reused() const override { return was_reused; }
  [[nodiscard]] bool SendRequest(const RequestMessage& request, const Content& piece) override;
  void SendContent(const Content& piece) override;
  [[nodiscard]] bool takes_pipe() const override { return pipes; }
  [[nodiscard]] bool congested() const override { return is_congested; }
  [[nodiscard]] const net::TlsFacts* tls() const override { return agreed; }
  [[nodiscard]] const net::TlsFailure* tls_failure() const override { return tls_failed; }
  [[nodiscard]] std::optional<std::uint32_t> reset_code() const override { return reset_by; }
  void PauseResponse() override { response_paused = true; }
  void ResumeResponse() override { response_paused = false; }
  void Release(Reusable mode) override;
};

// Gives the streams that a test has planned; fresh ones that are connected when it planned none.
class FakeUpstreams final : public UpstreamSource {
 public:
  struct Plan {
    bool connected = true;
    bool reused = false;
    bool fails_to_send = false;
    bool congested = false;
    int error = 0;  // an errno: refused at once
  };
  std::deque<Plan> plans;
  std::vector<std::unique_ptr<FakeUpstream>> streams;  // all that were given
  std::vector<Mode> modes;
  int refused = 0;

  [[nodiscard]] FakeUpstream& last() const { return *streams.back(); }
  [[nodiscard]] UpstreamStream* Acquire(const std::shared_ptr<UpstreamEndpoint>& endpoint, Mode mode,
                                        std::chrono::seconds idle_timeout, UpstreamEvents& events, int& error) override;
};

// An action that waits until a test lets it go on, or says at once what the test has told it to.
class FakeAction final : public LeadingAction {
 public:
  struct Wait {
    std::string seen;  // `GET /path`, of the head that the work was given
    ActionHandle handle;
    bool cancelled = false;
    bool destroyed = false;
  };
  // What the action does with the next requests; asked when the exchange owns them.
  std::optional<ActionOutcome> outcome;  // absent: waits
  std::function<void(const ActionHandle&)> on_start;
  std::function<void(const ActionHandle&)> on_cancel;
  mutable std::deque<Wait> waits;  // all that began

  [[nodiscard]] ActionOutcome Run(const ActionRequest& request) const override;
  [[nodiscard]] std::string_view name() const override { return "wait"; }
  [[nodiscard]] std::string Explain() const override { return "waits"; }
};

// A worker without sockets: one listener whose default rule forwards to the group `blue`. Change `model` and call
// Publish for anything else.
class ExchangeFixture {
 public:
  explicit ExchangeFixture(std::size_t targets = 2, const Clock& clock = SystemClock());

  // Makes a view of `model` and of `targets` healthy targets, which exchanges begin with from now on.
  void Publish();
  // A request with the text of its head, which lives as long as the fixture.
  Exchange& Begin(FakeDownstream& downstream, const std::string& head, std::string_view content = {},
                  ContentEnd end = ContentEnd::kLast);
  // Overwrites the bytes of all heads, and what was parsed of the last one: as a connection does that reads on.
  void ForgetHeads();
  Exchange& BeginRefused(FakeDownstream& downstream, const std::string& head, ErrorCode code);

  [[nodiscard]] std::uint64_t errors(ErrorCode code) const;
  [[nodiscard]] const GroupCounters& group() const;
  [[nodiscard]] const ListenerCounters& listener() const { return *facts_.slot->counters; }
  // Over all targets.
  [[nodiscard]] std::uint64_t active_requests() const;
  [[nodiscard]] bool idle() const { return worker.active.empty(); }

  config::Model model;
  net::CookieKeySet stickiness_keys;  // empty: Publish makes a new one
  // Of the default rule; empty: those of the model.
  std::vector<std::shared_ptr<const LeadingAction>> leading_actions;
  std::size_t target_count;
  http::Version version = http::Version::kHttp11;  // of the requests
  net::EventLoop loop;                             // by the clock of the constructor
  WorkerState worker{loop, 0};
  FakeUpstreams upstreams;
  std::shared_ptr<const DataView> view;

 private:
  [[nodiscard]] const http::RequestHead& Parse(const std::string& head);

  CounterRegistry counters_{1};
  AccessLog access_log_{nullptr, ""};  // writes nowhere
  std::uint64_t revision_ = 0;
  DownstreamConnectionFacts facts_;
  std::vector<std::unique_ptr<const Listener>> listeners_;  // with the actions that no configuration has
  std::deque<std::string> heads_;
  std::vector<health::TargetStatus> targets_;
};

}  // namespace weir::proxy
