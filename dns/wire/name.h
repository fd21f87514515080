#pragma once

#include "base/domain_name.h"
#include "base/result.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace weir::dns {

inline constexpr std::size_t kNameBytesMax = kDomainNameBytesMax;
inline constexpr std::size_t kLabelBytesMax = kDomainLabelBytesMax;
inline constexpr std::size_t kLabelsMax = 128;  // 127 labels of one byte and the root

// An absolute domain name in uncompressed, lower-case wire form; a value.
class Name {
 public:
  // The root.
  Name() = default;

  // Reads presentation form as ParseDomainName does; a missing final dot is taken as given.
  [[nodiscard]] static Result<Name> Parse(std::string_view text);
  // Takes lower-case wire form that is known to be right, such as a stored name.
  [[nodiscard]] static Name FromWire(std::span<const std::uint8_t> wire);

  [[nodiscard]] std::span<const std::uint8_t> wire() const { return {bytes_.data(), size_}; }
  // Without the root label.
  [[nodiscard]] std::size_t labels() const;
  [[nodiscard]] bool IsWithin(const Name& ancestor) const { return IsNameWithin(wire(), ancestor.wire()); }
  // `www.example.test.`, escaped as Route 53 returns names.
  [[nodiscard]] std::string ToString() const;

  friend bool operator==(const Name& a, const Name& b);

 private:
  std::array<std::uint8_t, kNameBytesMax> bytes_{};
  std::uint8_t size_ = 1;
};

// Bytes that the uncompressed name at the start of `wire` takes, the root label included; 0 when it is cut off, longer
// than 255 bytes or compressed.
[[nodiscard]] std::size_t NameBytes(std::span<const std::uint8_t> wire);

// A name in lower-case wire form together with the hash of each of its suffixes, so that every ancestor is looked up
// without reading it again.
class HashedName {
 public:
  // `wire` must be a whole uncompressed name (NameBytes(wire) > 0) of any case.
  void Assign(std::span<const std::uint8_t> wire);

  [[nodiscard]] std::span<const std::uint8_t> wire() const { return {bytes_.data(), size_}; }
  // Without the root label.
  [[nodiscard]] std::size_t labels() const { return labels_; }
  // The suffix of `depth` labels, 0 (the root) to labels().
  [[nodiscard]] std::span<const std::uint8_t> suffix(std::size_t depth) const {
    return wire().subspan(offsets_[labels_ - depth]);
  }
  [[nodiscard]] std::uint64_t suffix_hash(std::size_t depth) const { return hashes_[depth]; }
  // Where label `index` begins, counted from the left; index labels() is the root label.
  [[nodiscard]] std::size_t label_offset(std::size_t index) const { return offsets_[index]; }
  // The hash of the name that is one more label in front of a suffix.
  [[nodiscard]] static std::uint64_t Extend(std::uint64_t suffix_hash, std::span<const std::uint8_t> label);

 private:
  [[nodiscard]] std::uint64_t HashLabel(std::uint64_t suffix_hash, std::size_t index) const;

  // Hashing reads words of eight bytes, which may begin at the last one.
  std::array<std::uint8_t, kNameBytesMax + 8> bytes_;
  std::array<std::uint8_t, kLabelsMax> offsets_;  // of each label from the left, the root last
  std::array<std::uint64_t, kLabelsMax> hashes_;  // by number of labels
  std::size_t size_ = 0;
  std::size_t labels_ = 0;
};

}  // namespace weir::dns
