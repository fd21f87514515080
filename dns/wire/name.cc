#include "dns/wire/name.h"

#include "base/check.h"
#include "base/domain_name.h"
#include "base/words.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace weir::dns {
namespace {

constexpr std::uint64_t kHashSeed = 0x9e3779b97f4a7c15ULL;

// The two halves of the product: one multiplication mixes eight bytes.
std::uint64_t Fold(std::uint64_t a, std::uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

constexpr std::uint64_t kWordFactor = 0xa0761d6478bd642fULL;
constexpr std::uint64_t kLabelFactor = 0xe7037ed1a0b428dbULL;

std::uint64_t FoldWord(std::uint64_t hash, std::uint64_t word) { return Fold(hash ^ word, kWordFactor); }
// `rest` are the bytes of a label behind its last whole word.
std::uint64_t FoldLabel(std::uint64_t hash, std::uint64_t rest, std::size_t label_bytes) {
  return Fold(hash ^ rest, kLabelFactor ^ label_bytes);
}

}  // namespace

Result<Name> Name::Parse(std::string_view text) {
  const auto name = ParseDomainName(text);
  if (name) return FromWire(name->wire());
  return Failure("'" + std::string(text) + "' is not a domain name: " + name.error().message, name.error().hint);
}

Name Name::FromWire(std::span<const std::uint8_t> wire) {
  Name name;
  WEIR_CHECK(wire.size() <= kNameBytesMax);
  std::ranges::copy(wire, name.bytes_.begin());
  name.size_ = static_cast<std::uint8_t>(wire.size());
  return name;
}

std::size_t Name::labels() const {
  std::size_t count = 0;
  for (std::size_t at = 0; bytes_[at] != 0; at += 1U + bytes_[at]) ++count;
  return count;
}

std::string Name::ToString() const {
  std::string out;
  AppendDomainName(wire(), out);
  return out;
}

bool operator==(const Name& a, const Name& b) { return std::ranges::equal(a.wire(), b.wire()); }

std::size_t NameBytes(std::span<const std::uint8_t> wire) {
  std::size_t at = 0;
  while (at < wire.size() && at < kNameBytesMax) {
    if (wire[at] == 0) return at + 1;
    if (wire[at] > kLabelBytesMax) return 0;
    at += 1U + wire[at];
  }
  return 0;
}

std::uint64_t HashedName::Extend(std::uint64_t suffix_hash, std::span<const std::uint8_t> label) {
  std::uint64_t hash = suffix_hash;
  std::size_t at = 0;
  for (; at + 8 <= label.size(); at += 8) hash = FoldWord(hash, LoadWord(label.data() + at));
  std::uint64_t rest = 0;
  for (std::size_t i = label.size(); i-- > at;) rest = rest << 8 | label[i];
  return FoldLabel(hash, rest, label.size());
}

void HashedName::Assign(std::span<const std::uint8_t> wire) {
  std::size_t at = 0;
  labels_ = 0;
  for (; wire[at] != 0; at += 1U + wire[at]) offsets_[labels_++] = static_cast<std::uint8_t>(at);
  offsets_[labels_] = static_cast<std::uint8_t>(at);
  size_ = at + 1;
  std::size_t i = 0;
  // Lengths of labels are below A: they stay.
  for (; i + 8 <= size_; i += 8) {
    const std::uint64_t word = ToLowerWord(LoadWord(wire.data() + i));
    std::memcpy(bytes_.data() + i, &word, sizeof(word));
  }
  for (; i < size_; ++i) bytes_[i] = ToLowerOctet(wire[i]);
  hashes_[0] = kHashSeed;
  for (std::size_t depth = 1; depth <= labels_; ++depth)
    hashes_[depth] = HashLabel(hashes_[depth - 1], labels_ - depth);
}

// As Extend, reading whole words: what is behind the label is masked away.
std::uint64_t HashedName::HashLabel(std::uint64_t suffix_hash, std::size_t index) const {
  static_assert(std::endian::native == std::endian::little);
  const std::uint8_t* at = bytes_.data() + offsets_[index] + 1;
  const std::size_t label_bytes = at[-1];
  std::uint64_t hash = suffix_hash;
  std::size_t left = label_bytes;
  for (; left >= 8; left -= 8, at += 8) hash = FoldWord(hash, LoadWord(at));
  const std::uint64_t rest = LoadWord(at) & ((1ULL << (8 * left)) - 1);
  return FoldLabel(hash, rest, label_bytes);
}

}  // namespace weir::dns
