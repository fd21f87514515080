#pragma once

#include "base/ip_address.h"
#include "base/random.h"
#include "functions/function_invoker.h"
#include "health/body_match.h"
#include "health/check_state.h"
#include "health/http2_question.h"
#include "health/probe_plan.h"
#include "http/head_parser.h"
#include "http/message.h"
#include "net/event_loop.h"
#include "net/stream.h"
#include "net/timer_wheel.h"
#include "net/tls_client.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir::health {

// What all probes of one loop share: only one of them reads at a time. Thread: the engine's.
struct ProbeBench {
  explicit ProbeBench(net::EventLoop& event_loop) : loop(event_loop), buffer(64 * 1024) {}
  net::EventLoop& loop;
  std::shared_ptr<net::TlsClient> tls = net::TlsClient::ForProbes();
  std::shared_ptr<net::TlsClient> http2_tls = net::TlsClient::ForProbes({"h2"});
  std::vector<char> buffer;  // what a read returns lives here until the next one
  http::ResponseHead head;   // its capacity is reused
  Random random;             // draws versions of functions
  // Connections that ended in this turn: events already fetched may still name them. Cleared at the end of the turn.
  std::vector<std::unique_ptr<net::Stream>> closed;
};

class Probe;

// Told by a Probe, on the loop's thread.
class ProbeEvents {
 public:
  // Once per Start, unless it was abandoned.
  virtual void OnProbeResult(Probe& probe, const ProbeResult& result) = 0;
  // After the result, when the connection is over and the probe can be started again (not in this call).
  virtual void OnProbeIdle(Probe& probe) = 0;

 protected:
  ~ProbeEvents() = default;
};

// One attempt after another to see whether an endpoint is well, each over a connection of its own. The result is given
// as soon as it is certain; the rest of a response is then read for a moment, so that the target is not reset in the
// middle of its answer. Never blocks.
//
//   idle ── Start ──▶ connecting ──▶ head ──▶ content ──▶ lingering ──▶ idle
//                          │           │         │   (result given)      ▲
//                          └───────────┴─────────┴── timeout, failure ───┘
//
// Thread: the engine's.
class Probe final : private net::StreamEvents, private net::Timer {
 public:
  Probe(ProbeBench& bench, ProbeEvents& events) : bench_(bench), events_(events) {}

  // What is asked, of whom.
  struct Question {
    std::shared_ptr<const ProbePlan> plan;
    Endpoint endpoint;
    std::string_view host_field;   // copied by the time the request is written: outlives the result or Abandon
    std::string server_name = {};  // SNI; empty: the plan's
  };
  // Only when idle.
  void Start(Question question);
  // Ends the attempt without a result; OnProbeIdle follows at once. Not when idle.
  void Abandon();
  // Whose attempt it is; for the owner of the probes.
  void* owner = nullptr;

 private:
  enum class Phase : std::uint8_t { kIdle, kConnecting, kHead, kContent, kLingering };

  void OnConnected(int error) override;
  void OnReadable() override;
  void OnWritable() override;
  void OnTimer() override;

  void Connect(const std::string& server_name);
  // What comes before TLS and HTTP, over the connection that is there.
  void SendPreamble();
  bool RetryWithoutServerName(int error);
  void WriteRequest();
  [[nodiscard]] net::TlsClient& TlsOfPlan() const;
  // HTTP/2: asks, and takes what it is answered.
  void Ask();
  void SendFrames();
  void TakeFrames(std::string_view bytes);
  // Of a function.
  void Invoke();
  void OnInvoked(functions::InvokeResult result);
  // Takes bytes of the response; may end the attempt.
  void TakeHeadBytes(std::string_view bytes);
  void OnHead(const http::ResponseHead& head, std::string_view rest);
  void TakeContent(std::string_view bytes);
  [[nodiscard]] std::string_view WhyItEnded(int error) const;
  void OnConnectionEnd(int error);
  void Limit(std::chrono::milliseconds timeout);
  // Gives the result and ends the connection, now or after lingering.
  void Finish(const ProbeResult& result, bool linger);
  void Close(net::Stream::CloseMode mode);
  [[nodiscard]] bool CodePasses(std::uint16_t code) const;

  ProbeBench& bench_;
  ProbeEvents& events_;
  Phase phase_ = Phase::kIdle;
  std::shared_ptr<const ProbePlan> plan_;
  Endpoint endpoint_;
  std::string_view host_field_;
  std::string server_name_;  // of TLS behind a preamble
  bool preamble_sent_ = false;
  std::unique_ptr<net::Stream> stream_;
  net::TlsStream* tls_ = nullptr;  // stream_, when it speaks TLS
  bool retried_ = false;
  std::optional<Http2Question> question_;  // by HTTP/2
  std::string unsent_;                     // what the first write left over
  std::string received_;                   // a head that came in pieces
  std::size_t scanned_ = 0;
  std::uint16_t code_ = 0;
  std::optional<BodyMatch> content_;
  std::size_t lingered_bytes_ = 0;
  std::unique_ptr<functions::Invocation> invocation_;
};

}  // namespace weir::health
