#include "config/version_shares.h"

#include <fmt/format.h>

namespace weir::config {

std::string VersionShares(const Function& function) {
  std::string out;
  if (function.alias.empty() && function.versions.size() == 1) return out;
  double total = 0;
  for (const FunctionVersion& version : function.versions) total += version.weight;
  for (const FunctionVersion& version : function.versions) {
    const double share = total > 0 ? 100 * version.weight / total : 0;
    out += fmt::format("{}{}: {:.4g} %", out.empty() ? "" : ", ", version.name, share);
  }
  return out;
}

}  // namespace weir::config
