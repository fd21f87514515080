#include "app/admin_option.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

namespace weir::app {

void AddAdminOption(CLI::App& command, std::string& value) {
  value = "127.0.0.1:9900";
  command.add_option("--admin", value, "ADDRESS:PORT of the running appliance's admin API; default 127.0.0.1:9900")
      ->envname("WEIR_ADMIN")
      ->check([](const std::string& text) {
        const auto endpoint = Endpoint::Parse(text);
        return endpoint ? std::string() : endpoint.error().message + " (write ADDRESS:PORT, [::1]:9900 for IPv6)";
      });
}

Endpoint AdminEndpoint(const std::string& value) { return Endpoint::Parse(value).value_or(Endpoint{}); }

}  // namespace weir::app
