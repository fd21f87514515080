#pragma once

#include "config/model.h"
#include "proxy/routing/routing_table.h"
#include "proxy/routing/text_pattern.h"

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir::proxy {

enum class ConditionField : std::uint8_t {
  kHostHeader,
  kPathPattern,
  kHttpHeader,
  kHttpRequestMethod,
  kQueryString,
  kSourceIp,
};
// `path-pattern`, as the configuration spells it.
[[nodiscard]] std::string_view ToString(ConditionField field);

struct QueryPairPattern {
  std::optional<TextPattern> key;
  TextPattern value;
};

// One condition of a rule, ready to be asked. Its values are alternatives. Matching and explaining ask the same
// patterns, so they cannot disagree. Immutable. Thread: any (const). spec: alb.md 4.2.
class CompiledCondition {
 public:
  // Fails with the place and the reason of every value that does not compile. `path` is where the condition stands in
  // the file, for the diagnostics.
  [[nodiscard]] static std::expected<std::shared_ptr<const CompiledCondition>, std::vector<config::Diagnostic>> Build(
      const config::Condition& condition, const std::string& path);

  [[nodiscard]] bool Matches(const RequestFacts& facts) const;
  // Why the condition holds or fails, in words: `"/cart" does not match "/cart/*"`. Allocates.
  [[nodiscard]] std::string Explain(const RequestFacts& facts) const;

  [[nodiscard]] ConditionField field() const { return field_; }
  // `path-pattern`, `http-header X-Beta`.
  [[nodiscard]] std::string label() const;
  // Host, path and header values; empty for the rest.
  [[nodiscard]] std::span<const TextPattern> patterns() const { return patterns_; }

 private:
  struct Token {};  // makes the constructor nobody else's, and make_shared's all the same

 public:
  explicit CompiledCondition(Token /*unused*/) {}

 private:
  [[nodiscard]] std::vector<config::Diagnostic> AddTexts(const std::vector<config::LocatedText>& values,
                                                         const std::vector<config::LocatedText>& regex_values,
                                                         CaseRule case_rule, const std::string& path);
  [[nodiscard]] std::string Compared(const RequestFacts& facts) const;
  [[nodiscard]] std::string Wanted() const;

  // What most conditions have not, apart from them: there may be tens of thousands.
  struct Others {
    std::string header_name;  // as the file spells it; http-header only
    std::vector<std::string> methods;
    std::vector<QueryPairPattern> pairs;
    std::vector<CidrBlock> blocks;
  };
  [[nodiscard]] const Others& others() const;

  ConditionField field_ = ConditionField::kHostHeader;
  std::vector<TextPattern> patterns_;
  std::unique_ptr<Others> others_;  // null for host-header and path-pattern
};

// True when every condition holds: what makes a rule match.
[[nodiscard]] bool AllMatch(const Rule& rule, const RequestFacts& facts);

}  // namespace weir::proxy
