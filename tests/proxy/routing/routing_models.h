#pragma once

// Short ways to write configuration models and requests for tests of the routing folder.

#include "base/ip_address.h"
#include "config/model.h"
#include "http/message.h"
#include "proxy/counters.h"
#include "proxy/routing/routing_table.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace weir::proxy::testing {

inline std::vector<config::LocatedText> Texts(const std::vector<std::string>& texts) {
  std::vector<config::LocatedText> out;
  for (const auto& text : texts) out.push_back({.text = text, .position = {}});
  return out;
}

inline config::Condition Host(const std::vector<std::string>& values, const std::vector<std::string>& regexes = {}) {
  return {.kind = config::ConditionKind::kHostHeader, .values = Texts(values), .regex_values = Texts(regexes)};
}
inline config::Condition Path(const std::vector<std::string>& values, const std::vector<std::string>& regexes = {}) {
  return {.kind = config::ConditionKind::kPathPattern, .values = Texts(values), .regex_values = Texts(regexes)};
}
inline config::Condition Header(const std::string& name, const std::vector<std::string>& values,
                                const std::vector<std::string>& regexes = {}) {
  return {.kind = config::ConditionKind::kHttpHeader,
          .name = name,
          .values = Texts(values),
          .regex_values = Texts(regexes)};
}
inline config::Condition Method(const std::vector<std::string>& values) {
  return {.kind = config::ConditionKind::kRequestMethod, .values = Texts(values)};
}
using KeyValue = std::pair<std::optional<std::string>, std::string>;
inline config::Condition Query(const std::vector<KeyValue>& pairs) {
  config::Condition condition{.kind = config::ConditionKind::kQueryString};
  for (const auto& [key, value] : pairs) {
    std::optional<config::LocatedText> key_text;
    if (key) key_text = config::LocatedText{.text = *key, .position = {}};
    condition.pairs.edit().push_back({.key = key_text, .value = {.text = value, .position = {}}});
  }
  return condition;
}
inline config::Condition Source(const std::vector<std::string>& blocks) {
  config::Condition condition{.kind = config::ConditionKind::kSourceIp};
  for (const auto& block : blocks) condition.blocks.edit().push_back(CidrBlock::Parse(block).value());
  return condition;
}

// A request that owns nothing: literals in, facts out.
struct Request {
  std::string method = "GET";
  std::string host = "shop.example.test";
  std::string path = "/";
  std::string query = {};
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string client = "192.0.2.1";
};

class Facts {
 public:
  explicit Facts(Request request) : request_(std::move(request)) {
    for (const auto& [name, value] : request_.headers) fields_.push_back({.name = name, .value = value});
    facts_ = {.method = request_.method,
              .host = request_.host,
              .path = request_.path,
              .query = request_.query,
              .fields = &fields_,
              .client = IpAddress::Parse(request_.client).value()};
  }
  Facts(const Facts&) = delete;
  Facts& operator=(const Facts&) = delete;
  ~Facts() = default;
  [[nodiscard]] const RequestFacts& operator*() const { return facts_; }

 private:
  Request request_;
  std::vector<http::Field> fields_;
  RequestFacts facts_;
};

inline config::Action ForwardTo(const std::vector<std::pair<std::uint32_t, std::uint16_t>>& groups) {
  config::ForwardAction action;
  for (const auto& [group, weight] : groups) action.target_groups.push_back({.target_group = group, .weight = weight});
  return action;
}
inline config::Action Answer(std::uint16_t status) {
  return config::FixedResponseAction{.status_code = status, .content_type = {}, .message_body = {}};
}

inline config::Rule MakeRule(std::uint32_t priority, std::vector<config::Condition> conditions,
                             config::Action action = Answer(200)) {
  config::Rule rule;
  rule.priority = priority;
  rule.conditions = std::move(conditions);
  rule.action = std::move(action);
  return rule;
}

// One load balancer `shop` with one listener on port 8080 and the target groups blue, green and red; the default rule
// answers 404.
inline std::shared_ptr<config::Model> MakeModel(std::vector<config::Rule> rules,
                                                config::Action otherwise = Answer(404)) {
  auto model = std::make_shared<config::Model>();
  for (const char* name : {"blue", "green", "red"}) {
    config::TargetGroup group;
    group.name = name;
    model->target_groups.push_back(std::move(group));
  }
  config::Listener listener;
  listener.port = 8080;
  for (auto& rule : rules) listener.rules.push_back(std::make_shared<const config::Rule>(std::move(rule)));
  listener.default_rule.action = std::move(otherwise);
  config::LoadBalancer load_balancer;
  load_balancer.name = "shop";
  load_balancer.listeners.push_back(std::move(listener));
  model->load_balancers.push_back(std::move(load_balancer));
  return model;
}

inline std::shared_ptr<const RoutingTable> BuildTable(const std::shared_ptr<config::Model>& model,
                                                      const std::vector<WeightOverride>& overrides = {}) {
  CounterRegistry counters(1);
  auto table = RoutingTable::Build(model, 1, overrides, counters);
  EXPECT_TRUE(table.has_value()) << (table ? "" : table.error().front().message);
  return table ? *table : nullptr;
}

}  // namespace weir::proxy::testing
