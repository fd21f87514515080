#include "config/document/json_writer.h"

#include "config/document/packed.h"

#include <fmt/format.h>

#include <cstddef>
#include <string_view>

namespace weir::config {
namespace {

void AppendText(std::string_view text, std::string& out) {
  out.push_back('"');
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (c == '\n') {
      out.append("\\n");
    } else if (c == '\t') {
      out.append("\\t");
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out.append(fmt::format("\\u{:04x}", static_cast<unsigned>(static_cast<unsigned char>(c))));
    } else {
      out.push_back(c);
    }
  }
  out.push_back('"');
}

bool IsDigits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// RFC 8259, 6, without exponents: 007 and 1_000 stay texts.
bool IsJsonNumber(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  const std::size_t point = text.find('.');
  const std::string_view whole = text.substr(0, point);
  if (!IsDigits(whole) || (whole.size() > 1 && whole[0] == '0')) return false;
  return point == std::string_view::npos || IsDigits(text.substr(point + 1));
}

bool IsJsonWord(const Node& node) {
  const std::string_view text = node.written();
  return !node.quoted && (text == "true" || text == "false" || IsJsonNumber(text));
}

void Append(const Node& node, std::string& out) {
  if (node.packed) {
    Tree tree;
    return Append(Unpacked(node, tree), out);
  }
  switch (node.kind) {
    case NodeKind::kNull:
      out.append("null");
      return;
    case NodeKind::kScalar:
      if (IsJsonWord(node)) {
        out.append(node.written());
      } else {
        AppendText(node.written(), out);
      }
      return;
    case NodeKind::kList:
      out.push_back('[');
      for (const Node& item : node.children) {
        if (&item != node.children.data()) out.push_back(',');
        Append(item, out);
      }
      out.push_back(']');
      return;
    case NodeKind::kMap:
      out.push_back('{');
      for (std::size_t i = 0; i < node.entries(); ++i) {
        if (i > 0) out.push_back(',');
        AppendText(node.key(i).written(), out);
        out.push_back(':');
        Append(node.value(i), out);
      }
      out.push_back('}');
      return;
  }
}

}  // namespace

std::string WriteJson(const Node& node) {
  std::string out;
  Append(node, out);
  return out;
}

}  // namespace weir::config
