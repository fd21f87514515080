#include "tests/support/geo_database_writer.h"

#include "base/ip_address.h"

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string_view>

namespace weir::testing {
namespace {

constexpr std::size_t kSeparatorBytes = 16;
constexpr unsigned kV4PrefixBits = 96;
constexpr std::uint32_t kNowhere = 0xffffffff;

// Types of the data section.
enum class Type : std::uint8_t { kText = 2, kDouble = 3, kU16 = 5, kU32 = 6, kMap = 7, kU64 = 9, kList = 11 };

void PutControl(std::string& out, Type type, std::size_t size) {
  const auto number = static_cast<unsigned>(type);
  out += static_cast<char>((number <= 7 ? number << 5 : 0U) | static_cast<unsigned>(size));
  if (number > 7) out += static_cast<char>(number - 7);
}

void PutBytes(std::string& out, std::uint64_t number, std::size_t bytes) {
  for (std::size_t i = bytes; i > 0; --i) out += static_cast<char>(number >> (8 * (i - 1)));
}

void PutText(std::string& out, std::string_view text) {
  PutControl(out, Type::kText, text.size());
  out += text;
}

void PutNumber(std::string& out, Type type, std::uint64_t number, std::size_t bytes) {
  PutControl(out, type, bytes);
  PutBytes(out, number, bytes);
}

void PutCode(std::string& out, std::string_view of, std::string_view key, std::string_view code) {
  PutText(out, of);
  PutControl(out, Type::kMap, 1);
  PutText(out, key);
  PutText(out, code);
}

void PutDegrees(std::string& out, std::string_view key, double degrees) {
  PutText(out, key);
  PutControl(out, Type::kDouble, 8);
  PutBytes(out, std::bit_cast<std::uint64_t>(degrees), 8);
}

std::string DataOf(const GeoNetwork& network) {
  std::string out;
  const std::size_t keys = (network.continent.empty() ? 0U : 1U) + (network.country.empty() ? 0U : 1U) +
                           (network.subdivision.empty() ? 0U : 1U) + (network.place ? 1U : 0U);
  PutControl(out, Type::kMap, keys);
  if (!network.continent.empty()) PutCode(out, "continent", "code", network.continent);
  if (!network.country.empty()) PutCode(out, "country", "iso_code", network.country);
  if (network.place) {
    PutText(out, "location");
    PutControl(out, Type::kMap, 2);
    PutDegrees(out, "latitude", network.place->first);
    PutDegrees(out, "longitude", network.place->second);
  }
  if (!network.subdivision.empty()) {
    PutText(out, "subdivisions");
    PutControl(out, Type::kList, 1);
    PutControl(out, Type::kMap, 1);
    PutText(out, "iso_code");
    PutText(out, network.subdivision);
  }
  return out;
}

// The search tree: two children a node; a child is a node, a place in the data section, or nothing.
class Tree {
 public:
  Tree() : nodes_(1, {kNowhere, kNowhere}), is_data_(1, {false, false}) {}

  void Add(const CidrBlock& block, std::uint32_t data) {
    std::array<std::uint8_t, 16> bytes{};
    const auto address = block.address().bytes();
    const std::size_t first = bytes.size() - address.size();
    for (std::size_t i = 0; i < address.size(); ++i) bytes[first + i] = address[i];
    const unsigned bits = block.prefix_bits() + (block.address().is_v4() ? kV4PrefixBits : 0);
    if (bits == 0) throw std::invalid_argument("a block of all addresses");
    std::uint32_t at = 0;
    for (unsigned i = 0; i < bits; ++i) {
      const std::size_t side = (unsigned{bytes[i / 8]} >> (7 - i % 8)) & 1U;
      if (i + 1 == bits) {
        nodes_[at][side] = data;
        is_data_[at][side] = true;
      } else {
        if (nodes_[at][side] == kNowhere) {
          const auto fresh = static_cast<std::uint32_t>(nodes_.size());
          nodes_.push_back({kNowhere, kNowhere});
          is_data_.push_back({false, false});
          nodes_[at][side] = fresh;
        }
        at = nodes_[at][side];
      }
    }
  }

  [[nodiscard]] std::size_t size() const { return nodes_.size(); }
  void Write(std::string& out) const {
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      for (std::size_t side = 0; side < 2; ++side) {
        std::uint64_t value = nodes_[i][side];
        if (value == kNowhere) {
          value = nodes_.size();
        } else if (is_data_[i][side]) {
          value += nodes_.size() + kSeparatorBytes;
        }
        PutBytes(out, value, 4);
      }
    }
  }

 private:
  std::vector<std::array<std::uint32_t, 2>> nodes_;
  std::vector<std::array<bool, 2>> is_data_;
};

}  // namespace

std::string WriteGeoDatabase(const std::vector<GeoNetwork>& networks) {
  Tree tree;
  std::string data;
  for (const GeoNetwork& network : networks) {
    const auto block = CidrBlock::Parse(network.block);
    if (!block) throw std::invalid_argument(network.block);
    tree.Add(*block, static_cast<std::uint32_t>(data.size()));
    data += DataOf(network);
  }
  std::string out;
  tree.Write(out);
  out.append(kSeparatorBytes, '\0');
  out += data;
  out += "\xab\xcd\xefMaxMind.com";
  PutControl(out, Type::kMap, 9);
  PutText(out, "node_count");
  PutNumber(out, Type::kU32, tree.size(), 4);
  PutText(out, "record_size");
  PutNumber(out, Type::kU16, 32, 2);
  PutText(out, "ip_version");
  PutNumber(out, Type::kU16, 6, 2);
  PutText(out, "database_type");
  PutText(out, "Test-City");
  PutText(out, "binary_format_major_version");
  PutNumber(out, Type::kU16, 2, 2);
  PutText(out, "binary_format_minor_version");
  PutNumber(out, Type::kU16, 0, 2);
  PutText(out, "languages");
  PutControl(out, Type::kList, 1);
  PutText(out, "en");
  PutText(out, "description");
  PutControl(out, Type::kMap, 1);
  PutText(out, "en");
  PutText(out, "networks of a test");
  PutText(out, "build_epoch");
  PutNumber(out, Type::kU64, 1, 8);
  return out;
}

}  // namespace weir::testing
