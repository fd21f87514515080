#pragma once

#include "http/http2_session.h"
#include "tests/support/http2_frames.h"

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::http {

// What one stream of a session under test has come to.
struct SeenStream final : Http2Stream {
  std::map<std::string, std::string, std::less<>> head;
  std::map<std::string, std::string, std::less<>> trailers;
  std::string content;
  int heads = 0;
  bool last = false;
  int drained = 0;
  bool closed = false;
  Http2Error code = Http2Error::kNoError;
  bool by_peer = false;
};

// A session and the other side's frames. Content is taken at once where `takes` says so.
class SessionRig final : public Http2Events {
 public:
  explicit SessionRig(Http2Session::Role role) : session(role, *this, now) {
    const bool is_server = role == Http2Session::Role::kServer;
    const std::string hello =
        (is_server ? std::string(http2_frames::kPreface) : std::string()) + http2_frames::Settings();
    if (!session.Receive(hello, now)) broken = true;
    Frames();
    Get(http2_frames::Frame(http2_frames::kSettings, http2_frames::kAck, 0));
  }

  // The frames that the session sends after it got `bytes`.
  std::vector<http2_frames::Seen> Get(std::string_view bytes) {
    if (!session.Receive(bytes, now)) broken = true;
    return Frames();
  }
  std::vector<http2_frames::Seen> Frames(std::size_t max = 1 << 20) {
    std::string out;
    if (!session.Output(out, max)) broken = true;
    std::string_view all = out;
    if (all.starts_with(http2_frames::kPreface)) all.remove_prefix(http2_frames::kPreface.size());
    return http2_frames::Split(all);
  }
  SeenStream& Of(std::int32_t id) { return *streams[id]; }

  void OnRequest(std::int32_t id, const Http2FieldSection& head, bool ends) override {
    if (refuses) return;
    auto& stream = streams[id] = std::make_unique<SeenStream>();
    session.Accept(*stream, id, ends);
    Note(head, stream->head);
    ++stream->heads;
    stream->last = ends;
    too_large = head.too_large();
    if (answers) session.Respond(*stream, 200, {}, true);
  }
  void OnMalformedRequest() override { ++malformed; }
  void OnResponse(Http2Stream& stream, const Http2FieldSection& head, bool ends) override {
    auto& seen = static_cast<SeenStream&>(stream);
    ++seen.heads;
    seen.head.clear();
    Note(head, seen.head);
    seen.last = ends;
  }
  void OnContent(Http2Stream& stream, std::string_view bytes, bool last) override {
    auto& seen = static_cast<SeenStream&>(stream);
    seen.content += bytes;
    seen.last = last;
    if (takes) session.Consume(stream, bytes.size());
  }
  void OnTrailers(Http2Stream& stream, const Http2FieldSection& trailers) override {
    auto& seen = static_cast<SeenStream&>(stream);
    Note(trailers, seen.trailers);
    seen.last = true;
  }
  void OnDrained(Http2Stream& stream) override { ++static_cast<SeenStream&>(stream).drained; }
  void OnStreamClosed(Http2Stream& stream, Http2Error code, bool by_peer) override {
    auto& seen = static_cast<SeenStream&>(stream);
    seen.closed = true;
    seen.code = code;
    seen.by_peer = by_peer;
  }
  void OnEarlyEnd(Http2Stream& stream) override {
    ++early_ends;
    session.Reset(stream, Http2Error::kNoError);
  }
  void OnGoAway() override { goaway = true; }
  void OnPingAnswered() override { ++pings_answered; }

  SteadyTime now{std::chrono::hours(1)};
  std::map<std::int32_t, std::unique_ptr<SeenStream>> streams;  // outlive the session
  Http2Session session;
  bool takes = true;
  bool answers = false;
  bool refuses = false;
  bool broken = false;
  bool goaway = false;
  bool too_large = false;
  int malformed = 0;
  int early_ends = 0;
  int pings_answered = 0;

 private:
  static void Note(const Http2FieldSection& section, std::map<std::string, std::string, std::less<>>& out) {
    for (std::size_t i = 0; i < section.size(); ++i) out[std::string(section.at(i).name)] = section.at(i).value;
  }
};

}  // namespace weir::http
