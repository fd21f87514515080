#include "config/document/sources.h"
#include "config/load.h"
#include "config/schema/schema.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>

#include <set>

namespace weir::config {
namespace {

namespace json = boost::json;

// A text that holds ${NAME} may become any scalar.
constexpr std::string_view kReferencePattern = "\\$\\{";

std::string CaseInsensitive(std::string_view word) {
  std::string out;
  for (const char c : word) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (letter) {
      out.append(fmt::format("[{}{}]", static_cast<char>(c | 0x20), static_cast<char>(c & ~0x20)));
    } else if (c == '#' || c == '-' || c == '_' || (c >= '0' && c <= '9')) {
      out.push_back(c);
    } else {
      out.append("\\").push_back(c);
    }
  }
  return out;
}

// The words themselves for completion, and a pattern for the other cases.
void AddWords(json::array& alternatives, std::span<const std::string_view> words) {
  json::array list;
  std::string pattern;
  for (const std::string_view word : words) {
    list.emplace_back(word);
    // YAML 1.1 tools read these words as booleans.
    if (word == "true" || word == "on") list.emplace_back(true);
    if (word == "false" || word == "off") list.emplace_back(false);
    pattern.append(pattern.empty() ? "" : "|").append(CaseInsensitive(word));
  }
  alternatives.push_back(json::object{{"enum", std::move(list)}});
  alternatives.push_back(json::object{{"type", "string"}, {"pattern", "^(" + pattern + ")$"}});
}

json::object Range(const Field& field, std::string_view type) {
  return {{"type", type}, {"minimum", field.minimum}, {"maximum", field.maximum}};
}

json::value Scalar(const Field& field, bool attributes) {
  json::array alternatives;
  const auto add_text = [&](std::string_view pattern) {
    alternatives.push_back(json::object{{"type", "string"}, {"pattern", pattern}});
  };
  switch (field.type) {
    case FieldType::kInteger:
      alternatives.push_back(Range(field, "integer"));
      if (attributes) add_text("^-?[0-9]+$");
      break;
    case FieldType::kIntegerOrWord:
      alternatives.push_back(Range(field, "integer"));
      if (attributes) add_text("^-?[0-9]+$");
      AddWords(alternatives, field.words);
      break;
    case FieldType::kNumber:
      alternatives.push_back(Range(field, "number"));
      break;
    case FieldType::kBoolean:
      alternatives.push_back(json::object{{"type", "boolean"}});
      if (attributes) add_text("^([Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee])$");
      break;
    case FieldType::kDuration:
    case FieldType::kSeconds:
      add_text("^[0-9]+(ms|s|m|h|d)$");
      break;
    case FieldType::kWord:
      AddWords(alternatives, field.words);
      break;
    case FieldType::kAddress:
      add_text("^[0-9A-Fa-f:.]+(%[^%/ ]+)?$");
      break;
    case FieldType::kCidr:
      add_text("^[0-9A-Fa-f:.]+(/[0-9]+)?$");
      break;
    default:
      return json::object{{"type", json::array{"string", "number", "boolean"}}};
  }
  add_text(kReferencePattern);
  return json::object{{"anyOf", std::move(alternatives)}};
}

json::object Reference(const Object& object) { return {{"$ref", fmt::format("#/$defs/{}", object.name)}}; }

json::value Item(const Field& field, bool attributes) {
  if (field.type == FieldType::kObject) return Reference(*field.object);
  if (field.type == FieldType::kTextMap) {
    return json::object{{"type", "object"},
                        {"additionalProperties", {{"type", json::array{"string", "number", "boolean"}}}}};
  }
  if (field.type == FieldType::kPath || field.type == FieldType::kSecret) {
    const json::object text{{"type", "string"}};
    const json::object file{{"type", "object"},
                            {"properties", {{"file", text}}},
                            {"required", json::array{"file"}},
                            {"additionalProperties", false}};
    return json::object{{"anyOf", json::array{text, file}}};
  }
  return Scalar(field, attributes);
}

json::object Property(const Field& field, bool attributes) {
  json::object out;
  if (!field.doc.empty()) out["description"] = field.doc;
  const json::object list{{"type", "array"}, {"items", Item(field, attributes)}};
  if (field.arity == Arity::kList) {
    for (const auto& [key, value] : list) out[key] = value;
  } else if (field.arity == Arity::kListOrObject) {
    out["anyOf"] = json::array{list, Reference(*field.object)};
  } else {
    out["allOf"] = json::array{Item(field, attributes)};
  }
  return out;
}

class SchemaWriter {
 public:
  json::object Write(const Object& object) {
    json::object properties;
    json::array required;
    for (const Field& field : object.fields) {
      if (field.support == Support::kLater) continue;
      properties[field.key] = Property(field, object.attributes);
      if (field.required) required.emplace_back(field.key);
      if (field.object != nullptr && written_.insert(field.object->name).second) {
        json::object definition = Write(*field.object);
        definitions_[field.object->name] = std::move(definition);
      }
    }
    json::object out{{"type", "object"}, {"description", object.doc}, {"additionalProperties", false}};
    if (object.single) {
      out["minProperties"] = 1;
      out["maxProperties"] = 1;
    }
    if (!required.empty()) out["required"] = std::move(required);
    out["properties"] = std::move(properties);
    return out;
  }
  [[nodiscard]] const json::object& definitions() const { return definitions_; }

 private:
  std::set<std::string_view> written_;
  json::object definitions_;
};

void Print(const json::value& value, std::string& out, std::size_t indent);

template <class Items, class PrintItem>
void PrintItems(const Items& items, char open, char close, std::string& out, std::size_t indent, PrintItem print) {
  out.push_back(open);
  bool first = true;
  for (const auto& item : items) {
    out.append(first ? "\n" : ",\n").append(indent + 2, ' ');
    first = false;
    print(item);
  }
  if (!first) out.append("\n").append(indent, ' ');
  out.push_back(close);
}

void Print(const json::value& value, std::string& out, std::size_t indent) {
  if (value.is_object()) {
    PrintItems(value.get_object(), '{', '}', out, indent, [&](const json::key_value_pair& item) {
      out.append(json::serialize(json::string(item.key()))).append(": ");
      Print(item.value(), out, indent + 2);
    });
  } else if (value.is_array() && !value.get_array().empty() && !value.get_array()[0].is_string()) {
    PrintItems(value.get_array(), '[', ']', out, indent,
               [&](const json::value& item) { Print(item, out, indent + 2); });
  } else {
    out.append(json::serialize(value));
  }
}

}  // namespace

std::string JsonSchema() {
  SchemaWriter writer;
  json::object root = writer.Write(RootObject());
  // Checks nothing: what they hold counts where it is used.
  root["patternProperties"] = json::object{{fmt::format("^{}", kIgnoredSectionPrefix), json::object()}};
  json::object out{{"$schema", "https://json-schema.org/draft/2020-12/schema"}, {"title", "weir configuration"}};
  for (const auto& [key, value] : root) out[key] = value;
  out["$defs"] = writer.definitions();
  std::string text;
  Print(out, text, 0);
  return text.append("\n");
}

}  // namespace weir::config
