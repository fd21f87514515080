#include "bench/load/http/response_reader.h"

#include <algorithm>
#include <utility>

namespace weir::bench {

HeadReader::HeadReader(std::string group_header, ShareNames& names)
    : group_header_(std::move(group_header)), names_(names) {}

http::ParseOutcome HeadReader::Read(std::string_view bytes, std::size_t& scanned, std::string_view method,
                                    ResponseFacts& facts) {
  if (scanned == 0 && !last_bytes_.empty() && bytes.starts_with(last_bytes_) && method == last_method_) {
    facts = last_facts_;
    return {.status = http::ParseStatus::kDone,
            .consumed = last_bytes_.size(),
            .http_status = 0,
            .too_large = false,
            .why = {}};
  }
  static const http::HeadLimits kLimits = http::ResponseHeadLimits();
  const auto outcome = http::ParseResponseHead(bytes, scanned, kLimits, method, head_);
  if (outcome.status != http::ParseStatus::kDone) return outcome;
  facts = {.status = head_.status, .framing = head_.framing, .keep_alive = head_.keep_alive, .share = 0};
  if (!group_header_.empty()) {
    const http::Field* field = http::FindField(head_.fields, group_header_);
    facts.share = field == nullptr ? ShareNames::kAbsent : names_.NumberOf(field->value);
  }
  last_bytes_.assign(bytes.substr(0, outcome.consumed));
  last_method_.assign(method);
  last_facts_ = facts;
  return outcome;
}

void ResponseReader::Begin(std::string_view method) {
  method_ = method;
  phase_ = Phase::kHead;
  has_begun_ = false;
  scanned_ = 0;
}

ResponseReader::Outcome ResponseReader::Refuse(std::string_view why) {
  why_ = why;
  return {.state = State::kRefused, .consumed = 0};
}

ResponseReader::Outcome ResponseReader::Take(std::string_view bytes) {
  has_begun_ = has_begun_ || !bytes.empty();
  if (phase_ != Phase::kHead) return TakeContent(bytes);
  if (partial_.empty()) {
    const Outcome outcome = TakeHead(bytes);
    if (outcome.state == State::kNeedMore && phase_ == Phase::kHead) partial_.assign(bytes.substr(outcome.consumed));
    return outcome;
  }
  // The rare case: a head in several pieces. What was kept is parsed together with what came.
  const std::size_t kept = partial_.size();
  partial_ += bytes;
  const std::string whole = std::exchange(partial_, {});
  Outcome outcome = TakeHead(whole);
  if (outcome.state == State::kNeedMore && phase_ == Phase::kHead) partial_ = whole.substr(outcome.consumed);
  if (outcome.state == State::kDone) outcome.consumed -= std::min(kept, outcome.consumed);
  return outcome;
}

ResponseReader::Outcome ResponseReader::TakeHead(std::string_view bytes) {
  std::size_t taken = 0;
  for (;;) {
    const auto outcome = heads_.Read(bytes.substr(taken), scanned_, method_, facts_);
    if (outcome.status == http::ParseStatus::kRefused) return Refuse(outcome.why);
    if (outcome.status == http::ParseStatus::kNeedMore) return {.state = State::kNeedMore, .consumed = taken};
    taken += outcome.consumed;
    scanned_ = 0;
    // After 101 the connection speaks something else: the response ends here.
    if (facts_.status / 100 != 1 || facts_.status == 101) break;
  }
  if (facts_.status == 101) facts_.keep_alive = false;
  switch (facts_.framing.kind) {
    case http::FramingKind::kNone:
    case http::FramingKind::kUnknown:
      return {.state = State::kDone, .consumed = taken};
    case http::FramingKind::kContentLength:
      phase_ = Phase::kLength;
      left_ = facts_.framing.content_length;
      break;
    case http::FramingKind::kChunked:
      phase_ = Phase::kChunked;
      chunks_.Reset();
      break;
    case http::FramingKind::kUntilClose:
      phase_ = Phase::kUntilClose;
      break;
  }
  Outcome content = TakeContent(bytes.substr(taken));
  content.consumed += taken;
  return content;
}

ResponseReader::Outcome ResponseReader::TakeContent(std::string_view bytes) {
  switch (phase_) {
    case Phase::kLength: {
      const auto taken = std::min<std::uint64_t>(left_, bytes.size());
      left_ -= taken;
      return {.state = left_ == 0 ? State::kDone : State::kNeedMore, .consumed = static_cast<std::size_t>(taken)};
    }
    case Phase::kChunked:
      return TakeChunks(bytes);
    case Phase::kHead:
    case Phase::kUntilClose:
      break;
  }
  return {.state = State::kNeedMore, .consumed = bytes.size()};
}

ResponseReader::Outcome ResponseReader::TakeChunks(std::string_view bytes) {
  std::size_t taken = 0;
  while (taken < bytes.size()) {
    const auto output = chunks_.Next(bytes.substr(taken));
    taken += output.consumed;
    if (output.step == http::ChunkedDecoder::Step::kRefused) return Refuse(chunks_.why());
    if (output.step == http::ChunkedDecoder::Step::kEnd) return {.state = State::kDone, .consumed = taken};
  }
  return {.state = State::kNeedMore, .consumed = taken};
}

ResponseReader::Outcome ResponseReader::TakeEnd() {
  if (phase_ == Phase::kUntilClose) return {.state = State::kDone, .consumed = 0};
  return Refuse("the connection ended within the response");
}

}  // namespace weir::bench
