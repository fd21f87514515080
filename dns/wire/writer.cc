#include "dns/wire/writer.h"

#include "base/check.h"

#include <algorithm>
#include <cstring>

namespace weir::dns {
namespace {

constexpr std::size_t kHeaderBytes = 12;
constexpr std::size_t kPointerOffsetMax = 0x3FFF;
constexpr std::size_t kNumbersOfSoa = 20;
constexpr std::size_t kPlainFixedBytes = 12;  // owner as a pointer, type, class, TTL, length of the data

void StoreU16(std::uint8_t* at, std::size_t value) {
  at[0] = static_cast<std::uint8_t>(value >> 8);
  at[1] = static_cast<std::uint8_t>(value);
}

// Whether the data of the type has names that are compressed (RFC 3597 section 4).
bool HoldsNames(std::uint16_t type) {
  constexpr std::uint32_t kTypes = 1U << rr::kNs | 1U << rr::kCname | 1U << rr::kSoa | 1U << rr::kPtr | 1U << rr::kMx;
  return type < 32 && (kTypes >> type & 1U) != 0;
}

}  // namespace

MessageWriter::MessageWriter(std::span<std::uint8_t> out, std::size_t limit)
    : out_(out), limit_(std::min(limit, out.size())) {
  WEIR_CHECK(out.size() >= kHeaderBytes);
}

void MessageWriter::PutHeader(std::uint16_t id, std::uint16_t flags) {
  std::memset(out_.data(), 0, kHeaderBytes);
  StoreU16(out_.data(), id);
  StoreU16(out_.data() + 2, flags);
  size_ = kHeaderBytes;
}

bool MessageWriter::PutQuestion(std::span<const std::uint8_t> question, const HashedName& name) {
  if (!PutBytes(question)) return false;
  question_count_ = 1;
  question_name_ = question.first(name.wire().size());
  Remember(name, name.labels(), kHeaderBytes);
  return true;
}

bool MessageWriter::PutRecord(Section section, const Owner& owner, std::uint16_t type, std::uint32_t ttl_seconds,
                              std::span<const std::uint8_t> rdata) {
  const bool is_pointer = owner.pointer != 0 && owner.wire.size() > 1;
  if (is_pointer && !HoldsNames(type)) return PutPlainRecord(section, owner.pointer, type, ttl_seconds, rdata);
  const Mark before = mark();
  const bool owner_fits =
      is_pointer ? PutU16(static_cast<std::uint16_t>(0xC000U | owner.pointer)) : PutName(owner.wire);
  if (owner_fits && PutFixed(type, kClassIn, ttl_seconds) && PutRdata(type, rdata)) {
    ++counts_[static_cast<std::size_t>(section)];
    return true;
  }
  Rewind(before);
  return false;
}

// What most answers are made of, in one piece.
bool MessageWriter::PutPlainRecord(Section section, std::uint16_t owner, std::uint16_t type, std::uint32_t ttl_seconds,
                                   std::span<const std::uint8_t> rdata) {
  const std::size_t room = limit_ - size_;
  if (rdata.size() + kPlainFixedBytes > room) return false;
  std::uint8_t* const at = out_.data() + size_;
  StoreU16(at, 0xC000U | owner);
  StoreU16(at + 2, type);
  StoreU16(at + 4, kClassIn);
  StoreU16(at + 6, ttl_seconds >> 16);
  StoreU16(at + 8, ttl_seconds);
  StoreU16(at + 10, rdata.size());
  if (!rdata.empty()) std::memcpy(at + kPlainFixedBytes, rdata.data(), rdata.size());
  size_ += kPlainFixedBytes + rdata.size();
  ++counts_[static_cast<std::size_t>(section)];
  return true;
}

bool MessageWriter::PutRaw(std::span<const std::uint8_t> owner, std::uint16_t type, std::uint16_t record_class,
                           std::uint32_t ttl, std::span<const std::uint8_t> rdata) {
  const Mark before = mark();
  limit_ = out_.size();
  if (PutBytes(owner) && PutFixed(type, record_class, ttl) && PutU16(static_cast<std::uint16_t>(rdata.size())) &&
      PutBytes(rdata)) {
    ++counts_[static_cast<std::size_t>(Section::kAdditional)];
    return true;
  }
  Rewind(before);
  return false;
}

void MessageWriter::Rewind(const Mark& mark) {
  size_ = mark.size;
  known_count_ = mark.known_count;
  counts_ = mark.counts;
}

std::size_t MessageWriter::Finish(std::uint16_t set_flags) {
  out_[2] = static_cast<std::uint8_t>(out_[2] | set_flags >> 8);
  out_[3] = static_cast<std::uint8_t>(out_[3] | (set_flags & 0xFFU));
  StoreU16(out_.data() + 4, question_count_);
  for (std::size_t i = 0; i < counts_.size(); ++i) StoreU16(out_.data() + 6 + 2 * i, counts_[i]);
  return size_;
}

bool MessageWriter::PutBytes(std::span<const std::uint8_t> bytes) {
  if (bytes.size() > limit_ - size_) return false;
  if (!bytes.empty()) std::memcpy(out_.data() + size_, bytes.data(), bytes.size());
  size_ += bytes.size();
  return true;
}

bool MessageWriter::PutU16(std::uint16_t value) {
  const std::array<std::uint8_t, 2> bytes = {static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value)};
  return PutBytes(bytes);
}

