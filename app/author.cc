#include "app/author.h"

#include <pwd.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <string_view>

namespace weir::app {
namespace {

std::string UserName() {
  if (const char* const caller = std::getenv("SUDO_USER"); caller != nullptr && *caller != '\0') return caller;
  passwd entry{};
  passwd* found = nullptr;
  std::array<char, 4096> buffer;
  if (::getpwuid_r(::geteuid(), &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr) {
    return entry.pw_name;
  }
  return "uid" + std::to_string(::geteuid());
}

}  // namespace

std::string Author() {
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) return UserName();
  return UserName() + "@" + host.data();
}

}  // namespace weir::app
