#include "bench/load/dns/response.h"

#include "base/ip_address.h"
#include "dns/wire/types.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <optional>

namespace weir::bench {
namespace {

constexpr std::size_t kHeaderBytes = 12;
constexpr std::size_t kRecordFixedBytes = 10;  // type, class, TTL, length
constexpr std::size_t kPointersMax = 64;       // followed in one name; a name has at most 127 labels
constexpr std::size_t kTextBytesMax = 80;

std::uint16_t ReadU16(std::span<const std::uint8_t> bytes, std::size_t at) {
  return static_cast<std::uint16_t>(bytes[at] << 8 | bytes[at + 1]);
}

// Where the name at `at` ends in place (a pointer ends it); 0 when it is cut off or broken.
std::size_t SkipName(std::span<const std::uint8_t> message, std::size_t at) {
  const std::size_t limit = std::min(message.size(), at + dns::kNameBytesMax);
  while (at < limit) {
    const std::uint8_t length = message[at];
    if (length == 0) return at + 1;
    if (length >= 0xC0) return at + 2 <= message.size() ? at + 2 : 0;
    if (length > dns::kLabelBytesMax) return 0;
    at += 1U + length;
  }
  return 0;
}

// Writes the name at `at` in full; returns its size, 0 when it is broken. Pointers must lead backwards.
std::size_t ExpandName(std::span<const std::uint8_t> message, std::size_t at, std::span<std::uint8_t> out) {
  std::size_t size = 0;
  std::size_t pointers = 0;
  while (at < message.size()) {
    const std::uint8_t length = message[at];
    if (length >= 0xC0) {
      if (at + 2 > message.size() || ++pointers > kPointersMax) return 0;
      const std::size_t target = ReadU16(message, at) & 0x3FFFU;
      if (target >= at) return 0;
      at = target;
      continue;
    }
    if (length > dns::kLabelBytesMax || at + 1U + length > message.size() || size + 1U + length > out.size()) return 0;
    std::memcpy(out.data() + size, message.data() + at, 1U + length);
    size += 1U + length;
    at += 1U + length;
    if (length == 0) return size;
  }
  return 0;
}

// Octets in front of the one compressible name that the data of a type is; absent for every other type.
std::optional<std::size_t> BytesBeforeName(std::uint16_t type) {
  switch (type) {
    case rr::kNs:
    case rr::kCname:
    case rr::kPtr:
      return 0;
    case rr::kMx:
      return 2;
    default:
      return std::nullopt;
  }
}

std::string Generic(std::span<const std::uint8_t> rdata) {
  std::string text = "\\# " + std::to_string(rdata.size());
  if (!rdata.empty()) text += ' ';
  for (const std::uint8_t byte : rdata.first(std::min(rdata.size(), kTextBytesMax / 2))) {
    std::array<char, 3> hex{};
    std::snprintf(hex.data(), hex.size(), "%02X", byte);
    text += hex.data();
  }
  return text;
}

std::optional<std::string> CharacterStrings(std::span<const std::uint8_t> rdata) {
  std::string text;
  for (std::size_t at = 0; at < rdata.size(); at += 1U + rdata[at]) {
    if (at + 1U + rdata[at] > rdata.size()) return std::nullopt;
    text += text.empty() ? "\"" : " \"";
    for (const std::uint8_t byte : rdata.subspan(at + 1, rdata[at])) {
      text += byte >= 0x20 && byte < 0x7F ? static_cast<char>(byte) : '?';
    }
    text += '"';
  }
  return text;
}

std::optional<std::string> NameText(std::span<const std::uint8_t> wire) {
  if (dns::NameBytes(wire) != wire.size()) return std::nullopt;
  std::string text;
  AppendDomainName(wire, text);
  return text;
}

std::optional<std::string> TypedText(std::uint16_t type, std::span<const std::uint8_t> rdata) {
  switch (type) {
    case rr::kA:
      if (rdata.size() != 4) return std::nullopt;
      return IpAddress::V4({rdata[0], rdata[1], rdata[2], rdata[3]}).ToString();
    case rr::kAaaa: {
      std::array<std::uint8_t, 16> bytes{};
      if (rdata.size() != bytes.size()) return std::nullopt;
      std::ranges::copy(rdata, bytes.begin());
      return IpAddress::V6(bytes).ToString();
    }
    case rr::kNs:
    case rr::kCname:
    case rr::kPtr:
      return NameText(rdata);
    case rr::kMx: {
      if (rdata.size() < 3) return std::nullopt;
      const auto name = NameText(rdata.subspan(2));
      if (!name) return std::nullopt;
      return std::to_string(ReadU16(rdata, 0)) + " " + *name;
    }
    case rr::kTxt:
      return CharacterStrings(rdata);
    default:
      return std::nullopt;
  }
}

// The header and the question; the offset of the first record, or 0 when broken.
std::size_t ReadHead(std::span<const std::uint8_t> message, Response& response) {
  if (message.size() < kHeaderBytes || (message[2] & 0x80U) == 0) return 0;
  response.rcode = message[3] & 0x0FU;
  response.truncated = (message[2] & 0x02U) != 0;
  const std::uint16_t questions = ReadU16(message, 4);
  if (questions == 0) return kHeaderBytes;
  const std::size_t end = SkipName(message, kHeaderBytes);
  if (questions != 1 || end == 0 || end + 4 > message.size()) return 0;
  response.question = message.subspan(kHeaderBytes, end + 4 - kHeaderBytes);
  return end + 4;
}

}  // namespace

bool ReadResponse(std::span<const std::uint8_t> message, std::uint16_t type, Response& response) {
  response = {};
  std::size_t at = ReadHead(message, response);
  if (at == 0) return false;
  const std::size_t answers = ReadU16(message, 6);
  const std::size_t records = answers + ReadU16(message, 8) + ReadU16(message, 10);
  for (std::size_t i = 0; i < records; ++i) {
    at = SkipName(message, at);
    if (at == 0 || at + kRecordFixedBytes > message.size()) return false;
    const std::uint16_t record_type = ReadU16(message, at);
    const std::size_t bytes = ReadU16(message, at + 8);
    if (record_type == rr::kOpt && i >= answers) {
      response.rcode = static_cast<std::uint16_t>(response.rcode | message[at + 4] << 4);
    }
    at += kRecordFixedBytes;
    if (bytes > message.size() - at) return false;
    if (i < answers && (response.value_type == 0 || (response.value_type != type && record_type == type))) {
      response.value_type = record_type;
      response.value_offset = at;
      response.value_bytes = bytes;
    }
    at += bytes;
  }
  return at == message.size();
}

bool PlainRdata::Assign(std::span<const std::uint8_t> message, std::uint16_t type, std::size_t offset,
                        std::size_t bytes) {
  view_ = message.subspan(offset, bytes);
  const auto before = BytesBeforeName(type);
  if (!before) return true;
  if (bytes <= *before || SkipName(message, offset + *before) != offset + bytes) return false;
  std::ranges::copy(view_.first(*before), expanded_.begin());
  const std::size_t size = ExpandName(message, offset + *before, std::span(expanded_).subspan(*before));
  view_ = std::span(expanded_).first(*before + size);
  return size != 0;
}

std::string ValueText(std::uint16_t type, std::span<const std::uint8_t> rdata) {
  auto text = TypedText(type, rdata).value_or(Generic(rdata));
  if (text.size() > kTextBytesMax) text = text.substr(0, kTextBytesMax - 3) + "...";
  return text;
}

}  // namespace weir::bench
