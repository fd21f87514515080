#include "http/head_parser.h"

#include "http/field_section.h"
#include "http/start_line.h"
#include "http/target.h"

#include <bit>
#include <cstring>

namespace weir::http {

namespace {

constexpr std::uint32_t kNamedFieldsMax = 16;  // what HopByHopFields holds

// An empty line that ends at or behind `from`: the end of a head, unless it stands before the start line.
bool HasEmptyLine(std::string_view bytes, std::size_t from) {
  const char* at = bytes.data() + from;
  const char* const end = bytes.data() + bytes.size();
  while (at != end) {
    at = static_cast<const char*>(std::memchr(at, '\n', static_cast<std::size_t>(end - at)));
    if (at == nullptr) return false;
    ++at;
    if (at != end && *at == '\n') return true;
    if (end - at >= 2 && at[0] == '\r' && at[1] == '\n') return true;
  }
  return false;
}

// Most heads arrive whole and are parsed at once, without a search for their end before. For those that do not, a
// parse is tried again when the end may have come, and each time the bytes have doubled, so that rubbish without an end
// is refused before it fills the buffer; all tries together stay linear.
bool IsWorthParsing(std::string_view bytes, std::size_t scanned, const HeadLimits& limits) {
  if (scanned == 0 || scanned > bytes.size() || bytes.size() > limits.head_bytes_max) return true;
  if (std::bit_width(bytes.size()) != std::bit_width(scanned)) return true;
  return HasEmptyLine(bytes, scanned < 3 ? 0 : scanned - 3);
}

bool HasContent(const Framing& framing) {
  return framing.kind == FramingKind::kChunked ||
         (framing.kind == FramingKind::kContentLength && framing.content_length > 0);
}

// Judges one request whose lines were read. Each step refuses by setting `http_status` and `why`.
class RequestJudge {
 public:
  RequestJudge(RequestHead& head, FieldSection& section) : head_(head), facts_(section.facts), section_(section) {}

  bool Accepts() {
    return AcceptsLengths() && AcceptsCodings() && AcceptsFindings() && AcceptsConnection() && AcceptsHost() &&
           AcceptsTarget() && AcceptsExpectations();
  }
  [[nodiscard]] std::uint16_t http_status() const { return http_status_; }
  [[nodiscard]] std::string_view why() const { return why_; }

 private:
  bool Refuse(std::uint16_t status, std::string_view why) {
    http_status_ = status;
    why_ = why;
    return false;
  }
  void Add(DesyncClass found, DesyncReason reason) { section_.finding.Add(found, reason); }
  [[nodiscard]] bool IsGetOrHead() const { return head_.method == "GET" || head_.method == "HEAD"; }

  bool AcceptsLengths() {
    if (facts_.length_is_bad) return Refuse(400, "malformed Content-Length");
    if (facts_.lengths_differ) return Refuse(400, "different Content-Length fields");
    if (facts_.has_suspicious_length || facts_.has_suspicious_coding) {
      const bool has_length = facts_.length_lines > 0 || facts_.has_suspicious_length;
      const bool has_coding = facts_.coding_lines > 0 || facts_.has_suspicious_coding;
      if (has_length && has_coding) Add(DesyncClass::kSevere, DesyncReason::kSuspiciousTeClPresent);
    }
    if (facts_.length_lines == 0 || facts_.coding_lines > 0) return true;
    head_.framing = {.kind = FramingKind::kContentLength, .content_length = facts_.length};
    if (!IsGetOrHead()) return true;
    if (facts_.length == 0) {
      Add(DesyncClass::kAcceptable, DesyncReason::kGetHeadZeroContentLength);
    } else {
      Add(DesyncClass::kAmbiguous, DesyncReason::kUndefinedContentLengthSemantics);
    }
    return true;
  }

  // RFC 9112 sections 6.1 and 6.3.
  bool AcceptsCodings() {
    if (facts_.coding_lines == 0) return true;
    if (facts_.length_lines > 0) Add(DesyncClass::kAmbiguous, DesyncReason::kBothTeClPresent);
    if (IsGetOrHead() || head_.version == Version::kHttp10) {
      Add(DesyncClass::kAmbiguous, DesyncReason::kUndefinedTransferEncodingSemantics);
    }
    if (facts_.coding_is_bad) return Refuse(400, "malformed Transfer-Encoding");
    if (facts_.chunked_codings > 1) return Refuse(400, "chunked applied twice");
    const bool has_chunked = facts_.chunked_codings == 1;
    if (has_chunked && !facts_.chunked_is_last) {
      Add(DesyncClass::kSevere, DesyncReason::kBadTransferEncoding);
      return Refuse(400, "chunked is not the last transfer coding");
    }
    if (facts_.other_codings > 0) return Refuse(501, "unknown transfer coding");
    if (has_chunked && facts_.identity_codings > 0) {
      Add(DesyncClass::kSevere, DesyncReason::kBadTransferEncoding);
      return Refuse(400, "identity beside chunked");
    }
    if (head_.version == Version::kHttp10) return Refuse(400, "Transfer-Encoding in HTTP/1.0");
    if (has_chunked) {
      head_.framing = {.kind = FramingKind::kChunked, .content_length = 0};
      if (facts_.length_lines > 0) head_.keep_alive = false;
      return true;
    }
    // `identity` left the standard: some recipients read Content-Length, some see a coding without an end.
    if (facts_.length_lines > 0) return Refuse(400, "Content-Length beside the identity coding");
    Add(DesyncClass::kAmbiguous, DesyncReason::kUndefinedTransferEncodingSemantics);
    head_.keep_alive = false;
    return true;
  }

