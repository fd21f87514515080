#include "http/http2_head.h"

#include "base/text.h"
#include "base/text_writer.h"
#include "http/chunked.h"
#include "http/scan.h"
#include "http/target.h"
#include "http/writer.h"

#include <cstring>
#include <utility>

namespace weir::http {
namespace {

// No line of the head that is written may end, or begin, elsewhere than where it seems to.
bool FitsInLine(std::string_view text) {
  const char* const end = text.data() + text.size();
  for (const char* at = FindValueStop(text.data(), end); at != end; at = FindValueStop(at + 1, end)) {
    if (*at == '\r' || *at == '\n' || *at == '\0') return false;
  }
  return true;
}

// Compared word by word, without a call: sizes are known where it is compiled.
template <std::size_t kSizeWithNul>
bool Is(std::string_view text, const char (&name)[kSizeWithNul]) {
  return text.size() == kSizeWithNul - 1 && std::memcmp(text.data(), name, kSizeWithNul - 1) == 0;
}

ParseOutcome Refuse(std::string_view why, bool too_large = false) {
  return {.status = ParseStatus::kRefused, .consumed = 0, .http_status = 400, .too_large = too_large, .why = why};
}

struct PseudoFields {
  std::string_view method;
  std::string_view scheme;
  std::string_view authority;
  std::string_view path;
  std::string_view protocol;
  std::string_view status;
  bool has_authority = false;

  // False for a name that is none of them.
  bool Take(const Field& field) {
    if (Is(field.name, ":method")) {
      method = field.value;
    } else if (Is(field.name, ":scheme")) {
      scheme = field.value;
    } else if (Is(field.name, ":authority")) {
      authority = field.value;
      has_authority = true;
    } else if (Is(field.name, ":path")) {
      path = field.value;
    } else if (Is(field.name, ":protocol")) {
      protocol = field.value;
    } else if (Is(field.name, ":status")) {
      status = field.value;
    } else {
      return false;
    }
    return FitsInLine(field.value);
  }
};

bool IsPseudo(std::string_view name) { return name.starts_with(':'); }

// Takes the pseudo-header fields; gives the index of the first other field, and the section's size when one is
// malformed or stands behind the others.
std::size_t TakePseudoFields(const Http2FieldSection& section, PseudoFields& pseudo, bool& sound) {
  std::size_t first = 0;
  sound = true;
  for (; first < section.size() && IsPseudo(section.at(first).name); ++first) {
    sound = sound && pseudo.Take(section.at(first));
  }
  return first;
}

// The fields behind the pseudo-header fields as lines. Null, or why there can be none.
class LineWriter {
 public:
  LineWriter(std::string& text, const PseudoFields& pseudo) : text_(text), pseudo_(pseudo) {}

  const char* Write(const Http2FieldSection& section, std::size_t first) {
    for (std::size_t i = first; i < section.size(); ++i) {
      const Field field = section.at(i);
      if (!IsToken(field.name)) return "field name is not a token";
      if (!FitsInLine(field.value)) return "CR, LF or NUL in a field value";
      if (Is(field.name, "cookie")) {
        has_cookie_ = true;
      } else if (pseudo_.has_authority && Is(field.name, "host")) {
        // RFC 9113 section 8.3.1.
        if (!EqualsIgnoreCase(field.value, pseudo_.authority)) return "Host differs from :authority";
      } else if (!pseudo_.protocol.empty() && Is(field.name, "sec-websocket-key")) {
        continue;  // not used over HTTP/2 (RFC 8441 section 5): the target gets another one
      } else {
        AppendField(text_, field.name, field.value);
      }
    }
    if (has_cookie_) WriteCookie(section, first);
    return nullptr;
  }

