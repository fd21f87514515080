#include "http/start_line.h"

#include "http/scan.h"

#include <cstddef>
#include <cstring>
#include <optional>

namespace weir::http {

namespace {

constexpr int kEmptyLinesMax = 2;
constexpr std::string_view kFastEnd = "HTTP/1.1\r\n";

std::string_view Text(const char* from, const char* to) { return {from, static_cast<std::size_t>(to - from)}; }

ParseStatus Refuse(RequestLine& line, std::uint16_t status, std::string_view why, DesyncClass found,
                   DesyncReason reason) {
  line.http_status = status;
  line.why = why;
  line.target_finding.Add(found, reason);
  return ParseStatus::kRefused;
}

// RFC 9112 section 2.2: empty lines before a request line are ignored.
ParseStatus SkipEmptyLines(const char*& at, const char* end, RequestLine& line) {
  for (int skipped = 0;; ++skipped) {
    if (at == end) return ParseStatus::kNeedMore;
    if (*at != '\r' && *at != '\n') return ParseStatus::kDone;
    if (*at == '\r') {
      if (end - at < 2) return ParseStatus::kNeedMore;
      if (at[1] != '\n') {
        return Refuse(line, 400, "CR before the request line", DesyncClass::kSevere, DesyncReason::kBadMethod);
      }
      ++at;
    } else {
      line.ends_without_cr = true;
    }
    if (skipped == kEmptyLinesMax) {
      return Refuse(line, 400, "too many empty lines before the request line", DesyncClass::kCompliant,
                    DesyncReason::kNone);
    }
    ++at;
  }
}

ParseStatus JudgeVersion(std::string_view text, RequestLine& line) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (text.size() != 8 || !text.starts_with("HTTP/") || !is_digit(text[5]) || text[6] != '.' || !is_digit(text[7])) {
    return Refuse(line, 400, "malformed HTTP version", DesyncClass::kSevere, DesyncReason::kBadVersion);
  }
  if (text[5] == '0') {
    return Refuse(line, 505, "HTTP version below 1.0", DesyncClass::kAcceptable, DesyncReason::kNonCompliantVersion);
  }
  if (text[5] != '1') {
    return Refuse(line, 505, "HTTP version above 1", DesyncClass::kSevere, DesyncReason::kBadVersion);
  }
  line.version = text[7] == '0' ? Version::kHttp10 : Version::kHttp11;
  if (text[7] > '1') line.version_finding.Add(DesyncClass::kAcceptable, DesyncReason::kNonCompliantVersion);
  return ParseStatus::kDone;
}

// A target is anything that fits in a line here; its bytes only decide the class.
void JudgeTargetBytes(std::string_view target, DesyncFinding& finding) {
  for (const char c : target) {
    if (c == ' ') {
      finding.Add(DesyncClass::kAcceptable, DesyncReason::kSpaceInUri);
    } else if (IsByte(kTargetStop, c)) {
      finding.Add(DesyncClass::kAmbiguous, DesyncReason::kAmbiguousUri);
    }
  }
}

// NUL and CR inside the line. The part they stand in names the reason.
ParseStatus RefuseForbiddenByte(std::string_view text, std::size_t at, RequestLine& line) {
  const std::size_t first = text.find(' ');
  const std::size_t last = text.rfind(' ');
  DesyncReason reason = DesyncReason::kBadUri;
  if (first == std::string_view::npos || at < first) {
    reason = DesyncReason::kBadMethod;
  } else if (at > last && first != last) {
    reason = DesyncReason::kBadVersion;
  }
  return Refuse(line, 400, "NUL or CR in the request line", DesyncClass::kSevere, reason);
}

// Two parts instead of three.
ParseStatus RefuseShortLine(std::string_view second, RequestLine& line) {
  if (second.empty() || second.starts_with("HTTP/")) {
    return Refuse(line, 400, "request line without a target", DesyncClass::kAmbiguous, DesyncReason::kMissingUri);
  }
  return Refuse(line, 400, "request line without a version (HTTP/0.9)", DesyncClass::kAcceptable,
                DesyncReason::kNonCompliantVersion);
}

// `text` is the whole line without its end. Every line that is not plainly well-formed comes here.
ParseStatus JudgeRequestLine(std::string_view text, RequestLine& line) {
  const std::size_t forbidden = text.find_first_of(std::string_view("\0\r", 2));
  if (forbidden != std::string_view::npos) return RefuseForbiddenByte(text, forbidden, line);
  const std::size_t first = text.find(' ');
  line.method = text.substr(0, first);
  if (!IsToken(line.method) || first == std::string_view::npos) {
    return Refuse(line, 400, "malformed method", DesyncClass::kSevere, DesyncReason::kBadMethod);
  }
  const std::size_t last = text.rfind(' ');
  if (first == last) return RefuseShortLine(text.substr(first + 1), line);
  const std::string_view version = text.substr(last + 1);
  if (version.empty()) {
    return Refuse(line, 400, "space after the version", DesyncClass::kAcceptable, DesyncReason::kNonCompliantVersion);
  }
  line.target = text.substr(first + 1, last - first - 1);
  const ParseStatus status = JudgeVersion(version, line);
  if (status != ParseStatus::kDone) return status;
  if (TrimSpace(line.target).empty()) return RefuseShortLine({}, line);
  if (TrimSpace(line.target).size() != line.target.size()) {
    return Refuse(line, 400, "white space around the target", DesyncClass::kAcceptable, DesyncReason::kSpaceInUri);
  }
  JudgeTargetBytes(line.target, line.target_finding);
  return ParseStatus::kDone;
}

// The line from `at` without its end, `at` moved behind it; absent when the LF is not there yet.
std::optional<std::string_view> TakeLine(const char*& at, const char* stop, bool& ends_without_cr) {
  const std::size_t room = static_cast<std::size_t>(stop - at);
  const char* const lf = room == 0 ? nullptr : static_cast<const char*>(std::memchr(at, '\n', room));
  if (lf == nullptr) return std::nullopt;
  const bool has_cr = lf != at && lf[-1] == '\r';
  const std::string_view text = Text(at, has_cr ? lf - 1 : lf);
  ends_without_cr |= !has_cr;
  at = lf + 1;
  return text;
}

const char* LineStop(const char* at, const char* end, const HeadLimits& limits) {
  const std::size_t room = limits.start_line_bytes_max + 2;
  return static_cast<std::size_t>(end - at) > room ? at + room : end;
}

ParseStatus Refuse(StatusLine& line, std::string_view why) {
  line.why = why;
  return ParseStatus::kRefused;
}

bool IsReason(std::string_view text) {
  for (const char c : text) {
    if (!IsByte(kQuotedByte, c)) return false;
  }
  return true;
}

ParseStatus JudgeStatusLine(std::string_view text, StatusLine& line) {
  const auto is_digit = [&](std::size_t at) { return text[at] >= '0' && text[at] <= '9'; };
  if (text.size() < 12 || !text.starts_with("HTTP/1.") || !is_digit(7) || text[8] != ' ') {
    return Refuse(line, "malformed HTTP version in the status line");
  }
  if (!is_digit(9) || !is_digit(10) || !is_digit(11) || text[9] == '0' || (text.size() > 12 && text[12] != ' ')) {
    return Refuse(line, "malformed status code");
  }
  line.version = text[7] == '0' ? Version::kHttp10 : Version::kHttp11;
  line.status = static_cast<std::uint16_t>((text[9] - '0') * 100 + (text[10] - '0') * 10 + (text[11] - '0'));
  if (text.size() > 13) line.reason = text.substr(13);
  if (!IsReason(line.reason)) return Refuse(line, "control character in the reason phrase");
  return ParseStatus::kDone;
}

}  // namespace

