#include "config/findings.h"

#include "base/printable.h"
#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <tuple>
#include <utility>

namespace weir::config {
namespace {

constexpr std::size_t kListedWordsMax = 12;
constexpr std::size_t kQuotedBytesMax = 80;

auto Key(const Diagnostic& d) {
  return std::tie(d.position.file, d.position.line, d.position.column, d.severity, d.message, d.hint);
}

}  // namespace

void Findings::AddError(Position position, std::string message, std::string hint) {
  ++errors_;
  items_.push_back({Severity::kError, position, {}, std::move(message), std::move(hint)});
}

void Findings::AddWarning(Position position, std::string message, std::string hint) {
  items_.push_back({Severity::kWarning, position, {}, std::move(message), std::move(hint)});
}

void Findings::Add(std::vector<Diagnostic> items) {
  errors_ += static_cast<std::size_t>(std::ranges::count(items, Severity::kError, &Diagnostic::severity));
  std::ranges::move(items, std::back_inserter(items_));
}

std::vector<Diagnostic> Findings::Take() {
  Arrange(items_);
  errors_ = 0;
  return std::exchange(items_, {});
}

std::string LineText(const Position& position) {
  return position.line == 0 ? "in an edit" : fmt::format("at line {}", position.line);
}

void Arrange(std::vector<Diagnostic>& items) {
  // Of repetitions the first stays: its path is that of the first use.
  std::ranges::stable_sort(items, [](const Diagnostic& a, const Diagnostic& b) { return Key(a) < Key(b); });
  const auto rest =
      std::ranges::unique(items, [](const Diagnostic& a, const Diagnostic& b) { return Key(a) == Key(b); });
  items.erase(rest.begin(), rest.end());
}

void AddFindings(std::vector<Diagnostic> more, Diagnostics& diagnostics) {
  std::ranges::move(more, std::back_inserter(diagnostics.items));
  Arrange(diagnostics.items);
}

std::string NearestHint(std::string_view word, std::span<const std::string_view> candidates) {
  const std::string_view nearest = NearestWord(word, candidates);
  if (!nearest.empty()) return fmt::format("did you mean {}?", Quoted(nearest));
  if (candidates.empty() || candidates.size() > kListedWordsMax) return {};
  return fmt::format("{} {}", candidates.size() == 1 ? "there is only" : "one of", JoinWords(candidates));
}

std::string JoinWords(std::span<const std::string_view> words) {
  std::string out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) out.append(i + 1 == words.size() ? " or " : ", ");
    out.append(words[i]);
  }
  return out;
}

std::string Quoted(std::string_view text) {
  std::string shown(text.substr(0, kQuotedBytesMax));
  if (text.size() > kQuotedBytesMax) {
    // A cut inside a UTF-8 sequence would make the whole line invalid.
    while (!shown.empty() && (static_cast<unsigned char>(shown.back()) & 0xC0U) == 0x80U) shown.pop_back();
    if (!shown.empty() && static_cast<unsigned char>(shown.back()) >= 0xC0U) shown.pop_back();
    shown.append("...");
  }
  return fmt::format("`{}`", Printable(shown));
}

}  // namespace weir::config
