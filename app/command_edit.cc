#include "app/admin_option.h"
#include "app/commands.h"
#include "app/complain.h"
#include "app/live_document.h"
#include "app/text_editor.h"
#include "config/document/difference.h"
#include "config/document/yaml_reader.h"
#include "config/document/yaml_writer.h"
#include "config/findings.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::app {
namespace {

constexpr std::string_view kSuffix = ".yaml";

struct EditArguments {
  std::string path;  // a JSON Pointer: the part to edit
  bool dry_run = false;
  std::string admin;
};

// The part of a document that `pointer` names; null when there is none.
Result<const config::Node*> Part(const config::Node& root, const std::string& pointer) {
  const auto path = config::ParsePointer(pointer);
  if (!path) return std::unexpected(path.error());
  const config::Node* at = &root;
  for (const auto& step : *path) {
    const config::Node* next = at->Find(step);
    if (at->is_list()) {
      const bool is_index = !step.empty() && step.size() < 10 && step.find_first_not_of("0123456789") == step.npos;
      const std::size_t index = is_index ? std::stoul(step) : at->children.size();
      next = index < at->children.size() ? &at->children[index] : nullptr;
    }
    if (next == nullptr) {
      return Failure(fmt::format("the document has no {}", pointer),
                     "a part is named as in /load-balancers/0/listeners/1");
    }
    at = next;
  }
  return at;
}

std::string AsComment(const std::vector<std::string>& lines) {
  std::string out;
  for (const auto& line : lines) out += "# " + line + "\n";
  return out;
}

// What is wrong with the text of an editor.
struct Finding {
  std::uint32_t line = 0;  // of the document, which begins below the comments; 0: none
  std::string text;
};

// One edit, from the document that is read to the last answer.
class Edit {
 public:
  Edit(const EditArguments& arguments, LiveDocument& document, const config::Node& part)
      : arguments_(arguments), admin_(AdminEndpoint(arguments.admin)), document_(document), part_(part) {}

  int Run() {
    std::string text = Head({}) + config::WriteYaml(part_);
    auto file = EditedFile::Create(text, std::string(kSuffix));
    if (!file) return Complain(file.error(), kSystemRefused);
    for (;;) {
      if (auto edited = file->Edit(); !edited) return GiveUp(*file, edited.error(), kSystemRefused);
      auto now = file->Read();
      if (!now) return GiveUp(*file, now.error(), kSystemRefused);
      // The comments above are not what is edited: they may have been taken away, or hold a word that was replaced.
      if (WithoutHead(*now) == WithoutHead(text)) {
        if (!has_findings_) return Unchanged();
        return GiveUp(*file, {"what was wrong is still there", {}}, kInputWrong);
      }
      text = std::move(*now);
      if (const auto done = Submit(text, *file)) return *done;
      // Wrong: once more, with what was found above it.
      text = Head(findings_) + std::string(WithoutHead(text));
      if (auto written = file->Write(text); !written) return GiveUp(*file, written.error(), kSystemRefused);
      has_findings_ = true;
    }
  }

 private:
  static int Unchanged() {
    fmt::print("nothing was changed\n");
    return kDone;
  }

  // What was typed is not lost.
  static int GiveUp(EditedFile& file, const Error& error, ExitCode code) {
    file.Keep();
    Complain(error, code);
    fmt::print(stderr, "weir: what you wrote is kept in {}\n", file.path());
    return code;
  }

  // The comments above the document, with the lines of findings as they stand below it.
  [[nodiscard]] std::string Head(const std::vector<Finding>& findings) const {
    std::vector<std::string> lines = {
        fmt::format("{} of {}, ETag {}. Save and close to apply; unchanged, nothing happens.",
                    arguments_.path.empty() ? "The configuration" : arguments_.path, admin_.ToString(), document_.etag),
        "A reload of the file replaces what is edited here."};
    if (!findings.empty()) lines.emplace_back("Nothing was applied:");
    const auto above = lines.size() + findings.size() + 1;  // and the empty line
    for (const auto& finding : findings) {
      lines.push_back("  " + (finding.line == 0 ? "" : fmt::format("line {}: ", finding.line + above)) + finding.text);
    }
    return AsComment(lines) + "\n";
  }

