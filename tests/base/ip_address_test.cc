#include "base/ip_address.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace weir {
namespace {

struct AddressRow {
  const char* text;
  const char* printed;  // null: refused
};

class IpAddressParseTest : public ::testing::TestWithParam<AddressRow> {};

TEST_P(IpAddressParseTest, AcceptsOrRefuses) {
  const auto address = IpAddress::Parse(GetParam().text);
  ASSERT_EQ(address.has_value(), GetParam().printed != nullptr) << GetParam().text;
  if (address) {
    EXPECT_EQ(address->ToString(), GetParam().printed);
  } else {
    EXPECT_FALSE(address.error().hint.empty());
  }
}

// RFC 4291 section 2.2 (text), RFC 5952 section 4 (how it is printed).
INSTANTIATE_TEST_SUITE_P(Rfc4291AndRfc5952, IpAddressParseTest,
                         ::testing::Values(AddressRow{"192.0.2.1", "192.0.2.1"}, AddressRow{"0.0.0.0", "0.0.0.0"},
                                           AddressRow{"::", "::"}, AddressRow{"::1", "::1"},
                                           AddressRow{"2001:DB8:0:0:0:0:0:1", "2001:db8::1"},
                                           AddressRow{"2001:db8::0:1", "2001:db8::1"},
                                           AddressRow{"::ffff:192.0.2.1", "::ffff:192.0.2.1"}, AddressRow{"", nullptr},
                                           AddressRow{"192.0.2", nullptr}, AddressRow{"192.0.2.256", nullptr},
                                           AddressRow{"192.0.2.1 ", nullptr}, AddressRow{"[::1]", nullptr},
                                           AddressRow{"fe80::1%eth0", nullptr}, AddressRow{"::1::", nullptr},
                                           AddressRow{"localhost", nullptr}));

TEST(IpAddressTest, UnmapsMappedAddressesOnly) {
  EXPECT_EQ(IpAddress::Parse("::ffff:192.0.2.1")->Unmapped(), IpAddress::V4({192, 0, 2, 1}));
  EXPECT_EQ(IpAddress::Parse("2001:db8::1")->Unmapped(), *IpAddress::Parse("2001:db8::1"));
}

// RFC 4007 section 11. `lo` is the one interface that every system has, with index 1.
class ZonedAddressTest : public ::testing::TestWithParam<AddressRow> {};

TEST_P(ZonedAddressTest, AcceptsOrRefuses) {
  const auto address = IpAddress::ParseZoned(GetParam().text);
  ASSERT_EQ(address.has_value(), GetParam().printed != nullptr) << GetParam().text;
  if (address) {
    EXPECT_EQ(address->ToString(), GetParam().printed);
  } else {
    EXPECT_FALSE(address.error().hint.empty());
  }
}

INSTANTIATE_TEST_SUITE_P(Rfc4007, ZonedAddressTest,
                         ::testing::Values(AddressRow{"fe80::1%lo", "fe80::1%lo"},
                                           AddressRow{"fe80::1%1", "fe80::1%lo"},
                                           AddressRow{"febf:ffff::1%lo", "febf:ffff::1%lo"},
                                           AddressRow{"fe80::1%2147483647", "fe80::1%2147483647"},
                                           AddressRow{"fe80::1", "fe80::1"}, AddressRow{"192.0.2.1", "192.0.2.1"},
                                           AddressRow{"fe80::1%", nullptr}, AddressRow{"fe80::1%0", nullptr},
                                           AddressRow{"fe80::1%2147483648", nullptr},
                                           AddressRow{"fe80::1%no-such-interface", nullptr},
                                           AddressRow{"fe80::1%lo%lo", nullptr}, AddressRow{"::1%lo", nullptr},
                                           AddressRow{"2001:db8::1%lo", nullptr}, AddressRow{"fec0::1%lo", nullptr},
                                           AddressRow{"192.0.2.1%lo", nullptr}, AddressRow{"%lo", nullptr}));

TEST(AddressZoneTest, AddressesOfDifferentLinksAreDifferentAddresses) {
  const auto address = *IpAddress::Parse("fe80::1");
  EXPECT_NE(address.WithZone(1), address);
  EXPECT_NE(address.WithZone(1), address.WithZone(2));
  EXPECT_EQ(address.WithZone(1).WithZone(0), address);
  EXPECT_NE(std::hash<IpAddress>{}(address.WithZone(1)), std::hash<IpAddress>{}(address.WithZone(2)));
}

TEST(AddressZoneTest, AZoneIsNoPartOfANetwork) {
  EXPECT_FALSE(CidrBlock::Parse("fe80::1%lo/64"));
  EXPECT_FALSE(CidrBlock::Parse("fe80::%1/10"));
  EXPECT_TRUE(CidrBlock::Parse("fe80::/10")->Contains(IpAddress::Parse("fe80::1")->WithZone(1)));
}

TEST(IpAddressTest, KnowsLoopbackAndWildcards) {
  EXPECT_TRUE(IpAddress::V4({127, 3, 2, 1}).is_loopback());
  EXPECT_TRUE(IpAddress::Parse("::1")->is_loopback());
  EXPECT_FALSE(IpAddress::Parse("::2")->is_loopback());
  EXPECT_TRUE(IpAddress::AnyV6().is_wildcard());
  EXPECT_NE(IpAddress::AnyV6(), IpAddress::AnyV4());
}

TEST(EndpointTest, ParsesWhatItPrints) {
  for (const char* text : {"127.0.0.1:80", "[::1]:65535", "0.0.0.0:0", "[fe80::1%lo]:80"}) {
    const auto endpoint = Endpoint::Parse(text);
    ASSERT_TRUE(endpoint) << text;
    EXPECT_EQ(endpoint->ToString(), text);
  }
}

TEST(EndpointTest, RefusesWhatIsAmbiguous) {
  for (const char* text : {"", "127.0.0.1", "::1:80", "[127.0.0.1]:80", "127.0.0.1:65536", "127.0.0.1:", ":80",
                           "127.0.0.1:-1", "[::1:80", "[::1%lo]:80", "[fe80::1%]:80"}) {
    EXPECT_FALSE(Endpoint::Parse(text)) << text;
  }
}

TEST(EndpointTest, HashTellsNeighboursApart) {
  std::set<std::size_t> hashes;
  for (std::uint8_t host = 0; host < 100; ++host) {
    for (std::uint16_t port = 9000; port < 9100; ++port) {
      hashes.insert(std::hash<Endpoint>{}({IpAddress::V4({10, 0, 0, host}), port}));
    }
  }
  EXPECT_GT(hashes.size(), 9'990U);
}

struct CidrRow {
  const char* text;
  const char* printed;  // null: refused
  const char* hint;
};

class CidrBlockParseTest : public ::testing::TestWithParam<CidrRow> {};

TEST_P(CidrBlockParseTest, AcceptsOrRefuses) {
  const CidrRow& row = GetParam();
  const auto block = CidrBlock::Parse(row.text);
  ASSERT_EQ(block.has_value(), row.printed != nullptr) << row.text;
  if (block) {
    EXPECT_EQ(block->ToString(), row.printed);
  } else {
    EXPECT_EQ(block.error().hint, row.hint);
  }
}

constexpr const char* kExample = "write 10.0.0.0/8 or 2001:db8::/32";
INSTANTIATE_TEST_SUITE_P(
    Notation, CidrBlockParseTest,
    ::testing::Values(CidrRow{"10.0.0.0/8", "10.0.0.0/8", ""}, CidrRow{"::/0", "::/0", ""},
                      CidrRow{"192.0.2.7", "192.0.2.7/32", ""}, CidrRow{"2001:db8::/32", "2001:db8::/32", ""},
                      CidrRow{"10.1.2.3/8", nullptr, "write 10.0.0.0/8"}, CidrRow{"10.0.0.0/33", nullptr, kExample},
                      CidrRow{"10.0.0.0/", nullptr, kExample}, CidrRow{"::/129", nullptr, kExample}));

TEST(CidrBlockTest, ContainsByBitsAndNeverAcrossFamilies) {
  const CidrBlock block = *CidrBlock::Parse("192.0.2.128/25");
  EXPECT_TRUE(block.Contains(IpAddress::V4({192, 0, 2, 128})));
  EXPECT_TRUE(block.Contains(IpAddress::V4({192, 0, 2, 255})));
  EXPECT_FALSE(block.Contains(IpAddress::V4({192, 0, 2, 127})));
  EXPECT_FALSE(CidrBlock::Parse("0.0.0.0/0")->Contains(IpAddress::AnyV6()));
  EXPECT_TRUE(CidrBlock::Parse("::/0")->Contains(*IpAddress::Parse("ff::1")));
  EXPECT_TRUE(CidrBlock::Parse("2001:db8::1")->Contains(*IpAddress::Parse("2001:db8::1")));
}

}  // namespace
}  // namespace weir