 private:
  // RFC 9113 section 8.2.3.
  void WriteCookie(const Http2FieldSection& section, std::size_t first) {
    std::string_view before = "cookie: ";
    for (std::size_t i = first; i < section.size(); ++i) {
      const Field field = section.at(i);
      if (field.name != "cookie") continue;
      text_.append(before).append(field.value);
      before = "; ";
    }
    text_ += "\r\n";
  }

  std::string& text_;
  const PseudoFields& pseudo_;
  bool has_cookie_ = false;
};

}  // namespace

void Http2FieldSection::Add(std::string_view name, std::string_view value) {
  list_bytes_ += name.size() + value.size() + kFieldOverhead;
  ++count_;
  if (too_large()) return;
  const auto begin = static_cast<std::uint32_t>(bytes_.size());
  AppendWith(bytes_, name.size() + value.size(), [&](TextWriter& bytes) {
    bytes.Put(name);
    bytes.Put(value);
  });
  fields_.push_back({.name = begin,
                     .value = begin + static_cast<std::uint32_t>(name.size()),
                     .end = static_cast<std::uint32_t>(bytes_.size())});
}

void Http2FieldSection::Clear() {
  // Most sections are small: an idle connection keeps room for one of those.
  constexpr std::size_t kKeptBytes = 1'024;
  if (bytes_.capacity() > kKeptBytes) std::string().swap(bytes_);
  if (fields_.capacity() * sizeof(Place) > kKeptBytes) std::vector<Place>().swap(fields_);
  bytes_.clear();
  fields_.clear();
  list_bytes_ = 0;
  count_ = 0;
}

Field Http2FieldSection::at(std::size_t index) const {
  const Place& place = fields_[index];
  const std::string_view all = bytes_;
  return {.name = all.substr(place.name, place.value - place.name),
          .value = all.substr(place.value, place.end - place.value)};
}

ParseOutcome ParseHttp2Request(const Http2FieldSection& section, bool ends, std::string& text, RequestHead& head) {
  text.clear();
  std::vector<Field> fields = std::move(head.fields);
  fields.clear();
  head = {};
  head.fields = std::move(fields);
  head.version = Version::kHttp2;
  PseudoFields pseudo;
  bool sound = false;
  const std::size_t first = TakePseudoFields(section, pseudo, sound);
  const bool opens_tunnel = !pseudo.protocol.empty();
  const bool is_connect = pseudo.method == "CONNECT" && !opens_tunnel;
  if (!sound) return Refuse("malformed pseudo-header field");
  if (!IsToken(pseudo.method)) return Refuse("malformed :method");
  const std::string_view target = is_connect ? pseudo.authority : pseudo.path;
  head.method = pseudo.method;
  head.target = target;
  static_cast<void>(TakeTargetApart(head));  // as far as it goes, for the log
  if (section.too_large()) return Refuse("header list too large", true);
  if (!is_connect && pseudo.scheme != "http" && pseudo.scheme != "https") return Refuse(":scheme is not HTTP's");
  if (target.find(' ') != target.npos) return Refuse("space in :path");
  if (opens_tunnel && (pseudo.method != "CONNECT" || pseudo.protocol != "websocket")) {
    return Refuse("unknown :protocol");
  }
  if (opens_tunnel && ends) return Refuse("a tunnel that ends at once");

  const std::string_view method = opens_tunnel ? "GET" : pseudo.method;
  constexpr std::string_view kVersion = " HTTP/1.1\r\n";
  AppendWith(text, method.size() + 1 + target.size() + kVersion.size(), [&](TextWriter& line) {
    line.Put(method);
    line.Put(' ');
    line.Put(target);
    line.Put(kVersion);
  });
  if (pseudo.has_authority) AppendField(text, "Host", pseudo.authority);
  if (opens_tunnel) text += "Connection: Upgrade\r\nUpgrade: websocket\r\n";
  if (const char* const why = LineWriter(text, pseudo).Write(section, first)) return Refuse(why);
  text += "\r\n";
  std::size_t scanned = 0;
  ParseOutcome outcome = ParseRequestHead(text, scanned, HeadLimits(), head);
  head.version = Version::kHttp2;
  if (outcome.status == ParseStatus::kNeedMore) return Refuse("malformed head");
  if (outcome.status != ParseStatus::kDone) return outcome;
  if (outcome.consumed != text.size()) return Refuse("malformed head");
  if (head.framing.kind == FramingKind::kChunked) return Refuse("Transfer-Encoding in HTTP/2");
  if (opens_tunnel) {
    if (head.framing.kind != FramingKind::kNone) return Refuse("Content-Length of a tunnel");
  } else if (!ends && head.framing.kind == FramingKind::kNone) {
    head.framing.kind = FramingKind::kUnknown;
  }
  head.keep_alive = true;
  return outcome;
}

ParseOutcome ParseHttp2Response(const Http2FieldSection& section, bool ends, std::string_view request_method,
                                std::string& text, ResponseHead& head) {
  text.clear();
  PseudoFields pseudo;
  bool sound = false;
  const std::size_t first = TakePseudoFields(section, pseudo, sound);
  if (section.too_large()) return Refuse("header list too large", true);
  if (!sound || pseudo.status.size() != 3) return Refuse("malformed :status");
  text.append("HTTP/1.1 ").append(pseudo.status).append(" \r\n");
  if (const char* const why = LineWriter(text, pseudo).Write(section, first)) return Refuse(why);
  text += "\r\n";
  std::size_t scanned = 0;
  const ParseOutcome outcome = ParseResponseHead(text, scanned, ResponseHeadLimits(), request_method, head);
  if (outcome.status == ParseStatus::kNeedMore) return Refuse("malformed head");
  if (outcome.status != ParseStatus::kDone) return outcome;
  if (outcome.consumed != text.size()) return Refuse("malformed head");
  // Where there is no content it would frame nothing, and be passed on.
  if (head.framing.kind != FramingKind::kContentLength && FindField(head.fields, "transfer-encoding") != nullptr) {
    return Refuse("Transfer-Encoding in HTTP/2");
  }
  head.version = Version::kHttp2;
  head.reason = ReasonPhrase(head.status);
  head.keep_alive = true;
  if (head.framing.kind == FramingKind::kUntilClose) head.framing.kind = FramingKind::kUnknown;
  if (ends && head.framing.kind == FramingKind::kContentLength && head.framing.content_length > 0) {
    return Refuse("Content-Length without content");
  }
  return outcome;
}

bool ReadHttp2Trailers(const Http2FieldSection& section, std::string& text, std::vector<Field>& fields) {
  text.clear();
  fields.clear();
  if (section.size() > ChunkedDecoder::kTrailerFieldsMax || section.too_large()) return false;
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < section.size(); ++i) {
    const Field field = section.at(i);
    bytes += field.name.size() + field.value.size() + 4;
    if (!IsToken(field.name) || !FitsInLine(field.value)) return false;
  }
  if (bytes > ChunkedDecoder::kTrailerBytesMax) return false;
  text.reserve(bytes);  // the views stay where they are
  for (std::size_t i = 0; i < section.size(); ++i) {
    const Field field = section.at(i);
    if (!MayBeTrailer(field.name)) continue;
    const std::size_t begin = text.size();
    text.append(field.name).append(field.value);
    const std::string_view all = text;
    fields.push_back({.name = all.substr(begin, field.name.size()), .value = all.substr(begin + field.name.size())});
  }
  return true;
}

void AppendFieldsOf(std::string_view block, std::vector<Field>& fields) {
  while (!block.empty()) {
    const std::size_t colon = block.find(':');
    const std::size_t end = block.find("\r\n", colon);
    if (end == std::string_view::npos) return;
    fields.push_back({.name = block.substr(0, colon), .value = TrimSpace(block.substr(colon + 1, end - colon - 1))});
    block.remove_prefix(end + 2);
  }
}

}  // namespace weir::http
