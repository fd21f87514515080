#pragma once

#include "config/model.h"
#include "proxy/routing/routing_table.h"
#include "proxy/routing/text_pattern.h"

#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace weir::proxy {

// One condition of a rule, ready to be asked. Its values are alternatives. Each kind is one file of conditions/, where
// matching and explaining stand together and ask the same patterns, so that they cannot disagree. Immutable. Thread:
// any (const). spec: alb.md 4.2.
class CompiledCondition {
 public:
  // What a matcher may look rules up by instead of asking their conditions one by one.
  enum class LookedUpBy : std::uint8_t { kNothing, kHost, kPath };

  // Fails with the place and the reason of every value that does not compile. `path` is where the condition stands in
  // the file, for the diagnostics.
  [[nodiscard]] static std::expected<std::shared_ptr<const CompiledCondition>, std::vector<config::Diagnostic>> Build(
      const config::Condition& condition, const std::string& path);

  virtual ~CompiledCondition() = default;
  CompiledCondition(const CompiledCondition&) = delete;
  CompiledCondition& operator=(const CompiledCondition&) = delete;

  // Allocates nothing.
  [[nodiscard]] virtual bool Matches(const RequestFacts& facts) const = 0;
  // Why the condition holds or fails, in words: `"/cart" does not match "/cart/*"`. Allocates.
  [[nodiscard]] virtual std::string Explain(const RequestFacts& facts) const = 0;
  // As the configuration spells it: `path-pattern`, `http-header X-Beta`.
  [[nodiscard]] virtual std::string label() const = 0;
  [[nodiscard]] virtual LookedUpBy looked_up_by() const { return LookedUpBy::kNothing; }
  // The values that a lookup compares; empty with kNothing.
  [[nodiscard]] virtual std::span<const TextPattern> lookup_patterns() const { return {}; }

 protected:
  CompiledCondition() = default;
};

// True when every condition holds: what makes a rule match.
[[nodiscard]] bool AllMatch(const Rule& rule, const RequestFacts& facts);

}  // namespace weir::proxy
