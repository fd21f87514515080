#pragma once

#include "app/command_line.h"
#include "base/ip_address.h"
#include "base/result.h"

#include <string>

namespace weir::app {

// Adds --admin ADDRESS:PORT to a command; WEIR_ADMIN gives the default, else 127.0.0.1:9900. A value that is no
// endpoint is a mistake of the command line, which names the one of the two that holds it.
CommandOption AddAdminOption(CommandSyntax command, std::string& value);

// What is written as ADDRESS:PORT; says how to write it where it is not.
[[nodiscard]] Result<Endpoint> ParseAdminEndpoint(const std::string& text);

// The endpoint of a value that the option accepted.
[[nodiscard]] Endpoint AdminEndpoint(const std::string& value);

}  // namespace weir::app
