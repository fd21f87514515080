#pragma once

// The options that every bench command has.

#include "app/command_line.h"
#include "bench/load/output.h"
#include "bench/load/refusal.h"
#include "bench/load/verdict.h"

#include <string>

namespace weir::app {

// Adds --expect and --fail-if; `expect_help` says what --expect takes.
void AddVerdictOptions(CommandSyntax command, bench::VerdictArguments& arguments, const std::string& expect_help);
// Adds --json, --report, --quiet, --progress and --admin.
void AddOutputOptions(CommandSyntax command, bench::OutputArguments& arguments);

// Says on standard error why a load cannot be run; gives the exit code.
int Complain(const bench::Refusal& refusal);

}  // namespace weir::app
