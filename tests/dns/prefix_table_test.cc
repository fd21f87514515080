#include "dns/policy/prefix_table.h"

#include "base/ip_address.h"
#include "base/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace weir::dns {
namespace {

std::vector<CidrBlock> Blocks(const std::vector<std::string>& texts) {
  std::vector<CidrBlock> blocks;
  for (const auto& text : texts) blocks.push_back(CidrBlock::Parse(text).value());
  std::ranges::sort(blocks);
  return blocks;
}

// The blocks that hold the client, longest first.
std::string Chain(const PrefixTable& table, const std::vector<CidrBlock>& blocks, const CidrBlock& client) {
  std::string out;
  const auto place = table.Locate(client.address());
  auto block = table.Longest(client.address(), place, client.prefix_bits());
  for (; block != PrefixTable::kNoBlock; block = table.Shorter(block)) out += blocks[block].ToString() + " ";
  return out;
}

TEST(PrefixTableTest, TellsTheBlocksThatHoldAClientTheLongestFirst) {
  struct Row {
    const char* name;
    std::vector<std::string> blocks;
    const char* client;
    const char* chain;
    unsigned scope;
  };
  const std::vector<std::string> nested = {"10.0.0.0/8", "10.1.0.0/16", "10.1.2.0/24", "2001:db8::/32"};
  for (const Row& row : {
           Row{"nothing in the table", {}, "10.0.0.0/24", "", 0},
           Row{"outside", nested, "192.0.2.0/24", "", 1},
           Row{"outermost", nested, "10.9.0.0/24", "10.0.0.0/8 ", 13},
           Row{"innermost", nested, "10.1.2.0/24", "10.1.2.0/24 10.1.0.0/16 10.0.0.0/8 ", 24},
           Row{"shorter than the innermost", nested, "10.1.2.0/23", "10.1.0.0/16 10.0.0.0/8 ", 24},
           Row{"shorter than all", nested, "0.0.0.0/4", "", 5},
           Row{"IPv6", nested, "2001:db8:1::/48", "2001:db8::/32 ", 32},
           Row{"the whole of a family", {"0.0.0.0/0", "10.0.0.0/8"}, "192.0.2.1/32", "0.0.0.0/0 ", 1},
           Row{"only the whole of a family", {"0.0.0.0/0"}, "192.0.2.1/32", "0.0.0.0/0 ", 0},
           Row{"the other family's whole", {"0.0.0.0/0"}, "::/0", "", 1},
           Row{"the whole of IPv6", {"::/0", "ffff::/16"}, "2001::/16", "::/0 ", 1},
           Row{"first address", {"0.0.0.0/32"}, "0.0.0.0/32", "0.0.0.0/32 ", 32},
           Row{"last address", {"255.255.255.255/32"}, "255.255.255.255/32", "255.255.255.255/32 ", 32},
           Row{"last IPv6 address",
               {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128"},
               "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128",
               "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128 ",
               128},
           Row{"the end of the lower half", {"2001:db8::ffff:ffff:ffff:ffff/128"}, "2001:db8:0:1::/64", "", 64},
       }) {
    const auto blocks = Blocks(row.blocks);
    const PrefixTable table(blocks);
    const auto client = CidrBlock::Parse(row.client).value();
    EXPECT_EQ(Chain(table, blocks, client), row.chain) << row.name;
    EXPECT_EQ(table.ScopeBits(client.address(), table.Locate(client.address())), row.scope) << row.name;
  }
}

// ---- against brute force, in a small part of each family's space so that blocks nest and touch

IpAddress AddressIn(bool v4, std::uint64_t number) {
  if (v4) {
    return IpAddress::V4({10, 0, static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number)});
  }
  // Across the middle, where the halves of a number meet.
  std::array<std::uint8_t, 16> bytes{0x20, 0x01};
  bytes[7] = static_cast<std::uint8_t>(number >> 8);
  bytes[8] = static_cast<std::uint8_t>(number);
  return IpAddress::V6(bytes);
}

struct Space {
  bool v4;
  unsigned first_bits;  // of the 16 that vary
};

CidrBlock RandomBlock(Random& random, const Space& space, unsigned bits_min) {
  const auto bits = static_cast<unsigned>(bits_min + random.Below(17 - bits_min));
  return CidrBlock::Of(AddressIn(space.v4, random.Below(65'536)), space.first_bits + bits);
}

TEST(PrefixTableTest, AgreesWithBruteForce) {
  Random random(3);
  for (int round = 0; round < 15; ++round) {
    std::vector<CidrBlock> blocks;
    const std::array<Space, 2> spaces = {{{true, 16}, {false, 56}}};
    for (std::uint64_t i = random.Below(60); i > 0; --i) {
      blocks.push_back(RandomBlock(random, spaces[random.Below(2)], static_cast<unsigned>(random.Below(17))));
    }
    std::ranges::sort(blocks);
    blocks.erase(std::ranges::unique(blocks).begin(), blocks.end());
    const PrefixTable table(blocks);
    for (int i = 0; i < 100; ++i) {
      const CidrBlock client = RandomBlock(random, spaces[random.Below(2)], 8);
      std::string expected;
      for (auto block = blocks.rbegin(); block != blocks.rend(); ++block) {
        const bool holds = block->prefix_bits() <= client.prefix_bits() && block->Contains(client.address());
        if (holds) expected += block->ToString() + " ";
      }
      EXPECT_EQ(Chain(table, blocks, client), expected) << client.ToString();
    }
  }
}

// Every address of a scope has the same chain and the same scope: what a cache keeps for it is right for all of them.
TEST(PrefixTableTest, ScopesAreTheSameForEveryAddressInThem) {
  Random random(5);
  for (const Space& space : {Space{true, 16}, Space{false, 56}}) {
    for (int round = 0; round < 5; ++round) {
      std::vector<CidrBlock> blocks;
      for (int i = 0; i < 12; ++i) blocks.push_back(RandomBlock(random, space, 1));
      std::ranges::sort(blocks);
      blocks.erase(std::ranges::unique(blocks).begin(), blocks.end());
      const PrefixTable table(blocks);
      for (int i = 0; i < 30; ++i) {
        const IpAddress one = AddressIn(space.v4, random.Below(65'536));
        const unsigned scope = table.ScopeBits(one, table.Locate(one));
        const CidrBlock around = CidrBlock::Of(one, scope);
        for (const std::uint64_t number : {random.Below(65'536), random.Below(65'536), random.Below(65'536)}) {
          // Inside the scope: its own bits, then other ones.
          IpAddress other = AddressIn(space.v4, number);
          std::array<std::uint8_t, 16> bytes{};
          std::ranges::copy(other.bytes(), bytes.begin());
          for (unsigned bit = 0; bit < scope; ++bit) {
            const auto mask = static_cast<std::uint8_t>(0x80U >> (bit % 8));
            bytes[bit / 8] = static_cast<std::uint8_t>((bytes[bit / 8] & ~mask) | (one.bytes()[bit / 8] & mask));
          }
          other = space.v4 ? IpAddress::V4({bytes[0], bytes[1], bytes[2], bytes[3]}) : IpAddress::V6(bytes);
          ASSERT_TRUE(around.Contains(other));
          EXPECT_EQ(table.ScopeBits(other, table.Locate(other)), scope);
          const unsigned bits = space.v4 ? 32 : 128;
          EXPECT_EQ(Chain(table, blocks, CidrBlock::Of(other, bits)), Chain(table, blocks, CidrBlock::Of(one, bits)));
        }
      }
    }
  }
}

}  // namespace
}  // namespace weir::dns
