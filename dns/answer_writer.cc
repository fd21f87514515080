#include "dns/answer_writer.h"

#include "dns/wire/piece.h"

#include <utility>

namespace weir::dns {
namespace {

constexpr std::uint16_t kFlagTruncated = 0x0200;
constexpr std::uint16_t kTsigErrorBadKey = 17;
constexpr std::size_t kTsigFixedBytes = 16;  // time, fudge, MAC size, original id, error, other length

}  // namespace

// Less what OPT and TSIG take at the end of the message.
std::size_t AnswerWriter::RecordLimit(std::size_t size_max, std::string_view name_server_id) const {
  std::size_t reserved = query_.has_edns ? EdnsBytes(query_, name_server_id) : 0;
  if (query_.signature) {
    reserved += query_.signature->owner.size() + 10 + query_.signature->algorithm.size() + kTsigFixedBytes;
  }
  return size_max > kHeaderBytes + reserved ? size_max - reserved : kHeaderBytes;
}

bool AnswerWriter::Put(AnswerSections& sections) {
  bool fits = !truncated_ && !no_more_;
  if (fits && !(PutSection(Section::kAnswer, sections.answer.view()) &&
                PutSection(Section::kAuthority, sections.authority.view()))) {
    fits = false;
    Truncate();
  }
  needs_additional_ = needs_additional_ || sections.additional_is_needed;
  if (fits && !sections.additional.empty()) {
    if (writer_.count(Section::kAdditional) == 0) before_additional_ = writer_.mark();
    fits = PutSection(Section::kAdditional, sections.additional.view());
    if (!fits && needs_additional_) Truncate();
    if (!fits && !needs_additional_) writer_.Rewind(before_additional_);
    no_more_ = !fits;
  }
  sections.Clear();
  return fits;
}

bool AnswerWriter::PutSection(Section section, std::span<const Rrset> rrsets) {
  for (const Rrset& rrset : rrsets) {
    if (!PutRrset(section, rrset)) return false;
  }
  return true;
}

bool AnswerWriter::PutRrset(Section section, const Rrset& rrset) {
  const MessageWriter::Owner owner{{rrset.owner, rrset.owner_bytes}, rrset.owner_at};
  for (const RrsetValues& values : std::span(rrset.parts).first(rrset.part_count)) {
    const std::uint8_t* at = values.begin;
    for (std::uint32_t i = 0; i < values.first; ++i) static_cast<void>(NextValue(at));
    for (std::uint32_t i = 0; i < values.count; ++i) {
      if (values.first + i == values.count) at = values.begin;
      if (!writer_.PutRecord(section, owner, rrset.type, rrset.ttl_seconds, NextValue(at))) return false;
    }
  }
  return true;
}

void AnswerWriter::Truncate() {
  writer_.Rewind(after_question_);
  truncated_ = true;
}

void AnswerWriter::PutEnd(const EdnsAnswer& edns) {
  if (query_.has_edns) PutEdns(query_, edns, writer_);
  if (query_.signature && edns.rcode == Rcode::kNotAuth) PutSignatureError();
}

// RFC 8945 5.2.1: a key that is not known is answered NOTAUTH, with BADKEY and no MAC.
void AnswerWriter::PutSignatureError() {
  constexpr std::uint16_t kFudgeSeconds = 300;
  Piece<kNameBytesMax + kTsigFixedBytes> data;
  data.Bytes(query_.signature->algorithm);
  data.Bytes(query_.signature->time);
  data.U16(kFudgeSeconds);
  data.U16(0);  // MAC size
  data.U16(query_.id);
  data.U16(kTsigErrorBadKey);
  data.U16(0);  // other length
  static_cast<void>(writer_.PutRaw(query_.signature->owner, rr::kTsig, kClassAny, 0, data.view()));
}

std::size_t AnswerWriter::Finish(std::uint16_t flags, Rcode rcode) {
  if (truncated_) flags |= kFlagTruncated;
  return writer_.Finish(static_cast<std::uint16_t>(flags | (std::to_underlying(rcode) & 0x0FU)));
}

}  // namespace weir::dns
