#include "net/proxy_protocol.h"

#include "base/text.h"

#include <algorithm>
#include <array>
#include <optional>

namespace weir::net {
namespace {

using Status = ProxyParse::Status;
using enum ProxyRefusal;

constexpr std::string_view kLineStart = "PROXY ";
constexpr std::string_view kSignature("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::size_t kFixedBytes = 16;  // of version 2: signature, version and command, family, length
constexpr std::size_t kV4Bytes = 12;
constexpr std::size_t kV6Bytes = 36;
constexpr std::size_t kUnixBytes = 216;
constexpr std::uint8_t kCrcType = 0x03;
constexpr std::size_t kCrcBytes = 4;
constexpr std::size_t kTlvHeadBytes = 3;

ProxyParse Refuse(ProxyRefusal refusal, std::string_view why) {
  return {.status = Status::kRefused, .size = 0, .header = {}, .refusal = refusal, .why = why};
}

std::uint8_t ByteAt(std::string_view bytes, std::size_t at) { return static_cast<std::uint8_t>(bytes[at]); }
std::uint16_t NumberAt(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint16_t>(ByteAt(bytes, at) << 8U | ByteAt(bytes, at + 1));
}

// ---- version 1

// The text up to the next blank; `line` is left behind it. The last one goes to the end.
std::string_view TakeWord(std::string_view& line) {
  const std::size_t blank = line.find(' ');
  const std::string_view word = line.substr(0, blank);
  line = blank == std::string_view::npos ? std::string_view() : line.substr(blank + 1);
  return word;
}

// "no leading zero is allowed" (section 2.1).
std::optional<std::uint16_t> ParsePort(std::string_view text) {
  if (text.size() > 5 || (text.size() > 1 && text.front() == '0')) return std::nullopt;
  const auto port = ParseDecimal(text);
  if (!port || *port > 65'535) return std::nullopt;
  return static_cast<std::uint16_t>(*port);
}

std::optional<IpAddress> ParseAddress(std::string_view text, IpFamily family) {
  const auto address = IpAddress::Parse(text);
  if (!address || address->family() != family) return std::nullopt;
  // Others read 010 as 8: where there are two readings there is none.
  if (family == IpFamily::kV4 && address->ToString() != text) return std::nullopt;
  return *address;
}

ProxyParse ParseLine(std::string_view bytes) {
  const std::size_t end = bytes.substr(0, kProxyLineBytesMax).find("\r\n");
  const bool is_whole = end != std::string_view::npos;
  if (!is_whole && bytes.size() >= kProxyLineBytesMax) return Refuse(kTooLong, "a line of more than 107 bytes");
  std::string_view text = bytes.substr(0, end);
  if (!is_whole && text.ends_with('\r')) text.remove_suffix(1);  // its end is on its way
  const bool is_text = std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
  if (!is_text) return Refuse(kMalformed, "a line that holds control characters");
  if (!is_whole) return {};
  std::string_view line = bytes.substr(kLineStart.size(), end - kLineStart.size());
  ProxyParse done{.status = Status::kDone, .size = end + 2, .header = {}, .refusal = {}, .why = {}};
  const std::string_view protocol = TakeWord(line);
  if (protocol == "UNKNOWN") {
    done.header.is_local = true;  // whatever follows it
    return done;
  }
  if (protocol != "TCP4" && protocol != "TCP6") return Refuse(kMalformed, "neither TCP4 nor TCP6 nor UNKNOWN");
  const IpFamily family = protocol == "TCP4" ? IpFamily::kV4 : IpFamily::kV6;
  const auto source = ParseAddress(TakeWord(line), family);
  const auto destination = ParseAddress(TakeWord(line), family);
  const auto source_port = ParsePort(TakeWord(line));
  const auto destination_port = ParsePort(line);
  if (!source || !destination) return Refuse(kMalformed, "an address that is none of the family");
  if (!source_port || !destination_port) return Refuse(kMalformed, "a port that is none");
  done.header.source = {*source, *source_port};
  done.header.destination = {*destination, *destination_port};
  return done;
}

// ---- version 2

// What the field `at` holds is taken for zeros while summing (section 2.2.5).
std::uint32_t SumWithoutField(std::string_view header, std::size_t at) {
  std::string copy(header);
  copy.replace(at, kCrcBytes, kCrcBytes, '\0');
  return Crc32c(copy);
}

// The additional fields that stand from `at` on, up to the end of `header`. False with `why` where one is wrong.
std::optional<ProxyParse> CheckFields(std::string_view header, std::size_t at) {
  std::size_t sum_at = 0;
  while (at < header.size()) {
    if (header.size() - at < kTlvHeadBytes) return Refuse(kMalformed, "an additional field without a length");
    const std::uint8_t type = ByteAt(header, at);
    const std::size_t size = NumberAt(header, at + 1);
    at += kTlvHeadBytes;
    if (header.size() - at < size) return Refuse(kMalformed, "an additional field that is longer than the header");
    if (type == kCrcType) {
      if (size != kCrcBytes || sum_at != 0) return Refuse(kMalformed, "a checksum that is none, or a second one");
      sum_at = at;
    }
    at += size;
  }
  if (sum_at == 0) return std::nullopt;
  const std::uint32_t said = static_cast<std::uint32_t>(NumberAt(header, sum_at)) << 16U | NumberAt(header, sum_at + 2);
  if (SumWithoutField(header, sum_at) != said) return Refuse(kChecksum, "a checksum that is wrong");
  return std::nullopt;
}

template <std::size_t Size>
std::array<std::uint8_t, Size> AddressAt(std::string_view header, std::size_t at) {
  std::array<std::uint8_t, Size> bytes{};
  for (std::size_t i = 0; i < Size; ++i) bytes[i] = ByteAt(header, at + i);
  return bytes;
}

ProxyParse ParseBinary(std::string_view bytes) {
  if (bytes.size() > 12 && ByteAt(bytes, 12) >> 4U != 2) return Refuse(kMalformed, "a version that is not 2");
  if (bytes.size() > 12 && (ByteAt(bytes, 12) & 0xfU) > 1) return Refuse(kMalformed, "neither LOCAL nor PROXY");
  if (bytes.size() < kFixedBytes) return {};
  const std::size_t size = kFixedBytes + NumberAt(bytes, 14);
  if (size > kProxyHeaderBytesMax) return Refuse(kTooLong, "a header of more than 4,096 bytes");
  const bool is_local = (ByteAt(bytes, 12) & 0xfU) == 0;
  const std::uint8_t family = ByteAt(bytes, 13);
  std::size_t addresses = 0;
  if (!is_local) {  // where nothing else counts (section 2.2)
    if (family == 0x11) {
      addresses = kV4Bytes;
    } else if (family == 0x21) {
      addresses = kV6Bytes;
    } else if (family == 0x31) {
      addresses = kUnixBytes;
    } else if (family != 0x00) {
      return Refuse(kMalformed, "a family that is no stream's");
    }
    if (size - kFixedBytes < addresses) return Refuse(kMalformed, "shorter than its addresses");
  }
  if (bytes.size() < size) return {};
  const std::string_view header = bytes.substr(0, size);
  ProxyParse done{.status = Status::kDone, .size = size, .header = {}, .refusal = {}, .why = {}};
  done.header.version = ProxyVersion::kV2;
  done.header.is_local = is_local || (family != 0x11 && family != 0x21);
  if (is_local) return done;
  // What follows an unspecified family may be addresses that nobody knows.
  if (family != 0x00) {
    if (const auto wrong = CheckFields(header, kFixedBytes + addresses)) return *wrong;
  }
  if (family == 0x11) {
    done.header.source = {IpAddress::V4(AddressAt<4>(header, 16)), NumberAt(header, 24)};
    done.header.destination = {IpAddress::V4(AddressAt<4>(header, 20)), NumberAt(header, 26)};
  } else if (family == 0x21) {
    done.header.source = {IpAddress::V6(AddressAt<16>(header, 16)), NumberAt(header, 48)};
    done.header.destination = {IpAddress::V6(AddressAt<16>(header, 32)), NumberAt(header, 50)};
  }
  return done;
}

// ---- writing

void AppendNumber(std::string& out, std::size_t number) {
  out += static_cast<char>(number >> 8U & 0xffU);
  out += static_cast<char>(number & 0xffU);
}

void AppendBinary(std::string& out, const Endpoint& source, const Endpoint& destination) {
  const bool is_v4 = source.address.is_v4();
  out += kSignature;
  out += '\x21';
  out += is_v4 ? '\x11' : '\x21';
  AppendNumber(out, is_v4 ? kV4Bytes : kV6Bytes);
  for (const Endpoint* const end : {&source, &destination}) {
    for (const std::uint8_t byte : end->address.bytes()) out += static_cast<char>(byte);
  }
  AppendNumber(out, source.port);
  AppendNumber(out, destination.port);
}

void AppendLine(std::string& out, const Endpoint& source, const Endpoint& destination) {
  out += kLineStart;
  out += source.address.is_v4() ? "TCP4 " : "TCP6 ";
  source.address.AppendTo(out);
  out += ' ';
  destination.address.AppendTo(out);
  out += ' ';
  AppendDecimal(out, source.port);
  out += ' ';
  AppendDecimal(out, destination.port);
  out += "\r\n";
}

constexpr std::array<std::uint32_t, 256> MakeCrcTable() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < table.size(); ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value & 1U) != 0 ? value >> 1U ^ 0x82f63b78U : value >> 1U;
    table[i] = value;
  }
  return table;
}

}  // namespace

