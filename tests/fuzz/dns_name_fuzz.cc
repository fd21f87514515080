// Domain names: text and wire form lead to each other, hashes do not depend on how they are made, and what the writer
// compresses reads as what was given to it.

#include "base/check.h"
#include "dns/wire/name.h"
#include "dns/wire/types.h"
#include "dns/wire/writer.h"
#include "tests/fuzz/fuzz_target.h"

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace {

using weir::dns::HashedName;
using weir::dns::kLabelBytesMax;
using weir::dns::kNameBytesMax;
using weir::dns::MessageWriter;
using weir::dns::Name;
using weir::dns::NameBytes;
using Bytes = std::span<const std::uint8_t>;
using Wire = std::vector<std::uint8_t>;

Wire Lower(Bytes wire) {
  Wire lower(wire.begin(), wire.end());
  for (auto& byte : lower) byte = byte >= 'A' && byte <= 'Z' ? static_cast<std::uint8_t>(byte + 32) : byte;
  return lower;
}

void CheckText(std::string_view text) {
  const auto name = Name::Parse(text);
  if (!name) return;
  WEIR_CHECK(NameBytes(name->wire()) == name->wire().size());
  WEIR_CHECK(std::ranges::equal(Lower(name->wire()), name->wire()));
  const std::string normal = name->ToString();
  WEIR_CHECK(normal.ends_with('.'));
  const auto again = Name::Parse(normal);
  WEIR_CHECK(again.has_value() && *again == *name);
  WEIR_CHECK(again->ToString() == normal);
}

void CheckHashes(Bytes wire) {
  HashedName hashed;
  hashed.Assign(wire);
  const Wire lower = Lower(wire);
  WEIR_CHECK(std::ranges::equal(hashed.wire(), lower));
  WEIR_CHECK(hashed.labels() == Name::FromWire(lower).labels());
  for (std::size_t depth = 1; depth <= hashed.labels(); ++depth) {
    const Bytes suffix = hashed.suffix(depth);
    WEIR_CHECK(NameBytes(suffix) == suffix.size());
    const std::uint64_t extended = HashedName::Extend(hashed.suffix_hash(depth - 1), suffix.subspan(1, suffix[0]));
    WEIR_CHECK(extended == hashed.suffix_hash(depth));
  }
}

void CheckWire(Bytes bytes) {
  const std::size_t size = NameBytes(bytes);
  WEIR_CHECK(size <= bytes.size() && size <= kNameBytesMax);
  if (size == 0) return;
  const Bytes wire = bytes.first(size);
  WEIR_CHECK(wire.back() == 0);
  CheckHashes(wire);
  const Name name = Name::FromWire(Lower(wire));
  WEIR_CHECK(name.IsWithin(Name()) && name.IsWithin(name));
  std::string text;
  weir::AppendDomainName(wire, text);
  const auto parsed = Name::Parse(text);
  WEIR_CHECK(parsed.has_value() && *parsed == name);
}

// Cuts the input into names: a byte says how long a label is and whether the name goes on behind it.
std::vector<Wire> NamesOf(Bytes bytes) {
  constexpr std::size_t kNamesMax = 100;
  std::vector<Wire> names(1);
  while (!bytes.empty() && names.size() < kNamesMax) {
    const std::size_t label = std::min<std::size_t>(bytes[0] & kLabelBytesMax, bytes.size() - 1);
    const bool ends = (bytes[0] & 0x80U) != 0;
    Wire& name = names.back();
    if (label > 0 && name.size() + label + 2 <= kNameBytesMax) {
      name.push_back(static_cast<std::uint8_t>(label));
      name.insert(name.end(), bytes.begin() + 1, bytes.begin() + 1 + static_cast<std::ptrdiff_t>(label));
    }
    bytes = bytes.subspan(1 + label);
    if (ends) names.emplace_back();
  }
  for (Wire& name : names) name.push_back(0);
  return names;
}

// Reads the name at `at`, whose pointers must lead backwards; moves `at` behind it.
Wire ReadName(Bytes message, std::size_t& at) {
  Wire name;
  std::size_t from = at;
  std::size_t lowest = at;
  bool jumped = false;
  for (;;) {
    WEIR_CHECK(from < message.size());
    const std::size_t length = message[from];
    if (length >= 0xC0) {
      WEIR_CHECK(from + 1 < message.size());
      if (!jumped) at = from + 2;
      jumped = true;
      from = (length & 0x3FU) << 8 | message[from + 1];
      WEIR_CHECK(from < lowest && from >= 12);
      lowest = from;
      continue;
    }
    WEIR_CHECK(length <= kLabelBytesMax && from + 1 + length <= message.size());
    name.insert(name.end(), message.begin() + static_cast<std::ptrdiff_t>(from),
                message.begin() + static_cast<std::ptrdiff_t>(from + 1 + length));
    WEIR_CHECK(name.size() <= kNameBytesMax);
    from += 1 + length;
    if (length == 0) break;
  }
  if (!jumped) at = from;
  return name;
}

// Each name is the owner of a CNAME whose target is the next one; the first is the question's.
void CheckCompression(const std::vector<Wire>& names, std::size_t buffer_bytes) {
  Wire buffer(buffer_bytes);
  MessageWriter writer(buffer, buffer.size());
  writer.PutHeader(1, 0);
  Wire question = names.front();
  question.insert(question.end(), {0, 5, 0, 1});
  HashedName name;
  name.Assign(names.front());
  if (!writer.PutQuestion(question, name)) return;
  std::size_t records = 0;
  for (; records < names.size(); ++records) {
    const MessageWriter::Owner owner = records == 0 ? writer.question_owner() : MessageWriter::Owner{names[records], 0};
    const Wire& target = names[(records + 1) % names.size()];
    if (!writer.PutRecord(weir::dns::Section::kAnswer, owner, weir::rr::kCname, 60, target)) break;
  }
  const Bytes message = Bytes(buffer).first(writer.Finish(0));
  std::size_t at = 12;
  WEIR_CHECK(ReadName(message, at) == names.front());
  at += 4;
  for (std::size_t i = 0; i < records; ++i) {
    WEIR_CHECK(Lower(ReadName(message, at)) == Lower(names[i]));
    WEIR_CHECK(at + 10 <= message.size());
    const std::size_t data_bytes = static_cast<std::size_t>(message[at + 8]) << 8 | message[at + 9];
    at += 10;
    const std::size_t begin = at;
    WEIR_CHECK(Lower(ReadName(message, at)) == Lower(names[(i + 1) % names.size()]));
    WEIR_CHECK(at - begin == data_bytes);
  }
  WEIR_CHECK(at == message.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes bytes(data, size);
  CheckText({reinterpret_cast<const char*>(data), size});
  CheckWire(bytes);
  const std::vector<Wire> names = NamesOf(bytes);
  for (const Wire& name : names) CheckWire(name);
  // A little buffer is full soon, a large one holds offsets that no pointer can reach.
  for (const std::size_t buffer_bytes : {512U, 65'535U}) CheckCompression(names, buffer_bytes);
  return 0;
}
