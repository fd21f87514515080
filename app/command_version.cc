#include "app/build_facts.h"
#include "app/commands.h"

#include <CLI/Version.hpp>
#include <ares.h>
#include <boost/version.hpp>
#include <fmt/format.h>
#include <link.h>
#include <maxminddb.h>
#include <nghttp2/nghttp2.h>
#include <openssl/crypto.h>
#include <spdlog/version.h>
#include <zlib.h>

#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

namespace weir::app {
namespace {

// For libraries that do not tell their version: the file that one was loaded from does. libre2.so.9.0.0 is 9.0.0 for
// the stem `libre2.so.`.
std::string VersionOfFile(std::string_view stem) {
  struct Search {
    std::string_view stem;
    std::string file;
  } search{stem, {}};
  const auto find = [](dl_phdr_info* object, std::size_t /*size*/, void* out) {
    auto& wanted = *static_cast<Search*>(out);
    const std::string_view name = object->dlpi_name;
    if (name.find(wanted.stem) == std::string_view::npos) return 0;
    wanted.file = name;
    return 1;
  };
  if (dl_iterate_phdr(find, &search) == 0) return "built in";
  std::error_code error;
  const auto real = std::filesystem::canonical(search.file, error);
  const auto name = (error ? std::filesystem::path(search.file) : real).filename().string();
  return name.starts_with(stem) ? name.substr(stem.size()) : name;
}

// The versions that run, where a library tells; else those that were compiled against.
int PrintVersion() {
  fmt::print("{}\n", VersionLine());
  fmt::print("build: {}, {}\n", BuildType(), Compiler());
  fmt::print(
      "libraries: Boost {}.{}.{}, {}, nghttp2 {}, c-ares {}, RE2 {}, yaml-cpp {}, libmaxminddb {}, zlib {}, "
      "fmt {}.{}.{}, spdlog {}.{}.{}, CLI11 {}\n",
      BOOST_VERSION / 100'000, BOOST_VERSION / 100 % 1'000, BOOST_VERSION % 100, OpenSSL_version(OPENSSL_VERSION),
      nghttp2_version(0)->version_str, ares_version(nullptr), VersionOfFile("libre2.so."),
      VersionOfFile("libyaml-cpp.so."), MMDB_lib_version(), zlibVersion(), FMT_VERSION / 10'000,
      FMT_VERSION / 100 % 100, FMT_VERSION % 100, SPDLOG_VER_MAJOR, SPDLOG_VER_MINOR, SPDLOG_VER_PATCH, CLI11_VERSION);
  return kDone;
}

}  // namespace

void AddVersionCommand(CommandSyntax root, Command& run) {
  auto command = root.AddCommand("version", "Says which version, build and libraries this is");
  command.Footer("Example:  weir version");
  command.OnChosen([&run] { run = [] { return PrintVersion(); }; });
}

}  // namespace weir::app
