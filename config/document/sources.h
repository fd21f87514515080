#pragma once

#include "config/document/environment.h"
#include "config/document/node.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::config {

class Findings;

// Our choice: ten times what 10,000 rules and 100,000 records take.
inline constexpr std::size_t kFileBytesMax = std::size_t{128} * 1024 * 1024;
// Sections whose names begin with this are ignored: a place for shared anchors.
inline constexpr std::string_view kIgnoredSectionPrefix = "x-";
// Our choice: a glob that matches more is a mistake.
inline constexpr std::size_t kFilesMax = 10'000;

// Everything one configuration is made of: the file, what it includes, and their sections joined.
struct Sources {
  std::vector<std::string> files;     // Position::file; [0] is the file that was given
  std::vector<std::string> patterns;  // of `include`, as paths; what they match is in `files`
  Tree tree;
  bool complete = true;  // false: some file could not be read, or is no YAML
  // The document: a map; lists of the same section are concatenated in the order of inclusion, maps joined. Sections
  // whose names begin with `x-` are left out: a place for anchors. Environment references stand in it as they are
  // written, but for the names of sections.
  Node root;
};

// `text`, when given, stands for the content of `name`. Everything wrong is in `findings`; what could be read is in the
// answer nevertheless, so that it can be checked too. `environment` answers ${NAME} in `include` and in the names of
// sections. Blocks on the file system.
[[nodiscard]] std::unique_ptr<Sources> ReadSources(const std::string& name, const std::string_view* text,
                                                   const Environment& environment, Findings& findings);

// The paths that match a pattern as `include` has them (glob(7); a leading dot is never matched by a wildcard), sorted.
// Nothing when a directory cannot be read. Blocks on the file system. Thread: any.
[[nodiscard]] std::optional<std::vector<std::string>> MatchingPaths(const std::string& pattern);

// A path that a file names: absolute, or relative to the directory of that file.
[[nodiscard]] std::string ResolvePath(std::string_view path, const std::string& file);

}  // namespace weir::config
