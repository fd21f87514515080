#pragma once

#include "functions/runtime_protocol.h"
#include "http/chunked.h"
#include "http/message.h"
#include "net/event_loop.h"
#include "net/stream.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace weir::functions {

class RuntimeConnection;

// A request as it came.
struct RuntimeMessage {
  RuntimeRequest request;  // its id points into the connection
  std::string content = {};
  bool too_large = false;       // there was more than is taken; what is kept is its beginning
  std::string error_type = {};  // Lambda-Runtime-Function-Error-Type
};

class RuntimeConnectionEvents {
 public:
  // A whole request; nothing further is read until it was answered. May answer at once, and may close the connection.
  virtual void OnRequest(RuntimeConnection& connection, RuntimeMessage message) = 0;
  // The peer is gone or broke the rules. Nothing follows; the connection destroys itself with the turn.
  virtual void OnClosed(RuntimeConnection& connection) = 0;

 protected:
  ~RuntimeConnectionEvents() = default;
};

// One connection of a function to its Runtime API: HTTP/1.1, one request after the other, everything bounded. Requests
// that are none of the API's are answered here. Thread: that of its loop.
class RuntimeConnection final : public net::Deferred, private net::StreamEvents {
 public:
  // `events` outlives the connection or its Close.
  RuntimeConnection(std::unique_ptr<net::Stream> stream, RuntimeConnectionEvents& events);

  // To the request that OnRequest told.
  void Answer(const RuntimeAnswer& answer);
  // Nothing more is heard of it.
  void Close();

 private:
  enum class Phase : std::uint8_t { kHead, kContent, kAnswering, kClosed };
  void OnReadable() override;
  void OnWritable() override;
  void Read();
  // Takes what has come, as far as it goes.
  void ConsumeAll();
  // False when more is needed, or an answer is due first.
  [[nodiscard]] bool Consume();
  [[nodiscard]] bool ConsumeHead();
  [[nodiscard]] bool ConsumeContent();
  [[nodiscard]] bool ConsumeChunks();
  void Keep(std::string_view content);
  // True when it was answered at once.
  [[nodiscard]] bool FinishRequest();
  void Refuse(const RuntimeAnswer& answer);
  void Flush();
  void Fail();

  std::unique_ptr<net::Stream> stream_;
  RuntimeConnectionEvents* events_;
  Phase phase_ = Phase::kHead;
  std::string in_;
  std::size_t scanned_ = 0;
  http::RequestHead head_;
  std::string path_;
  RuntimeMessage message_;
  std::size_t content_max_ = 0;
  std::uint64_t content_left_ = 0;
  std::uint64_t discarded_ = 0;
  bool chunked_ = false;
  bool consuming_ = false;
  bool keep_alive_ = true;
  http::ChunkedDecoder chunks_;
  std::string out_;
  std::size_t written_ = 0;
};

}  // namespace weir::functions
