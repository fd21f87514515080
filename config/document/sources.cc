#include "config/document/sources.h"

#include "base/result.h"
#include "base/unique_fd.h"
#include "config/document/yaml_reader.h"
#include "config/findings.h"
#include "config/schema/schema.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <map>
#include <optional>
#include <utility>

namespace weir::config {
namespace {

// The whole file, or what is wrong with it.
Result<std::string> ReadWhole(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return Failure(fmt::format("cannot be read: {}", std::strerror(errno)));
  std::string content;
  std::string buffer(std::size_t{256} * 1024, '\0');
  for (;;) {
    const ssize_t count = ::read(fd.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return Failure(fmt::format("cannot be read: {}", std::strerror(errno)));
    if (count == 0) return content;
    content.append(buffer.data(), static_cast<std::size_t>(count));
    if (content.size() > kFileBytesMax) {
      return Failure(fmt::format("larger than {} MiB", kFileBytesMax / 1024 / 1024), "split it and use `include`");
    }
  }
}

// The same file under two spellings is one file.
std::string Identity(const std::string& path) {
  char* const real = ::realpath(path.c_str(), nullptr);
  std::string out = real == nullptr ? path : real;
  std::free(real);  // NOLINT(cppcoreguidelines-no-malloc): realpath allocates with malloc.
  return out;
}

bool IsIgnored(const Node& section) { return section.text.starts_with(kIgnoredSectionPrefix); }

class SourceReader {
 public:
  SourceReader(const Environment& environment, Findings& findings, Sources& sources)
      : environment_(environment), findings_(findings), sources_(sources) {}

  // `included` is the place of the include that names the file; absent for the first.
  void ReadPath(const std::string& path, std::optional<Position> included);
  void ReadContent(const std::string& name, std::string_view text);
  void Join();

 private:
  struct Section {
    Node key;
    Node value;
    std::vector<Node> items;    // of a list
    std::vector<Node> entries;  // of a map
    bool joined = false;
  };

  void Parse(std::uint32_t file, std::string_view text);
  // A file, or files, that should have been read: what they hold is unknown.
  void Miss(Position position, std::string message, std::string hint = {});
  void Include(const Node& list, const std::string& from);
  void IncludePattern(const Node& pattern, const std::string& from);
  void Add(const Node& root);
  void AddTo(Section& section, const Node& key, const Node& value);
  void JoinMaps(Section& section, const Node& value);

  const Environment& environment_;
  Findings& findings_;
  Sources& sources_;
  std::vector<std::string> open_;  // identities of the files that are being read, outermost first
  std::map<std::string, bool, std::less<>> done_;
  std::vector<Section> sections_;  // in the order of their first appearance
};

void SourceReader::ReadPath(const std::string& path, std::optional<Position> included) {
  const std::string identity = Identity(path);
  if (std::ranges::find(open_, identity) != open_.end()) {
    findings_.AddError(included.value_or(Position{}), fmt::format("{} includes itself", Quoted(path)),
                       "a file is included once, and never by what it includes");
    return;
  }
  if (done_.contains(identity)) return;
  if (sources_.files.size() >= kFilesMax) {
    return Miss(included.value_or(Position{}), fmt::format("more than {} files", kFilesMax));
  }
  done_.emplace(identity, true);
  const auto file = static_cast<std::uint32_t>(sources_.files.size());
  sources_.files.push_back(path);
  const auto content = ReadWhole(path);
  if (!content) {
    const Position at = included.value_or(Position{file, 0, 0});
    return Miss(at, included ? fmt::format("{} {}", Quoted(path), content.error().message) : content.error().message,
                content.error().hint);
  }
  open_.push_back(identity);
  Parse(file, *content);
  open_.pop_back();
}

void SourceReader::ReadContent(const std::string& name, std::string_view text) {
  sources_.files.push_back(name);
  if (text.size() > kFileBytesMax) {
    return Miss({0, 0, 0}, fmt::format("larger than {} MiB", kFileBytesMax / 1024 / 1024),
                "split it and use `include`");
  }
  open_.push_back(Identity(name));
  Parse(0, text);
  open_.pop_back();
}

void SourceReader::Parse(std::uint32_t file, std::string_view text) {
  const auto root = ReadYaml(text, file, sources_.tree, findings_);
  if (!root) sources_.complete = false;
  if (!root || root->is_null()) return;
  if (!root->is_map()) {
    return Miss(root->position, "a configuration is a map of sections",
                "write `load-balancers: [...]`, `target-groups: [...]`");
  }
  Add(*root);
  const std::string from = sources_.files[file];
  if (const Node* const include = root->Find("include"); include != nullptr && include->is_list())
    Include(*include, from);
}

void SourceReader::Miss(Position position, std::string message, std::string hint) {
  sources_.complete = false;
  findings_.AddError(position, std::move(message), std::move(hint));
}

void SourceReader::Include(const Node& list, const std::string& from) {
  for (const Node& written : list.children) {
    const Node pattern = ExpandReferences(written, environment_, sources_.tree, findings_);
    // What an unset variable would have named is unknown, and was reported.
    if (pattern.unknown) sources_.complete = false;
    if (pattern.is_scalar() && !pattern.unknown) IncludePattern(pattern, from);
  }
}

void SourceReader::IncludePattern(const Node& pattern, const std::string& from) {
  const std::string path = ResolvePath(pattern.text, from);
  if (pattern.text.find_first_of("*?[") == std::string_view::npos) {
    ReadPath(path, pattern.position);
    return;
  }
  sources_.patterns.push_back(path);
  const auto found = MatchingPaths(path);
  if (!found) {
    return Miss(pattern.position, fmt::format("{} cannot be listed", Quoted(pattern.text)));
  }
  for (const std::string& match : *found) {
    // `*.yaml` beside the file that says so would hold that file too.
    if (Identity(match) == open_.back()) continue;
    ReadPath(match, pattern.position);
  }
}

void SourceReader::Add(const Node& root) {
  for (std::size_t i = 0; i < root.entries(); ++i) {
    if (IsIgnored(root.key(i))) continue;
    const Node key = ExpandReferences(root.key(i), environment_, sources_.tree, findings_);
    const auto same = std::ranges::find_if(sections_, [&](const Section& s) { return s.key.text == key.text; });
    if (same == sections_.end()) {
      sections_.push_back({key, root.value(i), {}, {}});
    } else {
      AddTo(*same, key, root.value(i));
    }
  }
}

void SourceReader::AddTo(Section& section, const Node& key, const Node& value) {
  if (!section.joined) {
    auto& into = section.value.is_list() ? section.items : section.entries;
    into.assign(section.value.children.begin(), section.value.children.end());
    section.joined = true;
  }
  if (section.value.is_list() && value.is_list()) {
    section.items.insert(section.items.end(), value.children.begin(), value.children.end());
  } else if (section.value.is_map() && value.is_map()) {
    JoinMaps(section, value);
  } else {
    // Both are wrong where they stand unless their kinds agree; the schema knows which one.
    const Field* const field = FindField(RootObject(), key.text);
    const bool list = field != nullptr && field->arity != Arity::kOne;
    findings_.AddError(list == value.is_list() ? section.value.position : value.position,
                       fmt::format("`{}` wants a {} in every file", key.text, list ? "list" : "map"));
  }
}

void SourceReader::JoinMaps(Section& section, const Node& value) {
  for (std::size_t i = 0; i < value.entries(); ++i) {
    const Position* first = nullptr;
    for (std::size_t j = 0; j < section.entries.size(); j += 2) {
      if (section.entries[j].text == value.key(i).text) first = &section.entries[j].position;
    }
    if (first != nullptr) {
      findings_.AddError(value.key(i).position,
                         fmt::format("`{}` of `{}` is given twice", value.key(i).text, section.key.text),
                         fmt::format("the first is at {}:{}", sources_.files[first->file], first->line));
      continue;
    }
    section.entries.push_back(value.key(i));
    section.entries.push_back(value.value(i));
  }
}

void SourceReader::Join() {
  std::vector<Node> entries;
  for (Section& section : sections_) {
    if (section.joined) {
      const auto& children = section.value.is_list() ? section.items : section.entries;
      section.value = sources_.tree.Container(section.value.kind, section.value.position, children);
    }
    entries.push_back(section.key);
    entries.push_back(section.value);
  }
  sources_.root = sources_.tree.Container(NodeKind::kMap, {0, 1, 1}, entries);
}

}  // namespace

std::unique_ptr<Sources> ReadSources(const std::string& name, const std::string_view* text,
                                     const Environment& environment, Findings& findings) {
  auto sources = std::make_unique<Sources>();
  SourceReader reader(environment, findings, *sources);
  if (text == nullptr) {
    reader.ReadPath(name, std::nullopt);
  } else {
    reader.ReadContent(name, *text);
  }
  reader.Join();
  return sources;
}

std::optional<std::vector<std::string>> MatchingPaths(const std::string& pattern) {
  glob_t found{};
  const int code = ::glob(pattern.c_str(), 0, nullptr, &found);
  std::vector<std::string> out;
  for (std::size_t i = 0; code == 0 && i < found.gl_pathc; ++i) out.emplace_back(found.gl_pathv[i]);
  ::globfree(&found);
  if (code != 0 && code != GLOB_NOMATCH) return std::nullopt;
  return out;
}

std::string ResolvePath(std::string_view path, const std::string& file) {
  if (path.starts_with('/')) return std::string(path);
  const std::size_t slash = file.rfind('/');
  if (slash == std::string::npos) return std::string(path);
  return file.substr(0, slash + 1).append(path);
}

}  // namespace weir::config
