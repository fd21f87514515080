#pragma once

#include "proxy/routing/routing_table.h"
#include "proxy/routing/text_index.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace weir::proxy {

// The rules of one listener compiled to host -> path -> the few rules that may match. Rules are asked in the order of
// priority inside a list, and a list is left as soon as a better rule is known, so the cost depends on the candidates
// and hardly on the number of rules. Immutable. Thread: any (const).
class RuleMatcher {
 public:
  // `rules` by priority, the default rule last. The matcher keeps pointers to their conditions, which the rules share.
  explicit RuleMatcher(std::span<const Rule> rules);
  ~RuleMatcher();
  RuleMatcher(const RuleMatcher&) = delete;
  RuleMatcher& operator=(const RuleMatcher&) = delete;

  // The index of the first rule whose conditions all hold. `rules` are those it was built from.
  [[nodiscard]] std::size_t Match(std::span<const Rule> rules, const RequestFacts& facts) const;

 private:
  struct HostGroup;  // the rules of one host pattern

  TextIndex hosts_;
  std::vector<HostGroup> groups_;
};

}  // namespace weir::proxy
