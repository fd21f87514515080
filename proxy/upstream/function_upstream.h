#pragma once

#include "functions/event.h"
#include "functions/function_invoker.h"
#include "net/event_loop.h"
#include "proxy/error.h"
#include "proxy/upstream/upstream_connection.h"
#include "proxy/upstream/upstream_stream.h"

#include <memory>
#include <optional>
#include <string>

namespace weir::functions {
struct VersionTarget;
}  // namespace weir::functions

namespace weir::proxy {

class UpstreamPool;

// One invocation of a function that is a target (spec: alb.md 7.4): gathers the request, at most 1 MB of content,
// invokes the version that it draws, and gives what that answers as a response. Connected from the start, and never
// used again. Thread: worker.
class FunctionUpstream final : public UpstreamConnection, public UpstreamStream, private net::Task {
 public:
  FunctionUpstream(WorkerState& worker, UpstreamPool& pool, std::shared_ptr<UpstreamEndpoint> endpoint)
      : UpstreamConnection(std::move(endpoint)), worker_(worker), pool_(pool) {}
  ~FunctionUpstream() override;

  // ---- from the pool
  [[nodiscard]] UpstreamStream* Connect(UpstreamEvents& events, int& error) override;
  [[nodiscard]] UpstreamStream* Open(UpstreamEvents& /*events*/) override { return nullptr; }
  [[nodiscard]] bool has_room() const override { return false; }
  [[nodiscard]] bool is_idle() const override { return false; }
  void Close() override {}

  // ---- from the exchange
  [[nodiscard]] bool connected() const override { return true; }
  [[nodiscard]] bool reused() const override { return false; }
  [[nodiscard]] bool opens_connection() const override { return false; }
  [[nodiscard]] bool SendRequest(const RequestMessage& request, const Content& content) override;
  void SendContent(const Content& content) override;
  [[nodiscard]] bool takes_pipe() const override { return false; }
  [[nodiscard]] bool congested() const override { return false; }
  void PauseResponse() override {}  // it comes in one piece
  void ResumeResponse() override {}
  void Release(Reusable reusable) override;

 private:
  void RunTask() override;  // tells of a failure that the exchange must not hear of in its own call
  void FailSoon(ErrorCode code);
  void Fail(ErrorCode code);
  void Invoke();
  // So many bytes of content are gathered now.
  void CountGathered(std::size_t bytes);
  void OnResult(const functions::VersionTarget& version, functions::InvokeResult result);
  void Answer(const functions::VersionTarget& version, const functions::EventResponse& response);
  // The head as HTTP/1.1 writes it, for the same parser as those of targets.
  [[nodiscard]] std::string HeadOf(const functions::VersionTarget& version,
                                   const functions::EventResponse& response) const;

  WorkerState& worker_;
  UpstreamPool& pool_;
  UpstreamEvents* events_ = nullptr;         // null: the exchange has let it go
  const RequestMessage* request_ = nullptr;  // the exchange's
  std::string content_;
  std::size_t counted_ = 0;  // of it, in WorkerState
  std::optional<ErrorCode> failure_;
  std::unique_ptr<functions::Invocation> invocation_;
};

}  // namespace weir::proxy
