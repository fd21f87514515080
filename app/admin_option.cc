#include "app/admin_option.h"

namespace weir::app {

Result<Endpoint> ParseAdminEndpoint(const std::string& text) {
  auto endpoint = Endpoint::Parse(text);
  if (!endpoint) endpoint.error().hint = "write ADDRESS:PORT, [::1]:9900 for IPv6";
  return endpoint;
}

CommandOption AddAdminOption(CommandSyntax command, std::string& value) {
  value = "127.0.0.1:9900";
  const auto take = [&value](const std::string& text) -> Result<void> {
    value = text;
    if (const auto endpoint = ParseAdminEndpoint(text); !endpoint) return std::unexpected(endpoint.error());
    return {};
  };
  return command.AddParsedOption(
      "--admin", take, "ADDRESS:PORT of the running appliance's admin API; default 127.0.0.1:9900", "WEIR_ADMIN");
}

Endpoint AdminEndpoint(const std::string& value) { return Endpoint::Parse(value).value_or(Endpoint{}); }

}  // namespace weir::app
