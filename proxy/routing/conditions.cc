#include "proxy/routing/conditions.h"

#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <utility>
#include <variant>

namespace weir::proxy {

namespace {

struct QueryPair {
  std::string_view key;
  std::string_view value;
  bool has_value = false;  // there was a `=`
};

// Takes the pair before the first `&` off `rest`.
QueryPair TakeQueryPair(std::string_view& rest) {
  const auto text = rest.substr(0, rest.find('&'));
  rest.remove_prefix(std::min(rest.size(), text.size() + 1));
  const auto equals = text.find('=');
  if (equals == std::string_view::npos) return {.key = text, .value = {}, .has_value = false};
  return {.key = text.substr(0, equals), .value = text.substr(equals + 1), .has_value = true};
}

// A parameter without `=` is a key with an empty value; where no key is asked for, its text is what it says.
bool MatchesPair(const QueryPairPattern& pattern, const QueryPair& pair) {
  if (pattern.key) return pattern.key->Matches(pair.key) && pattern.value.Matches(pair.value);
  return pattern.value.Matches(pair.has_value ? pair.value : pair.key);
}

bool MatchesQuery(const std::vector<QueryPairPattern>& patterns, std::string_view query) {
  while (!query.empty()) {
    const QueryPair pair = TakeQueryPair(query);
    if (std::ranges::any_of(patterns, [&](const QueryPairPattern& pattern) { return MatchesPair(pattern, pair); })) {
      return true;
    }
  }
  return false;
}

bool MatchesAny(std::span<const TextPattern> patterns, std::string_view text) {
  return std::ranges::any_of(patterns, [text](const TextPattern& pattern) { return pattern.Matches(text); });
}

bool MatchesField(const std::string& name, std::span<const TextPattern> patterns,
                  const std::vector<http::Field>* fields) {
  if (fields == nullptr) return false;
  return std::ranges::any_of(*fields, [&](const http::Field& field) {
    return EqualsIgnoreCase(field.name, name) && MatchesAny(patterns, field.value);
  });
}

// Clients are compared as IPv4 when IPv4 is what they speak, so a mapped block means the IPv4 block.
CidrBlock Unmapped(const CidrBlock& block) {
  constexpr unsigned kMappedBits = 96;
  const IpAddress address = block.address().Unmapped();
  if (block.address().is_v4() || !address.is_v4() || block.prefix_bits() < kMappedBits) return block;
  return CidrBlock::Of(address, block.prefix_bits() - kMappedBits);
}

bool MatchesBlock(const std::vector<CidrBlock>& blocks, const IpAddress& client) {
  const IpAddress address = client.Unmapped();
  return std::ranges::any_of(blocks, [&](const CidrBlock& block) { return block.Contains(address); });
}

std::string Quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c >= 0x20 && c <= 0x7E) {
      out += c;
    } else {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
  }
  return out + '"';
}

std::string Join(const std::vector<std::string>& words) { return fmt::format("{}", fmt::join(words, ", ")); }

}  // namespace

std::string_view ToString(ConditionField field) {
  switch (field) {
    case ConditionField::kHostHeader:
      return "host-header";
    case ConditionField::kPathPattern:
      return "path-pattern";
    case ConditionField::kHttpHeader:
      return "http-header";
    case ConditionField::kHttpRequestMethod:
      return "http-request-method";
    case ConditionField::kQueryString:
      return "query-string";
    case ConditionField::kSourceIp:
      return "source-ip";
  }
  return "";
}

// ---- Build

std::vector<config::Diagnostic> CompiledCondition::AddTexts(const std::vector<config::LocatedText>& values,
                                                            const std::vector<config::LocatedText>& regex_values,
                                                            CaseRule case_rule, const std::string& path) {
  const EscapeRule escape_rule = field_ == ConditionField::kPathPattern ? EscapeRule::kPercent : EscapeRule::kNone;
  std::vector<config::Diagnostic> findings;
  patterns_.reserve(values.size() + regex_values.size());
  for (const auto& value : values) patterns_.push_back(TextPattern::Glob(value.text, case_rule, escape_rule));
  for (std::size_t i = 0; i < regex_values.size(); ++i) {
    auto pattern = TextPattern::Regex(regex_values[i].text, case_rule);
    if (pattern) {
      patterns_.push_back(std::move(*pattern));
      continue;
    }
    findings.push_back({.severity = config::Severity::kError,
                        .position = regex_values[i].position,
                        .path = fmt::format("{}.{}.regex-values[{}]", path, ToString(field_), i),
                        .message = pattern.error().message,
                        .hint = pattern.error().hint});
  }
  return findings;
}

