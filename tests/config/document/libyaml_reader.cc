#include "tests/config/document/libyaml_reader.h"

#include "config/document/tree_builder.h"
#include "config/findings.h"

#include <yaml.h>

#include <new>
#include <string>

namespace weir::config {
namespace {

std::string_view View(const yaml_char_t* text) {
  return text == nullptr ? std::string_view() : std::string_view(reinterpret_cast<const char*>(text));
}

// libyaml's parser, released at the end of its scope.
class YamlParser {
 public:
  explicit YamlParser(std::string_view text) {
    if (yaml_parser_initialize(&parser_) == 0) throw std::bad_alloc();
    yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()), text.size());
  }
  ~YamlParser() { yaml_parser_delete(&parser_); }
  YamlParser(const YamlParser&) = delete;
  YamlParser& operator=(const YamlParser&) = delete;
  [[nodiscard]] yaml_parser_t* raw() { return &parser_; }

 private:
  yaml_parser_t parser_{};
};

class YamlEvent {
 public:
  YamlEvent() = default;
  ~YamlEvent() { yaml_event_delete(&event_); }
  YamlEvent(const YamlEvent&) = delete;
  YamlEvent& operator=(const YamlEvent&) = delete;
  [[nodiscard]] bool Read(YamlParser& parser) { return yaml_parser_parse(parser.raw(), &event_) != 0; }
  [[nodiscard]] const yaml_event_t& operator*() const { return event_; }

 private:
  yaml_event_t event_{};
};

Position At(const yaml_mark_t& mark, std::uint32_t file) {
  return {file, static_cast<std::uint32_t>(mark.line) + 1, static_cast<std::uint32_t>(mark.column) + 1};
}

// False ends the reading.
bool Give(const yaml_event_t& event, std::uint32_t file, TreeBuilder& builder) {
  const Position position = At(event.start_mark, file);
  switch (event.type) {
    case YAML_DOCUMENT_START_EVENT:
      return builder.OnDocument(position);
    case YAML_SCALAR_EVENT: {
      const auto& scalar = event.data.scalar;
      builder.OnScalar({.position = position,
                        .text = {reinterpret_cast<const char*>(scalar.value), scalar.length},
                        .plain = scalar.style == YAML_PLAIN_SCALAR_STYLE,
                        .tag = View(scalar.tag),
                        .anchor = View(scalar.anchor)});
      return true;
    }
    case YAML_ALIAS_EVENT:
      return builder.OnAlias(position, View(event.data.alias.anchor));
    case YAML_SEQUENCE_START_EVENT:
      return builder.OnStart(NodeKind::kList, position, View(event.data.sequence_start.tag),
                             View(event.data.sequence_start.anchor));
    case YAML_MAPPING_START_EVENT:
      return builder.OnStart(NodeKind::kMap, position, View(event.data.mapping_start.tag),
                             View(event.data.mapping_start.anchor));
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
      builder.OnEnd();
      return true;
    default:
      return true;
  }
}

}  // namespace

std::optional<Node> ReadByLibyaml(std::string_view text, std::uint32_t file, Tree& tree, Findings& findings) {
  YamlParser parser(text);
  TreeBuilder builder(tree, findings);
  for (;;) {
    YamlEvent event;
    if (!event.Read(parser)) {
      const yaml_parser_t& raw = *parser.raw();
      findings.AddError(At(raw.problem_mark, file), raw.problem == nullptr ? "not YAML" : raw.problem);
      return std::nullopt;
    }
    if ((*event).type == YAML_STREAM_END_EVENT) break;
    if (!Give(*event, file, builder)) return std::nullopt;
  }
  return builder.root().value_or(Node{.position = {file, 1, 1}});
}

}  // namespace weir::config
