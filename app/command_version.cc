#include "app/build_facts.h"
#include "app/commands.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <CLI/Version.hpp>
#include <ares.h>
#include <boost/version.hpp>
#include <fmt/format.h>
#include <maxminddb.h>
#include <openssl/crypto.h>
#include <spdlog/version.h>
#include <zlib.h>

#include <cstdio>

namespace weir::app {
namespace {

// The versions that run, where a library tells; else those that were compiled against.
int PrintVersion() {
  const auto build = ThisBuild();
  fmt::print("weir {} (commit {})\n", build.version, build.commit);
  fmt::print("build: {}, {}\n", BuildType(), Compiler());
  fmt::print(
      "libraries: Boost {}.{}.{}, {}, c-ares {}, libmaxminddb {}, zlib {}, fmt {}.{}.{}, spdlog {}.{}.{}, CLI11 {}\n",
      BOOST_VERSION / 100'000, BOOST_VERSION / 100 % 1'000, BOOST_VERSION % 100, OpenSSL_version(OPENSSL_VERSION),
      ares_version(nullptr), MMDB_lib_version(), zlibVersion(), FMT_VERSION / 10'000, FMT_VERSION / 100 % 100,
      FMT_VERSION % 100, SPDLOG_VER_MAJOR, SPDLOG_VER_MINOR, SPDLOG_VER_PATCH, CLI11_VERSION);
  return kDone;
}

}  // namespace

void AddVersionCommand(CLI::App& root, Command& run) {
  auto* command = root.add_subcommand("version", "Says which version, build and libraries this is");
  command->footer("Example:  weir version");
  command->callback([&run] { run = [] { return PrintVersion(); }; });
}

}  // namespace weir::app
