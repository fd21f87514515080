// Targets that are functions; spec: alb.md 7.4, resilience.md 4.1 (aliases).

#include "base/text.h"
#include "config/decode/decode.h"
#include "config/document/sources.h"
#include "config/findings.h"
#include "config/schema/schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <optional>
#include <set>

namespace weir::config {
namespace {

constexpr std::size_t kVersionsMax = 10;               // our choice; Lambda stops at 2
constexpr std::size_t kVersionNameMax = 128;           // as Lambda's qualifiers
constexpr double kWeightTolerance = 1e-6;              // of their sum: decimal fractions are not exact
constexpr std::uint32_t kEndpointConcurrency = 1'000;  // Lambda's default for an account
constexpr std::chrono::milliseconds kCheckInterval{35'000};
constexpr std::chrono::milliseconds kCheckTimeout{30'000};

// What a program or a runtime has and an endpoint has not.
constexpr auto kProcessKeys = std::to_array<std::string_view>({"handler", "root", "environment"});
constexpr auto kCodeKeys = std::to_array<std::string_view>({"command", "runtime", "invoke"});

// A version before the function whose defaults it takes.
using Levels = std::span<const Fields* const>;

// The innermost that has the key; null when none has.
const Fields* Holder(Levels levels, std::string_view key) {
  const auto found = std::ranges::find_if(levels, [&](const Fields* fields) { return fields->Has(key); });
  return found == levels.end() ? nullptr : *found;
}

// The kinds of code that the innermost level has that has one.
std::vector<std::string_view> KindsOf(Levels levels) {
  std::vector<std::string_view> kinds;
  for (const Fields* const fields : levels) {
    std::ranges::copy_if(kCodeKeys, std::back_inserter(kinds), [&](auto key) { return fields->Has(key); });
    if (!kinds.empty()) break;
  }
  return kinds;
}

void CheckInvoke(const Fields& fields, Findings& findings) {
  const std::string url = fields.Text("invoke");
  const bool has_scheme = url.starts_with("http://") || url.starts_with("https://");
  const bool plain = std::ranges::all_of(url, [](char c) { return c > 0x20 && c < 0x7F && c != '#'; });
  const std::size_t host = url.find("://") + 3;
  const std::string_view authority =
      has_scheme ? std::string_view(url).substr(host, url.find_first_of("/?", host) - host) : std::string_view();
  const auto colon = authority.find(':', authority.rfind(']') == std::string_view::npos ? 0 : authority.rfind(']'));
  const auto port =
      colon == std::string_view::npos ? std::optional<std::uint64_t>(1) : ParseDecimal(authority.substr(colon + 1));
  const bool good_port = port && *port >= 1 && *port <= 65'535;
  if (has_scheme && plain && good_port && !authority.empty() && !authority.contains('@')) return;
  findings.AddError(fields.PositionOf("invoke"), fmt::format("{} cannot be invoked", Quoted(url)),
                    "an http or https URL: http://HOST:PORT/2015-03-31/functions/function/invocations");
}

void DecodeEnvironment(const Fields& fields, Findings& findings, FunctionCode& out) {
  const Node* const map = fields.Map("environment");
  if (map == nullptr) return;
  for (std::size_t i = 0; i < map->entries(); ++i) {
    const Node& key = map->key(i);
    const bool plain =
        !key.text.empty() && key.text.find_first_of(std::string_view("=\0", 2)) == std::string_view::npos;
    if (!plain) findings.AddError(key.position, fmt::format("{} is no name of a variable", Quoted(key.text)));
    if (map->value(i).is_scalar()) out.environment.emplace_back(key.text, map->value(i).text);
  }
}

void DecodeProcess(Levels levels, Decoding& decoding, FunctionCode& out) {
  if (const Fields* const fields = Holder(levels, "handler")) out.handler = fields->Text("handler");
  const Fields* const root = Holder(levels, "root");
  out.root = root != nullptr ? DecodePath(*root, "root", decoding.files).text
                             : ResolvePath(".", FileOf(levels.back()->position(), decoding.files));
  if (const Fields* const fields = Holder(levels, "environment")) {
    DecodeEnvironment(*fields, decoding.findings, out);
  }
}

void DecodeCommand(const Fields& fields, Findings& findings, FunctionCode& out) {
  CheckNotEmpty(fields, "command", findings);
  for (const Node& word : fields.List("command")) {
    if (word.is_scalar()) out.command.emplace_back(word.text);
  }
  if (!out.command.empty() && out.command.front().empty()) {
    findings.AddError(fields.PositionOf("command"), "`command` begins with an empty text", "the program to start");
  }
}

// `what` the code belongs to, at `position`.
FunctionCode DecodeCode(Levels levels, Decoding& decoding, Position position, std::string_view what) {
  Findings& findings = decoding.findings;
  FunctionCode out;
  const auto kinds = KindsOf(levels);
  if (kinds.size() != 1) {
    findings.AddError(position,
                      kinds.empty() ? fmt::format("{} has nothing to run", what)
                                    : fmt::format("`{}` beside `{}`", kinds[1], kinds[0]),
                      "exactly one of command, runtime or invoke");
    return out;
  }
  const std::string_view kind = kinds.front();
  const Fields& holder = *Holder(levels, kind);
  const bool is_endpoint = kind == "invoke";
  if (const Fields* const fields = Holder(levels, "timeout")) {
    out.timeout = fields->Duration("timeout").value_or(out.timeout);
  }
  if (is_endpoint) out.concurrency = kEndpointConcurrency;
  if (const Fields* const fields = Holder(levels, "concurrency")) {
    out.concurrency = static_cast<std::uint32_t>(fields->Integer("concurrency").value_or(out.concurrency));
  }
  if (is_endpoint) {
    out.invoke = holder.Text("invoke");
    CheckInvoke(holder, findings);
    // What the function says for its other versions is not this one's.
    for (const std::string_view key : kProcessKeys) {
      if (!levels.front()->Has(key)) continue;
      findings.AddError(levels.front()->PositionOf(key), fmt::format("`{}` has no meaning for an endpoint", key),
                        "leave it out: whoever answers there runs the function");
    }
    return out;
  }
  DecodeProcess(levels, decoding, out);
  if (kind == "command") DecodeCommand(holder, findings, out);
  if (kind == "runtime" && holder.Word("runtime", kFunctionRuntimeWords)) {
    out.runtime = holder.Choice("runtime", kFunctionRuntimeWords, FunctionRuntime::kPython);
    if (out.handler.empty()) findings.AddError(position, fmt::format("{} without `handler`", what), "`FILE.FUNCTION`");
  }
  return out;
}

// What responses say in a field, and programs in a variable of their environment.
bool IsQualifier(std::string_view name) {
  const auto allowed = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' || c == '_' ||
           c == '.' || c == '$';
  };
  return !name.empty() && name.size() <= kVersionNameMax && std::ranges::all_of(name, allowed);
}

void CheckQualifier(const Fields& fields, std::string_view key, Findings& findings) {
  if (fields.Scalar(key) == nullptr || IsQualifier(fields.Text(key))) return;
  findings.AddError(fields.PositionOf(key), fmt::format("`{}` cannot be {}", key, Quoted(fields.Text(key))),
                    fmt::format("1 to {} of letters, digits, - _ . and $", kVersionNameMax));
}

// Gives the version without a weight what the others leave.
void SpreadWeights(const Fields& function, std::span<const Node> items, Findings& findings,
                   std::vector<FunctionVersion>& versions) {
  double sum = 0;
  FunctionVersion* rest = nullptr;
  for (std::size_t i = 0; i < versions.size(); ++i) {
    const Fields fields(items[i]);
    if (const auto weight = fields.Number("weight")) {
      sum += versions[i].weight = *weight;
    } else if (fields.Has("weight")) {
      return;  // which was reported
    } else if (rest != nullptr) {
      findings.AddError(items[i].position, "a second version without `weight`", "one of them may leave it out");
      return;
    } else {
      rest = &versions[i];
    }
  }
  if (sum > 1 + kWeightTolerance || (rest == nullptr && sum < 1 - kWeightTolerance)) {
    findings.AddError(function.PositionOf("versions"), fmt::format("the weights of the versions add up to {:.6g}", sum),
                      rest == nullptr ? "to 1; or leave one out, which gets the rest" : "to at most 1");
    return;
  }
  if (rest != nullptr) rest->weight = std::max(0.0, 1 - sum);
}

void DecodeVersions(const Fields& function, Decoding& decoding, Function& out) {
  Findings& findings = decoding.findings;
  CheckNotEmpty(function, "versions", findings);
  const auto items = function.List("versions");
  std::set<std::string> names;
  for (const Node& item : items) {
    const Fields fields(item);
    CheckQualifier(fields, "name", findings);
    FunctionVersion version{.name = fields.Text("name"), .code = {}, .position = item.position};
    const std::array<const Fields*, 2> levels{&fields, &function};
    if (item.is_map()) {
      version.code = DecodeCode(levels, decoding, item.position, fmt::format("version {}", Quoted(version.name)));
    }
    if (!version.name.empty() && !names.insert(version.name).second) {
      findings.AddError(fields.PositionOf("name"), fmt::format("version {} stands twice", Quoted(version.name)));
    }
    out.versions.push_back(std::move(version));
  }
  if (items.size() > kVersionsMax) {
    findings.AddError(function.PositionOf("versions"), fmt::format("more than {} versions", kVersionsMax));
  }
  SpreadWeights(function, items, findings, out.versions);
}

// Attributes that ask for something of targets.
void CheckAttributes(const Fields& attributes, Findings& findings) {
  constexpr std::string_view kCrossZone = "load_balancing.cross_zone.enabled";
  for (std::size_t i = 0; i < attributes.node().entries(); ++i) {
    const Node& key = attributes.node().key(i);
    const Node& value = attributes.node().value(i);
    const Field* const field = FindField(kTargetGroupAttributesObject, key.text);
    if (field == nullptr || key.text == "lambda.multi_value_headers.enabled" || !value.is_scalar()) continue;
    if (EqualsIgnoreCase(value.text, field->fallback)) continue;
    if (key.text == kCrossZone) {
      if (!EqualsIgnoreCase(value.text, "false")) continue;
      findings.AddError(value.position, fmt::format("`{}: false` with a function", kCrossZone),
                        "a function stands in no zone: leave it out");
    } else {
      findings.AddError(key.position, fmt::format("`{}` has no meaning for a function", key.text), "leave it out");
    }
  }
}

void CheckBesideFunction(const Fields& fields, Findings& findings) {
  for (const std::string_view key : {"protocol", "protocol-version", "targets", "tls"}) {
    if (!fields.Has(key)) continue;
    findings.AddError(fields.PositionOf(key), fmt::format("`{}` has no meaning for a function", key), "leave it out");
  }
  if (const Node* const check = fields.Map("health-check")) {
    const Fields check_fields(*check);
    for (const std::string_view key : {"protocol", "port"}) {
      if (!check_fields.Has(key)) continue;
      findings.AddError(check_fields.PositionOf(key), fmt::format("`{}` has no meaning for a function", key),
                        "leave it out: a health check is an invocation");
    }
    if (!check_fields.Has("enabled")) {
      findings.AddWarning(check->position, "a health check of a function that is not enabled", "`enabled: true`");
    }
  }
  if (const Node* const attributes = fields.Map("attributes")) CheckAttributes(Fields(*attributes), findings);
}

// What only functions have.
void CheckWithoutFunction(const Fields& fields, Findings& findings) {
  constexpr std::string_view kMultiValue = "lambda.multi_value_headers.enabled";
  if (fields.Has("function")) {
    findings.AddError(fields.PositionOf("function"), "`function` of a target group of addresses",
                      "`target-type: lambda`");
  }
  const Node* const attributes = fields.Map("attributes");
  if (attributes != nullptr && Fields(*attributes).Boolean(kMultiValue, false)) {
    findings.AddError(Fields(*attributes).PositionOf(kMultiValue), fmt::format("`{}` needs a function", kMultiValue),
                      "`target-type: lambda`");
  }
  const Node* const check = fields.Map("health-check");
  if (check != nullptr && !Fields(*check).Boolean("enabled", true)) {
    findings.AddError(Fields(*check).PositionOf("enabled"), "health checks of targets cannot be turned off",
                      "leave it out; functions alone do without");
  }
}

}  // namespace

void DecodeFunction(const Fields& fields, Decoding& decoding, TargetGroup& out) {
  Findings& findings = decoding.findings;
  if (fields.Word("target-type", kTargetTypeWords).value_or(0) == 0) {
    // A type that cannot be read may be any.
    if (!fields.Has("target-type") || fields.Word("target-type", kTargetTypeWords)) {
      CheckWithoutFunction(fields, findings);
    }
    return;
  }
  Function& function = out.function.emplace();
  out.health_check.enabled = false;
  out.health_check.interval = kCheckInterval;
  out.health_check.timeout = kCheckTimeout;
  CheckBesideFunction(fields, findings);
  if (const Node* const attributes = fields.Map("attributes")) {
    function.multi_value_headers = Fields(*attributes).Boolean("lambda.multi_value_headers.enabled", false);
  }
  const Node* const node = fields.Map("function");
  if (node == nullptr) {
    if (!fields.Has("function")) {
      findings.AddError(fields.PositionOf("target-type"), "a target group of a function without `function`",
                        "`function: {runtime: python, handler: app.handler}`");
    }
    return;
  }
  const Fields function_fields(*node);
  function.alias = function_fields.Text("alias");
  CheckQualifier(function_fields, "alias", findings);
  if (function_fields.Has("versions")) {
    DecodeVersions(function_fields, decoding, function);
    return;
  }
  if (function_fields.Has("alias")) {
    findings.AddError(function_fields.PositionOf("alias"), "`alias` without `versions`",
                      "`versions: [{name: \"1\", ...}]`");
  }
  const std::array<const Fields*, 1> levels{&function_fields};
  function.versions.push_back(
      {.code = DecodeCode(levels, decoding, node->position, "a function"), .position = node->position});
}

}  // namespace weir::config
