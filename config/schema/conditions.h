#pragma once

// The kinds of conditions as data: how each is written, compared and checked, one row a kind. Decoding, the warnings of
// rules that nothing reaches and those of what AWS would refuse read these rows; a kind that has one needs nothing else
// of config/. What a condition does with a request is its file in proxy/routing/conditions/.

#include "config/model.h"
#include "config/schema/schema.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace weir::config {

class Findings;

// How the values of a kind are written, and with it which members of Condition it has.
enum class ConditionForm : std::uint8_t {
  kTexts,          // [TEXT, ...]: values
  kPatterns,       // [PATTERN, ...], {values: [PATTERN, ...]} or {regex-values: [REGEX, ...]}: values, regex_values
  kNamedPatterns,  // {name: NAME, values: [PATTERN, ...]} or {name: NAME, regex-values: [REGEX, ...]}: name as well
  kPairs,          // [{key: PATTERN, value: PATTERN}, ...]: pairs
  kBlocks,         // [ADDRESS/BITS, ...]: blocks
};

// When two texts of a request and of a condition are the same.
enum class Comparison : std::uint8_t {
  kExact,           // no wildcards; case counts
  kCaseCounts,      // wildcards
  kCaseIgnored,     // wildcards
  kEscapedIgnored,  // wildcards that a backslash makes literal; case does not count
};

// Reports a value that is none of its kind, or that nothing can match.
using ValueCheck = void (*)(const LocatedText& value, Findings& findings);

// What AWS has against one value: what it is, and what would be right.
struct AwsObjection {
  std::string what;
  std::string limit;
};
using AwsValueCheck = std::optional<AwsObjection> (*)(std::string_view value);

struct ConditionRow {
  ConditionKind kind = ConditionKind::kHostHeader;
  ConditionForm form = ConditionForm::kTexts;
  Field field;  // its key among those of a condition
  Comparison comparison = Comparison::kExact;
  Comparison name_comparison = Comparison::kExact;  // with names: kExact or kCaseIgnored
  std::string_view title = {};                      // with names: the condition in messages, with its article
  std::string_view name_noun = {};  // with names: what the name is; it has to be a token (RFC 9110 5.6.2)
  bool takes_empty = false;         // an empty value can match, or `check_value` reports it
  bool percent_encoded = false;     // values are compared with percent-encodings in their normal form
  bool is_filed = false;  // many rules tell themselves apart by it: the reachability check looks them up by its values
  ValueCheck check_value = nullptr;  // of values; with pairs of their values
  ValueCheck check_key = nullptr;    // with pairs
  ValueCheck check_regex = nullptr;

  // spec: alb.md 4.1 and 4.2.
  std::size_t aws_values_max = 3;
  bool aws_repeatable = false;              // may stand more than once in a rule
  std::string_view aws_value_noun = {};     // values under this name have at most 128 characters; empty: no such limit
  std::string_view aws_key_noun = {};       // the same of the keys of pairs
  AwsValueCheck aws_check_value = nullptr;  // with pairs of their values
  AwsValueCheck aws_check_key = nullptr;
  AwsValueCheck aws_check_name = nullptr;
};

// In the order of ConditionKind.
extern const std::span<const ConditionRow> kConditionRows;
[[nodiscard]] const ConditionRow& RowOf(ConditionKind kind);
// The table of the schema that is made from the rows.
extern const Object kConditionObject;

}  // namespace weir::config
