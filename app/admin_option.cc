#include "app/admin_option.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <algorithm>

namespace weir::app {
namespace {

constexpr const char* kVariable = "WEIR_ADMIN";

// Where the value of --admin comes from: only what was typed has an order.
std::string Source(const CLI::App& command) {
  const auto* option = command.get_option("--admin");
  const auto typed = std::ranges::find(command.parse_order(), option) != command.parse_order().end();
  return typed ? "--admin" : kVariable;
}

}  // namespace

void AddAdminOption(CLI::App& command, std::string& value) {
  value = "127.0.0.1:9900";
  command
      .add_option_function<std::string>(
          "--admin",
          [&command, &value](const std::string& text) {
            // The variable reaches the options of all commands, also of those that nobody named.
            if (!command.parsed()) return;
            value = text;
            const auto endpoint = Endpoint::Parse(text);
            if (endpoint) return;
            throw CLI::ValidationError(Source(command),
                                       endpoint.error().message + " (write ADDRESS:PORT, [::1]:9900 for IPv6)");
          },
          "ADDRESS:PORT of the running appliance's admin API; default 127.0.0.1:9900")
      ->envname(kVariable);
}

Endpoint AdminEndpoint(const std::string& value) { return Endpoint::Parse(value).value_or(Endpoint{}); }

}  // namespace weir::app