bool MessageWriter::PutFixed(std::uint16_t type, std::uint16_t record_class, std::uint32_t ttl) {
  const std::array<std::uint8_t, 8> bytes = {
      static_cast<std::uint8_t>(type >> 8),         static_cast<std::uint8_t>(type),
      static_cast<std::uint8_t>(record_class >> 8), static_cast<std::uint8_t>(record_class),
      static_cast<std::uint8_t>(ttl >> 24),         static_cast<std::uint8_t>(ttl >> 16),
      static_cast<std::uint8_t>(ttl >> 8),          static_cast<std::uint8_t>(ttl)};
  return PutBytes(bytes);
}

bool MessageWriter::PutName(std::span<const std::uint8_t> wire) {
  scratch_.Assign(wire);
  const std::size_t labels = scratch_.labels();
  const std::size_t begin = size_;
  std::uint16_t pointer = 0;
  std::size_t plain = 0;  // labels written in full
  for (; plain < labels; ++plain) {
    const std::size_t depth = labels - plain;
    pointer = FindKnown(scratch_.suffix(depth), scratch_.suffix_hash(depth));
    if (pointer != 0) break;
  }
  if (!PutBytes(wire.first(scratch_.label_offset(plain)))) return false;
  const std::uint8_t root = 0;
  const bool fits =
      pointer != 0 ? PutU16(static_cast<std::uint16_t>(0xC000U | pointer)) : PutBytes(std::span(&root, 1));
  if (fits) Remember(scratch_, plain, begin);
  return fits;
}

bool MessageWriter::PutRdata(std::uint16_t type, std::span<const std::uint8_t> rdata) {
  const std::size_t length_at = size_;
  if (!PutU16(0)) return false;
  bool fits = false;
  switch (type) {
    case rr::kNs:
    case rr::kCname:
    case rr::kPtr:
      fits = PutName(rdata);
      break;
    case rr::kMx:
      fits = PutBytes(rdata.first(2)) && PutName(rdata.subspan(2));
      break;
    case rr::kSoa: {
      const std::size_t mname = NameBytes(rdata);
      const auto rname = rdata.subspan(mname, rdata.size() - kNumbersOfSoa - mname);
      fits = PutName(rdata.first(mname)) && PutName(rname) && PutBytes(rdata.last(kNumbersOfSoa));
      break;
    }
    default:
      fits = PutBytes(rdata);
  }
  if (fits) StoreU16(out_.data() + length_at, size_ - length_at - 2);
  return fits;
}

void MessageWriter::Remember(const HashedName& name, std::size_t first_label_count, std::size_t offset) {
  for (std::size_t i = 0; i < first_label_count && known_count_ < kKnownMax; ++i) {
    const std::size_t at = offset + name.label_offset(i);
    if (at > kPointerOffsetMax) return;
    known_[known_count_++] = {static_cast<std::uint16_t>(at), name.suffix_hash(name.labels() - i)};
  }
}

std::uint16_t MessageWriter::FindKnown(std::span<const std::uint8_t> suffix, std::uint64_t hash) const {
  for (std::size_t i = 0; i < known_count_; ++i) {
    if (known_[i].hash == hash && SameName(known_[i].offset, suffix)) return known_[i].offset;
  }
  return 0;
}

bool MessageWriter::SameName(std::size_t offset, std::span<const std::uint8_t> wire) const {
  // Follows our own pointers, which only ever lead backwards.
  std::size_t at = offset;
  for (std::size_t i = 0; i < wire.size();) {
    while (out_[at] >= 0xC0) at = (out_[at] & 0x3FU) << 8 | out_[at + 1];
    const std::size_t label = 1U + wire[i];
    if (out_[at] != wire[i]) return false;
    if (wire[i] == 0) return true;
    for (std::size_t k = 1; k < label; ++k) {
      if (ToLowerOctet(out_[at + k]) != wire[i + k]) return false;
    }
    at += label;
    i += label;
  }
  return true;
}

}  // namespace weir::dns
