#pragma once

#include "http/field_section.h"
#include "http/head_parser.h"
#include "http/message.h"

#include <cstdint>
#include <string_view>

namespace weir::http {

// A request line taken apart (RFC 9112 section 3), or why it was refused. The findings stand apart from those of the
// fields because fields are judged first (spec: alb.md section 14.3).
struct RequestLine {
  std::string_view method;
  std::string_view target;
  Version version = Version::kHttp11;
  bool ends_without_cr = false;
  DesyncFinding version_finding;
  DesyncFinding target_finding;
  std::uint16_t http_status = 0;  // of a refusal
  std::string_view why;
};

// Reads a request line and at most two empty lines before it; `at` is moved behind it. `end` is the end of the bytes at
// hand. Does not judge the form of the target. A target may hold spaces: it lies between the first and the last space.
[[nodiscard]] ParseStatus ReadRequestLine(const char*& at, const char* end, const HeadLimits& limits,
                                          RequestLine& line);

// A status line taken apart (RFC 9112 section 4). A missing reason may lack its space too.
struct StatusLine {
  Version version = Version::kHttp11;
  std::uint16_t status = 0;  // 100 to 999
  std::string_view reason;
  std::string_view why;    // of a refusal
  bool too_large = false;  // refused for its size alone
};
[[nodiscard]] ParseStatus ReadStatusLine(const char*& at, const char* end, const HeadLimits& limits, StatusLine& line);

}  // namespace weir::http
