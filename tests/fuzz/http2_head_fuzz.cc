// A field section of HTTP/2. As a request it is refused, or reads as HTTP/1.1 without anything that the section does
// not say; the same of a response and of trailers. Input: what it is, then fields, each behind a byte 2, its name and
// value divided by a byte 1.

#include "base/check.h"
#include "base/text.h"
#include "http/head_parser.h"
#include "http/http2_head.h"
#include "tests/fuzz/fuzz_target.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace {

using weir::http::Field;
using weir::http::FramingKind;
using weir::http::Http2FieldSection;
using weir::http::ParseOutcome;
using weir::http::ParseStatus;
using weir::http::RequestHead;
using weir::http::ResponseHead;
using weir::http::Version;

constexpr unsigned kEnds = 1;
constexpr unsigned kIsHead = 2;

Http2FieldSection SectionOf(std::string_view text) {
  Http2FieldSection section;
  while (text.starts_with('\2')) {
    text.remove_prefix(1);
    const std::string_view field = text.substr(0, text.find('\2'));
    text.remove_prefix(field.size());
    const std::size_t mark = field.find('\1');
    section.Add(field.substr(0, mark), mark == std::string_view::npos ? std::string_view() : field.substr(mark + 1));
  }
  return section;
}

bool Says(const Http2FieldSection& section, const Field& field) {
  for (std::size_t i = 0; i < section.size(); ++i) {
    if (section.at(i).name == field.name && section.at(i).value.contains(field.value)) return true;
  }
  return false;
}

void CheckFields(const Http2FieldSection& section, const std::vector<Field>& fields) {
  std::size_t cookies = 0;
  for (const Field& field : fields) {
    WEIR_CHECK(!field.name.starts_with(':'));
    WEIR_CHECK(!weir::EqualsIgnoreCase(field.name, "transfer-encoding"));
    if (field.name == "cookie") {
      ++cookies;
    } else if (field.name != "Host" && field.name != "Connection" && field.name != "Upgrade") {
      // Those are written from :authority and :protocol.
      WEIR_CHECK(Says(section, field));
    }
  }
  WEIR_CHECK(cookies <= 1);
}

// Whether the outcome is a verdict; true where the head was accepted.
bool IsAccepted(const ParseOutcome& outcome, std::string_view text) {
  WEIR_CHECK(outcome.status != ParseStatus::kNeedMore);
  if (outcome.status == ParseStatus::kRefused) {
    WEIR_CHECK(!outcome.why.empty());
    return false;
  }
  WEIR_CHECK(outcome.consumed == text.size());
  return true;
}

void CheckRequest(const Http2FieldSection& section, bool ends) {
  std::string text;
  RequestHead head;
  const ParseOutcome outcome = ParseHttp2Request(section, ends, text, head);
  WEIR_CHECK(head.version == Version::kHttp2);
  if (!IsAccepted(outcome, text)) {
    WEIR_CHECK(outcome.http_status != 0);
    return;
  }
  if (head.upgrade) {  // an extended CONNECT: what follows is none of the request's content
    WEIR_CHECK(!ends && head.framing.kind == FramingKind::kNone);
  } else {
    WEIR_CHECK(head.framing.kind == FramingKind::kContentLength || ends == (head.framing.kind == FramingKind::kNone));
  }
  CheckFields(section, head.fields);
  RequestHead again;
  std::size_t scanned = 0;
  WEIR_CHECK(ParseRequestHead(text, scanned, {}, again).status == ParseStatus::kDone);
  WEIR_CHECK(again.method == head.method && again.target == head.target);
  WEIR_CHECK(again.authority.host == head.authority.host && again.fields.size() == head.fields.size());
}

void CheckResponse(const Http2FieldSection& section, bool ends, std::string_view method) {
  std::string text;
  ResponseHead head;
  const ParseOutcome outcome = ParseHttp2Response(section, ends, method, text, head);
  if (!IsAccepted(outcome, text)) return;
  WEIR_CHECK(head.version == Version::kHttp2 && head.status >= 100 && head.status <= 999);
  WEIR_CHECK(head.framing.kind != FramingKind::kChunked && head.framing.kind != FramingKind::kUntilClose);
  CheckFields(section, head.fields);
}

void CheckTrailers(const Http2FieldSection& section) {
  std::string text;
  std::vector<Field> fields;
  if (!ReadHttp2Trailers(section, text, fields)) return;
  CheckFields(section, fields);
  for (const Field& field : fields) {
    WEIR_CHECK(field.name.data() >= text.data() &&
               field.value.data() + field.value.size() <= text.data() + text.size());
    WEIR_CHECK(field.value.find_first_of("\r\n") == std::string_view::npos);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const unsigned setting = data[0];
  const auto section = SectionOf({reinterpret_cast<const char*>(data) + 1, size - 1});
  CheckRequest(section, (setting & kEnds) != 0);
  CheckResponse(section, (setting & kEnds) != 0, (setting & kIsHead) != 0 ? "HEAD" : "GET");
  CheckTrailers(section);
  return 0;
}
