#include "http/chunked.h"

#include "base/text.h"
#include "http/field_section.h"
#include "http/scan.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

namespace weir::http {

namespace {

// A size of 64 bits has 16 digits; more could only be leading zeros, which serve to hide or to burn time.
constexpr int kSizeDigitsMax = 16;

// RFC 9110 section 6.5.1: framing, routing, request modifiers, authentication, content format and response control. A
// recipient that merges trailers into the header section would act on them after we have decided. Lower case, sorted.
constexpr std::array<std::string_view, 43> kForbiddenTrailers = {
    "age",
    "authorization",
    "cache-control",
    "connection",
    "content-encoding",
    "content-length",
    "content-range",
    "content-type",
    "cookie",
    "date",
    "expect",
    "expires",
    "forwarded",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "keep-alive",
    "location",
    "max-forwards",
    "pragma",
    "proxy-authenticate",
    "proxy-authentication-info",
    "proxy-authorization",
    "proxy-connection",
    "range",
    "retry-after",
    "set-cookie",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "vary",
    "via",
    "warning",
    "www-authenticate",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-proto",
    "x-real-ip",
};
static_assert(std::ranges::is_sorted(kForbiddenTrailers));

bool IsFieldValue(std::string_view value) {
  return std::ranges::all_of(value, [](char c) { return IsByte(kQuotedByte, c); });
}

}  // namespace

bool MayBeTrailer(std::string_view name) {
  constexpr std::size_t kLongest = 32;
  // Fields about the trace, TLS and certificates are ours to write; for programs behind CGI `_` is `-`.
  constexpr std::string_view kAmazon = "x-amzn-";
  if (FramingLikeness(name) != NameLikeness::kNone) return false;
  const auto folded = [](char c) { return c == '_' ? '-' : ToLowerAscii(c); };
  if (std::ranges::equal(name.substr(0, kAmazon.size()), kAmazon, {}, folded)) return false;
  if (name.size() > kLongest) return true;
  std::array<char, kLongest> lower;
  std::ranges::transform(name, lower.begin(), [](char c) { return ToLowerAscii(c); });
  return !std::ranges::binary_search(kForbiddenTrailers, std::string_view(lower.data(), name.size()));
}

void ChunkedDecoder::Reset() {
  state_ = State::kSize;
  chunk_left_ = 0;
  line_bytes_ = 0;
  digits_ = 0;
  trailer_bytes_.clear();
  trailer_line_start_ = 0;
  trailers_.clear();
  why_ = {};
}

bool ChunkedDecoder::Refuse(std::string_view why) {
  state_ = State::kRefused;
  why_ = why;
  return false;
}

ChunkedDecoder::Output ChunkedDecoder::Next(std::string_view bytes) {
  std::size_t at = 0;
  while (at < bytes.size() && state_ != State::kEnd && state_ != State::kRefused) {
    switch (state_) {
      case State::kData: {
        const std::size_t size = static_cast<std::size_t>(std::min<std::uint64_t>(chunk_left_, bytes.size() - at));
        const std::string_view content = bytes.substr(at, size);
        chunk_left_ -= size;
        at += size;
        if (chunk_left_ == 0) state_ = State::kDataCr;
        return {.step = Step::kContent, .consumed = at, .content = content};
      }
      case State::kDataCr:
        if (bytes[at++] == '\r') {
          state_ = State::kDataLf;
        } else {
          Refuse("no CRLF behind a chunk");
        }
        break;
      case State::kDataLf:
        if (bytes[at++] == '\n') {
          state_ = State::kSize;
        } else {
          Refuse("no CRLF behind a chunk");
        }
        break;
      case State::kTrailer:
        TakeTrailer(bytes, at);
        break;
      default:
        if (++line_bytes_ > kLineBytesMax) {
          Refuse("chunk line too long");
        } else if (state_ == State::kSize || state_ == State::kSizeLf) {
          if (TakeSizeByte(bytes[at])) ++at;
        } else if (TakeExtensionByte(bytes[at])) {
          ++at;
        }
        break;
    }
  }
  const Step step = state_ == State::kEnd ? Step::kEnd : state_ == State::kRefused ? Step::kRefused : Step::kNeedMore;
  return {.step = step, .consumed = at, .content = {}};
}

// The size, and the LF of the line.
bool ChunkedDecoder::TakeSizeByte(char c) {
  if (state_ == State::kSizeLf) {
    if (c != '\n') return Refuse("CR without LF in a chunk line");
    state_ = chunk_left_ == 0 ? State::kTrailer : State::kData;
    line_bytes_ = 0;
    digits_ = 0;
    return true;
  }
  const int digit = HexValue(c);
  if (digit >= 0) {
    if (++digits_ > kSizeDigitsMax) return Refuse("chunk size too long");
    chunk_left_ = chunk_left_ * 16 + static_cast<unsigned>(digit);
    return true;
  }
  if (digits_ == 0) return Refuse("chunk size is not a hexadecimal number");
  if (c == '\r') {
    state_ = State::kSizeLf;
  } else if (c == ';') {
    state_ = State::kExtensionName;
  } else if (c == ' ' || c == '\t') {
    state_ = State::kExtensionSpace;
  } else {
    return Refuse(c == '\n' ? "chunk line ends without CR" : "chunk size is not a hexadecimal number");
  }
  return true;
}

// RFC 9112 section 7.1.1: *( BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] ).
bool ChunkedDecoder::TakeExtensionByte(char c) {
  constexpr std::string_view kMalformed = "malformed chunk extension";
  const bool is_space = c == ' ' || c == '\t';
  const bool is_token = IsByte(kTokenByte, c);
  switch (state_) {
    case State::kExtensionSpace:
      if (c == ';') state_ = State::kExtensionName;
      return c == ';' || is_space || Refuse("white space behind a chunk size");
    case State::kExtensionName:
      if (is_token) state_ = State::kExtensionNameRest;
      return is_token || is_space || Refuse(kMalformed);
    case State::kExtensionValue:
      if (is_token) state_ = State::kExtensionToken;
      if (c == '"') state_ = State::kQuoted;
      return is_token || is_space || c == '"' || Refuse(kMalformed);
    case State::kQuoted:
      if (c == '"') state_ = State::kQuotedEnd;
      if (c == '\\') state_ = State::kQuotedEscape;
      return IsByte(kQuotedByte, c) || Refuse(kMalformed);
    case State::kQuotedEscape:
      state_ = State::kQuoted;
      return IsByte(kQuotedByte, c) || Refuse(kMalformed);
    default:
      break;
  }
  // Inside or behind a name or a value: the only places where the line may end.
  const bool has_value = state_ == State::kExtensionToken || state_ == State::kQuotedEnd;
  const bool is_open = state_ == State::kExtensionNameRest || state_ == State::kExtensionToken;
  if (is_token && is_open) return true;
  if (c == '=' && !has_value) {
    state_ = State::kExtensionValue;
  } else if (c == ';') {
    state_ = State::kExtensionName;
  } else if (c == '\r' && state_ != State::kExtensionNameSpace) {
    state_ = State::kSizeLf;
  } else if (is_space) {
    state_ = has_value ? State::kExtensionSpace : State::kExtensionNameSpace;
  } else {
    return Refuse(kMalformed);
  }
  return true;
}

// Collects lines up to the empty one. The views are made at the end, when the text no longer moves.
bool ChunkedDecoder::TakeTrailer(std::string_view bytes, std::size_t& at) {
  const char* const from = bytes.data() + at;
  const auto* const lf = static_cast<const char*>(std::memchr(from, '\n', bytes.size() - at));
  const std::size_t size = lf == nullptr ? bytes.size() - at : static_cast<std::size_t>(lf - from) + 1;
  const std::size_t room = kTrailerBytesMax - std::min(kTrailerBytesMax, trailer_bytes_.size());
  if (size > room) return Refuse("trailer section too large");
  trailer_bytes_.append(from, size);
  at += size;
  if (lf == nullptr) return true;
  const std::string_view line = std::string_view(trailer_bytes_).substr(trailer_line_start_);
  if (!line.ends_with("\r\n")) return Refuse("trailer line ends without CR");
  trailer_line_start_ = trailer_bytes_.size();
  if (line.size() > 2) return true;
  state_ = State::kEnd;
  std::string_view rest = trailer_bytes_;
  for (int lines = 0; rest.size() > 2; ++lines) {
    const std::size_t end = rest.find('\n');
    if (static_cast<std::size_t>(lines) == kTrailerFieldsMax) return Refuse("too many trailer fields");
    if (!ParseTrailerLine(rest.substr(0, end - 1))) return false;
    rest.remove_prefix(end + 1);
  }
  return true;
}

bool ChunkedDecoder::ParseTrailerLine(std::string_view line) {
  const std::size_t colon = line.find(':');
  const std::string_view name = line.substr(0, colon);
  if (colon == std::string_view::npos || !IsToken(name)) return Refuse("malformed trailer field");
  const std::string_view value = TrimSpace(line.substr(colon + 1));
  if (!IsFieldValue(value)) return Refuse("control character in a trailer field");
  if (MayBeTrailer(name)) trailers_.push_back({name, value});
  return true;
}

void AppendChunkHeader(std::string& out, std::uint64_t size) {
  std::array<char, 16> digits;
  const auto result = std::to_chars(digits.data(), digits.data() + digits.size(), size, 16);
  out.append(digits.data(), result.ptr).append("\r\n", 2);
}

void AppendLastChunk(std::string& out, const std::vector<Field>& trailers) {
  out.append("0\r\n", 3);
  for (const Field& field : trailers) out.append(field.name).append(": ", 2).append(field.value).append("\r\n", 2);
  out.append("\r\n", 2);
}

}  // namespace weir::http
