// Actions; spec: alb.md section 5.

#include "base/text.h"
#include "config/decode/decode.h"
#include "config/document/utf8.h"
#include "config/findings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ranges>
#include <set>
#include <string>
#include <string_view>
#include <variant>

namespace weir::config {
namespace {

constexpr std::size_t kMessageCharactersMax = 1024;  // spec: alb.md 5.3
constexpr std::size_t kForwardGroupsMax = 100;       // our choice; AWS stops at 5

void CheckForward(const ForwardAction& forward, Position position, Findings& findings) {
  std::set<std::uint32_t> seen;
  std::uint32_t total = 0;
  for (const WeightedTargetGroup& choice : forward.target_groups) {
    total += choice.weight;
    if (!seen.insert(choice.target_group).second) {
      findings.AddError(position, "a target group stands twice in one forward action", "add the weights up");
    }
  }
  if (forward.target_groups.size() > kForwardGroupsMax) {
    findings.AddError(position, fmt::format("more than {} target groups in one forward action", kForwardGroupsMax));
  }
  if (total == 0 && !forward.target_groups.empty()) {
    findings.AddWarning(position, "every weight of this forward action is 0", "its requests are answered 503");
  }
}

// `out` has its groups already.
void DecodeCanary(const Fields& forward, Decoding& decoding, ForwardAction& out) {
  const Node* const node = forward.Map("canary");
  if (node == nullptr) return;
  Findings& findings = decoding.findings;
  const Fields fields(*node);
  const Node* const name = fields.Scalar("target-group");
  if (name == nullptr) return;
  const auto group = decoding.target_groups.Resolve(*name, findings);
  if (forward.Has("target-group") || forward.List("target-groups").size() != 2) {
    findings.AddError(node->position, "`canary` without exactly two target groups",
                      "`target-groups` with the stage's and the canary's");
    return;
  }
  // Names that could not be resolved were reported.
  if (!group || out.target_groups.size() != 2) return;
  if (std::ranges::find(out.target_groups, *group, &WeightedTargetGroup::target_group) == out.target_groups.end()) {
    findings.AddError(name->position, fmt::format("the canary {} is none of the target groups", Quoted(name->text)),
                      "one of those that `target-groups` names");
    return;
  }
  out.canary = std::make_shared<const Canary>(
      Canary{.target_group = *group, .access_log = DecodeLogFile(fields, "access-log", decoding)});
}

ForwardAction DecodeForward(const Fields& fields, Decoding& decoding) {
  Findings& findings = decoding.findings;
  ForwardAction out;
  out.stickiness = DecodeForwardStickiness(fields, findings);
  if (fields.Has("target-group") == fields.Has("target-groups")) {
    findings.AddError(fields.position(),
                      fields.Has("target-group") ? "`target-group` beside `target-groups`"
                                                 : "a forward action without a target group",
                      "either `target-group: NAME` or `target-groups: [{name: NAME, weight: N}]`");
    decoding.target_groups.NoteLostReference();
    return out;
  }
  if (const Node* const name = fields.Scalar("target-group")) {
    if (const auto group = decoding.target_groups.Resolve(*name, findings)) out.target_groups.push_back({*group, 1});
    DecodeCanary(fields, decoding, out);
    return out;
  }
  CheckNotEmpty(fields, "target-groups", findings);
  const auto items = fields.List("target-groups");
  for (const Node& item : items) {
    const Fields choice(item);
    const Node* const name = choice.Scalar("name");
    if (name == nullptr) {
      decoding.target_groups.NoteLostReference();
      continue;
    }
    if (items.size() > 1 && !choice.Has("weight")) {
      findings.AddError(item.position, fmt::format("target group {} without a weight", Quoted(name->text)),
                        "with several target groups each needs `weight: 0-999`");
    }
    const auto weight = static_cast<std::uint16_t>(choice.Integer("weight").value_or(1));
    if (const auto group = decoding.target_groups.Resolve(*name, findings))
      out.target_groups.push_back({*group, weight});
  }
  CheckForward(out, fields.PositionOf("target-groups"), findings);
  DecodeCanary(fields, decoding, out);
  return out;
}

FixedResponseAction DecodeFixedResponse(const Fields& fields, Findings& findings) {
  FixedResponseAction out;
  out.status_code = static_cast<std::uint16_t>(fields.Integer("status-code").value_or(200));
  if (out.status_code / 100 == 3) {
    findings.AddError(fields.PositionOf("status-code"),
                      fmt::format("a fixed response cannot have status {}", out.status_code),
                      "2xx, 4xx or 5xx; redirects have an action of their own");
  }
  out.content_type = fields.Text("content-type");
  if (!std::ranges::all_of(out.content_type, [](char c) { return c >= 0x20 && c < 0x7F; })) {
    findings.AddError(fields.PositionOf("content-type"), "`content-type` holds a character that cannot be sent");
  }
  out.message_body = fields.Text("message-body");
  if (CountCharacters(out.message_body) > kMessageCharactersMax) {
    findings.AddError(fields.PositionOf("message-body"),
                      fmt::format("`message-body` is longer than {} characters", kMessageCharactersMax));
  }
  const bool bodiless = out.status_code == 204 || out.status_code == 205;
  if (bodiless && !out.message_body.empty()) {
    findings.AddError(fields.PositionOf("message-body"), fmt::format("a {} response has no body", out.status_code),
                      "leave `message-body` out, or answer 200");
  }
  return out;
}

template <class Decoded>
struct ActionRow {
  std::string_view key;
  Decoded (*decode)(const Fields& fields, Decoding& decoding);
};
constexpr auto kActionRows = std::to_array<ActionRow<Action>>({
    {"forward", [](const Fields& fields, Decoding& decoding) -> Action { return DecodeForward(fields, decoding); }},
    {"redirect",
     [](const Fields& fields, Decoding& decoding) -> Action { return DecodeRedirect(fields, decoding.findings); }},
    {"fixed-response",
     [](const Fields& fields, Decoding& decoding) -> Action { return DecodeFixedResponse(fields, decoding.findings); }},
});
static_assert(kActionRows.size() == std::variant_size_v<Action>, "each action has its row");

constexpr auto kLeadingActionRows = std::to_array<ActionRow<LeadingAction>>({
    {"authenticate-oidc",
     [](const Fields& fields, Decoding& decoding) -> LeadingAction {
       return DecodeAuthenticateOidc(fields, decoding);
     }},
    {"authenticate-cognito",
     [](const Fields& fields, Decoding& decoding) -> LeadingAction {
       return DecodeAuthenticateCognito(fields, decoding);
     }},
    {"jwt-validation",
     [](const Fields& fields, Decoding& decoding) -> LeadingAction { return DecodeJwtValidation(fields, decoding); }},
});
// authenticate-cognito is another spelling of authenticate-oidc.
static_assert(kLeadingActionRows.size() == std::variant_size_v<LeadingAction> + 1, "each leading action has its row");

// What is wanted where there is another number of them.
std::string ExactlyOne() {
  std::array<std::string_view, kActionRows.size()> keys{};
  std::ranges::transform(kActionRows, keys.begin(), &ActionRow<Action>::key);
  return "exactly one of " + JoinWords(keys);
}

template <class Rows>
[[nodiscard]] auto FindRow(const Rows& rows, const Fields& action) {
  return std::ranges::find_if(rows, [&](const auto& row) { return action.Map(row.key) != nullptr; });
}

}  // namespace

void DecodeActions(const Fields& fields, std::string_view key, Decoding& decoding, Rule& out) {
  const auto items = fields.List(key);
  if (items.empty()) {
    // A missing key, or one that is no list, was reported.
    const Node* const list = fields.node().Find(key);
    if (list != nullptr && list->is_list()) {
      decoding.findings.AddError(list->position, "no action", ExactlyOne());
    } else {
      decoding.target_groups.NoteLostReference();
    }
    return;
  }
  const Node* last = nullptr;  // the one that a request ends with
  for (const Node& item : items) {
    const Fields action(item);
    if (const auto row = FindRow(kLeadingActionRows, action); row != kLeadingActionRows.end()) {
      if (last != nullptr) {
        decoding.findings.AddError(item.position, fmt::format("`{}` behind the action that answers", row->key),
                                   "it stands before it");
      }
      out.leading_actions.edit().push_back(row->decode(Fields(*action.Map(row->key)), decoding));
      continue;
    }
    if (last != nullptr) {
      decoding.findings.AddError(item.position, "a second action", ExactlyOne());
      return;
    }
    last = &item;
  }
  if (last == nullptr) {
    decoding.findings.AddError(items.back().position, "no action that answers", "at the end " + ExactlyOne());
    decoding.target_groups.NoteLostReference();
    return;
  }
  const Fields action(*last);
  const auto row = FindRow(kActionRows, action);
  if (row != kActionRows.end()) {
    out.action = row->decode(Fields(*action.Map(row->key)), decoding);
  } else {
    decoding.target_groups.NoteLostReference();
  }
}

void CheckLeadingActions(const Fields& fields, std::string_view key, bool speaks_http, Findings& findings) {
  const auto names = kLeadingActionRows | std::views::transform(&ActionRow<LeadingAction>::key);
  bool has_one = false;
  for (const Node& item : fields.List(key)) {
    for (const auto& row : kLeadingActionRows) {
      if (!Fields(item).Has(row.key)) continue;
      if (speaks_http) {
        findings.AddError(item.position, fmt::format("`{}` on an HTTP listener", row.key),
                          "it protects nothing without TLS: `protocol: HTTPS`");
      } else if (has_one) {
        findings.AddError(item.position, fmt::format("`{}` behind another action of its kind", row.key),
                          fmt::format("one of {}", fmt::join(names, ", ")));
      }
      has_one = true;
    }
  }
}

}  // namespace weir::config
