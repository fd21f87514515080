#pragma once

#include "base/ip_address.h"

#include <string>

namespace CLI {
class App;
}

namespace weir::app {

// Adds --admin ADDRESS:PORT to a command; WEIR_ADMIN gives the default, else 127.0.0.1:9900. A value that is no
// endpoint is a mistake of the command line, which names the one of the two that holds it.
void AddAdminOption(CLI::App& command, std::string& value);

// The endpoint of a value that the option accepted.
[[nodiscard]] Endpoint AdminEndpoint(const std::string& value);

}  // namespace weir::app
