#include "config/document/environment.h"

#include "config/document/tree_builder.h"
#include "config/findings.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <tuple>
#include <vector>

namespace weir::config {
namespace {

bool IsName(std::string_view text) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  return !text.empty() && letter(text[0]) &&
         std::ranges::all_of(text, [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

// What stands between the braces: NAME or NAME:-default. Absent when it cannot be resolved, which is then reported.
std::optional<std::string> Resolve(std::string_view reference, const Environment& environment, Position position,
                                   Findings& findings) {
  const std::size_t separator = reference.find(":-");
  const std::string name(reference.substr(0, separator));
  if (!IsName(name)) {
    findings.AddError(position,
                      fmt::format("{} names no environment variable", Quoted("${" + std::string(reference) + "}")),
                      "write ${NAME} or ${NAME:-default}; $${ is a literal ${");
    return std::nullopt;
  }
  std::optional<std::string> value = environment(name);
  if (separator != std::string_view::npos && (!value || value->empty()))
    return std::string(reference.substr(separator + 2));
  if (!value) {
    findings.AddError(position, fmt::format("environment variable {} is not set", name),
                      fmt::format("set it, or write ${{{}:-default}}", name));
  }
  return value;
}

struct Substitution {
  std::string what;
  std::string by;
};

// Text that was put in is not looked at again: a value may be part of another one's reference.
std::string Substitute(std::string_view text, const std::vector<Substitution>& substitutions) {
  std::string out;
  while (!text.empty()) {
    const auto found =
        std::ranges::find_if(substitutions, [text](const Substitution& each) { return text.starts_with(each.what); });
    if (found == substitutions.end()) {
      out += text.front();
      text.remove_prefix(1);
    } else {
      out += found->by;
      text.remove_prefix(found->what.size());
    }
  }
  return out;
}

}  // namespace

std::string ExpandEnvironment(std::string_view text, const Environment& environment, Position position,
                              Findings& findings) {
  std::string out;
  for (std::size_t at = text.find("${"); at != std::string_view::npos; at = text.find("${")) {
    if (at > 0 && text[at - 1] == '$') {
      out.append(text.substr(0, at - 1)).append("${");
      text.remove_prefix(at + 2);
      continue;
    }
    const std::size_t end = text.find('}', at);
    if (end == std::string_view::npos) {
      findings.AddError(position, "a ${ without its }", "write ${NAME} or ${NAME:-default}; $${ is a literal ${");
      break;
    }
    out.append(text.substr(0, at));
    const std::string_view reference = text.substr(at + 2, end - at - 2);
    if (const auto value = Resolve(reference, environment, position, findings)) out.append(*value);
    text.remove_prefix(end + 1);
  }
  return out.append(text);
}

void HideReplacements(const std::vector<Replacement>& replacements, std::vector<Diagnostic>& findings) {
  constexpr std::size_t kSecretMin = 4;
  if (findings.empty() || replacements.empty()) return;
  std::vector<Substitution> substitutions;
  for (const Replacement& replacement : replacements) {
    const std::string name = Quoted(replacement.written);
    substitutions.push_back({fmt::format("{} from {}", Quoted(replacement.text), name), "what " + name + " holds"});
    if (replacement.text.size() >= kSecretMin) substitutions.push_back({replacement.text, replacement.written});
  }
  std::ranges::sort(substitutions, [](const Substitution& a, const Substitution& b) {
    if (a.what.size() != b.what.size()) return a.what.size() > b.what.size();
    return std::tie(a.what, a.by) < std::tie(b.what, b.by);
  });
  for (Diagnostic& finding : findings) {
    finding.message = Substitute(finding.message, substitutions);
    finding.hint = Substitute(finding.hint, substitutions);
  }
}

Node ExpandReferences(const Node& node, const Environment& environment, Tree& tree, Findings& findings,
                      std::vector<Replacement>* replaced, const std::function<bool(const Node&)>& leave_out) {
  if (!node.has_references || (leave_out && leave_out(node))) return node;
  Node out = node;
  out.has_references = false;
  if (node.is_scalar()) {
    const Node& written = node.children[0];
    const std::size_t errors = findings.errors();
    bool is_held = false;  // by a variable; a default stands in the file for everybody to read
    const Environment noting = [&](const std::string& name) {
      auto value = environment(name);
      is_held = is_held || (value && !value->empty());
      return value;
    };
    out.text = tree.Keep(ExpandEnvironment(written.text, noting, written.position, findings));
    out.expanded = true;
    out.unknown = findings.errors() != errors;
    if (replaced != nullptr && is_held) replaced->push_back({std::string(written.text), std::string(out.text)});
    return out;
  }
  std::vector<Node> children;
  children.reserve(node.children.size());
  bool in_key = false;
  for (std::size_t i = 0; i < node.children.size(); ++i) {
    in_key = in_key || (node.is_map() && i % 2 == 0 && node.children[i].has_references);
    children.push_back(ExpandReferences(node.children[i], environment, tree, findings, replaced, leave_out));
  }
  if (in_key) CheckKeys(children, findings);
  out.children = tree.Keep(children);
  return out;
}

}  // namespace weir::config
