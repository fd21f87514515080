#pragma once

#include "base/check.h"
#include "dns/wire/name.h"
#include "dns/wire/query.h"
#include "dns/wire/types.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace weir::dns {

enum class Section : std::uint8_t { kAnswer, kAuthority, kAdditional };

// Writes one message into a caller's buffer. A record that does not fit is not written at all: Put… returns false and
// the message stays as it was. Names are compressed where RFC 3597 section 4 allows it. Thread: worker.
class MessageWriter {
 public:
  // A place to come back to with Rewind.
  struct Mark {
    std::size_t size = 0;
    std::size_t known_count = 0;
    std::array<std::uint16_t, 3> counts{};
  };

  // `out` holds at least the header; records are written while the message is at most `limit` bytes.
  MessageWriter(std::span<std::uint8_t> out, std::size_t limit) : out_(out), limit_(std::min(limit, out.size())) {
    WEIR_CHECK(out.size() >= kHeaderBytes);
  }

  // The header with zero counts; `flags` are its bytes 2 and 3.
  void PutHeader(std::uint16_t id, std::uint16_t flags);
  // The question as sent, case kept, so that its name can be pointed to. `name` is `question`'s name. False when it
  // does not fit.
  [[nodiscard]] bool PutQuestion(std::span<const std::uint8_t> question, const HashedName& name);

  // The owner of the next records. `wire` is a whole uncompressed name.
  struct Owner {
    std::span<const std::uint8_t> wire;
    std::uint16_t pointer = 0;  // where the message has it; 0: nowhere yet
    // The root is as short as a pointer.
    [[nodiscard]] bool is_pointer() const { return pointer != 0 && wire.size() > 1; }
  };
  [[nodiscard]] Owner question_owner() const { return {question_name_, static_cast<std::uint16_t>(12)}; }

  [[nodiscard]] bool PutRecord(Section section, const Owner& owner, std::uint16_t type, std::uint32_t ttl_seconds,
                               std::span<const std::uint8_t> rdata) {
    return owner.is_pointer() && !HoldsNames(type) ? PutPlainRecord(section, owner.pointer, type, ttl_seconds, rdata)
                                                   : PutNamedRecord(section, owner, type, ttl_seconds, rdata);
  }
  // A record whose class is not IN and whose data holds no name to compress: OPT and TSIG. Not bound by `limit`, only
  // by the buffer: room for it is set aside beforehand.
  [[nodiscard]] bool PutRaw(std::span<const std::uint8_t> owner, std::uint16_t type, std::uint16_t record_class,
                            std::uint32_t ttl, std::span<const std::uint8_t> rdata);

  [[nodiscard]] Mark mark() const { return {size_, known_count_, counts_}; }
  void Rewind(const Mark& mark);
  // Writes the counts; returns the message's size. `set_flags` are or-ed into the header's flags (AA, TC, RCODE).
  std::size_t Finish(std::uint16_t set_flags);

  [[nodiscard]] std::uint16_t count(Section section) const { return counts_[static_cast<std::size_t>(section)]; }

 private:
  // Without initialisers: a kilobyte of them would be cleared for each message.
  struct KnownName {
    std::uint16_t offset;
    std::uint64_t hash;
  };
  // Names remembered for compression; an answer that has more of them compresses the later ones less.
  static constexpr std::size_t kKnownMax = 64;

  // Whether the data of the type has names that are compressed (RFC 3597 section 4).
  [[nodiscard]] static bool HoldsNames(std::uint16_t type) {
    constexpr std::uint32_t kTypes = 1U << rr::kNs | 1U << rr::kCname | 1U << rr::kSoa | 1U << rr::kPtr | 1U << rr::kMx;
    return type < 32 && (kTypes >> type & 1U) != 0;
  }
  [[nodiscard]] bool PutNamedRecord(Section section, const Owner& owner, std::uint16_t type, std::uint32_t ttl_seconds,
                                    std::span<const std::uint8_t> rdata);
  // A record whose owner is pointed to and whose data holds no name to compress.
  [[nodiscard]] bool PutPlainRecord(Section section, std::uint16_t owner, std::uint16_t type, std::uint32_t ttl_seconds,
                                    std::span<const std::uint8_t> rdata);
  [[nodiscard]] bool PutBytes(std::span<const std::uint8_t> bytes);
  [[nodiscard]] bool PutU16(std::uint16_t value);
  // Type, class, TTL, and a length that PutRdata sets.
  [[nodiscard]] bool PutFixed(std::uint16_t type, std::uint32_t ttl);
  void Append(std::uint16_t type, std::uint16_t record_class, std::uint32_t ttl, std::span<const std::uint8_t> rdata);
  // Bytes of the name at the front of `wire`, or 0 when it did not fit.
  [[nodiscard]] bool PutName(std::span<const std::uint8_t> wire);
  // Behind PutFixed.
  [[nodiscard]] bool PutRdata(std::uint16_t type, std::span<const std::uint8_t> rdata);
  void Remember(const HashedName& name, std::size_t first_label_count, std::size_t offset);
  [[nodiscard]] std::uint16_t FindKnown(std::span<const std::uint8_t> suffix, std::uint64_t hash) const;
  [[nodiscard]] bool SameName(std::size_t offset, std::span<const std::uint8_t> wire) const;

  std::span<std::uint8_t> out_;
  std::size_t limit_;
  std::size_t size_ = 0;
  std::size_t question_count_ = 0;
  std::span<const std::uint8_t> question_name_;
  std::array<std::uint16_t, 3> counts_{};
  std::array<KnownName, kKnownMax> known_;  // the first known_count_ are set
  std::size_t known_count_ = 0;
  HashedName scratch_;
};

}  // namespace weir::dns
