#pragma once

#include "config/diagnostic.h"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir::config {

// What one load has found so far, in any order. Owned by the load; thread: the one that loads.
class Findings {
 public:
  void AddError(Position position, std::string message, std::string hint = {});
  void AddWarning(Position position, std::string message, std::string hint = {});
  // What others found.
  void Add(std::vector<Diagnostic> items);

  [[nodiscard]] std::size_t errors() const { return errors_; }
  // In the order of their finding, until the next is added.
  [[nodiscard]] std::span<const Diagnostic> items() const { return items_; }
  // What was found since there were `count` items, to be completed.
  [[nodiscard]] std::span<Diagnostic> ItemsSince(std::size_t count) { return std::span(items_).subspan(count); }
  // Everything found, by place, without repetitions: an aliased part of the file is checked once per use but has one
  // place. Leaves nothing behind.
  [[nodiscard]] std::vector<Diagnostic> Take();

 private:
  std::vector<Diagnostic> items_;
  std::size_t errors_ = 0;
};

// `at line 7`, for the hints that name another place; `in an edit` where there is no line.
[[nodiscard]] std::string LineText(const Position& position);

// Brings findings into the order of the file and takes repetitions out.
void Arrange(std::vector<Diagnostic>& items);
// Adds `more` to the findings of a load that had no errors; they stay in the order of the file.
void AddFindings(std::vector<Diagnostic> more, Diagnostics& diagnostics);

// `did you mean x?` for the nearest candidate; else the candidates themselves when they are few (`one of a, b or c`);
// else empty.
[[nodiscard]] std::string NearestHint(std::string_view word, std::span<const std::string_view> candidates);
// `a, b or c`.
[[nodiscard]] std::string JoinWords(std::span<const std::string_view> words);
// The text in back quotes; long or unprintable text is cut and escaped, so that a finding stays one readable line.
[[nodiscard]] std::string Quoted(std::string_view text);

}  // namespace weir::config