  // The comments above the document and the line between.
  static std::string_view WithoutHead(std::string_view text) {
    while (text.starts_with('#')) text.remove_prefix(std::min(text.find('\n') + 1, text.size()));
    if (text.starts_with('\n')) text.remove_prefix(1);
    return text;
  }

  // The exit code when it is over; absent when findings_ says what is wrong.
  std::optional<int> Submit(const std::string& text, EditedFile& file) {
    config::Findings findings;
    const auto after = config::ReadYaml(text, 0, document_.tree, findings);
    if (!after || findings.errors() > 0) {
      const auto body = WithoutHead(text);
      const auto above = std::count(text.begin(), text.end() - static_cast<std::ptrdiff_t>(body.size()), '\n');
      findings_.clear();
      for (const auto& item : findings.Take()) {
        const auto line = static_cast<std::ptrdiff_t>(item.position.line) - above;
        findings_.push_back({.line = line > 0 ? static_cast<std::uint32_t>(line) : 0,
                             .text = item.hint.empty() ? item.message : item.message + "; " + item.hint});
      }
      return std::nullopt;
    }
    // An emptied file means "leave it", as with other programs that open an editor.
    if (after->is_null() && !part_.is_null()) return Unchanged();
    auto steps = config::Difference(part_, *after);
    if (steps.empty()) return Unchanged();
    const auto above = config::ParsePointer(arguments_.path).value_or(config::StructuralPath());
    for (auto& step : steps) step.path.insert(step.path.begin(), above.begin(), above.end());
    const auto patch = config::PatchText(steps);
    if (arguments_.dry_run) {
      fmt::print("{}", patch);
      return kDone;
    }
    const auto outcome = SendPatch(admin_, patch, document_.etag);
    if (!outcome) return GiveUp(file, outcome.error(), kSystemRefused);
    switch (outcome->kind) {
      case EditOutcome::Kind::kDone:
        for (const auto& step : steps) fmt::print("{}\n", config::PointerText(step.path));
        fmt::print("edited, revision {}\n", outcome->revision);
        return kDone;
      case EditOutcome::Kind::kWrong:
        findings_.clear();
        for (const auto& finding : outcome->findings) findings_.push_back({.line = 0, .text = finding});
        return std::nullopt;
      case EditOutcome::Kind::kMoved:
        return GiveUp(file, {"somebody changed the configuration meanwhile: nothing was applied", "edit it again"},
                      kSystemRefused);
      case EditOutcome::Kind::kRefused:
        return GiveUp(file, {outcome->findings.front(), {}}, kSystemRefused);
    }
    return kSystemRefused;
  }

  const EditArguments& arguments_;
  Endpoint admin_;
  LiveDocument& document_;
  const config::Node& part_;
  std::vector<Finding> findings_;
  bool has_findings_ = false;  // in the file
};

int RunEdit(const EditArguments& arguments) {
  const auto document = ReadLiveDocument(AdminEndpoint(arguments.admin));
  if (!document) return Complain(document.error(), kSystemRefused);
  const auto part = Part((*document)->root, arguments.path);
  if (!part) return Complain(part.error(), kCommandLineWrong);
  return Edit(arguments, **document, **part).Run();
}

}  // namespace

void AddEditCommand(CommandSyntax root, Command& run) {
  auto arguments = std::make_shared<EditArguments>();
  auto command = root.AddCommand("edit", "Opens the live configuration in an editor and applies what changed");
  command.AddOption("PATH", arguments->path, "a part of it: a JSON Pointer such as /load-balancers/0; default: all");
  command.AddFlag("--dry-run", arguments->dry_run, "print the change as a JSON Patch (RFC 6902), apply nothing");
  AddAdminOption(command, arguments->admin);
  command.Footer(
      "The editor is $VISUAL, else $EDITOR, else vi. What is wrong comes back into it, and nothing is applied until "
      "all\n"
      "of it is right. It serves until the file is reloaded.\n"
      "Example:  weir edit\n"
      "          EDITOR=\"sed -i s/8080/8081/\" weir edit /load-balancers/0/listeners/0");
  command.OnChosen([arguments, &run] { run = [arguments] { return RunEdit(*arguments); }; });
}

}  // namespace weir::app
