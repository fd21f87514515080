#include "config/schema/conditions.h"

#include "config/schema/aws_values.h"
#include "config/schema/value_checks.h"

#include <algorithm>
#include <array>
#include <utility>

namespace weir::config {
namespace {

using enum FieldType;

constexpr auto kPatternFields = std::to_array<Field>({
    {.key = "values",
     .arity = Arity::kList,
     .doc = "Patterns with the wildcards `*` (any text) and `?` (one character)."},
    {.key = "regex-values", .arity = Arity::kList, .doc = "Regular expressions (RE2)."},
});
constexpr Object kPatternObject{
    .name = "patterns", .doc = "Wildcard patterns or regular expressions.", .fields = kPatternFields, .single = true};

constexpr auto kHttpHeaderFields = std::to_array<Field>({
    {.key = "name", .required = true, .doc = "The field's name, in any case."},
    {.key = "values", .arity = Arity::kList, .doc = "Patterns with the wildcards `*` and `?`; case does not count."},
    {.key = "regex-values", .arity = Arity::kList, .doc = "Regular expressions (RE2), instead of `values`."},
});
constexpr Object kHttpHeaderObject{
    .name = "http-header", .doc = "A condition on a request header field.", .fields = kHttpHeaderFields};

constexpr auto kQueryPairFields = std::to_array<Field>({
    {.key = "key", .doc = "Pattern of the parameter's name; absent: any parameter."},
    {.key = "value", .required = true, .doc = "Pattern of its value; `\\*` and `\\?` are literal."},
});
constexpr Object kQueryPairObject{
    .name = "query-pair", .doc = "One alternative of a `query-string` condition.", .fields = kQueryPairFields};

constexpr auto kRows = std::to_array<ConditionRow>({
    {.kind = ConditionKind::kHostHeader,
     .form = ConditionForm::kPatterns,
     .field = {.key = "host-header",
               .arity = Arity::kListOrObject,
               .object = &kPatternObject,
               .doc = "The request's host without port; case does not count."},
     .comparison = Comparison::kCaseIgnored,
     .is_filed = true,
     .check_value = CheckHostPattern,
     .check_regex = CheckHostRegex,
     .aws_value_noun = "host-header",
     .aws_check_value = AwsHost},
    {.kind = ConditionKind::kPathPattern,
     .form = ConditionForm::kPatterns,
     .field = {.key = "path-pattern",
               .arity = Arity::kListOrObject,
               .object = &kPatternObject,
               .doc = "The normalised path, without the query; case counts."},
     .comparison = Comparison::kCaseCounts,
     .percent_encoded = true,
     .is_filed = true,
     .check_value = CheckPathPattern,
     .check_regex = CheckPathRegex,
     .aws_value_noun = "path-pattern",
     .aws_check_value = AwsPath},
    {.kind = ConditionKind::kHttpHeader,
     .form = ConditionForm::kNamedPatterns,
     .field = {.key = "http-header", .type = kObject, .object = &kHttpHeaderObject, .doc = "A header field's value."},
     .comparison = Comparison::kCaseIgnored,
     .name_comparison = Comparison::kCaseIgnored,
     .title = "an http-header condition",
     .name_noun = "header field name",
     .takes_empty = true,
     .check_value = CheckFieldPattern,
     .check_regex = CheckFieldRegex,
     .aws_repeatable = true,
     .aws_value_noun = "http-header value",
     .aws_check_value = AwsFieldValue,
     .aws_check_name = AwsFieldName},
    {.kind = ConditionKind::kRequestMethod,
     .form = ConditionForm::kTexts,
     .field = {.key = "http-request-method", .arity = Arity::kList, .doc = "The method, exactly as written."},
     .comparison = Comparison::kExact,
     .takes_empty = true,
     .check_value = CheckMethod,
     .aws_check_value = AwsMethod},
    {.kind = ConditionKind::kQueryString,
     .form = ConditionForm::kPairs,
     .field = {.key = "query-string",
               .type = kObject,
               .arity = Arity::kList,
               .object = &kQueryPairObject,
               .doc = "A query parameter; case does not count."},
     .comparison = Comparison::kEscapedIgnored,
     .check_value = CheckQueryValue,
     .check_key = CheckQueryKey,
     .aws_repeatable = true,
     .aws_value_noun = "query-string value",
     .aws_key_noun = "query-string key",
     .aws_check_value = AwsQueryValue,
     .aws_check_key = AwsQueryKey},
    {.kind = ConditionKind::kSourceIp,
     .form = ConditionForm::kBlocks,
     .field = {.key = "source-ip",
               .type = kCidr,
               .arity = Arity::kList,
               .doc = "The address of the TCP peer, or that of its PROXY header."},
     .aws_values_max = 5},
});

constexpr bool RowsStandInOrder() {
  for (std::size_t i = 0; i < kRows.size(); ++i) {
    if (std::to_underlying(kRows[i].kind) != i) return false;
  }
  return kRows.size() == kConditionKinds;
}
static_assert(RowsStandInOrder(), "each ConditionKind has its row, in the order of the enumeration");

constexpr auto kConditionFields = [] {
  std::array<Field, kRows.size()> out{};
  std::ranges::transform(kRows, out.begin(), &ConditionRow::field);
  return out;
}();

}  // namespace

constexpr std::span<const ConditionRow> kConditionRows = kRows;

constexpr Object kConditionObject{
    .name = "condition",
    .doc = "One condition; its values are alternatives. All conditions of a rule must hold.",
    .fields = kConditionFields,
    .single = true};

const ConditionRow& RowOf(ConditionKind kind) { return kRows[std::to_underlying(kind)]; }

}  // namespace weir::config
