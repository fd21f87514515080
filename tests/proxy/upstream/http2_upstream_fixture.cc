#include "tests/proxy/upstream/http2_upstream_fixture.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace weir::proxy {
namespace {

using namespace http2_frames;

// weir's side of a wire.
class WireStream final : public FakeStream {
 public:
  explicit WireStream(std::shared_ptr<Wire> wire) : wire_(std::move(wire)) {}

  net::IoResult Read(std::span<char> buffer) override {
    if (wire_->to_weir.empty()) {
      return {wire_->ended ? net::IoStatus::kEnd : net::IoStatus::kWouldBlock, 0, 0};
    }
    const std::size_t bytes = wire_->to_weir.copy(buffer.data(), buffer.size());
    wire_->to_weir.erase(0, bytes);
    return {net::IoStatus::kOk, bytes, 0};
  }
  net::IoResult Write(std::span<const iovec> pieces) override {
    std::size_t taken = 0;
    for (const iovec& piece : pieces) {
      const std::size_t bytes = std::min(piece.iov_len, wire_->room);
      wire_->from_weir.append(static_cast<const char*>(piece.iov_base), bytes);
      wire_->room -= bytes;
      taken += bytes;
    }
    return {taken > 0 ? net::IoStatus::kOk : net::IoStatus::kWouldBlock, taken, 0};
  }
  void set_events(net::StreamEvents& events) override { wire_->events = &events; }
  void Close(CloseMode mode) override {
    wire_->closed = mode;
    FakeStream::Close(mode);
  }
  bool readable() const override { return !wire_->to_weir.empty() || wire_->ended; }
  bool peer_closed() const override { return wire_->ended; }

 private:
  std::shared_ptr<Wire> wire_;
};

std::uint32_t Code(http::Http2Error code) { return std::to_underlying(code); }

}  // namespace

// ---- the target

void FakeHttp2Target::Settle(std::uint32_t streams_max) {
  Connect();
  settled_ = true;
  constexpr std::uint16_t kMaxConcurrentStreams = 3;
  Say(Settings({{kMaxConcurrentStreams, streams_max}}));
}

void FakeHttp2Target::Say(std::string_view bytes) {
  ASSERT_FALSE(wire_->closed) << "weir has closed the connection";
  wire_->to_weir += bytes;
  wire_->events->OnReadable();
}

void FakeHttp2Target::Answer(std::uint32_t stream, std::string_view content) {
  Say(Headers(stream, {{":status", "200"}}, 0) + Frame(kData, kEndStream, stream, content));
}

void FakeHttp2Target::Reset(std::uint32_t stream, http::Http2Error code) {
  Say(Frame(kRstStream, 0, stream, Number(Code(code), 4)));
}

void FakeHttp2Target::GoAway(std::uint32_t last, http::Http2Error code) {
  Say(Frame(kGoAway, 0, 0, Number(last, 4) + Number(Code(code), 4)));
}

void FakeHttp2Target::GiveWindow(std::uint32_t stream, std::uint32_t bytes) {
  Say(Frame(kWindowUpdate, 0, stream, Number(bytes, 4)));
}

void FakeHttp2Target::End() {
  wire_->ended = true;
  wire_->events->OnReadable();
}

void FakeHttp2Target::SetRoom(std::size_t bytes) {
  wire_->room = bytes;
  if (bytes > 0) wire_->events->OnWritable();
}

void FakeHttp2Target::Take() {
  std::string_view bytes = wire_->from_weir;
  if (bytes.starts_with(kPreface)) bytes.remove_prefix(kPreface.size());
  std::size_t used = 0;
  for (Seen& frame : Split(bytes)) {
    const std::size_t size = 9 + frame.payload.size();
    if (frame.type == kSettings && frame.flags != kAck) ++unacknowledged_;
    // The one that decodes has settings of its own, and they are acknowledged already.
    if (frame.type != kSettings || frame.flags != kAck) rig_.Get(bytes.substr(used, size));
    used += size;
    frames_.push_back(std::move(frame));
  }
  wire_->from_weir = std::string(bytes.substr(used));
  // Until it has that, weir holds it to the windows of the protocol's defaults.
  for (; settled_ && unacknowledged_ > 0 && !wire_->closed && !wire_->ended; --unacknowledged_) {
    Say(Frame(kSettings, kAck, 0));
  }
}

std::size_t FakeHttp2Target::Count(std::uint8_t type) const {
  return static_cast<std::size_t>(std::ranges::count(frames_, type, &Seen::type));
}