ProxyParse ParseProxyHeader(std::string_view bytes) {
  const auto begins_with = [bytes](std::string_view start) {
    const std::size_t size = std::min(bytes.size(), start.size());
    return bytes.substr(0, size) == start.substr(0, size);
  };
  if (begins_with(kLineStart)) return bytes.size() < kLineStart.size() ? ProxyParse{} : ParseLine(bytes);
  if (begins_with(kSignature)) return ParseBinary(bytes);
  return Refuse(kMalformed, "no PROXY header");
}

void AppendProxyHeader(std::string& out, ProxyVersion version, const Endpoint& source, const Endpoint& destination) {
  const Endpoint from{source.address.Unmapped().WithZone(0), source.port};
  const Endpoint to{destination.address.Unmapped().WithZone(0), destination.port};
  if (from.address.family() != to.address.family()) return AppendLocalProxyHeader(out, version);
  if (version == ProxyVersion::kV1) {
    AppendLine(out, from, to);
  } else {
    AppendBinary(out, from, to);
  }
}

void AppendLocalProxyHeader(std::string& out, ProxyVersion version) {
  if (version == ProxyVersion::kV1) {
    out += kLineStart;
    out += "UNKNOWN\r\n";
    return;
  }
  out += kSignature;
  out += '\x20';
  out.append(3, '\0');  // unspecified, without addresses
}

std::uint32_t Crc32c(std::string_view bytes) {
  static constexpr std::array<std::uint32_t, 256> kTable = MakeCrcTable();
  std::uint32_t sum = 0xffffffffU;
  for (const char c : bytes) sum = sum >> 8U ^ kTable[(sum ^ static_cast<std::uint8_t>(c)) & 0xffU];
  return ~sum;
}

}  // namespace weir::net
