#include "dns/wire/writer.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace weir::dns {
namespace {

constexpr std::size_t kPointerOffsetMax = 0x3FFF;
constexpr std::size_t kNumbersOfSoa = 20;
constexpr std::size_t kPointerBytes = 2;
constexpr std::size_t kFixedBytes = 10;  // type, class, TTL, length of the data

// In network order. Whole numbers: byte by byte would take several times the instructions.
template <class Number>
void Store(std::uint8_t* at, Number value) {
  static_assert(std::endian::native == std::endian::little);
  value = std::byteswap(value);
  std::memcpy(at, &value, sizeof(value));
}

void StoreU16(std::uint8_t* at, std::size_t value) { Store(at, static_cast<std::uint16_t>(value)); }

void StoreFixed(std::uint8_t* at, std::uint16_t type, std::uint16_t record_class, std::uint32_t ttl, std::size_t size) {
  StoreU16(at, type);
  StoreU16(at + 2, record_class);
  Store(at + 4, ttl);
  StoreU16(at + 8, size);
}

}  // namespace

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

bool MessageWriter::PutNamedRecord(Section section, const Owner& owner, std::uint16_t type, std::uint32_t ttl_seconds,
                                   std::span<const std::uint8_t> rdata) {
  const Mark before = mark();
  const bool owner_fits =
      owner.is_pointer() ? PutU16(static_cast<std::uint16_t>(0xC000U | owner.pointer)) : PutName(owner.wire);
  if (owner_fits && PutFixed(type, ttl_seconds) && PutRdata(type, rdata)) {
    ++counts_[static_cast<std::size_t>(section)];
    return true;
  }
  Rewind(before);
  return false;
}

// What most answers are made of, in one piece.
bool MessageWriter::PutPlainRecord(Section section, std::uint16_t owner, std::uint16_t type, std::uint32_t ttl_seconds,
                                   std::span<const std::uint8_t> rdata) {
  if (kPointerBytes + kFixedBytes + rdata.size() > limit_ - size_) return false;
  StoreU16(out_.data() + size_, 0xC000U | owner);
  size_ += kPointerBytes;
  Append(type, kClassIn, ttl_seconds, rdata);
  ++counts_[static_cast<std::size_t>(section)];
  return true;
}

bool MessageWriter::PutRaw(std::span<const std::uint8_t> owner, std::uint16_t type, std::uint16_t record_class,
                           std::uint32_t ttl, std::span<const std::uint8_t> rdata) {
  if (owner.size() + kFixedBytes + rdata.size() > out_.size() - size_) return false;
  std::ranges::copy(owner, out_.begin() + static_cast<std::ptrdiff_t>(size_));
  size_ += owner.size();
  Append(type, record_class, ttl, rdata);
  ++counts_[static_cast<std::size_t>(Section::kAdditional)];
  return true;
}

// What follows the owner of a record; there is room.
void MessageWriter::Append(std::uint16_t type, std::uint16_t record_class, std::uint32_t ttl,
                           std::span<const std::uint8_t> rdata) {
  std::uint8_t* const at = out_.data() + size_;
  StoreFixed(at, type, record_class, ttl, rdata.size());
  if (!rdata.empty()) std::memcpy(at + kFixedBytes, rdata.data(), rdata.size());
  size_ += kFixedBytes + rdata.size();
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

bool MessageWriter::PutFixed(std::uint16_t type, std::uint32_t ttl) {
  if (kFixedBytes > limit_ - size_) return false;
  StoreFixed(out_.data() + size_, type, kClassIn, ttl, 0);
  size_ += kFixedBytes;
  return true;
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
  const std::size_t begin = size_;
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
  if (fits) StoreU16(out_.data() + begin - 2, size_ - begin);
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
  const std::uint8_t* const message = out_.data();
  std::size_t at = offset;
  for (std::size_t i = 0; i < wire.size();) {
    while (message[at] >= 0xC0) at = (message[at] & 0x3FU) << 8 | message[at + 1];
    const std::uint8_t* const stored = message + at;
    const std::uint8_t* const wanted = wire.data() + i;
    const std::size_t label = 1U + wanted[0];
    if (stored[0] != wanted[0]) return false;
    if (wanted[0] == 0) return true;
    for (std::size_t k = 1; k < label; ++k) {
      if (stored[k] != wanted[k] && ToLowerOctet(stored[k]) != wanted[k]) return false;
    }
    at += label;
    i += label;
  }
  return true;
}

}  // namespace weir::dns
