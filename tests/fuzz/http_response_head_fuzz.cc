// A response head: the verdict must not depend on how the bytes arrive. The first byte chooses the request's method.

#include "base/check.h"
#include "http/head_parser.h"
#include "tests/fuzz/fuzz_target.h"

#include <algorithm>
#include <string_view>

namespace {

using namespace std::string_view_literals;
using weir::http::FramingKind;
using weir::http::ParseOutcome;
using weir::http::ParseStatus;
using weir::http::ResponseHead;

void CheckSteps(std::string_view bytes, std::string_view method, const ParseOutcome& whole) {
  ResponseHead head;
  std::size_t scanned = 0;
  ParseOutcome outcome;
  for (std::size_t size = 1; outcome.status == ParseStatus::kNeedMore && size <= bytes.size(); ++size) {
    outcome = ParseResponseHead(bytes.substr(0, size), scanned, weir::http::ResponseHeadLimits(), method, head);
  }
  if (outcome.status == ParseStatus::kNeedMore && whole.status == ParseStatus::kRefused) return;
  WEIR_CHECK(outcome.status == whole.status);
  WEIR_CHECK(outcome.consumed == whole.consumed);
  WEIR_CHECK(outcome.why == whole.why);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::string_view kMethods[] = {"GET", "HEAD", "CONNECT", "POST"};
  if (size == 0) return 0;
  const std::string_view method = kMethods[data[0] % 4];
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  ResponseHead head;
  std::size_t scanned = 0;
  const ParseOutcome outcome = ParseResponseHead(bytes, scanned, weir::http::ResponseHeadLimits(), method, head);
  WEIR_CHECK(outcome.consumed <= bytes.size());
  WEIR_CHECK((outcome.status == ParseStatus::kRefused) == !outcome.why.empty());
  CheckSteps(bytes, method, outcome);
  if (outcome.status != ParseStatus::kDone) return 0;
  WEIR_CHECK(head.status >= 100 && head.status <= 999);
  WEIR_CHECK(head.framing.kind != FramingKind::kUntilClose || !head.keep_alive);
  WEIR_CHECK(head.reason.find_first_of("\0\r\n"sv) == std::string_view::npos);
  for (const auto& field : head.fields) {
    WEIR_CHECK(field.name.find_first_of("\0\r\n :\t"sv) == std::string_view::npos);
    WEIR_CHECK(field.value.find_first_of("\0\r\n"sv) == std::string_view::npos);
  }
  return 0;
}