std::optional<http::Http2Error> FakeHttp2Target::CodeFor(std::uint32_t stream) const {
  const std::uint8_t type = stream == 0 ? kGoAway : kRstStream;
  for (const Seen& frame : frames_) {
    if (frame.type == type && frame.stream == stream) return static_cast<http::Http2Error>(frame.code());
  }
  return std::nullopt;
}

std::uint32_t FakeHttp2Target::WindowGiven(std::uint32_t stream) const {
  std::uint32_t bytes = 0;
  for (const Seen& frame : frames_) {
    if (frame.type == kWindowUpdate && frame.stream == stream) bytes += frame.first();
  }
  return bytes;
}

// ---- the exchange

void FakeExchange::Send() {
  RequestMessage request;
  request.method = method;
  request.target = path;
  request.host_lines = "Host: shop.test\r\n";
  request.fields = "x-own: 1\r\n";
  request.takes_trailers = true;
  if (method == "POST") request.framing.kind = http::FramingKind::kUnknown;
  was_sent = stream->SendRequest(request, {.bytes = content, .end = end});
  if (!was_sent) LetGo();
}

void FakeExchange::SendContent(std::string_view bytes, ContentEnd last,
                               const std::vector<http::Field>* trailer_fields) {
  stream->SendContent({.bytes = bytes, .end = last, .trailers = trailer_fields});
}

void FakeExchange::LetGo(UpstreamStream::Reusable reusable) { std::exchange(stream, nullptr)->Release(reusable); }

void FakeExchange::OnResponse(const http::ResponseHead& head, const Content& piece) {
  EXPECT_FALSE(complete || failed);
  heads.push_back(head.status);
  fields.clear();
  for (const http::Field& field : head.fields) fields[std::string(field.name)] = field.value;
  if (head.status >= 200) OnResponseContent(piece);
}

void FakeExchange::OnResponseContent(const Content& piece) {
  EXPECT_FALSE(complete || failed);
  received += piece.bytes;
  for (const http::Field& field : piece.trailer_fields()) trailers[std::string(field.name)] = field.value;
  if (pauses) stream->PauseResponse();
  if (!piece.is_last()) return;
  complete = true;
  LetGo(UpstreamStream::Reusable::kWhenComplete);
}

void FakeExchange::OnUpstreamFailed(ErrorCode code, bool response_began) {
  EXPECT_FALSE(complete || failed);
  failed = code;
  failed_after_begin = response_began;
  reset_code = stream->reset_code();
  LetGo();
}

// ---- the worker

Http2UpstreamFixture::Http2UpstreamFixture()
    : pool(worker,
           [this](net::EventLoop& /*loop*/, const Endpoint& /*peer*/, net::StreamEvents& events,
                  int& error) -> std::unique_ptr<net::Stream> {
             error = refuses_with;
             if (error != 0) return nullptr;
             auto wire = std::make_shared<Wire>();
             wire->events = &events;
             targets.push_back(std::make_unique<FakeHttp2Target>(wire));
             return std::make_unique<WireStream>(wire);
           }),
      endpoint(pool.EndpointFor({.endpoint = *Endpoint::Parse("127.0.0.1:9001"),
                                 .protocol = UpstreamProtocol::kHttp2,
                                 .tls = nullptr,
                                 .server_name = {},
                                 .proxy_protocol = {}})) {}

FakeExchange& Http2UpstreamFixture::Ask(std::string method, std::string content, ContentEnd end) {
  FakeExchange& exchange = *exchanges.emplace_back(std::make_unique<FakeExchange>());
  exchange.method = std::move(method);
  exchange.content = std::move(content);
  exchange.end = end;
  int error = 0;
  exchange.stream = pool.Acquire(endpoint, UpstreamSource::Mode::kReuse, std::chrono::seconds(60), exchange, error);
  EXPECT_EQ(error, refuses_with);
  if (exchange.stream != nullptr && exchange.stream->connected()) exchange.Send();
  return exchange;
}

FakeExchange& Http2UpstreamFixture::AskSettled(std::uint32_t streams_max) {
  FakeExchange& exchange = Ask();
  target().Settle(streams_max);
  Turn();
  return exchange;
}

void Http2UpstreamFixture::Turn() {
  // What a task puts off is done in the next turn.
  for (int turn = 0; turn < 2; ++turn) loop.RunOnce(std::chrono::milliseconds(0));
  for (const auto& each : targets) each->Take();
}

void Http2UpstreamFixture::Pass(std::chrono::seconds time) {
  for (; time > std::chrono::seconds(0); time -= std::chrono::seconds(1)) {
    clock.Advance(std::chrono::seconds(1));
    Turn();
  }
}

}  // namespace weir::proxy
