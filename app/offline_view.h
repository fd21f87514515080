#pragma once

#include "base/result.h"
#include "config/diagnostic.h"
#include "config/load.h"
#include "config/model.h"
#include "control/view.h"

#include <memory>
#include <string>
#include <vector>

namespace weir::app {

// A configuration as it would serve, without a socket: for check, explain and test.
struct OfflineView {
  config::Diagnostics diagnostics;
  std::shared_ptr<const control::View> view;  // null when there is any error
};

// Loads `path` and builds what would serve. Every target and health check counts as healthy. A target that is a host
// name stands as 0.0.0.0 with its port: nothing is resolved.
[[nodiscard]] OfflineView LoadOffline(const std::string& path, const config::LoadOptions& options = {});

// The same view with what `unhealthy` names counted as unhealthy: load balancers, target groups, targets (ADDRESS:PORT)
// and health checks; what follows from them follows. Fails on a name that is none of these.
[[nodiscard]] Result<std::shared_ptr<const control::View>> WithUnhealthy(const control::View& view,
                                                                         const std::vector<std::string>& unhealthy);

}  // namespace weir::app
