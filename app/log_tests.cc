#include "app/log_tests.h"

#include "app/routing_test.h"
#include "app/seen_request.h"
#include "base/figures.h"
#include "base/text.h"
#include "config/model.h"
#include "logs/log_fields.h"
#include "proxy/routing/request_facts.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

namespace weir::app {
namespace {

// A text as YAML's double-quoted scalar.
std::string Quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : Utf8(text)) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    } else {
      out += c;
    }
  }
  return out + '"';
}

// What the log says that came of it.
config::RoutingTest::Expectation ExpectationOf(const logs::Entry& entry) {
  using enum logs::RequestField;
  config::RoutingTest::Expectation out;
  const std::string_view priority = entry[kRulePriority];
  out.rule = !entry.rule_name.empty() ? entry.rule_name : priority == "0" ? std::string_view("default") : priority;
  const std::string_view actions = entry[kActions];
  const std::string_view action = actions.substr(actions.rfind(',') + 1);
  if (action == "forward") {
    if (const auto group = entry.target_group(); !group.empty()) out.target_group = group;
  } else if (action == "redirect" || action == "fixed-response") {
    out.status = entry.status;
    if (entry[kRedirectUrl] != "-") out.location = logs::Unescape(entry[kRedirectUrl]);
  }
  return out;
}

// `{rule: "10", target-group: "blue"}`.
std::string Written(const config::RoutingTest::Expectation& expect) {
  std::string out = "{rule: " + Quoted(*expect.rule);
  if (expect.target_group) out += ", target-group: " + Quoted(*expect.target_group);
  if (expect.status) out += fmt::format(", status: {}", *expect.status);
  if (expect.location) out += ", location: " + Quoted(*expect.location);
  return out + "}";
}

// `- {request: "GET http://…", from: …, expect: …}`.
std::string Written(const config::RoutingTest& test) {
  std::string headers;
  for (const auto& [name, value] : test.headers) {
    headers += fmt::format("{}{}: {}", headers.empty() ? "" : ", ", Quoted(name), Quoted(value));
  }
  std::string out = fmt::format("- {{request: {}, ", Quoted(test.method + " " + test.url));
  if (!headers.empty()) out += fmt::format("headers: {{{}}}, ", headers);
  return out + fmt::format("from: {}, expect: {}}}", Quoted(test.from), Written(test.expect));
}

// Tests say nothing of one query: it would be another test each time.
std::string_view PathOf(std::string_view url) { return url.substr(0, url.find('?')); }

bool HasGroup(const control::View& view, std::string_view name) {
  return std::ranges::find(view.model->target_groups, name, &config::TargetGroup::name) !=
         view.model->target_groups.end();
}

// What the test finds now; empty: what it expects.
std::string FoundNow(const control::View& view, const config::RoutingTest& test) {
  const auto result = DecideRoutingTest(view, test);
  if (!result) return result.error().message;
  std::string out;
  for (const auto& difference : result->differences) {
    out += fmt::format("{}{} {}", out.empty() ? "" : ", ", difference.what, difference.got);
  }
  return out;
}

}  // namespace

LogTests::LogTests(std::shared_ptr<const control::View> view, std::size_t per_rule)
    : view_(std::move(view)), per_rule_(per_rule) {}

void LogTests::Add(const logs::Entry& entry) {
  if (entry.kind != logs::EntryKind::kRequest) return;
  ++requests_;
  if (!TookARule(entry)) return;
  auto question = QuestionOfLog(entry);
  if (!question) return;
  auto expect = ExpectationOf(entry);
  const std::string key = fmt::format("{} {}", entry[logs::RequestField::kElb], Written(expect));
  const auto found = known_.find(key);
  if (found == known_.end() && known_.size() >= kRulesMax) return;
  if (found != known_.end() && found->second.size() >= per_rule_) return;
  // A test can ask only what is a request.
  const auto client = IpAddress::Parse(question->from);
  if (!client || !proxy::MakeFactsFromUrl(question->method, question->url, question->headers, *client)) return;
  if (!known_[key].insert(fmt::format("{} {}", question->method, PathOf(question->url))).second) return;

  Test test;
  if (view_ != nullptr) {
    const std::uint64_t then = PortOf(question->url);
    if (const auto led = LeadToListener(*view_, *question); !led) {
      test.remark = led.error().message;
    } else if (!led->empty() && expect.location) {
      expect.location = WithPort(*expect.location, then, PortOf(question->url));
    }
    // A group that the file has not would be an error of the file.
    if (expect.target_group && !HasGroup(*view_, *expect.target_group)) {
      test.remark = fmt::format("there is no target group {}", *expect.target_group);
      expect.target_group.reset();
    }
  }
  const config::RoutingTest made{.method = question->method,
                                 .url = question->url,
                                 .headers = question->headers,
                                 .query_name = {},
                                 .query_type = {},
                                 .from = question->from,
                                 .unhealthy = {},
                                 .expect = expect,
                                 .position = {}};
  if (view_ != nullptr && test.remark.empty()) test.remark = FoundNow(*view_, made);
  if (!test.remark.empty()) ++failing_;
  test.line = Written(made);
  tests_.push_back(std::move(test));
}

std::string LogTests::Yaml() const {
  std::string out = tests_.empty() ? "tests: []\n" : "tests:\n";
  for (const Test& test : tests_) {
    if (!test.remark.empty()) out += fmt::format("  # now: {}\n", TerminalText(test.remark));
    out += "  " + test.line + "\n";
  }
  return out;
}

}  // namespace weir::app
