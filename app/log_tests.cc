#include "app/log_tests.h"

#include "app/routing_test.h"
#include "app/seen_request.h"
#include "base/figures.h"
#include "base/text.h"
#include "control/explain.h"
#include "logs/log_fields.h"

#include <fmt/format.h>

#include <string_view>
#include <utility>

namespace weir::app {
namespace {

// A text as YAML's double-quoted scalar.
std::string Quoted(std::string_view text) {
  std::string out;
  AppendJsonBytes(out, text);
  return out;
}

// `rule: "10", target-group: "blue"`: what the log says that came of it.
std::string ExpectationOf(const logs::Entry& entry) {
  using enum logs::RequestField;
  const std::string_view priority = entry[kRulePriority];
  std::string out = "rule: " + Quoted(!entry.rule_name.empty() ? entry.rule_name
                                      : priority == "0"        ? std::string_view("default")
                                                               : priority);
  const std::string_view actions = entry[kActions];
  const std::string_view action = actions.substr(actions.rfind(',') + 1);
  if (action == "forward") {
    if (const auto group = entry.target_group(); !group.empty()) out += ", target-group: " + Quoted(group);
  } else if (action == "redirect" || action == "fixed-response") {
    out += fmt::format(", status: {}", entry.status);
    if (entry[kRedirectUrl] != "-") out += ", location: " + Quoted(logs::Unescape(entry[kRedirectUrl]));
  }
  return out;
}

// Tests say nothing of one query: it would be another test each time.
std::string_view PathOf(std::string_view url) { return url.substr(0, url.find('?')); }

std::string Joined(const std::vector<Difference>& differences) {
  std::string out;
  for (const auto& difference : differences) {
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
  const std::string_view priority = entry[logs::RequestField::kRulePriority];
  if (priority == "-" || priority == "-1") return;
  auto question = QuestionOfLog(entry);
  if (!question) return;
  const std::string expectation = ExpectationOf(entry);
  const std::string key = fmt::format("{} {}", entry[logs::RequestField::kElb], expectation);
  const auto found = known_.find(key);
  if (found == known_.end() && known_.size() >= kRulesMax) return;
  if (found != known_.end() && found->second.size() >= per_rule_) return;
  if (!known_[key].insert(fmt::format("{} {}", question->method, PathOf(question->url))).second) return;

  Test test;
  std::string headers;
  if (view_ != nullptr) {
    if (const auto led = LeadToListener(*view_, *question); !led) {
      test.remark = led.error().message;
    } else if (const auto now = control::FindRequestExplanation(*view_, *question); !now) {
      test.remark = now.error().message;
    } else {
      test.remark = Joined(DifferencesFromLog(entry, *now));
    }
    if (!test.remark.empty()) ++failing_;
  }
  for (const auto& [name, value] : question->headers) {
    headers += fmt::format("{}{}: {}", headers.empty() ? "" : ", ", Quoted(name), Quoted(value));
  }
  test.line = fmt::format("- {{request: {}, ", Quoted(question->method + " " + question->url));
  if (!headers.empty()) test.line += fmt::format("headers: {{{}}}, ", headers);
  test.line += fmt::format("from: {}, expect: {{{}}}}}", Quoted(question->from), expectation);
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
