#include "outbound/response_reader.h"

#include "base/text.h"
#include "http/head_parser.h"

#include <utility>

namespace weir::outbound {

ResponseReader::ResponseReader(std::string method, std::size_t content_max)
    : method_(std::move(method)), content_max_(content_max) {}

ResponseReader::State ResponseReader::Take(std::string_view bytes) {
  has_begun_ = has_begun_ || !bytes.empty();
  if (in_content_) return TakeContent(bytes);
  head_bytes_ += bytes;
  return TakeHead();
}

ResponseReader::State ResponseReader::TakeHead() {
  const http::HeadLimits limits = http::ResponseHeadLimits();
  std::string_view rest = head_bytes_;
  for (;;) {
    const auto outcome = http::ParseResponseHead(rest, scanned_, limits, method_, head_);
    if (outcome.status == http::ParseStatus::kRefused) return outcome.too_large ? State::kTooLarge : State::kMalformed;
    if (outcome.status == http::ParseStatus::kNeedMore) break;
    rest.remove_prefix(outcome.consumed);
    scanned_ = 0;
    if (head_.status >= 200) return BeginContent(rest);
    if (head_.status == 101 || ++interim_count_ > kInterimCountMax) return State::kMalformed;
  }
  if (rest.size() > limits.head_bytes_max) return State::kTooLarge;
  head_bytes_.erase(0, head_bytes_.size() - rest.size());
  return State::kNeedMore;
}

ResponseReader::State ResponseReader::BeginContent(std::string_view rest) {
  in_content_ = true;
  response_.status = head_.status;
  response_.fields.reserve(head_.fields.size());
  for (const http::Field& field : head_.fields) {
    response_.fields.emplace_back(ToLowerAscii(field.name), std::string(field.value));
  }
  head_.fields.clear();  // they point into head_bytes_
  left_ = head_.framing.content_length;
  if (head_.framing.kind == http::FramingKind::kContentLength && left_ > content_max_) return State::kTooLarge;
  const std::string arrived(rest);
  head_bytes_ = {};
  return TakeContent(arrived);
}

ResponseReader::State ResponseReader::TakeContent(std::string_view bytes) {
  switch (head_.framing.kind) {
    case http::FramingKind::kNone:
    case http::FramingKind::kUnknown:
      return State::kDone;
    case http::FramingKind::kChunked:
      return TakeChunks(bytes);
    case http::FramingKind::kUntilClose:
      return Append(bytes) ? State::kNeedMore : State::kTooLarge;
    case http::FramingKind::kContentLength:
      break;
  }
  const std::string_view own = bytes.substr(0, left_);
  left_ -= own.size();
  if (!Append(own)) return State::kTooLarge;
  return left_ == 0 ? State::kDone : State::kNeedMore;
}

ResponseReader::State ResponseReader::TakeChunks(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto output = chunks_.Next(bytes);
    bytes.remove_prefix(output.consumed);
    if (output.step == http::ChunkedDecoder::Step::kRefused) return State::kMalformed;
    if (!Append(output.content)) return State::kTooLarge;
    if (output.step == http::ChunkedDecoder::Step::kEnd) return State::kDone;
  }
  return State::kNeedMore;
}

bool ResponseReader::Append(std::string_view content) {
  if (content.size() > content_max_ - response_.content.size()) return false;
  response_.content += content;
  return true;
}

ResponseReader::State ResponseReader::TakeEnd(bool is_told) const {
  const bool ends_content = in_content_ && head_.framing.kind == http::FramingKind::kUntilClose && is_told;
  return ends_content ? State::kDone : State::kMalformed;
}

}  // namespace weir::outbound