  bool AcceptsFindings() {
    if (section_.finding.desync_class != DesyncClass::kSevere) return true;
    return Refuse(400, "Content-Length and Transfer-Encoding, one of them disguised");
  }

  bool AcceptsConnection() {
    if (facts_.connection_is_bad) return Refuse(400, "malformed Connection field");
    if (facts_.named_fields > kNamedFieldsMax) return Refuse(400, "Connection names too many fields");
    const bool is_http11 = head_.version == Version::kHttp11;
    const bool version_keeps = is_http11 || facts_.says_keep_alive;
    head_.names_are_plain = facts_.names_are_plain;
    head_.keep_alive = head_.keep_alive && version_keeps && !facts_.says_close;
    // RFC 9110 sections 7.8 and 10.1.1: HTTP/1.0 knows neither.
    head_.upgrade = is_http11 && facts_.says_upgrade && facts_.has_upgrade;
    head_.expects_continue = is_http11 && facts_.expects_continue && HasContent(head_.framing);
    return true;
  }

  // RFC 9112 section 3.2.
  bool AcceptsHost() {
    if (facts_.host_lines > 1) return Refuse(400, "several Host fields");
    if (facts_.host_lines == 0) return head_.version == Version::kHttp10 || Refuse(400, "no Host field");
    const auto authority = ParseHostPort(facts_.host);
    if (!authority) return Refuse(400, "malformed Host field");
    head_.authority = *authority;
    return true;
  }

  bool AcceptsTarget() { return TakeTargetApart(head_) || Refuse(400, "malformed request target"); }

  // Last of all: whoever answers 417 has found a request that is sound but for that.
  bool AcceptsExpectations() {
    return !facts_.has_other_expectation || Refuse(417, "unknown expectation");  // RFC 9110 section 10.1.1
  }

