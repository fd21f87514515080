#pragma once

// `tests:` of a configuration, written from what a log says that happened. Thread: one owner.

#include "control/view.h"
#include "logs/entry.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace weir::app {

class LogTests {
 public:
  static constexpr std::size_t kRulesMax = 100'000;

  // `view` leads requests to the listeners of a configuration, and says of each test whether it holds now; null: the
  // log is all that there is. At most `per_rule` tests of what one rule of the log did.
  LogTests(std::shared_ptr<const control::View> view, std::size_t per_rule);

  // Makes a test of a request unless it says what others say.
  void Add(const logs::Entry& entry);

  [[nodiscard]] std::size_t size() const { return tests_.size(); }
  [[nodiscard]] std::size_t failing() const { return failing_; }  // of those, on the view
  [[nodiscard]] std::uint64_t requests() const { return requests_; }
  // The section, line ends included.
  [[nodiscard]] std::string Yaml() const;

 private:
  struct Test {
    std::string line;    // `- {request: …}`
    std::string remark;  // what it is now; empty: the same
  };
  std::shared_ptr<const control::View> view_;
  std::size_t per_rule_;
  std::vector<Test> tests_;
  std::map<std::string, std::set<std::string>> known_;  // paths, by what happened to them
  std::size_t failing_ = 0;
  std::uint64_t requests_ = 0;
};

}  // namespace weir::app