ParseStatus ReadRequestLine(const char*& at, const char* end, const HeadLimits& limits, RequestLine& line) {
  const ParseStatus skipped = SkipEmptyLines(at, end, line);
  if (skipped != ParseStatus::kDone) return skipped;
  const char* const stop = LineStop(at, end, limits);
  const char* const method_end = FindNotToken(at, stop);
  if (method_end != stop && *method_end == ' ' && method_end != at) {
    const char* const target = method_end + 1;
    const char* const target_end = FindTargetStop(target, stop);
    // The common line, recognised by its end. It fits into the limit because its CRLF lies before `stop`.
    if (static_cast<std::size_t>(stop - target_end) > kFastEnd.size() && *target_end == ' ' && target_end != target &&
        std::memcmp(target_end + 1, kFastEnd.data(), kFastEnd.size()) == 0) {
      line.method = Text(at, method_end);
      line.target = Text(target, target_end);
      at = target_end + 1 + kFastEnd.size();
      return ParseStatus::kDone;
    }
  }
  const std::optional<std::string_view> text = TakeLine(at, stop, line.ends_without_cr);
  if (!text && stop == end) return ParseStatus::kNeedMore;
  if (!text || text->size() > limits.start_line_bytes_max) {
    return Refuse(line, 414, "request line too long", DesyncClass::kCompliant, DesyncReason::kNone);
  }
  return JudgeRequestLine(*text, line);
}

ParseStatus ReadStatusLine(const char*& at, const char* end, const HeadLimits& limits, StatusLine& line) {
  const char* const stop = LineStop(at, end, limits);
  bool ends_without_cr = false;
  const std::optional<std::string_view> text = TakeLine(at, stop, ends_without_cr);
  if (!text && stop == end) return ParseStatus::kNeedMore;
  if (!text || text->size() > limits.start_line_bytes_max) {
    line.too_large = true;
    return Refuse(line, "status line too long");
  }
  if (ends_without_cr) return Refuse(line, "line ends without CR");
  return JudgeStatusLine(*text, line);
}

}  // namespace weir::http
