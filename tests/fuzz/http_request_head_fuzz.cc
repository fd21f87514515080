// A request head: the verdict must not depend on how the bytes arrive, and what is accepted must read as the same
// request, without a finding about its lines, once we have written it anew.

#include "base/check.h"
#include "http/head_parser.h"
#include "http/writer.h"
#include "tests/fuzz/fuzz_target.h"

#include <algorithm>
#include <string>
#include <string_view>

namespace {

using namespace std::string_view_literals;
using weir::http::HeadLimits;
using weir::http::ParseOutcome;
using weir::http::ParseStatus;
using weir::http::RequestHead;

constexpr HeadLimits kLimits{
    .start_line_bytes_max = 100, .field_line_bytes_max = 100, .head_bytes_max = 600, .fields_max = 12};

void CheckSteps(std::string_view bytes, std::size_t step, const ParseOutcome& whole, const RequestHead& whole_head) {
  RequestHead head;
  std::size_t scanned = 0;
  ParseOutcome outcome;
  std::size_t size = 0;
  while (outcome.status == ParseStatus::kNeedMore && size < bytes.size()) {
    size = std::min(size + step, bytes.size());
    outcome = ParseRequestHead(bytes.substr(0, size), scanned, kLimits, head);
  }
  // Bytes that end before the head does may be found out later than in one piece, but never accepted.
  if (outcome.status == ParseStatus::kNeedMore && whole.status == ParseStatus::kRefused) return;
  WEIR_CHECK(outcome.status == whole.status);
  WEIR_CHECK(outcome.http_status == whole.http_status);
  WEIR_CHECK(outcome.consumed == whole.consumed);
  WEIR_CHECK(outcome.why == whole.why);
  if (whole.status == ParseStatus::kNeedMore) return;
  WEIR_CHECK(head.desync_class == whole_head.desync_class);
  WEIR_CHECK(head.desync_reason == whole_head.desync_reason);
  WEIR_CHECK(head.framing.kind == whole_head.framing.kind);
}

void CheckRewritten(const RequestHead& head) {
  std::string bytes;
  weir::http::AppendRequestLine(bytes, head.method, head.target);
  for (const auto& field : head.fields) {
    WEIR_CHECK(field.name.find_first_of("\0\r\n :\t"sv) == std::string_view::npos);
    WEIR_CHECK(field.value.find_first_of("\0\r\n"sv) == std::string_view::npos);
    weir::http::AppendField(bytes, field.name, field.value);
  }
  const bool has_host = weir::http::FindField(head.fields, "host") != nullptr;
  if (!has_host) bytes += "Host: a\r\n";
  bytes += "\r\n";
  RequestHead again;
  std::size_t scanned = 0;
  const ParseOutcome outcome = ParseRequestHead(bytes, scanned, {}, again);
  WEIR_CHECK(outcome.status == ParseStatus::kDone);
  WEIR_CHECK(outcome.consumed == bytes.size());
  WEIR_CHECK(again.method == head.method);
  WEIR_CHECK(again.framing.kind == head.framing.kind);
  WEIR_CHECK(again.framing.content_length == head.framing.content_length);
  WEIR_CHECK(again.fields.size() == head.fields.size() + (has_host ? 0 : 1));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  RequestHead head;
  std::size_t scanned = 0;
  const ParseOutcome outcome = ParseRequestHead(bytes, scanned, kLimits, head);
  WEIR_CHECK(outcome.consumed <= bytes.size());
  WEIR_CHECK((outcome.status == ParseStatus::kRefused) == (outcome.http_status != 0));
  CheckSteps(bytes, 1, outcome, head);
  CheckSteps(bytes, 13, outcome, head);
  if (outcome.status == ParseStatus::kDone) {
    WEIR_CHECK(head.desync_class != weir::http::DesyncClass::kSevere);
    CheckRewritten(head);
  }
  return 0;
}
