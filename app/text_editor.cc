#include "app/text_editor.h"

#include "base/unique_fd.h"

#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>
#include <vector>

namespace weir::app {
namespace {

std::string SystemMessage(int number) { return std::generic_category().message(number); }

// The value of an environment variable; nothing where it is empty.
std::string Variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

std::string EditorCommand() {
  for (const char* const name : {"VISUAL", "EDITOR"}) {
    if (auto command = Variable(name); !command.empty()) return command;
  }
  return "vi";
}

}  // namespace

Result<EditedFile> EditedFile::Create(const std::string& text, const std::string& suffix) {
  auto folder = Variable("TMPDIR");
  if (folder.empty()) folder = "/tmp";
  std::string path = folder + "/weir-edit-XXXXXX" + suffix;
  const UniqueFd made(::mkstemps(path.data(), static_cast<int>(suffix.size())));
  if (!made.valid()) {
    return Failure(fmt::format("no file can be made in {}: {}", folder, SystemMessage(errno)),
                   "TMPDIR says where else");
  }
  EditedFile file(std::move(path));
  if (auto written = file.Write(text); !written) return std::unexpected(written.error());
  return file;
}

EditedFile::EditedFile(EditedFile&& other) noexcept : path_(std::move(other.path_)), kept_(other.kept_) {
  other.kept_ = true;
}

EditedFile::~EditedFile() {
  if (!kept_) ::unlink(path_.c_str());
}

Result<void> EditedFile::Write(const std::string& text) const {
  std::ofstream out(path_, std::ios::binary | std::ios::trunc);
  out << text;
  out.close();
  if (!out) return Failure(fmt::format("cannot write {}", path_), "is the disk full?");
  return {};
}

Result<std::string> EditedFile::Read() const {
  std::ifstream in(path_, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  if (!in) return Failure(fmt::format("cannot read {} again", path_));
  return text;
}

Result<void> EditedFile::Edit() const {
  const auto command = EditorCommand();
  // The shell takes options and quotes of the command apart, and gets the path as it is.
  std::string script = command + " \"$@\"";
  std::string path = path_;
  std::vector<std::string> words{"sh", "-c", script, command, path};
  std::vector<char*> arguments;
  for (auto& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_t child = 0;
  if (const int error = ::posix_spawnp(&child, "sh", nullptr, nullptr, arguments.data(), environ); error != 0) {
    return Failure("cannot start a shell: " + SystemMessage(error));
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  const auto how =
      WIFEXITED(status) ? fmt::format("exit code {}", WEXITSTATUS(status)) : fmt::format("signal {}", WTERMSIG(status));
  return Failure(fmt::format("the editor `{}` failed: {}", command, how), "VISUAL or EDITOR names another one");
}

}  // namespace weir::app
