#include "app/commands.h"
#include "app/complain.h"
#include "base/clock.h"
#include "base/file.h"
#include "net/tls_self_signed.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace weir::app {
namespace {

struct CertificateArguments {
  std::vector<std::string> names;
  std::string out;
  int days = 365;
  bool force = false;
};

// `*.example.test` is a name of a file that shells would take for others.
std::string FileNameOf(const std::string& name) { return name.starts_with("*.") ? "wildcard" + name.substr(1) : name; }

// Made anew, so that nobody has opened it before its mode is set.
Result<void> WriteFile(const std::string& path, std::string_view text, mode_t mode, bool force) {
  if (force) {
    unlink(path.c_str());
  } else if (StampOf(path) != FileStamp{}) {
    return Failure("cannot write " + path + ": it is there", "--force replaces it, --out NAME writes beside it");
  }
  return WriteNewFile(path, text, mode);
}

int Make(const CertificateArguments& arguments) {
  const auto made = net::MakeSelfSigned(
      {.names = arguments.names, .lifetime = std::chrono::days(arguments.days), .now = SystemClock().WallNow()});
  if (!made) return Complain(made.error(), kCommandLineWrong);
  const std::string base = arguments.out.empty() ? FileNameOf(arguments.names.front()) : arguments.out;
  const std::string certificate = base + ".pem";
  const std::string key = base + ".key";
  // The key first: a certificate without its key is of no use to anybody.
  auto written = WriteFile(key, made->key, S_IRUSR | S_IWUSR, arguments.force);
  if (written)
    written = WriteFile(certificate, made->certificate, S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH, arguments.force);
  if (!written) return Complain(written.error(), kSystemRefused);
  fmt::print("{} and {}, valid for {} days\n", certificate, key, arguments.days);
  fmt::print("certificates: [{{certificate: \"{}\", key: \"{}\"}}]\n", certificate, key);
  return kDone;
}

}  // namespace

void AddCertificateCommand(CommandSyntax root, Command& run) {
  auto command = root.AddCommand("certificate", "Makes certificates for HTTPS listeners");
  command.RequireCommand();
  auto arguments = std::make_shared<CertificateArguments>();
  auto make = command.AddCommand("self-signed", "Makes a certificate that signs itself, and its key");
  make.AddOption("NAME", arguments->names, "host names, *.NAME or addresses that it is for").Required();
  make.AddOption("--out", arguments->out, "writes OUT.pem and OUT.key; default: the first name");
  make.AddOption("--days", arguments->days, "how long it is valid; default 365").InRange(1, 36'500);
  make.AddFlag("--force", arguments->force, "replaces files that are there");
  make.Footer("Example:  weir certificate self-signed localhost 127.0.0.1");
  command.Footer("Example:  weir certificate self-signed shop.example.test \"*.shop.example.test\"");
  make.OnChosen([arguments, &run] { run = [arguments] { return Make(*arguments); }; });
}

}  // namespace weir::app
