#include "config/schema/shape.h"

#include "base/ip_address.h"
#include "base/printable.h"
#include "base/text.h"
#include "config/document/scalar.h"
#include "config/findings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace weir::config {
namespace {

constexpr std::size_t kShownTextMax = 60;  // a longer one is not repeated in a hint
constexpr std::string_view kLaterHint = "leave it out";

// What a value is called in a message.
std::string Described(const Node& node) {
  switch (node.kind) {
    case NodeKind::kNull:
      return "nothing";
    case NodeKind::kList:
      return "a list";
    case NodeKind::kMap:
      return "a map";
    case NodeKind::kScalar:
      if (node.expanded) return fmt::format("{} from {}", Quoted(node.text), Quoted(node.written()));
      return fmt::format("{}{}", node.quoted ? "the text " : "", Quoted(node.text));
  }
  return {};
}

std::string_view Wanted(FieldType type) {
  switch (type) {
    case FieldType::kText:
      return "a text";
    case FieldType::kInteger:
    case FieldType::kIntegerOrWord:
      return "a whole number";
    case FieldType::kNumber:
      return "a number";
    case FieldType::kBoolean:
      return "true or false";
    case FieldType::kDuration:
    case FieldType::kSeconds:
      return "a duration such as 250ms, 5s, 2m, 1h";
    case FieldType::kWord:
      return "a word";
    case FieldType::kAddress:
      return "an IPv4 or IPv6 address";
    case FieldType::kCidr:
      return "a network such as 10.0.0.0/8 or 2001:db8::/32";
    case FieldType::kObject:
    case FieldType::kTextMap:
      return "a map";
    case FieldType::kPath:
      return "a path, or {file: PATH}";
    case FieldType::kSecret:
      return "${NAME} or {file: PATH}";
  }
  return {};
}

// A later attribute that is set to what it would be anyway asks for nothing.
bool IsDefault(const Node& value, const Field& field) {
  return value.is_null() ? field.fallback.empty() : value.is_scalar() && EqualsIgnoreCase(value.text, field.fallback);
}

// Whether the text would be such a value; it is none when it stands in quotes.
bool IsReadable(std::string_view text, FieldType type) {
  switch (type) {
    case FieldType::kInteger:
    case FieldType::kIntegerOrWord:
      return ParseInteger(text).has_value();
    case FieldType::kNumber:
      return ParseNumber(text).has_value();
    case FieldType::kBoolean:
      return ParseBoolean(text).has_value();
    default:
      return false;
  }
}

// What to write where an address should stand and does not.
std::string AddressHint(std::string_view text, const Object& object) {
  if (text.starts_with('[') && text.ends_with(']') && IpAddress::Parse(text.substr(1, text.size() - 2))) {
    return "without the brackets";
  }
  if (Endpoint::Parse(text))
    return FindField(object, "port") != nullptr ? "the port goes into `port`" : "without a port";
  const bool letters =
      std::ranges::any_of(text, [](char c) { return ToLowerAscii(c) >= 'g' && ToLowerAscii(c) <= 'z'; });
  if (!letters || text.find_first_of(":/ ") != std::string_view::npos) return {};
  if (FindField(object, "host") != nullptr)
    return fmt::format("a name is written `host: {}`", text.substr(0, kShownTextMax));
  return "a name cannot stand here: an address such as 127.0.0.1 or \"::1\"";
}

class ShapeCheck {
 public:
  ShapeCheck(Findings& findings, std::span<const Object* const> apart) : findings_(findings), apart_(apart) {}

  void CheckObject(const Node& node, const Object& object, std::string_view key);

 private:
  void CheckEntry(const Node& key, const Node& value, const Field& field, const Object& object);
  void CheckRequired(const Node& node, const Object& object);
  void CheckSingle(const Node& node, const Object& object);
  void ReportUnknown(const Node& key, const Object& object);
  void ReportLater(const Node& node, std::string_view what);
  void ReportLaterWord(const Node& node, const Field& field, std::string hint);
  void CheckList(const Node& node, const Field& field, const Object& object);
  void CheckValue(const Node& node, const Field& field, const Object& object);
  void CheckScalar(const Node& node, const Field& field, const Object& object);
  void CheckText(const Node& node, const Field& field);
  void CheckInteger(const Node& node, const Field& field, bool plain);
  void CheckNumber(const Node& node, const Field& field, bool plain);
  void CheckDuration(const Node& node, const Field& field);
  void CheckWord(const Node& node, const Field& field);
  void CheckAddress(const Node& node, const Field& field, const Object& object);
  void CheckCidr(const Node& node, const Field& field);
  void CheckTextMap(const Node& node, const Field& field);
  void CheckFile(const Node& node, const Field& field);
  void ReportType(const Node& node, const Field& field, std::string hint = {});

