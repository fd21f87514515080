#pragma once

// Which rules a log's requests take now, and which took another one then. Thread: one owner.

#include "control/view.h"
#include "logs/entry.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace weir::app {

class LogCoverage {
 public:
  static constexpr std::size_t kExamplesMax = 10;
  static constexpr std::size_t kReasonsMax = 100;

  explicit LogCoverage(std::shared_ptr<const control::View> view);

  // Counts a request of the log for the rule that takes it now; a line of a connection log is passed over. Header
  // conditions see what the log has: the host and the user agent.
  void Add(const logs::Entry& entry);

  struct RuleCount {
    std::string load_balancer;
    std::uint16_t port = 0;
    std::uint32_t priority = 0;  // 0: the default rule
    std::string name;            // may be empty
    std::uint64_t requests = 0;
    std::string first;  // the first of them: `GET https://shop.test:443/`
  };
  // Every rule of every listener, in the order of the file and of priority.
  [[nodiscard]] const std::vector<RuleCount>& rules() const { return rules_; }
  [[nodiscard]] std::uint64_t requests() const { return requests_; }
  // Those that another rule took then.
  [[nodiscard]] std::uint64_t changed() const { return changed_; }
  struct Change {
    std::string request;
    std::string then;
    std::string now;
  };
  [[nodiscard]] const std::vector<Change>& changes() const { return changes_; }  // the first kExamplesMax
  // Requests that no listener gets, or that were not understood then, by the reason; further reasons as `others`.
  [[nodiscard]] const std::map<std::string, std::uint64_t>& left_out() const { return left_out_; }

 private:
  void LeaveOut(const std::string& reason);

  std::shared_ptr<const control::View> view_;
  std::vector<RuleCount> rules_;
  std::vector<std::size_t> first_rule_;  // of each listener: its place in rules_
  std::uint64_t requests_ = 0;
  std::uint64_t changed_ = 0;
  std::vector<Change> changes_;
  std::map<std::string, std::uint64_t> left_out_;
};

// For people: each listener's rules with their counts, those that nothing took, what changed. Ends with a line end.
[[nodiscard]] std::string CoverageText(const LogCoverage& coverage);
[[nodiscard]] std::string CoverageJson(const LogCoverage& coverage);

}  // namespace weir::app
