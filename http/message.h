#pragma once

// HTTP messages without I/O: strict HTTP/1.1 codec, framing verdicts, fields, request targets. Nothing here knows a
// socket, a route or a configuration. Words are RFC 9110's and RFC 9112's.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace weir::http {

// Names that a proxy does something with of its own: told apart once, while the line is read.
enum class FieldId : std::uint8_t {
  kUnidentified,  // not asked yet: a field that no parser made
  kOther,
  kConnection,
  kContentLength,
  kExpect,
  kHost,
  kKeepAlive,
  kProxyConnection,
  kTe,
  kTransferEncoding,
  kUpgrade,
  kUserAgent,
  kXAmznTraceId,
  kXForwardedFor,
  kXForwardedPort,
  kXForwardedProto,
};

// One field line. The views point into the bytes that were parsed. The value has no white space around it.
struct Field {
  std::string_view name;
  std::string_view value;
  FieldId id = FieldId::kUnidentified;
  // Set by the parsers only: the line stands in memory, from the first byte of its name, as `name: value\r\n`, so that
  // a serialiser may copy it (and its neighbours) whole.
  bool verbatim = false;
};

// The identity of a name, whatever its case. Never kUnidentified.
[[nodiscard]] FieldId IdentifyField(std::string_view name);
[[nodiscard]] inline FieldId IdOf(const Field& field) {
  return field.id != FieldId::kUnidentified ? field.id : IdentifyField(field.name);
}

enum class Version : std::uint8_t { kHttp10, kHttp11, kHttp2 };

// How the content of a message ends (RFC 9112 section 6.3).
enum class FramingKind : std::uint8_t {
  kNone,           // no content
  kContentLength,  // `content_length` bytes; may be 0
  kChunked,        // chunked transfer coding
  kUntilClose,     // responses only: ends with the connection
  kUnknown,        // HTTP/2 and later: ends with the stream
};
struct Framing {
  FramingKind kind = FramingKind::kNone;
  std::uint64_t content_length = 0;
};

// Classes of desync mitigation; spec: alb.md section 14. Ordered: a later finding replaces an earlier one only when it
// is worse.
enum class DesyncClass : std::uint8_t { kCompliant, kAcceptable, kAmbiguous, kSevere };
enum class DesyncReason : std::uint8_t {
  kNone,
  kAmbiguousUri,
  kBadContentLength,
  kBadHeader,
  kBadTransferEncoding,
  kBadUri,
  kBadMethod,
  kBadVersion,
  kBothTeClPresent,
  kDuplicateContentLength,
  kEmptyHeader,
  kGetHeadZeroContentLength,
  kMultipleContentLength,
  kMultipleTransferEncodingChunked,
  kNonCompliantHeader,
  kNonCompliantVersion,
  kSpaceInUri,
  kSuspiciousHeader,
  kSuspiciousTeClPresent,
  kUndefinedContentLengthSemantics,
  kUndefinedTransferEncodingSemantics,
  kNonCrLfLineTermination,
  kMultilineHeader,
  kPartialHeaderLine,
  kMissingLastEmptyLine,
  kMissingHeaderColon,
  kMissingUri,
};
// `Ambiguous`, `BothTeClPresent`: as the access log prints them; `-` for kCompliant and kNone.
[[nodiscard]] std::string_view ToString(DesyncClass value);
[[nodiscard]] std::string_view ToString(DesyncReason value);

// host[:port] of a Host field or an authority.
struct HostPort {
  std::string_view host;  // an IPv6 literal keeps its brackets
  std::optional<std::uint16_t> port;
};

enum class TargetForm : std::uint8_t { kOrigin, kAbsolute, kAuthority, kAsterisk };

// A request target taken apart (RFC 9112 section 3.2). Views point into the target.
struct Target {
  TargetForm form = TargetForm::kOrigin;
  std::string_view scheme{};     // absolute-form only
  std::string_view authority{};  // absolute-form and authority-form
  std::string_view path{};   // as sent, without the query; `/` for an absolute-form without path; `*` for asterisk-form
  std::string_view query{};  // after the first `?`, before `#`
  bool has_query = false;
};

struct RequestHead {
  std::string_view method;
  std::string_view target;  // as the client sent it
  Target parts;             // `target` taken apart; of a head that was refused, as far as it was understood
  // Whom the request is for: what an absolute-form target names, else the Host field. Its host is empty when there is
  // neither (1.0).
  HostPort authority;
  Version version = Version::kHttp11;
  std::vector<Field>
      fields;  // in order, as sent, framing fields included; cleared and refilled by each parse, capacity kept
  Framing framing;
  bool keep_alive = true;         // what version and Connection say (RFC 9112 section 9.3)
  bool expects_continue = false;  // Expect: 100-continue
  bool upgrade = false;           // Connection: upgrade and an Upgrade field
  bool names_are_plain = true;    // each field's, of letters, digits and dashes
  DesyncClass desync_class = DesyncClass::kCompliant;
  DesyncReason desync_reason = DesyncReason::kNone;
};

struct ResponseHead {
  std::uint16_t status = 0;
  std::string_view reason;
  Version version = Version::kHttp11;
  std::vector<Field> fields;
  Framing framing;
  bool keep_alive = true;
};

// The first field of that name (case-insensitive); null when there is none.
[[nodiscard]] const Field* FindField(const std::vector<Field>& fields, std::string_view name);
// True when a comma-separated list field (Connection, Transfer-Encoding …) holds `token`, in any of its lines.
// Case-insensitive.
[[nodiscard]] bool HasListToken(const std::vector<Field>& fields, std::string_view name, std::string_view token);

// Fields that never cross a proxy (RFC 9110 section 7.6.1): Connection, Keep-Alive, Proxy-Connection, TE,
// Transfer-Encoding, Upgrade, and every field that Connection names. Trailer crosses. Content-Length is not one of
// them: the codec writes it anew.
class HopByHopFields {
 public:
  // Reads the Connection fields. The views must outlive this object. Allocates nothing for up to 16 named fields; more
  // are refused by the parser (400).
  explicit HopByHopFields(const std::vector<Field>& fields);
  [[nodiscard]] bool Contains(const Field& field) const {
    return IsHopByHop(IdOf(field)) || (named_count_ > 0 && IsNamed(field.name));
  }
  [[nodiscard]] bool Contains(std::string_view name) const { return Contains(Field{name, {}}); }

 private:
  [[nodiscard]] static bool IsHopByHop(FieldId id) {
    switch (id) {
      case FieldId::kConnection:
      case FieldId::kKeepAlive:
      case FieldId::kProxyConnection:
      case FieldId::kTe:
      case FieldId::kTransferEncoding:
      case FieldId::kUpgrade:
        return true;
      default:
        return false;
    }
  }
  [[nodiscard]] bool IsNamed(std::string_view name) const;

  static constexpr std::size_t kNamedMax = 16;
  std::string_view named_[kNamedMax];
  std::size_t named_count_ = 0;
};

// `Not Found` for 404; an empty text for codes without a registered phrase. Knows 460, 463, 464, 561 and 562 too.
[[nodiscard]] std::string_view ReasonPhrase(std::uint16_t status);

}  // namespace weir::http