std::expected<std::shared_ptr<const CompiledCondition>, std::vector<config::Diagnostic>> CompiledCondition::Build(
    const config::Condition& condition, const std::string& path) {
  auto compiled = std::make_shared<CompiledCondition>(Token());
  auto others = std::make_unique<Others>();
  std::vector<config::Diagnostic> findings;
  if (const auto* host = std::get_if<config::HostHeaderCondition>(&condition.kind)) {
    compiled->field_ = ConditionField::kHostHeader;
    findings = compiled->AddTexts(host->values, host->regex_values, CaseRule::kInsensitive, path);
  } else if (const auto* paths = std::get_if<config::PathPatternCondition>(&condition.kind)) {
    compiled->field_ = ConditionField::kPathPattern;
    findings = compiled->AddTexts(paths->values, paths->regex_values, CaseRule::kSensitive, path);
  } else if (const auto* header = std::get_if<config::HttpHeaderCondition>(&condition.kind)) {
    compiled->field_ = ConditionField::kHttpHeader;
    others->header_name = header->name;
    findings = compiled->AddTexts(header->values, header->regex_values, CaseRule::kInsensitive, path);
  } else if (const auto* method = std::get_if<config::RequestMethodCondition>(&condition.kind)) {
    compiled->field_ = ConditionField::kHttpRequestMethod;
    // Methods have no wildcards: `*` would be compared as a character.
    for (const auto& value : method->values) others->methods.push_back(value.text);
  } else if (const auto* query = std::get_if<config::QueryStringCondition>(&condition.kind)) {
    compiled->field_ = ConditionField::kQueryString;
    const auto pattern_of = [](const config::LocatedText& text) {
      return TextPattern::Glob(text.text, CaseRule::kInsensitive, EscapeRule::kBackslash);
    };
    for (const auto& pair : query->pairs) {
      std::optional<TextPattern> key;
      if (pair.key) key = pattern_of(*pair.key);
      others->pairs.push_back({.key = std::move(key), .value = pattern_of(pair.value)});
    }
  } else if (const auto* source = std::get_if<config::SourceIpCondition>(&condition.kind)) {
    compiled->field_ = ConditionField::kSourceIp;
    for (const CidrBlock& block : source->blocks) others->blocks.push_back(Unmapped(block));
  }
  if (!findings.empty()) return std::unexpected(std::move(findings));
  const bool is_text =
      compiled->field_ == ConditionField::kHostHeader || compiled->field_ == ConditionField::kPathPattern;
  if (!is_text) compiled->others_ = std::move(others);
  return compiled;
}

const CompiledCondition::Others& CompiledCondition::others() const {
  static const Others kNone;
  return others_ == nullptr ? kNone : *others_;
}

// ---- Match

bool CompiledCondition::Matches(const RequestFacts& facts) const {
  switch (field_) {
    case ConditionField::kHostHeader:
      return MatchesAny(patterns_, facts.host);
    case ConditionField::kPathPattern:
      return MatchesAny(patterns_, facts.path);
    case ConditionField::kHttpHeader:
      return MatchesField(others().header_name, patterns_, facts.fields);
    case ConditionField::kHttpRequestMethod:
      return std::ranges::find(others().methods, facts.method) != others().methods.end();
    case ConditionField::kQueryString:
      return MatchesQuery(others().pairs, facts.query);
    case ConditionField::kSourceIp:
      return MatchesBlock(others().blocks, facts.client);
  }
  return false;
}

bool AllMatch(const Rule& rule, const RequestFacts& facts) {
  return std::ranges::all_of(rule.conditions, [&](const auto& condition) { return condition->Matches(facts); });
}

// ---- Explain

std::string CompiledCondition::label() const {
  if (field_ != ConditionField::kHttpHeader) return std::string(ToString(field_));
  return fmt::format("{} {}", ToString(field_), others().header_name);
}

// What the request brought, as the sentence's subject.
std::string CompiledCondition::Compared(const RequestFacts& facts) const {
  switch (field_) {
    case ConditionField::kHostHeader:
      return Quoted(facts.host);
    case ConditionField::kPathPattern:
      return Quoted(facts.path);
    case ConditionField::kHttpHeader: {
      std::vector<std::string> values;
      for (const auto& field : facts.fields == nullptr ? std::vector<http::Field>() : *facts.fields) {
        if (EqualsIgnoreCase(field.name, others().header_name)) values.push_back(Quoted(field.value));
      }
      return Join(values);
    }
    case ConditionField::kHttpRequestMethod:
      return Quoted(facts.method);
    case ConditionField::kQueryString:
      return Quoted(facts.query);
    case ConditionField::kSourceIp:
      return facts.client.Unmapped().ToString();
  }
  return {};
}

// The values of the condition, as the sentence's object.
std::string CompiledCondition::Wanted() const {
  std::vector<std::string> words;
  for (const TextPattern& pattern : patterns_) {
    words.push_back((pattern.is_regex() ? "the regular expression " : "") + Quoted(pattern.source()));
  }
  for (const std::string& method : others().methods) words.push_back(Quoted(method));
  for (const QueryPairPattern& pair : others().pairs) {
    words.push_back(
        Quoted(pair.key ? fmt::format("{}={}", pair.key->source(), pair.value.source()) : pair.value.source()));
  }
  for (const CidrBlock& block : others().blocks) words.push_back(block.ToString());
  if (words.size() == 1) return words.front();
  return "any of " + Join(words);
}

std::string CompiledCondition::Explain(const RequestFacts& facts) const {
  const bool holds = Matches(facts);
  const std::string subject = Compared(facts);
  if (field_ == ConditionField::kSourceIp) {
    return fmt::format("{} is {} {}", subject, holds ? "in" : "not in", Wanted());
  }
  if (field_ == ConditionField::kHttpHeader && subject.empty()) return "the request has no such field";
  if (field_ == ConditionField::kQueryString && facts.query.empty()) return "the request has no query";
  if (field_ == ConditionField::kHttpRequestMethod) {
    return fmt::format("{} {} {}", subject, holds ? "is" : "is not", Wanted());
  }
  return fmt::format("{} {} {}", subject, holds ? "matches" : "does not match", Wanted());
}

}  // namespace weir::proxy
