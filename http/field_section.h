#pragma once

#include "http/head_parser.h"
#include "http/message.h"

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace weir::http {

// The worst desync finding so far; among equals the first one stays (spec: alb.md section 14.3).
struct DesyncFinding {
  DesyncClass desync_class = DesyncClass::kCompliant;
  DesyncReason reason = DesyncReason::kNone;
  void Add(DesyncClass found, DesyncReason why) {
    if (found <= desync_class) return;
    desync_class = found;
    reason = why;
  }
};

// Which framing field a careless recipient could take a name for although it is neither: equal when everything but
// letters and digits is left out, with U+017F for `s` and U+0131 for `i` (spec: alb.md section 14.3).
enum class NameLikeness : std::uint8_t { kNone, kContentLength, kTransferEncoding };
[[nodiscard]] NameLikeness FramingLikeness(std::string_view name);

// What the field section of one head says about framing, routing and the connection: gathered while the lines are
// read, judged by the request and the response parser.
struct FieldFacts {
  std::string_view host;
  std::uint32_t host_lines = 0;

  std::uint32_t length_lines = 0;
  std::uint64_t length = 0;
  std::string_view length_text;
  bool length_is_bad = false;  // not a decimal number of 64 bits
  bool lengths_differ = false;

  std::uint32_t coding_lines = 0;
  std::uint32_t chunked_codings = 0;
  std::uint32_t identity_codings = 0;
  std::uint32_t other_codings = 0;
  bool coding_is_bad = false;  // an empty list element, a parameter, or not a token
  bool chunked_is_last = false;

  bool names_are_plain = true;  // of letters, digits and dashes, each of them

  bool has_suspicious_length = false;
  bool has_suspicious_coding = false;

  bool says_close = false;
  bool says_keep_alive = false;
  bool says_upgrade = false;
  std::uint32_t named_fields = 0;  // in Connection, beside close, keep-alive and upgrade
  bool connection_is_bad = false;  // an element that is no token
  bool has_upgrade = false;
  bool expects_continue = false;
  bool has_other_expectation = false;  // than 100-continue

  // Takes one identified field line. Both sides call it for every line; what it finds is added to `finding`.
  void Add(const Field& field, DesyncFinding& finding);

 private:
  void AddExpectations(std::string_view value);
  void AddLength(std::string_view value, DesyncFinding& finding);
  void AddCodings(std::string_view value, DesyncFinding& finding);
  void AddConnection(std::string_view value);
};

// How strictly lines are read. Requests follow ALB's classes: bare LF ends a line, control characters other than NUL
// and CR may stand in values, both with a finding. A response is either well-formed or refused.
enum class Strictness : std::uint8_t { kClassify, kRefuse };

// Reads field lines up to and with the empty line. `at` is the first byte of the section and is moved behind the empty
// line; `end` is the end of the bytes at hand. `fields` is filled in order. Each line is at most
// `field_line_bytes_max` bytes without its end. kRefused sets `why` and `too_large`.
struct FieldSection {
  const HeadLimits& limits;
  Strictness strictness = Strictness::kClassify;
  DesyncFinding finding;
  FieldFacts facts;
  std::string_view why;
  bool too_large = false;  // refused for a limit alone

  [[nodiscard]] ParseStatus Read(const char*& at, const char* end, std::vector<Field>& fields);

 private:
  [[nodiscard]] ParseStatus ReadValue(const char*& at, const char* stop);
  [[nodiscard]] ParseStatus ReadEmptyLine(const char*& at, const char* end);
  [[nodiscard]] ParseStatus RefuseLine(const char* line, const char* stop, bool is_first);
  ParseStatus Refuse(std::string_view text, DesyncClass found, DesyncReason reason);
  ParseStatus RefuseAsTooLarge(std::string_view text);
};

}  // namespace weir::http
