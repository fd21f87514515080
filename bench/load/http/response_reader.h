#pragma once

#include "bench/load/http/http_counts.h"
#include "http/chunked.h"
#include "http/head_parser.h"
#include "http/message.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace weir::bench {

// What a final response head says, as far as load is concerned.
struct ResponseFacts {
  std::uint16_t status = 0;
  http::Framing framing;
  bool keep_alive = true;
  std::uint32_t share = ShareNames::kAbsent;  // only where a group header is read
};

// Reads response heads with the strict codec. Most responses under load begin with the very bytes of the one before:
// the same head has the same meaning, so that it is parsed once and compared afterwards. Shared by the connections of
// one thread.
class HeadReader {
 public:
  // `group_header`: whose values are counted; empty for none. `names` outlives the reader.
  HeadReader(std::string group_header, ShareNames& names);

  // As http::ParseResponseHead; on kDone `facts` is set.
  [[nodiscard]] http::ParseOutcome Read(std::string_view bytes, std::size_t& scanned, std::string_view method,
                                        ResponseFacts& facts);
  // The number of a header value, for responses that are not read here (HTTP/2).
  [[nodiscard]] std::uint32_t ShareOf(std::string_view value) { return names_.NumberOf(value); }
  [[nodiscard]] const std::string& group_header() const { return group_header_; }

 private:
  std::string group_header_;
  ShareNames& names_;
  http::ResponseHead head_;
  std::string last_bytes_;  // the head that was parsed last, or empty
  std::string last_method_;
  ResponseFacts last_facts_;
};

// Follows the responses of one HTTP/1.x connection, one at a time; content is skipped, not copied. Thread: that of its
// connection.
class ResponseReader {
 public:
  enum class State : std::uint8_t {
    kNeedMore,  // all bytes were taken and the response goes on
    kDone,      // `consumed` bytes belong to the response, which is complete
    kRefused,   // it is malformed; why() says how
  };
  struct Outcome {
    State state = State::kNeedMore;
    std::size_t consumed = 0;
  };

  explicit ResponseReader(HeadReader& heads) : heads_(heads) {}

  // Expects the response to a request with `method`, which outlives it.
  void Begin(std::string_view method);
  // Takes the bytes that arrived. Interim responses are skipped. Call again with what is left only after kDone and
  // Begin.
  [[nodiscard]] Outcome Take(std::string_view bytes);
  // The peer has finished sending: kDone when that ends the response properly, else kRefused.
  [[nodiscard]] Outcome TakeEnd();

  [[nodiscard]] const ResponseFacts& facts() const { return facts_; }
  // Whether any byte of the response has come.
  [[nodiscard]] bool has_begun() const { return has_begun_; }
  [[nodiscard]] std::string_view why() const { return why_; }

 private:
  enum class Phase : std::uint8_t { kHead, kLength, kChunked, kUntilClose };
  [[nodiscard]] Outcome TakeHead(std::string_view bytes);
  [[nodiscard]] Outcome TakeContent(std::string_view bytes);
  [[nodiscard]] Outcome TakeChunks(std::string_view bytes);
  Outcome Refuse(std::string_view why);

  HeadReader& heads_;
  std::string_view method_;
  Phase phase_ = Phase::kHead;
  bool has_begun_ = false;
  std::string partial_;  // of a head that has not come whole
  std::size_t scanned_ = 0;
  std::uint64_t left_ = 0;
  http::ChunkedDecoder chunks_;
  ResponseFacts facts_;
  std::string_view why_;
};

}  // namespace weir::bench
