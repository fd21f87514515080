#include "app/configuration.h"

#include "dns/zone/values.h"
#include "proxy/routing/routing_table.h"

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

namespace weir::app {
namespace {

std::vector<config::Diagnostic> CheckValues(const config::Model& decoded) {
  auto findings = proxy::RoutingTable::CheckValues(decoded);
  auto more = dns::CheckValues(decoded);
  std::ranges::move(more, std::back_inserter(findings));
  return findings;
}

}  // namespace

config::LoadResult LoadConfiguration(const std::string& path, config::LoadOptions options) {
  options.check_values = CheckValues;
  return config::LoadFile(path, options);
}

config::LoadResult LoadConfigurationText(std::string_view text, const std::string& name) {
  config::LoadOptions options;
  options.check_values = CheckValues;
  return config::LoadText(text, name, options);
}

config::LoadResult LoadPatchedConfiguration(const config::Document& document, const config::Model& serving,
                                            std::string_view patch, const std::string& origin) {
  config::LoadOptions options;
  options.hide_environment = true;
  options.check_values = CheckValues;
  return config::LoadPatched(document, &serving, patch, origin, options);
}

}  // namespace weir::app
