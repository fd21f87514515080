#pragma once

#include "net/event_loop.h"
#include "net/stream.h"
#include "proxy/upstream/upstream_pool.h"
#include "proxy/worker_state.h"
#include "tests/http/http2_session_fixture.h"
#include "tests/proxy/fake_stream.h"
#include "tests/support/http2_frames.h"
#include "tests/support/manual_clock.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::proxy {

// What a connection and its target share: bytes both ways, and the ends. Outlives the connection.
struct Wire {
  net::StreamEvents* events = nullptr;
  std::string to_weir;                           // not read yet
  std::string from_weir;                         // not looked at yet
  std::size_t room = 10'000'000;                 // bytes that are taken before writes would block
  bool ended = false;                            // the target has closed its side
  std::optional<net::Stream::CloseMode> closed;  // weir has
};

// A target that speaks HTTP/2, at the other end of one connection: what it gets is taken apart, what it says is told
// by the test, frame by frame.
class FakeHttp2Target {
 public:
  explicit FakeHttp2Target(std::shared_ptr<Wire> wire) : wire_(std::move(wire)) {}

  // The connection is there, or failed with an errno.
  void Connect(int error = 0) { wire_->events->OnConnected(error); }
  // The connection is there, and the target allows so many streams.
  void Settle(std::uint32_t streams_max = 100);
  void Say(std::string_view bytes);
  // A whole response.
  void Answer(std::uint32_t stream, std::string_view content = "ok");
  void Reset(std::uint32_t stream, http::Http2Error code);
  void GoAway(std::uint32_t last, http::Http2Error code = http::Http2Error::kNoError);
  void GiveWindow(std::uint32_t stream, std::uint32_t bytes);
  // Closes its side.
  void End();
  // Takes writes, or not.
  void SetRoom(std::size_t bytes);

  // Reads what weir has written.
  void Take();
  // Fields by name, content and end of a request.
  [[nodiscard]] http::SeenStream& Request(std::int32_t stream) { return rig_.Of(stream); }
  // Streams that were opened.
  [[nodiscard]] std::size_t requests() const { return rig_.streams.size(); }
  // Frames of this type that came, of all streams or one.
  [[nodiscard]] std::size_t Count(std::uint8_t type) const;
  // The error code of the RST_STREAM for the stream, or of the GOAWAY (stream 0); absent: none came.
  [[nodiscard]] std::optional<http::Http2Error> CodeFor(std::uint32_t stream) const;
  // What WINDOW_UPDATE frames have given back.
  [[nodiscard]] std::uint32_t WindowGiven(std::uint32_t stream) const;
  [[nodiscard]] std::optional<net::Stream::CloseMode> closed() const { return wire_->closed; }

 private:
  std::shared_ptr<Wire> wire_;
  bool settled_ = false;    // has said its SETTINGS
  int unacknowledged_ = 0;  // of weir's SETTINGS
  std::vector<http2_frames::Seen> frames_;
  http::SessionRig rig_{http::Http2Session::Role::kServer};
};

// An exchange as its upstream stream sees it: sends its request when it can, keeps what comes, and lets the stream go
// at the end.
class FakeExchange final : public UpstreamEvents {
 public:
  std::string method = "GET";
  std::string path = "/";
  std::string content;
  ContentEnd end = ContentEnd::kLast;

  UpstreamStream* stream = nullptr;  // null: let go
  bool was_sent = false;
  std::vector<std::uint16_t> heads;
  std::map<std::string, std::string, std::less<>> fields;  // of the last head
  std::string received;
  std::map<std::string, std::string, std::less<>> trailers;
  bool complete = false;
  int drained = 0;
  std::optional<ErrorCode> failed;
  bool failed_after_begin = false;
  std::optional<std::uint32_t> reset_code;  // of the stream, when it failed
  bool pauses = false;                      // after each piece

  void Send();
  void SendContent(std::string_view bytes, ContentEnd last = ContentEnd::kMore,
                   const std::vector<http::Field>* trailer_fields = nullptr);
  void LetGo(UpstreamStream::Reusable reusable = UpstreamStream::Reusable::kNever);

  void OnUpstreamConnected() override { Send(); }
  void OnResponse(const http::ResponseHead& head, const Content& piece) override;
  void OnResponseContent(const Content& piece) override;
  [[nodiscard]] bool TakesResponsePipe() const override { return false; }
  void OnUpstreamDrained() override { ++drained; }
  void OnUpstreamFailed(ErrorCode code, bool response_began) override;
};

// A worker's pool before targets that are told what to do, with a clock that is moved by hand, without sockets.
class Http2UpstreamFixture {
 public:
  Http2UpstreamFixture();

  // An exchange that asks for a stream, and sends its request at once where it can. Lives as long as the fixture.
  FakeExchange& Ask(std::string method = "GET", std::string content = {}, ContentEnd end = ContentEnd::kLast);
  // The same, when the first connection is there and its target allows so many streams.
  FakeExchange& AskSettled(std::uint32_t streams_max = 100);
  // Ends the turn and what it puts off, and has the targets read what came.
  void Turn();
  // Lets time pass, a second at a time.
  void Pass(std::chrono::seconds time);
  [[nodiscard]] FakeHttp2Target& target(std::size_t index = 0) { return *targets.at(index); }

  testing::ManualClock clock;
  net::EventLoop loop{clock};
  WorkerState worker{loop, 0};
  std::vector<std::unique_ptr<FakeHttp2Target>> targets;  // one for each connection
  int refuses_with = 0;                                   // an errno: the system refuses to connect
  std::vector<std::unique_ptr<FakeExchange>> exchanges;
  UpstreamPool pool;
  std::shared_ptr<UpstreamEndpoint> endpoint;
};

}  // namespace weir::proxy