  Findings& findings_;
  std::span<const Object* const> apart_;
};

void ShapeCheck::CheckObject(const Node& node, const Object& object, std::string_view key) {
  if (!node.is_map()) {
    findings_.AddError(node.position, fmt::format("`{}` wants a map, found {}", key, Described(node)));
    return;
  }
  for (std::size_t i = 0; i < node.entries(); ++i) {
    const Field* const field = FindField(object, node.key(i).text);
    if (field == nullptr) {
      ReportUnknown(node.key(i), object);
    } else {
      CheckEntry(node.key(i), node.value(i), *field, object);
    }
  }
  CheckRequired(node, object);
  if (object.single) CheckSingle(node, object);
}

void ShapeCheck::CheckEntry(const Node& key, const Node& value, const Field& field, const Object& object) {
  if (field.support == Support::kLater) {
    ReportLater(key, Quoted(field.key));
    return;
  }
  if (value.is_null() && !(field.type == FieldType::kText && object.attributes)) {
    findings_.AddError(key.position, fmt::format("`{}` has no value", field.key),
                       fmt::format("give it {}, or leave it out",
                                   field.arity == Arity::kOne ? Wanted(field.type) : std::string_view("a list")));
    return;
  }
  // Words of a later version are in the table themselves.
  if (field.support == Support::kLaterUnlessDefault && field.type != FieldType::kWord) {
    if (IsDefault(value, field)) return;
    const std::size_t before = findings_.errors();
    CheckValue(value, field, object);
    if (findings_.errors() == before) ReportLater(key, fmt::format("`{}: {}`", field.key, value.text));
    return;
  }
  if (field.arity == Arity::kOne) {
    CheckValue(value, field, object);
  } else {
    CheckList(value, field, object);
  }
}

void ShapeCheck::CheckRequired(const Node& node, const Object& object) {
  for (const Field& field : object.fields) {
    if (!field.required || node.Find(field.key) != nullptr) continue;
    findings_.AddError(node.position, fmt::format("{} without `{}`", object.name, field.key),
                       fmt::format("add `{}: ...`", field.key));
  }
}

void ShapeCheck::CheckSingle(const Node& node, const Object& object) {
  if (node.entries() == 1) return;
  std::vector<std::string_view> keys;
  for (const Field& field : object.fields) {
    if (field.support == Support::kNow) keys.push_back(field.key);
  }
  if (node.entries() == 0) {
    findings_.AddError(node.position, fmt::format("an empty {}", object.name),
                       fmt::format("exactly one of {}", JoinWords(keys)));
    return;
  }
  findings_.AddError(node.key(1).position,
                     fmt::format("`{}` beside `{}` in one {}", node.key(1).text, node.key(0).text, object.name),
                     fmt::format("exactly one of {}; a list item of its own for each", JoinWords(keys)));
}

void ShapeCheck::ReportUnknown(const Node& key, const Object& object) {
  std::vector<std::string_view> known;
  std::vector<std::string_view> supported;
  for (const Field& field : object.fields) {
    known.push_back(field.key);
    if (field.support != Support::kLater) supported.push_back(field.key);
  }
  // A slip may mean a key of a later version; a list of keys to choose from holds none.
  std::string hint = NearestHint(key.text, NearestWord(key.text, known).empty() ? supported : known);
  findings_.AddError(key.position, fmt::format("unknown key {} in {}", Quoted(key.text), object.name), std::move(hint));
}

void ShapeCheck::ReportLater(const Node& node, std::string_view what) {
  findings_.AddError(node.position, fmt::format("{} is not supported in this version", what), std::string(kLaterHint));
}

void ShapeCheck::ReportLaterWord(const Node& node, const Field& field, std::string hint) {
  findings_.AddError(node.position, fmt::format("`{}: {}` is not supported in this version", field.key, node.text),
                     std::move(hint));
}

void ShapeCheck::CheckList(const Node& node, const Field& field, const Object& object) {
  if (field.arity == Arity::kListOrObject && node.is_map()) {
    CheckObject(node, *field.object, field.key);
    return;
  }
  if (!node.is_list()) {
    findings_.AddError(
        node.position, fmt::format("`{}` wants a list, found {}", field.key, Described(node)),
        node.is_scalar() && node.text.size() <= kShownTextMax ? fmt::format("write [{}]", node.text) : "");
    return;
  }
  for (const Node& item : node.children) {
    if (item.is_null()) {
      findings_.AddError(item.position, fmt::format("an empty item in `{}`", field.key));
    } else {
      CheckValue(item, field, object);
    }
  }
}

void ShapeCheck::CheckValue(const Node& node, const Field& field, const Object& object) {
  if (field.type == FieldType::kObject) {
    if (std::ranges::find(apart_, field.object) == apart_.end()) CheckObject(node, *field.object, field.key);
  } else if (field.type == FieldType::kTextMap) {
    CheckTextMap(node, field);
  } else if (field.type == FieldType::kPath || field.type == FieldType::kSecret) {
    CheckFile(node, field);
  } else if (!node.is_scalar()) {
    if (!node.is_null()) ReportType(node, field);
  } else {
    CheckScalar(node, field, object);
  }
}

void ShapeCheck::CheckScalar(const Node& node, const Field& field, const Object& object) {
  if (node.unknown) return;
  if (node.is_empty_reference() && (field.type != FieldType::kText || field.name)) {
    findings_.AddError(node.position, fmt::format("`{}` has no value: {} is empty", field.key, Quoted(node.written())),
                       "set the environment variable, or write ${NAME:-default}");
    return;
  }
  const bool plain = !node.quoted || node.expanded || object.attributes;
  switch (field.type) {
    case FieldType::kInteger:
    case FieldType::kIntegerOrWord:
      return CheckInteger(node, field, plain);
    case FieldType::kNumber:
      return CheckNumber(node, field, plain);
    case FieldType::kBoolean:
      if (!plain || !ParseBoolean(node.text)) ReportType(node, field);
      return;
    case FieldType::kDuration:
    case FieldType::kSeconds:
      return CheckDuration(node, field);
    case FieldType::kWord:
      return CheckWord(node, field);
    case FieldType::kAddress:
      return CheckAddress(node, field, object);
    case FieldType::kCidr:
      return CheckCidr(node, field);
    default:
      return CheckText(node, field);
  }
}

// Every scalar is a text; names have to stay in the line that they are shown in.
void ShapeCheck::CheckText(const Node& node, const Field& field) {
  if (!field.name || IsPrintable(node.text)) return;
  findings_.AddError(node.position, fmt::format("`{}` holds a control character: {}", field.key, Quoted(node.text)),
                     "names are printed in tables and logs; leave it out");
}

void ShapeCheck::CheckInteger(const Node& node, const Field& field, bool plain) {
  const auto is_word = [&](std::string_view word) { return EqualsIgnoreCase(word, node.text); };
  if (field.type == FieldType::kIntegerOrWord && std::ranges::any_of(field.words, is_word)) return;
  if (std::ranges::any_of(field.later_words, is_word)) {
    return ReportLaterWord(node, field, fmt::format("{} to {}", field.minimum, field.maximum));
  }
  const auto value = plain ? ParseInteger(node.text) : std::nullopt;
  if (!value) {
    ReportType(node, field);
  } else if (*value < field.minimum || *value > field.maximum) {
    findings_.AddError(node.position, fmt::format("`{}: {}` is out of range", field.key, *value),
                       fmt::format("{} to {}", field.minimum, field.maximum));
  }
}

void ShapeCheck::CheckNumber(const Node& node, const Field& field, bool plain) {
  const auto value = plain ? ParseNumber(node.text) : std::nullopt;
  if (!value) {
    ReportType(node, field);
  } else if (*value < static_cast<double>(field.minimum) || *value > static_cast<double>(field.maximum)) {
    findings_.AddError(node.position, fmt::format("`{}: {}` is out of range", field.key, *value),
                       fmt::format("{} to {}", field.minimum, field.maximum));
  }
}

void ShapeCheck::CheckDuration(const Node& node, const Field& field) {
  const auto value = ParseDuration(node.text);
  if (!value) {
    const bool bare = ParseInteger(node.text).has_value();
    findings_.AddError(node.position, fmt::format("`{}` wants a duration, found {}", field.key, Described(node)),
                       bare ? fmt::format("with its unit: {}s", node.text) : "such as 250ms, 5s, 2m, 1h");
    return;
  }
  const bool seconds = field.type == FieldType::kSeconds;
  if (seconds && value->count() % 1000 != 0) {
    findings_.AddError(node.position, fmt::format("`{}: {}` is no whole number of seconds", field.key, node.text));
    return;
  }
  const std::chrono::milliseconds unit(seconds ? 1'000 : 1);
  const std::int64_t count = *value / unit;
  if (count >= field.minimum && count <= field.maximum) return;
  findings_.AddError(node.position, fmt::format("`{}: {}` is out of range", field.key, node.text),
                     fmt::format("{} to {}", DurationText(field.minimum * unit), DurationText(field.maximum * unit)));
}

void ShapeCheck::CheckWord(const Node& node, const Field& field) {
  const auto equals = [&](std::string_view word) { return EqualsIgnoreCase(word, node.text); };
  if (std::ranges::any_of(field.words, equals)) return;
  if (std::ranges::any_of(field.later_words, equals)) {
    return ReportLaterWord(node, field,
                           fmt::format("{} {}", field.words.size() == 1 ? "only" : "one of", JoinWords(field.words)));
  }
  const std::string hint = NearestHint(node.text, field.words);
  findings_.AddError(node.position, fmt::format("`{}` cannot be {}", field.key, Quoted(node.text)), hint);
}

void ShapeCheck::CheckAddress(const Node& node, const Field& field, const Object& object) {
  const auto address = IpAddress::ParseZoned(node.text);
  if (address) return;
  if (node.text.find('%') == std::string_view::npos) return ReportType(node, field, AddressHint(node.text, object));
  findings_.AddError(node.position, fmt::format("`{}`: {}", field.key, address.error().message), address.error().hint);
}

void ShapeCheck::CheckCidr(const Node& node, const Field& field) {
  if (const auto block = CidrBlock::Parse(node.text); !block) {
    findings_.AddError(node.position, fmt::format("`{}`: {}", field.key, block.error().message), block.error().hint);
  }
}

void ShapeCheck::CheckTextMap(const Node& node, const Field& field) {
  if (!node.is_map()) return ReportType(node, field);
  for (std::size_t i = 0; i < node.entries(); ++i) {
    if (node.value(i).is_scalar()) continue;
    findings_.AddError(node.value(i).position,
                       fmt::format("{} in `{}` wants a text, found {}", Quoted(node.key(i).text), field.key,
                                   Described(node.value(i))));
  }
}

// A path or a secret may stand in a map of its own; what it is, is never repeated.
void ShapeCheck::CheckFile(const Node& node, const Field& field) {
  const Node* const file = node.is_map() ? node.Find("file") : nullptr;
  const bool is_only = file != nullptr && node.entries() == 1;
  const Node& text = is_only ? *file : node;
  if (!text.is_scalar()) {
    const std::string found = node.is_map() && !is_only ? "another map" : Described(text);
    findings_.AddError(node.position, fmt::format("`{}` wants {}, found {}", field.key, Wanted(field.type), found));
  } else if (text.text.empty() && !text.unknown) {
    findings_.AddError(text.position, fmt::format("`{}` is empty", field.key),
                       fmt::format("give it {}, or leave it out", Wanted(field.type)));
  }
}

void ShapeCheck::ReportType(const Node& node, const Field& field, std::string hint) {
  if (node.is_scalar() && IsReadable(node.text, field.type)) hint = "without the quotes";
  if (field.type == FieldType::kInteger && hint.empty()) hint = fmt::format("{} to {}", field.minimum, field.maximum);
  if (field.type == FieldType::kIntegerOrWord && hint.empty()) {
    hint = fmt::format("{} to {}, or {}", field.minimum, field.maximum, JoinWords(field.words));
  }
  findings_.AddError(node.position,
                     fmt::format("`{}` wants {}, found {}", field.key, Wanted(field.type), Described(node)),
                     std::move(hint));
}

}  // namespace

void CheckShape(const Node& node, const Object& object, Findings& findings, std::string_view key,
                std::span<const Object* const> apart) {
  ShapeCheck(findings, apart).CheckObject(node, object, key.empty() ? object.name : key);
}

}  // namespace weir::config
