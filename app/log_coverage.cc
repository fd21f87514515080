#include "app/log_coverage.h"

#include "app/seen_request.h"
#include "base/figures.h"
#include "control/status_report.h"
#include "proxy/routing/request_facts.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace weir::app {
namespace {

namespace json = boost::json;

std::string TitleOf(const LogCoverage::RuleCount& rule) {
  const std::string priority = control::PriorityText(rule.priority);
  return rule.name.empty() ? priority : fmt::format("{} ({})", priority, rule.name);
}

// The place among the listeners of the one that the question was led to; absent: there is none.
std::optional<std::size_t> ListenerOf(const proxy::RoutingTable& table, const control::HttpQuestion& question,
                                      std::uint16_t port) {
  for (std::size_t i = 0; i < table.listeners().size(); ++i) {
    const auto& listener = table.listeners()[i];
    if (listener->port != port) continue;
    if (question.load_balancer.empty() || listener->load_balancer == question.load_balancer) return i;
  }
  return std::nullopt;
}

}  // namespace

LogCoverage::LogCoverage(std::shared_ptr<const control::View> view) : view_(std::move(view)) {
  for (const auto& listener : view_->routing->listeners()) {
    first_rule_.push_back(rules_.size());
    for (const proxy::Rule& rule : listener->rules) {
      rules_.push_back({.load_balancer = listener->load_balancer,
                        .port = listener->port,
                        .priority = rule.priority,
                        .name = std::string(rule.name),
                        .requests = 0,
                        .first = {}});
    }
  }
}

void LogCoverage::LeaveOut(const std::string& reason) {
  const bool full = left_out_.size() >= kReasonsMax && !left_out_.contains(reason);
  ++left_out_[full ? std::string("others") : reason];
}

void LogCoverage::Add(const logs::Entry& entry) {
  if (entry.kind != logs::EntryKind::kRequest) return;
  ++requests_;
  auto question = QuestionOfLog(entry);
  if (!question) return LeaveOut(question.error().message);
  const std::string asked = fmt::format("{} {}", question->method, question->url);
  if (const auto led = LeadToListener(*view_, *question); !led) return LeaveOut(led.error().message);
  const auto client = IpAddress::Parse(question->from);
  if (!client) return LeaveOut("the client has no address");
  const auto request = proxy::MakeFactsFromUrl(question->method, question->url, question->headers, *client);
  if (!request) return LeaveOut("the request has no URL that is one");
  const auto at = ListenerOf(*view_->routing, *question, request->port());
  if (!at) return LeaveOut("no listener has the port");
  const proxy::Listener& listener = *view_->routing->listeners()[*at];
  const proxy::Rule& rule = listener.Match(request->facts());
  RuleCount& count = rules_[first_rule_[*at] + static_cast<std::size_t>(&rule - listener.rules.data())];
  if (count.requests++ == 0) count.first = asked;
  if (!TookARule(entry) || TookRule(entry, rule.priority, rule.name)) return;
  ++changed_;
  if (changes_.size() < kExamplesMax) {
    changes_.push_back({.request = asked, .then = RuleOfLog(entry), .now = TitleOf(count)});
  }
}

std::string CoverageText(const LogCoverage& coverage) {
  const auto& rules = coverage.rules();
  const auto unused =
      static_cast<std::uint64_t>(std::ranges::count_if(rules, [](const auto& rule) { return rule.requests == 0; }));
  std::string out = fmt::format("{} requests take {} of {} rules\n", CountText(coverage.requests()),
                                CountText(rules.size() - unused), CountText(rules.size()));
  std::string listener;
  for (const auto& rule : rules) {
    const std::string name = fmt::format("{}/{}", rule.load_balancer, rule.port);
    if (std::exchange(listener, name) != name) out += fmt::format("\n{}\n", name);
    out += fmt::format("  {:<32} {:>14} {:>9}  {}\n", Cut(TerminalText(TitleOf(rule)), 32), CountText(rule.requests),
                       rule.requests == 0 ? "never" : PercentText(rule.requests, coverage.requests()),
                       TerminalText(rule.first));
  }
  if (coverage.changed() > 0) {
    out += fmt::format("\n{} requests took another rule then:\n", CountText(coverage.changed()));
    for (const auto& change : coverage.changes()) {
      out += fmt::format("  {}: {} then, {} now\n", TerminalText(change.request), change.then, change.now);
    }
    if (coverage.changed() > coverage.changes().size()) out += "  ...\n";
  }
  if (!coverage.left_out().empty()) out += "\nleft out:\n";
  for (const auto& [reason, count] : coverage.left_out()) {
    out += fmt::format("  {:>14}  {}\n", CountText(count), TerminalText(reason));
  }
  return out;
}

std::string CoverageJson(const LogCoverage& coverage) {
  json::array rules;
  for (const auto& rule : coverage.rules()) {
    json::object item{{"load-balancer", rule.load_balancer},
                      {"port", rule.port},
                      {"priority", control::PriorityText(rule.priority)},
                      {"name", rule.name},
                      {"requests", rule.requests}};
    if (!rule.first.empty()) item["first"] = Utf8(rule.first);
    rules.push_back(std::move(item));
  }
  json::array changes;
  for (const auto& change : coverage.changes()) {
    changes.push_back(
        json::object{{"request", Utf8(change.request)}, {"then", Utf8(change.then)}, {"now", change.now}});
  }
  json::object left_out;
  for (const auto& [reason, count] : coverage.left_out()) left_out[Utf8(reason)] = count;
  return json::serialize(json::object{{"requests", coverage.requests()},
                                      {"rules", std::move(rules)},
                                      {"changed", coverage.changed()},
                                      {"changes", std::move(changes)},
                                      {"left-out", std::move(left_out)}});
}

}  // namespace weir::app
