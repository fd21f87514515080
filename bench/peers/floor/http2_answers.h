// The target's HTTP/2: every request gets the same answer, so that nothing of it has to be decoded.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

namespace floor_bench {

inline constexpr std::string_view kHttp2Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

// One connection of a client that speaks HTTP/2 with prior knowledge (RFC 9113). A request without content gets 200 and
// 13 bytes; one with content counts as a gRPC call, and gets a message of 8 bytes (13 with what frames it) and status
// 0. Of flow control it keeps the connection's window: the answers fit every stream's.
class Http2Answers {
 public:
  // Takes bytes of the client, and appends what there is to be sent to `out`. False when they are not HTTP/2.
  bool Receive(std::string_view bytes, std::string& out) {
    received_.append(bytes);
    std::size_t at = 0;
    if (!begun_) {
      if (received_.size() < kHttp2Preface.size()) return true;
      if (!received_.starts_with(kHttp2Preface)) return false;
      begun_ = true;
      at = kHttp2Preface.size();
      AppendFrame(out, Type::kSettings, 0, 0, {kSettings.data(), kSettings.size()});
    }
    while (received_.size() - at >= kHeadBytes) {
      const std::size_t size = Number(at, 3);
      if (size > kFrameBytesMax) return false;
      if (received_.size() - at < kHeadBytes + size) break;
      Take(at, size, out);
      at += kHeadBytes + size;
    }
    received_.erase(0, at);
    return true;
  }

 private:
  enum class Type : std::uint8_t {
    kData = 0,
    kHeaders = 1,
    kSettings = 4,
    kPing = 6,
    kWindowUpdate = 8,
    kContinuation = 9,
  };
  static constexpr std::uint8_t kEndStream = 0x1;
  static constexpr std::uint8_t kAck = 0x1;
  static constexpr std::uint8_t kEndHeaders = 0x4;
  static constexpr std::size_t kHeadBytes = 9;
  static constexpr std::size_t kFrameBytesMax = 16 * 1024;
  // Content that is taken before the client may send as much again.
  static constexpr std::uint32_t kWindowStep = 16 * 1024;

  // MAX_CONCURRENT_STREAMS 128.
  static constexpr std::array<char, 6> kSettings = {0, 3, 0, 0, 0, static_cast<char>(128)};

  // A field whose name has the index `name` of the static table (RFC 7541 section 6.2.2), which is above 14.
  static std::string Indexed(unsigned name, std::string_view value) {
    std::string field = {0x0f, static_cast<char>(name - 15), static_cast<char>(value.size())};
    return field.append(value);
  }
  static std::string Named(std::string_view name, std::string_view value) {
    std::string field = {0, static_cast<char>(name.size())};
    field.append(name);
    field += static_cast<char>(value.size());
    return field.append(value);
  }

  void Take(std::size_t at, std::size_t size, std::string& out) {
    const std::uint8_t flags = static_cast<unsigned char>(received_[at + 4]);
    const std::uint32_t stream = Number(at + 5, 4) & 0x7fffffffU;
    const bool ends = (flags & kEndStream) != 0;
    switch (static_cast<Type>(received_[at + 3])) {
      case Type::kData:
        TakeContent(size, out);
        if (ends) Answer({stream, true}, out);
        return;
      case Type::kHeaders:
        ends_with_its_head_ = ends;
        [[fallthrough]];
      case Type::kContinuation:
        if ((flags & kEndHeaders) != 0 && ends_with_its_head_) Answer({stream, false}, out);
        return;
      case Type::kSettings:
        if ((flags & kAck) == 0) AppendFrame(out, Type::kSettings, kAck, 0, {});
        return;
      case Type::kPing:
        if ((flags & kAck) == 0) AppendFrame(out, Type::kPing, kAck, 0, {received_.data() + at + kHeadBytes, size});
        return;
      case Type::kWindowUpdate:
        if (stream == 0) window_ += Number(at + kHeadBytes, 4) & 0x7fffffffU;
        SendWaiting(out);
        return;
      default:
        return;
    }
  }

  void TakeContent(std::size_t size, std::string& out) {
    taken_ += static_cast<std::uint32_t>(size);
    if (taken_ < kWindowStep) return;
    std::string step;
    for (int shift = 24; shift >= 0; shift -= 8) step += static_cast<char>(taken_ >> shift);
    AppendFrame(out, Type::kWindowUpdate, 0, 0, step);
    taken_ = 0;
  }

  struct Request {
    std::uint32_t stream;
    bool is_call;
  };

  void Answer(Request request, std::string& out) {
    waiting_.push_back(request);
    SendWaiting(out);
  }

  void SendWaiting(std::string& out) {
    while (!waiting_.empty() && window_ >= static_cast<std::int64_t>(content_.size())) {
      const Request request = waiting_.front();
      waiting_.pop_front();
      window_ -= static_cast<std::int64_t>(content_.size());
      if (request.is_call) {
        AppendFrame(out, Type::kHeaders, kEndHeaders, request.stream, call_head_);
        AppendFrame(out, Type::kData, 0, request.stream, message_);
        AppendFrame(out, Type::kHeaders, kEndHeaders | kEndStream, request.stream, call_trailers_);
      } else {
        AppendFrame(out, Type::kHeaders, kEndHeaders, request.stream, head_);
        AppendFrame(out, Type::kData, kEndStream, request.stream, content_);
      }
    }
  }

  static void AppendFrame(std::string& out, Type type, std::uint8_t flags, std::uint32_t stream,
                          std::string_view payload) {
    for (int shift = 16; shift >= 0; shift -= 8) out += static_cast<char>(payload.size() >> shift);
    out += static_cast<char>(type);
    out += static_cast<char>(flags);
    for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(stream >> shift);
    out += payload;
  }

  [[nodiscard]] std::uint32_t Number(std::size_t from, std::size_t size) const {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < size; ++i) value = value << 8U | static_cast<unsigned char>(received_[from + i]);
    return value;
  }

  // `:status: 200` is the first byte; then server, date, content-type and content-length.
  static inline const std::string common_ =
      '\x88' + Indexed(54, "floor") + Indexed(33, "Mon, 01 Jan 2024 00:00:00 GMT");
  static inline const std::string head_ = common_ + Indexed(31, "text/plain") + Indexed(28, "13");
  static inline const std::string content_ = std::string(13, 'x');
  static inline const std::string call_head_ = common_ + Indexed(31, "application/grpc");
  static inline const std::string message_ = std::string("\0\0\0\0\x08", 5) + std::string(8, 'x');
  static inline const std::string call_trailers_ = Named("grpc-status", "0");

  std::string received_;  // the part of a frame that came without its end
  std::deque<Request> waiting_;
  std::int64_t window_ = 65'535;
  std::uint32_t taken_ = 0;
  bool begun_ = false;
  bool ends_with_its_head_ = false;
};

}  // namespace floor_bench
