#include "config/decode/zone_file_lines.h"

#include "base/text.h"

#include <fmt/format.h>

#include <charconv>
#include <limits>

namespace weir::config {
namespace {

// Our choices: more than any record has, and than any address or label is wide.
constexpr std::int64_t kWidthMax = 255;
constexpr std::uint64_t kNumberMax = std::numeric_limits<std::uint32_t>::max();
constexpr std::int64_t kOffsetMax = std::numeric_limits<std::uint32_t>::max();

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

template <class Number>
bool TakeNumber(std::string_view& text, Number& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc()) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

bool Take(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

// What stands in the braces of `${OFFSET,WIDTH,BASE}`.
std::optional<std::string> Formatted(std::string_view format, std::uint64_t number) {
  std::int64_t offset = 0;
  std::int64_t width = 0;
  char base = 'd';
  if (!TakeNumber(format, offset) || offset > kOffsetMax || offset < -kOffsetMax) return std::nullopt;
  if (Take(format, ',') && (!TakeNumber(format, width) || width < 0 || width > kWidthMax)) return std::nullopt;
  if (Take(format, ',')) {
    if (format.size() != 1) return std::nullopt;
    base = format.front();
    format.remove_prefix(1);
  }
  const auto value = static_cast<std::int64_t>(number) + offset;
  if (!format.empty() || value < 0) return std::nullopt;
  switch (base) {
    case 'd':
      return fmt::format("{:0{}d}", value, width);
    case 'o':
      return fmt::format("{:0{}o}", value, width);
    case 'x':
      return fmt::format("{:0{}x}", value, width);
    case 'X':
      return fmt::format("{:0{}X}", value, width);
    default:
      return std::nullopt;
  }
}

}  // namespace

void ZoneFileLines::EndLine() {
  ++at_;
  ++line_;
  line_start_ = at_;
}

void ZoneFileLines::ReadQuoted(ZoneFileLine& line) {
  const Position begin = Here();
  ++at_;
  std::string text;
  while (at_ < text_.size() && text_[at_] != '"' && text_[at_] != '\n') {
    if (text_[at_] == '\\' && at_ + 1 < text_.size() && text_[at_ + 1] != '\n') text.push_back(text_[at_++]);
    text.push_back(text_[at_++]);
  }
  if (at_ >= text_.size() || text_[at_] != '"') {
    line.error = "a quotation mark that is not closed in its line";
    line.position = begin;
    return;
  }
  ++at_;
  line.tokens.push_back({std::move(text), begin, true});
}

void ZoneFileLines::ReadWord(ZoneFileLine& line) {
  const Position begin = Here();
  std::string text;
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (IsBlank(c) || c == '\n' || c == ';' || c == '(' || c == ')' || c == '"') break;
    if (c == '\\') {
      const char next = at_ + 1 < text_.size() ? text_[at_ + 1] : '\n';
      if (next == '\n' || next == '\r') {
        line.error = "a backslash with nothing behind it";
        line.position = begin;
        return;
      }
      text.push_back(text_[at_++]);
    }
    text.push_back(text_[at_++]);
  }
  line.tokens.push_back({std::move(text), begin, false});
}

bool ZoneFileLines::Next(ZoneFileLine& line) {
  line = {};
  std::size_t depth = 0;
  Position opened;    // the outermost parenthesis
  bool first = true;  // nothing but blanks was in the line
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (c == '\n') {
      EndLine();
      if (depth > 0) continue;
      if (!line.tokens.empty() || !line.error.empty()) return true;
      line.owner_omitted = false;
      first = true;
    } else if (c == ';') {
      while (at_ < text_.size() && text_[at_] != '\n') ++at_;
    } else if (!line.error.empty() || IsBlank(c)) {
      if (IsBlank(c) && first) line.owner_omitted = true;
      first = false;
      ++at_;
    } else if (c == '(' || (c == ')' && depth > 0)) {
      if (depth == 0) opened = Here();
      depth = c == '(' ? depth + 1 : depth - 1;
      first = false;
      ++at_;
    } else if (c == ')') {
      line.error = "a parenthesis that was not opened";
      line.position = Here();
    } else {
      if (line.tokens.empty()) line.position = Here();
      first = false;
      if (c == '"') {
        ReadQuoted(line);
      } else {
        ReadWord(line);
      }
      if (!line.error.empty()) depth = 0;
    }
  }
  if (depth > 0 && line.error.empty()) {
    line.error = "a parenthesis that is not closed";
    line.position = opened;
  }
  return !line.tokens.empty() || !line.error.empty();
}

std::string OctalEscapes(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    out.push_back(text[i]);
    if (text[i] != '\\' || i + 1 >= text.size()) continue;
    const bool number = i + 3 < text.size() && IsDigit(text[i + 1]) && IsDigit(text[i + 2]) && IsDigit(text[i + 3]);
    const int octet = number ? (text[i + 1] - '0') * 100 + (text[i + 2] - '0') * 10 + (text[i + 3] - '0') : 256;
    if (octet <= 255) {
      out.append(fmt::format("{:03o}", octet));
      i += 3;
    } else if (number) {
      out.append("999");  // no octet: refused by who reads it
      i += 3;
    } else {
      out.push_back(text[++i]);
    }
  }
  return out;
}

std::optional<GenerateRange> ParseGenerateRange(std::string_view text) {
  GenerateRange out;
  if (!TakeNumber(text, out.start) || !Take(text, '-') || !TakeNumber(text, out.stop)) return std::nullopt;
  if (Take(text, '/') && !TakeNumber(text, out.step)) return std::nullopt;
  if (!text.empty() || out.step == 0 || out.stop < out.start || out.stop > kNumberMax || out.step > kNumberMax) {
    return std::nullopt;
  }
  return out;
}

std::optional<std::string> Generated(std::string_view text, std::uint64_t number) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) {
      if (text[i + 1] != '$') out.push_back(text[i]);
      out.push_back(text[++i]);
    } else if (text[i] != '$') {
      out.push_back(text[i]);
    } else if (i + 1 < text.size() && text[i + 1] == '{') {
      const std::size_t end = text.find('}', i);
      if (end == std::string_view::npos) return std::nullopt;
      const auto formatted = Formatted(text.substr(i + 2, end - i - 2), number);
      if (!formatted) return std::nullopt;
      out.append(*formatted);
      i = end;
    } else {
      out.append(std::to_string(number));
    }
  }
  return out;
}

}  // namespace weir::config
