#include "config/findings.h"
#include "config/schema/schema.h"

#include <fmt/format.h>

#include <set>
#include <vector>

namespace weir::config {
namespace {

// Longer lists stand elsewhere in the documentation.
constexpr std::size_t kWordsShownMax = 20;

std::string TypeText(const Field& field) {
  switch (field.type) {
    case FieldType::kText:
      return "text";
    case FieldType::kInteger:
      return fmt::format("{}-{}", field.minimum, field.maximum);
    case FieldType::kIntegerOrWord:
      return fmt::format("{}-{} or {}", field.minimum, field.maximum, JoinWords(field.words));
    case FieldType::kNumber:
      return fmt::format("number, {} to {}", field.minimum, field.maximum);
    case FieldType::kBoolean:
      return "true or false";
    case FieldType::kDuration:
      return "duration";
    case FieldType::kSeconds:
      return "duration, whole seconds";
    case FieldType::kWord:
      return field.words.size() > kWordsShownMax ? fmt::format("one of {} names", field.words.size())
                                                 : JoinWords(field.words);
    case FieldType::kAddress:
      return "address";
    case FieldType::kCidr:
      return "network";
    case FieldType::kObject:
      return fmt::format("[{0}](#{0})", field.object->name);
    case FieldType::kTextMap:
      return "map of texts";
    case FieldType::kPath:
      return "path, or `{file: PATH}`";
    case FieldType::kSecret:
      return "`${NAME}` or `{file: PATH}`";
  }
  return {};
}

std::string Type(const Field& field) {
  std::string out = TypeText(field);
  if (field.arity != Arity::kOne) out.insert(0, "list of ");
  if (field.arity == Arity::kListOrObject) out.append(fmt::format(", or [{0}](#{0})", field.object->name));
  return out;
}

void WriteTable(const Object& object, std::string& out) {
  out.append("| Key | Type | Default | Meaning |\n|---|---|---|---|\n");
  for (const Field& field : object.fields) {
    if (field.support != Support::kNow) continue;
    const std::string fallback = field.required           ? "required"
                                 : field.fallback.empty() ? ""
                                                          : fmt::format("`{}`", field.fallback);
    out.append(fmt::format("| `{}` | {} | {} | {} |\n", field.key, Type(field), fallback, field.doc));
  }
}

// Keys and values that AWS has and this version refuses, and those keys whose default is accepted.
void WriteLater(const Object& object, std::string& out) {
  std::vector<std::string> later;
  std::vector<std::string> values;
  std::vector<std::string> defaults;
  for (const Field& field : object.fields) {
    if (field.support == Support::kLater) later.push_back(fmt::format("`{}`", field.key));
    for (const auto word : field.later_words) {
      if (field.support == Support::kNow) values.push_back(fmt::format("`{}: {}`", field.key, word));
    }
    if (field.support == Support::kLaterUnlessDefault)
      defaults.push_back(fmt::format("`{}: {}`", field.key, field.fallback.empty() ? "\"\"" : field.fallback));
  }
  const auto list = [&](std::string_view title, const std::vector<std::string>& words) {
    if (words.empty()) return;
    const std::vector<std::string_view> views(words.begin(), words.end());
    out.append(fmt::format("\n{}: {}.\n", title, fmt::join(views, ", ")));
  };
  list("Not supported in this version", later);
  list("Values not supported in this version", values);
  list("Accepted with the value that asks for nothing, refused with any other", defaults);
}

void WriteObject(const Object& object, std::set<std::string_view>& written, std::string& out) {
  if (!written.insert(object.name).second) return;
  out.append(fmt::format("### {}\n\n{}\n\n", object.name, object.doc));
  WriteTable(object, out);
  WriteLater(object, out);
  out.push_back('\n');
  for (const Field& field : object.fields) {
    if (field.object != nullptr && field.support != Support::kLater) WriteObject(*field.object, written, out);
  }
}

}  // namespace

std::string MarkdownReference() {
  std::string out;
  std::set<std::string_view> written;
  WriteObject(RootObject(), written, out);
  return out;
}

}  // namespace weir::config
