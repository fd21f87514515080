#pragma once

#include "base/result.h"
#include "config/model.h"
#include "control/view.h"

#include <string>
#include <vector>

namespace weir::app {

// One expectation that did not hold.
struct Difference {
  std::string what;  // `rule`, `values`
  std::string expected;
  std::string got;
};

struct RoutingTestResult {
  std::vector<Difference> differences;  // empty: passed
  std::string explanation;              // the text of explain
};

// Decides one entry of the file's `tests` on `view`, in which everything is healthy. Fails when the entry names
// something that is not there or asks something that is no question.
[[nodiscard]] Result<RoutingTestResult> DecideRoutingTest(const control::View& view, const config::RoutingTest& test);

// `GET http://shop.example.test:8080/` or `eu.example.test A`.
[[nodiscard]] std::string TitleOf(const config::RoutingTest& test);

}  // namespace weir::app