  RequestHead& head_;
  const FieldFacts& facts_;
  FieldSection& section_;
  std::uint16_t http_status_ = 400;
  std::string_view why_;
};

void ResetHead(RequestHead& head) {
  head.parts = {};
  head.authority = {};
  head.fields.clear();
  head.framing = {};
  head.keep_alive = true;
  head.expects_continue = false;
  head.upgrade = false;
  head.desync_class = DesyncClass::kCompliant;
  head.desync_reason = DesyncReason::kNone;
}

ParseOutcome RefuseRequest(RequestHead& head, std::uint16_t status, std::string_view why, DesyncFinding finding,
                           bool too_large = false) {
  head.framing = {};
  head.keep_alive = false;
  head.desync_class = finding.desync_class;
  head.desync_reason = finding.reason;
  static_cast<void>(TakeTargetApart(head));  // as far as it goes, for the log
  return {.status = ParseStatus::kRefused, .consumed = 0, .http_status = status, .too_large = too_large, .why = why};
}

ParseOutcome ParseRequest(std::string_view bytes, const HeadLimits& limits, RequestHead& head) {
  ResetHead(head);
  const char* at = bytes.data();
  const char* const end = at + bytes.size();
  RequestLine line;
  ParseStatus status = ReadRequestLine(at, end, limits, line);
  head.method = line.method;
  head.target = line.target;
  head.version = line.version;
  if (status == ParseStatus::kNeedMore) return {};
  if (status == ParseStatus::kRefused) return RefuseRequest(head, line.http_status, line.why, line.target_finding);

  FieldSection section{
      .limits = limits, .strictness = Strictness::kClassify, .finding = {}, .facts = {}, .why = {}, .too_large = false};
  if (line.ends_without_cr) section.finding.Add(DesyncClass::kAcceptable, DesyncReason::kNonCrLfLineTermination);
  status = section.Read(at, end, head.fields);
  if (status == ParseStatus::kNeedMore) return {};
  if (status == ParseStatus::kRefused) {
    return RefuseRequest(head, 400, section.why, section.finding, section.too_large);
  }

  RequestJudge judge(head, section);
  const bool accepted = judge.Accepts();
  section.finding.Add(line.version_finding.desync_class, line.version_finding.reason);
  section.finding.Add(line.target_finding.desync_class, line.target_finding.reason);
  if (!accepted) return RefuseRequest(head, judge.http_status(), judge.why(), section.finding);
  head.desync_class = section.finding.desync_class;
  head.desync_reason = section.finding.reason;
  return {.status = ParseStatus::kDone,
          .consumed = static_cast<std::size_t>(at - bytes.data()),
          .http_status = 0,
          .too_large = false,
          .why = {}};
}

// RFC 9112 section 6.3, in its order. Null when the framing is sound, else why it is not.
const char* JudgeResponseFraming(const FieldFacts& facts, std::string_view request_method, ResponseHead& head) {
  if (facts.length_is_bad) return "malformed Content-Length";
  if (facts.lengths_differ) return "different Content-Length fields";
  if (facts.coding_lines > 0) {
    if (facts.length_lines > 0) return "Content-Length beside Transfer-Encoding";
    if (head.version == Version::kHttp10) return "Transfer-Encoding in HTTP/1.0";
    const std::uint32_t others = facts.identity_codings + facts.other_codings;
    if (facts.coding_is_bad || facts.chunked_codings != 1 || others > 0) return "unknown transfer coding";
  }
  const bool is_tunnel = request_method == "CONNECT" && head.status / 100 == 2;
  const bool is_bare = head.status / 100 == 1 || head.status == 204 || head.status == 304;
  if (request_method == "HEAD" || is_bare || is_tunnel) {
    head.framing = {};
  } else if (facts.coding_lines > 0) {
    head.framing = {.kind = FramingKind::kChunked, .content_length = 0};
  } else if (facts.length_lines > 0) {
    head.framing = {.kind = FramingKind::kContentLength, .content_length = facts.length};
  } else {
    head.framing = {.kind = FramingKind::kUntilClose, .content_length = 0};
    head.keep_alive = false;
  }
  return nullptr;
}

ParseOutcome RefuseResponse(std::string_view why, bool too_large = false) {
  return {.status = ParseStatus::kRefused, .consumed = 0, .http_status = 0, .too_large = too_large, .why = why};
}

ParseOutcome ParseResponse(std::string_view bytes, const HeadLimits& limits, std::string_view request_method,
                           ResponseHead& head) {
  head.fields.clear();
  head.framing = {};
  const char* at = bytes.data();
  const char* const end = at + bytes.size();
  StatusLine line;
  ParseStatus status = ReadStatusLine(at, end, limits, line);
  if (status == ParseStatus::kNeedMore) return {};
  if (status == ParseStatus::kRefused) return RefuseResponse(line.why, line.too_large);
  head.version = line.version;
  head.status = line.status;
  head.reason = line.reason;

  FieldSection section{
      .limits = limits, .strictness = Strictness::kRefuse, .finding = {}, .facts = {}, .why = {}, .too_large = false};
  status = section.Read(at, end, head.fields);
  if (status == ParseStatus::kNeedMore) return {};
  if (status == ParseStatus::kRefused) return RefuseResponse(section.why, section.too_large);
  const FieldFacts& facts = section.facts;
  head.keep_alive = !facts.says_close && (head.version == Version::kHttp11 || facts.says_keep_alive);
  if (facts.connection_is_bad) return RefuseResponse("malformed Connection field");
  if (facts.named_fields > kNamedFieldsMax) return RefuseResponse("Connection names too many fields");
  if (const char* const why = JudgeResponseFraming(facts, request_method, head)) return RefuseResponse(why);
  return {.status = ParseStatus::kDone,
          .consumed = static_cast<std::size_t>(at - bytes.data()),
          .http_status = 0,
          .too_large = false,
          .why = {}};
}

}  // namespace

HeadLimits ResponseHeadLimits() {
  constexpr std::size_t kBytesMax = 32 * 1024;
  return {.start_line_bytes_max = kBytesMax,
          .field_line_bytes_max = kBytesMax,
          .head_bytes_max = kBytesMax,
          .fields_max = 1'000};
}

ParseOutcome ParseRequestHead(std::string_view bytes, std::size_t& scanned, const HeadLimits& limits,
                              RequestHead& head) {
  if (!IsWorthParsing(bytes, scanned, limits)) {
    scanned = bytes.size();
    return {};
  }
  // What lies behind the limit is not looked at, so that the verdict does not depend on how much of it has arrived.
  const ParseOutcome outcome = ParseRequest(bytes.substr(0, limits.head_bytes_max), limits, head);
  if (outcome.status != ParseStatus::kNeedMore) return outcome;
  if (bytes.size() > limits.head_bytes_max) return RefuseRequest(head, 400, "head too large", {}, true);
  scanned = bytes.size();
  return {};
}

ParseOutcome ParseResponseHead(std::string_view bytes, std::size_t& scanned, const HeadLimits& limits,
                               std::string_view request_method, ResponseHead& head) {
  if (!IsWorthParsing(bytes, scanned, limits)) {
    scanned = bytes.size();
    return {};
  }
  const ParseOutcome outcome = ParseResponse(bytes.substr(0, limits.head_bytes_max), limits, request_method, head);
  if (outcome.status != ParseStatus::kNeedMore) return outcome;
  if (bytes.size() > limits.head_bytes_max) return RefuseResponse("head too large", true);
  scanned = bytes.size();
  return {};
}

}  // namespace weir::http
