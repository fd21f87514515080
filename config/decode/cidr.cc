// CIDR collections and the records that are routed by them; spec: dns.md section 2.

#include "config/decode/decode.h"
#include "config/findings.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <map>
#include <string_view>
#include <utility>

namespace weir::config {
namespace {

constexpr std::size_t kCollectionNameMax = 64;
constexpr std::size_t kLocationNameMax = 16;
constexpr std::string_view kEveryOther = "*";

bool IsName(std::string_view text, std::size_t size_max, std::string_view more_characters) {
  const auto fits = [more_characters](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_' ||
           more_characters.contains(c);
  };
  return text.size() <= size_max && std::ranges::all_of(text, fits);
}

// An empty name is reported with those that stand twice.
void CheckCollectionName(const Fields& fields, Findings& findings) {
  const std::string name = fields.Text("name");
  if (IsName(name, kCollectionNameMax, {})) return;
  findings.AddError(fields.PositionOf("name"), fmt::format("{} is no name for a CIDR collection", Quoted(name)),
                    "1 to 64 letters, digits, - and _");
}

void CheckLocationName(const Fields& fields, Findings& findings) {
  const std::string name = fields.Text("name");
  if (name == kEveryOther) {
    findings.AddError(fields.PositionOf("name"), "a location `*` with blocks of its own",
                      "records name it without that, for the clients that no block holds");
  } else if (!IsName(name, kLocationNameMax, "*")) {
    findings.AddError(fields.PositionOf("name"), fmt::format("{} is no name for a location", Quoted(name)),
                      "1 to 16 letters, digits, -, _ and *");
  }
}

// Where each block of a collection was seen first.
struct Owner {
  std::size_t location = 0;
  Position position;
};
using Owners = std::map<CidrBlock, Owner>;

void DecodeBlocks(const Fields& fields, std::size_t location, CidrCollection& out, Owners& owners, Findings& findings) {
  CidrLocation& into = out.locations[location];
  CheckNotEmpty(fields, "cidrs", findings);
  into.blocks.reserve(fields.List("cidrs").size());
  for (const Node& item : fields.List("cidrs")) {
    const auto block = CidrBlock::Parse(item.text);
    if (!item.is_scalar() || !block) continue;
    const auto [first, fresh] = owners.emplace(*block, Owner{location, item.position});
    if (fresh) {
      into.blocks.push_back({*block, item.position});
      continue;
    }
    const auto& [owner, position] = first->second;
    findings.AddError(item.position,
                      owner == location ? fmt::format("block {} stands twice", block->ToString())
                                        : fmt::format("block {} belongs to location {} already", block->ToString(),
                                                      Quoted(out.locations[owner].name)),
                      fmt::format("a block has one location; the first is {}", LineText(position)));
  }
}

}  // namespace

CidrCollection DecodeCidrCollection(const Node& node, Decoding& decoding) {
  const Fields fields(node);
  CidrCollection out;
  out.position = fields.PositionOf("name");
  out.name = fields.Text("name");
  CheckCollectionName(fields, decoding.findings);
  CheckNotEmpty(fields, "locations", decoding.findings);
  const auto locations = fields.List("locations");
  NameTable names("location");
  names.Add(locations, decoding.findings);
  Owners owners;
  for (const Node& item : locations) {
    const Fields location(item);
    CheckLocationName(location, decoding.findings);
    out.locations.push_back({.name = location.Text("name"), .blocks = {}});
    DecodeBlocks(location, out.locations.size() - 1, out, owners, decoding.findings);
  }
  decoding.cidr_locations.push_back(std::move(names));
  return out;
}

std::optional<CidrRoute> DecodeCidrRoute(const Node& node, Decoding& decoding) {
  const Fields fields(node);
  const Node* const collection = fields.Scalar("collection");
  const Node* const location = fields.Scalar("location");
  if (collection == nullptr || location == nullptr) return std::nullopt;
  const auto index = decoding.cidr_collections.Resolve(*collection, decoding.findings);
  if (!index) return std::nullopt;
  if (location->text == kEveryOther) return CidrRoute{.collection = *index, .location = std::nullopt};
  const auto found = decoding.cidr_locations[*index].Resolve(*location, decoding.findings);
  if (!found) return std::nullopt;
  return CidrRoute{.collection = *index, .location = found};
}

}  // namespace weir::config
