// Conditions, by the rows of config/schema/conditions.cc; spec: alb.md section 4.

#include "base/text.h"
#include "config/decode/decode.h"
#include "config/findings.h"
#include "config/schema/conditions.h"
#include "config/schema/value_checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace weir::config {
namespace {

void CheckTexts(std::span<const LocatedText> texts, std::string_view key, bool takes_empty, ValueCheck check,
                Findings& findings) {
  for (const LocatedText& text : texts) {
    if (text.text.empty() && !takes_empty) {
      findings.AddError(text.position, fmt::format("an empty text in `{}` matches nothing", key));
    }
    if (check != nullptr) check(text, findings);
  }
}

void DecodeTexts(const Fields& fields, const ConditionRow& row, Condition& out, Findings& findings) {
  const std::string_view key = row.field.key;
  CheckNotEmpty(fields, key, findings);
  out.values = fields.LocatedList(key);
  CheckTexts(out.values, key, row.takes_empty, row.check_value, findings);
}

// The lists `values` and `regex-values` of a map.
void DecodeLists(const Fields& fields, const ConditionRow& row, Condition& out, Findings& findings) {
  const bool named = row.form == ConditionForm::kNamedPatterns;
  CheckNotEmpty(fields, "values", findings);
  CheckNotEmpty(fields, "regex-values", findings);
  out.values = fields.LocatedList("values");
  out.regex_values = fields.LocatedList("regex-values");
  CheckTexts(out.values, named ? "values" : row.field.key, row.takes_empty, row.check_value, findings);
  CheckTexts(out.regex_values, named ? "regex-values" : row.field.key, false, row.check_regex, findings);
}

void DecodeNamed(const Fields& fields, const ConditionRow& row, Condition& out, Findings& findings) {
  out.name = fields.Text("name");
  if (fields.Has("name") && !IsToken(out.name)) {
    findings.AddError(fields.PositionOf("name"), fmt::format("{} is no {}", Quoted(out.name), row.name_noun));
  }
  DecodeLists(fields, row, out, findings);
  if (fields.Has("values") == fields.Has("regex-values")) {
    findings.AddError(fields.position(),
                      out.values.empty() ? fmt::format("{} without values", row.title)
                                         : std::string("`values` beside `regex-values`"),
                      "either `values` or `regex-values`");
  }
}

void DecodePairs(const Fields& fields, const ConditionRow& row, Condition& out, Findings& findings) {
  CheckNotEmpty(fields, row.field.key, findings);
  for (const Node& item : fields.List(row.field.key)) {
    const Fields pair(item);
    auto& pairs = out.pairs.edit();
    pairs.push_back({pair.Has("key") ? std::optional(pair.Located("key")) : std::nullopt, pair.Located("value")});
    const QueryStringPair& decoded = pairs.back();
    if (decoded.key && row.check_key != nullptr) row.check_key(*decoded.key, findings);
    if (row.check_value != nullptr) row.check_value(decoded.value, findings);
  }
}

void DecodeBlocks(const Fields& fields, const ConditionRow& row, Condition& out, Findings& findings) {
  CheckNotEmpty(fields, row.field.key, findings);
  for (const Node& item : fields.List(row.field.key)) {
    if (const auto block = CidrBlock::Parse(item.text)) out.blocks.edit().push_back(*block);
  }
}

void DecodeValues(const Fields& fields, const ConditionRow& row, Condition& out, Findings& findings) {
  const Node* const map = fields.Map(row.field.key);
  switch (row.form) {
    case ConditionForm::kTexts:
      return DecodeTexts(fields, row, out, findings);
    case ConditionForm::kPatterns:
      if (map != nullptr) return DecodeLists(Fields(*map), row, out, findings);
      return DecodeTexts(fields, row, out, findings);
    case ConditionForm::kNamedPatterns:
      if (map != nullptr) DecodeNamed(Fields(*map), row, out, findings);
      return;
    case ConditionForm::kPairs:
      return DecodePairs(fields, row, out, findings);
    case ConditionForm::kBlocks:
      return DecodeBlocks(fields, row, out, findings);
  }
}

}  // namespace

std::vector<Condition> DecodeConditions(std::span<const Node> items, Decoding& decoding) {
  std::vector<Condition> out;
  out.reserve(items.size());
  for (const Node& item : items) {
    const Fields fields(item);
    // Without what could not be read the rule would seem to take more requests than it does: no value, no request.
    Condition& condition = out.emplace_back(Condition{.position = item.position});
    const auto row =
        std::ranges::find_if(kConditionRows, [&](const ConditionRow& r) { return fields.Has(r.field.key); });
    if (row == kConditionRows.end()) continue;
    condition.kind = row->kind;
    DecodeValues(fields, *row, condition, decoding.findings);
  }
  return out;
}

}  // namespace weir::config
