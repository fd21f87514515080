#include "net/proxy_protocol.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace weir::net {
namespace {

using std::string_literals::operator""s;
using Status = ProxyParse::Status;

const std::string kSignature = "\r\n\r\n\0\r\nQUIT\n"s;
const std::string kV4 = kSignature + "\x21\x11\x00\x0c\xc0\x00\x02\x01\xc6\x33\x64\x02\x30\x39\x01\xbb"s;

// A version 2 header with these bytes behind the fixed ones.
std::string Binary(char command, char family, const std::string& rest) {
  return kSignature + command + family + static_cast<char>(rest.size() >> 8) + static_cast<char>(rest.size()) + rest;
}

std::string Tlv(char type, const std::string& value) {
  return std::string(1, type) + static_cast<char>(value.size() >> 8) + static_cast<char>(value.size()) + value;
}

const std::string kV4Ends = kV4.substr(16);
const std::string kV6Ends = "\x20\x01\x0d\xb8"s + std::string(11, '\0') + "\x01"s + "\x20\x01\x0d\xb8"s +
                            std::string(11, '\0') + "\x02"s + "\x30\x39\x01\xbb"s;

TEST(ProxyProtocolTest, ReadsWhatTheSpecificationAllows) {
  struct Row {
    const char* name;
    std::string bytes;
    bool is_local;
    const char* source;
    const char* destination;
  };
  const std::vector<Row> rows = {
      {"version 1, IPv4 (2.1)", "PROXY TCP4 192.0.2.1 198.51.100.2 12345 443\r\n", false, "192.0.2.1:12345",
       "198.51.100.2:443"},
      {"version 1, IPv6 (2.1)", "PROXY TCP6 2001:db8::1 2001:db8::2 12345 443\r\n", false, "[2001:db8::1]:12345",
       "[2001:db8::2]:443"},
      {"version 1, the longest of IPv6 (2.1)",
       "PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
       false, "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535", "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535"},
      {"version 1, port 0", "PROXY TCP4 0.0.0.0 255.255.255.255 0 0\r\n", false, "0.0.0.0:0", "255.255.255.255:0"},
      {"version 1, nobody", "PROXY UNKNOWN\r\n", true, "", ""},
      {"version 1, nobody, and what is to be ignored (2.1)",
       "PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
       true, "", ""},
      {"version 2, IPv4 (2.2)", kV4, false, "192.0.2.1:12345", "198.51.100.2:443"},
      {"version 2, IPv6 (2.2)", Binary(0x21, 0x21, kV6Ends), false, "[2001:db8::1]:12345", "[2001:db8::2]:443"},
      {"version 2, LOCAL", Binary(0x20, 0x00, ""), true, "", ""},
      {"version 2, LOCAL, whose rest is to be ignored", Binary(0x20, 0x11, "what\x03 is this"), true, "", ""},
      {"version 2, unspecified", Binary(0x21, 0x00, ""), true, "", ""},
      {"version 2, unspecified, and something", Binary(0x21, 0x00, "something"), true, "", ""},
      {"version 2, UNIX", Binary(0x21, 0x31, std::string(216, 'u')), true, "", ""},
      {"version 2, additional fields (2.2.5)",
       Binary(0x21, 0x11, kV4Ends + Tlv(0x01, "h2") + Tlv(0x04, "") + Tlv('\xea', "\x01vpce-0123")), false,
       "192.0.2.1:12345", "198.51.100.2:443"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const ProxyParse parsed = ParseProxyHeader(row.bytes + "GET / HTTP/1.1\r\n");
    ASSERT_EQ(parsed.status, Status::kDone) << parsed.why;
    EXPECT_EQ(parsed.size, row.bytes.size());
    EXPECT_EQ(parsed.header.is_local, row.is_local);
    EXPECT_EQ(parsed.header.version, row.bytes[0] == 'P' ? ProxyVersion::kV1 : ProxyVersion::kV2);
    if (!row.is_local) {
      EXPECT_EQ(parsed.header.source.ToString(), row.source);
      EXPECT_EQ(parsed.header.destination.ToString(), row.destination);
    }
    // However it is cut.
    for (std::size_t size = 0; size < row.bytes.size(); ++size) {
      ASSERT_EQ(ParseProxyHeader(std::string_view(row.bytes).substr(0, size)).status, Status::kNeedMore) << size;
    }
  }
}

TEST(ProxyProtocolTest, RefusesWhatItDoesNotAllow) {
  struct Row {
    const char* name;
    std::string bytes;
    ProxyRefusal refusal = ProxyRefusal::kMalformed;
  };
  const std::vector<Row> rows = {
      {"HTTP", "GET / HTTP/1.1\r\n"},
      {"one byte of it", "G"},
      {"TLS", "\x16\x03\x01"},
      {"lower case", "proxy TCP4 192.0.2.1 198.51.100.2 1 2\r\n"},
      {"a tab", "PROXY\tTCP4 192.0.2.1 198.51.100.2 1 2\r\n"},
      {"two blanks", "PROXY  TCP4 192.0.2.1 198.51.100.2 1 2\r\n"},
      {"two blanks further on", "PROXY TCP4 192.0.2.1  198.51.100.2 1 2\r\n"},
      {"a blank at the end", "PROXY TCP4 192.0.2.1 198.51.100.2 1 2 \r\n"},
      {"a bare LF", "PROXY TCP4 192.0.2.1 198.51.100.2 1 2\n"},
      {"a bare CR", "PROXY TCP4 192.0.2.1 198.51.100.2 1 2\rx"},
      {"an empty line", "PROXY \r\n"},
      {"no addresses", "PROXY TCP4\r\n"},
      {"no ports", "PROXY TCP4 192.0.2.1 198.51.100.2\r\n"},
      {"one port", "PROXY TCP4 192.0.2.1 198.51.100.2 1\r\n"},
      {"three ports", "PROXY TCP4 192.0.2.1 198.51.100.2 1 2 3\r\n"},
      {"UDP", "PROXY UDP4 192.0.2.1 198.51.100.2 1 2\r\n"},
      {"UNKNOWN and more", "PROXY UNKNOWNS\r\n"},
      {"IPv6 in TCP4", "PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n"},
      {"IPv4 in TCP6", "PROXY TCP6 192.0.2.1 198.51.100.2 1 2\r\n"},
      {"a zone", "PROXY TCP6 fe80::1%1 fe80::2 1 2\r\n"},
      {"a name", "PROXY TCP4 localhost 198.51.100.2 1 2\r\n"},
      {"a leading zero in an address", "PROXY TCP4 192.0.2.01 198.51.100.2 1 2\r\n"},
      {"a leading zero in a port", "PROXY TCP4 192.0.2.1 198.51.100.2 01 2\r\n"},
      {"a port that is too large", "PROXY TCP4 192.0.2.1 198.51.100.2 65536 2\r\n"},
      {"a sign", "PROXY TCP4 192.0.2.1 198.51.100.2 +1 2\r\n"},
      {"a line without an end", "PROXY TCP4 " + std::string(96, '1'), ProxyRefusal::kTooLong},
      {"a line of 108 bytes", "PROXY UNKNOWN " + std::string(92, ' ') + "\r\n", ProxyRefusal::kTooLong},
      {"a signature that ends otherwise", kSignature.substr(0, 11) + "x"},
      {"version 1 in version 2's form", Binary(0x11, 0x11, kV4Ends)},
      {"version 3", kSignature + "\x31"},
      {"another command", kSignature + "\x22"},
      {"datagrams", Binary(0x21, 0x12, kV4Ends)},
      {"datagrams of UNIX", Binary(0x21, 0x32, std::string(216, 'u'))},
      {"an unknown family", Binary(0x21, 0x41, kV4Ends)},
      {"an unspecified transport", Binary(0x21, 0x10, kV4Ends)},
      {"IPv4 that is too short", Binary(0x21, 0x11, kV4Ends.substr(1))},
      {"IPv6 that is too short", Binary(0x21, 0x21, kV4Ends)},
      {"too long", kSignature + "\x21\x11\x0f\xf1"s, ProxyRefusal::kTooLong},
      {"a field without a length", Binary(0x21, 0x11, kV4Ends + "\x01\x00"s)},
      {"a field that is longer than the header", Binary(0x21, 0x11, kV4Ends + "\x01\x00\x02h"s)},
      {"a checksum that is wrong", Binary(0x21, 0x11, kV4Ends + Tlv(0x03, "\x01\x02\x03\x04")),
       ProxyRefusal::kChecksum},
      {"a checksum of two bytes", Binary(0x21, 0x11, kV4Ends + Tlv(0x03, "\x01\x02"))},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const ProxyParse parsed = ParseProxyHeader(row.bytes);
    EXPECT_EQ(parsed.status, Status::kRefused);
    EXPECT_EQ(parsed.refusal, row.refusal);
    EXPECT_FALSE(parsed.why.empty());
  }
}

std::string WithChecksum(const std::string& before, const std::string& after) {
  std::string header = Binary(0x21, 0x11, kV4Ends + before + Tlv(0x03, std::string(4, '\0')) + after);
  const std::uint32_t sum = Crc32c(header);
  const std::size_t at = 16 + kV4Ends.size() + before.size() + 3;
  for (std::size_t i = 0; i < 4; ++i) header[at + i] = static_cast<char>(sum >> (24 - 8 * i));
  return header;
}

TEST(ProxyProtocolTest, ChecksAChecksumWhereverItStands) {
  for (const std::string& header :
       {WithChecksum("", ""), WithChecksum(Tlv(0x02, "shop.example.test"), Tlv(0x04, "-"))}) {
    EXPECT_EQ(ParseProxyHeader(header).status, Status::kDone) << ParseProxyHeader(header).why;
    for (std::size_t i = 16; i < header.size(); ++i) {
      if (header.compare(i, 3, "\x03\x00\x04"s) == 0) continue;  // it would be another field then
      std::string broken = header;
      broken[i] = static_cast<char>(broken[i] ^ 0x01);
      EXPECT_NE(ParseProxyHeader(broken).status, Status::kDone) << i;
    }
  }
  EXPECT_EQ(ParseProxyHeader(WithChecksum("", Tlv(0x03, "abcd"))).status, Status::kRefused) << "a second one";
}

TEST(ProxyProtocolTest, SumsAsRfc9260Does) {
  EXPECT_EQ(Crc32c("123456789"), 0xe3069283U);
  EXPECT_EQ(Crc32c(""), 0U);
  EXPECT_EQ(Crc32c(std::string(32, '\0')), 0x8a9136aaU);  // RFC 3720 B.4
}

TEST(ProxyProtocolTest, ReadsWhatItWrites) {
  const std::vector<std::pair<const char*, const char*>> rows = {
      {"192.0.2.1:12345", "198.51.100.2:443"},
      {"[2001:db8::1]:1", "[2001:db8::2]:65535"},
  };
  for (const auto& [from, to] : rows) {
    for (const ProxyVersion version : {ProxyVersion::kV1, ProxyVersion::kV2}) {
      std::string out;
      AppendProxyHeader(out, version, *Endpoint::Parse(from), *Endpoint::Parse(to));
      const ProxyParse parsed = ParseProxyHeader(out);
      ASSERT_EQ(parsed.status, Status::kDone) << parsed.why;
      EXPECT_EQ(parsed.size, out.size());
      EXPECT_EQ(parsed.header.version, version);
      EXPECT_EQ(parsed.header.source.ToString(), from);
      EXPECT_EQ(parsed.header.destination.ToString(), to);
    }
  }
}

TEST(ProxyProtocolTest, WritesAsTheSpecificationShows) {
  const Endpoint client = *Endpoint::Parse("192.0.2.1:12345");
  const Endpoint mapped = *Endpoint::Parse("[::ffff:198.51.100.2]:443");
  std::string out;
  AppendProxyHeader(out, ProxyVersion::kV1, client, mapped);
  EXPECT_EQ(out, "PROXY TCP4 192.0.2.1 198.51.100.2 12345 443\r\n");
  out.clear();
  AppendProxyHeader(out, ProxyVersion::kV2, client, mapped);
  EXPECT_EQ(out, kV4);
}

TEST(ProxyProtocolTest, NamesNobodyWhereItCannotOrMayNot) {
  for (const ProxyVersion version : {ProxyVersion::kV1, ProxyVersion::kV2}) {
    std::string local;
    AppendLocalProxyHeader(local, version);
    EXPECT_TRUE(ParseProxyHeader(local).header.is_local);
    std::string mixed;
    AppendProxyHeader(mixed, version, *Endpoint::Parse("192.0.2.1:1"), *Endpoint::Parse("[2001:db8::2]:2"));
    EXPECT_EQ(mixed, local);
  }
}

}  // namespace
}  // namespace weir::net
