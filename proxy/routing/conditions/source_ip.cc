#include "proxy/routing/conditions/kinds.h"
#include "proxy/routing/conditions/text_values.h"

#include <fmt/format.h>

#include <utility>

namespace weir::proxy {
namespace {

// Clients are compared as IPv4 when IPv4 is what they speak, so a mapped block means the IPv4 block.
CidrBlock Unmapped(const CidrBlock& block) {
  constexpr unsigned kMappedBits = 96;
  const IpAddress address = block.address().Unmapped();
  if (block.address().is_v4() || !address.is_v4() || block.prefix_bits() < kMappedBits) return block;
  return CidrBlock::Of(address, block.prefix_bits() - kMappedBits);
}

// The address of the TCP peer.
class SourceIp final : public CompiledCondition {
 public:
  explicit SourceIp(std::vector<CidrBlock> blocks) : blocks_(std::move(blocks)) {}

  bool Matches(const RequestFacts& facts) const override {
    const IpAddress address = facts.client.Unmapped();
    return std::ranges::any_of(blocks_, [&](const CidrBlock& block) { return block.Contains(address); });
  }
  std::string Explain(const RequestFacts& facts) const override {
    std::vector<std::string> words;
    for (const CidrBlock& block : blocks_) words.push_back(block.ToString());
    return fmt::format("{} is {} {}", facts.client.Unmapped().ToString(), Matches(facts) ? "in" : "not in",
                       AnyOf(words));
  }
  std::string label() const override { return "source-ip"; }

 private:
  std::vector<CidrBlock> blocks_;
};

}  // namespace

BuiltCondition BuildSourceIp(const config::Condition& condition, const std::string& /*path*/) {
  std::vector<CidrBlock> blocks;
  blocks.reserve(condition.blocks.size());
  for (const CidrBlock& block : condition.blocks) blocks.push_back(Unmapped(block));
  return std::make_shared<const SourceIp>(std::move(blocks));
}

}  // namespace weir::proxy
