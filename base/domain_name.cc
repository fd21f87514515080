#include "base/domain_name.h"

#include <algorithm>
#include <limits>
#include <optional>

namespace weir {
namespace {

constexpr std::string_view kShorten = "shorten it (RFC 1035 2.3.4)";

// Puts labels one behind the other; `label` is where the length of the one that is being written goes.
class NameWriter {
 public:
  [[nodiscard]] bool label_empty() const { return size_ == label_ + 1; }
  [[nodiscard]] bool label_full() const { return size_ - label_ - 1 == kDomainLabelBytesMax; }
  // False: the name is too long. One byte is kept for the root label.
  [[nodiscard]] bool Put(std::uint8_t c) {
    if (size_ + 1 >= kDomainNameBytesMax) return false;
    name_.bytes[size_++] = c;
    return true;
  }
  // What follows is another label, at the end the root.
  void EndLabel() {
    name_.bytes[label_] = static_cast<std::uint8_t>(size_ - label_ - 1);
    label_ = size_++;
  }
  // The name with `rest`, in wire form, behind the last whole label; false: too long.
  [[nodiscard]] bool Finish(std::span<const std::uint8_t> rest) {
    if (label_ + rest.size() > kDomainNameBytesMax) return false;
    std::ranges::copy(rest, name_.bytes.begin() + static_cast<std::ptrdiff_t>(label_));
    name_.size = static_cast<std::uint8_t>(label_ + rest.size());
    return true;
  }
  [[nodiscard]] DomainName& name() { return name_; }

 private:
  DomainName name_;
  std::size_t label_ = 0;
  std::size_t size_ = 1;
};

void AppendEscaped(std::uint8_t c, std::string& out) {
  const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                     c == '_' || c == '*' || c == '/';
  if (plain) {
    out += static_cast<char>(c);
    return;
  }
  out += '\\';
  for (const unsigned shift : {6U, 3U, 0U}) out += static_cast<char>('0' + ((unsigned{c} >> shift) & 7U));
}

// ---- UTF-8 and Punycode

// The code point at `at`, which moves past it; absent where the text is no UTF-8.
std::optional<char32_t> ReadCodePoint(std::string_view text, std::size_t& at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(at);
  if (first < 0x80) {
    ++at;
    return first;
  }
  const std::size_t bytes = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || at + bytes > text.size()) return std::nullopt;
  char32_t point = first & (0xFFU >> (bytes + 1));
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((byte(at + i) & 0xC0U) != 0x80U) return std::nullopt;
    point = point << 6 | (byte(at + i) & 0x3FU);
  }
  constexpr std::array<char32_t, 5> kLeast = {0, 0, 0x80, 0x800, 0x10000};
  if (point < kLeast[bytes] || point > 0x10FFFF || (point >= 0xD800 && point < 0xE000)) return std::nullopt;
  at += bytes;
  return point;
}

char32_t ToLower(char32_t c) {
  if (c >= 'A' && c <= 'Z') return c + 0x20;
  if (c >= 0xC0 && c <= 0xDE && c != 0xD7) return c + 0x20;     // Latin-1
  if (c >= 0x100 && c <= 0x137 && c != 0x130) return c | 1U;    // Latin Extended-A: pairs
  if (c >= 0x391 && c <= 0x3A9 && c != 0x3A2) return c + 0x20;  // Greek
  if (c >= 0x410 && c <= 0x42F) return c + 0x20;                // Cyrillic
  if (c >= 0x400 && c <= 0x40F) return c + 0x50;
  return c;
}

bool IsCombining(char32_t c) { return c >= 0x300 && c <= 0x36F; }

// RFC 3492 section 5 names these and 6.1 the adaptation of the bias.
constexpr std::uint32_t kBase = 36;
constexpr std::uint32_t kLeastThreshold = 1;
constexpr std::uint32_t kMostThreshold = 26;
constexpr std::uint32_t kInitialBias = 72;

std::uint32_t AdaptBias(std::uint32_t delta, std::uint32_t points, bool is_first) {
  delta = is_first ? delta / 700 : delta / 2;
  delta += delta / points;
  std::uint32_t k = 0;
  for (; delta > (kBase - kLeastThreshold) * kMostThreshold / 2; k += kBase) delta /= kBase - kLeastThreshold;
  return k + (kBase - kLeastThreshold + 1) * delta / (delta + 38);
}

// A number with digits of a variable base (RFC 3492 3.3).
void AppendNumber(std::uint32_t number, std::uint32_t bias, std::string& out) {
  const auto digit = [](std::uint32_t value) { return static_cast<char>(value < 26 ? 'a' + value : '0' + value - 26); };
  for (std::uint32_t k = kBase;; k += kBase) {
    const std::uint32_t threshold = k <= bias ? kLeastThreshold : std::clamp(k - bias, kLeastThreshold, kMostThreshold);
    if (number < threshold) break;
    out += digit(threshold + (number - threshold) % (kBase - threshold));
    number = (number - threshold) / (kBase - threshold);
  }
  out += digit(number);
}

// RFC 3492 6.3. A label has at most 63 characters that matter, so nothing overflows.
std::string EncodeLabel(std::u32string_view label) {
  std::string out;
  for (const char32_t c : label) {
    if (c < 0x80) out += static_cast<char>(c);
  }
  const auto basic = static_cast<std::uint32_t>(out.size());
  if (basic == label.size()) return out;
  if (basic > 0) out += '-';
  char32_t next = 0x80;
  std::uint32_t delta = 0;
  std::uint32_t bias = kInitialBias;
  for (std::uint32_t done = basic; done < label.size(); ++next, ++delta) {
    char32_t least = std::numeric_limits<char32_t>::max();
    for (const char32_t c : label) {
      if (c >= next) least = std::min(least, c);
    }
    delta += static_cast<std::uint32_t>(least - next) * (done + 1);
    next = least;
    for (const char32_t c : label) {
      if (c < next) ++delta;
      if (c != next) continue;
      AppendNumber(delta, bias, out);
      bias = AdaptBias(delta, done + 1, done == basic);
      delta = 0;
      ++done;
    }
  }
  return "xn--" + out;
}

}  // namespace

std::size_t DomainName::labels() const {
  std::size_t count = 0;
  for (std::size_t at = 0; bytes[at] != 0; at += 1U + bytes[at]) ++count;
  return count;
}

bool IsNameWithin(std::span<const std::uint8_t> name, std::span<const std::uint8_t> ancestor) {
  for (std::size_t at = 0; at < name.size(); at += 1U + name[at]) {
    if (std::ranges::equal(name.subspan(at), ancestor)) return true;
    if (name[at] == 0) break;
  }
  return false;
}

Result<std::uint8_t> ParseEscape(std::string_view text, std::size_t& at) {
  const auto fail = [] {
    return Failure("a bad escape",
                   R"(write \052, three octal digits up to 377, or a backslash before a character, as Route 53 does)");
  };
  if (at >= text.size()) return fail();
  if (text[at] < '0' || text[at] > '9') return static_cast<std::uint8_t>(text[at++]);
  unsigned value = 0;
  for (std::size_t i = 0; i < 3; ++i, ++at) {
    if (at >= text.size() || text[at] < '0' || text[at] > '7') return fail();
    value = value * 8 + static_cast<unsigned>(text[at] - '0');
  }
  if (value > 0xFF) return fail();
  return static_cast<std::uint8_t>(value);
}

Result<DomainName> ParseDomainName(std::string_view text, std::span<const std::uint8_t> origin) {
  static constexpr std::array<std::uint8_t, 1> kRoot = {0};
  if (text.empty()) return Failure("it is empty", "write a name such as www.example.test.");
  NameWriter writer;
  DomainName& name = writer.name();
  if (text == ".") {
    name.is_absolute = true;
    return name;
  }
  const auto too_long = [] { return Failure("more than 255 octets", std::string(kShorten)); };
  for (std::size_t at = 0; at < text.size();) {
    auto c = static_cast<std::uint8_t>(text[at++]);
    name.is_absolute = c == '.';
    if (c == '.') {
      if (writer.label_empty()) return Failure("an empty label", "take out the extra dot");
      writer.EndLabel();
      continue;
    }
    if (c == '\\') {
      const auto escaped = ParseEscape(text, at);
      if (!escaped) return std::unexpected(escaped.error());
      c = *escaped;
    } else if (c <= 0x20 || c == 0x7F) {
      return Failure("a space or a control character", R"(write it as \ooo, three octal digits: \040 is a space)");
    } else if (c > 0x7F) {
      name.is_plain_ascii = false;
    }
    if (writer.label_full()) return Failure("a label of more than 63 octets", std::string(kShorten));
    if (!writer.Put(ToLowerOctet(c))) return too_long();
  }
  if (!name.is_absolute) writer.EndLabel();
  if (!writer.Finish(name.is_absolute || origin.empty() ? std::span<const std::uint8_t>(kRoot) : origin)) {
    return too_long();
  }
  return name;
}

void AppendDomainName(std::span<const std::uint8_t> wire, std::string& out) {
  if (wire.empty() || wire[0] == 0) {
    out += '.';
    return;
  }
  for (std::size_t at = 0; at < wire.size() && wire[at] != 0; at += 1U + wire[at]) {
    for (const std::uint8_t c : wire.subspan(at + 1, wire[at])) AppendEscaped(c, out);
    out += '.';
  }
}

std::string ToPunycode(std::string_view text) {
  if (std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; })) return {};
  std::string out;
  std::u32string label;
  const auto end_label = [&] {
    const std::string encoded = EncodeLabel(label);
    out += encoded;
    label.clear();
    return encoded.size() <= kDomainLabelBytesMax;
  };
  for (std::size_t at = 0; at < text.size();) {
    const auto c = ReadCodePoint(text, at);
    if (!c || IsCombining(*c) || label.size() > kDomainLabelBytesMax) return {};
    if (*c != '.') {
      label += ToLower(*c);
      continue;
    }
    if (!end_label()) return {};
    out += '.';
  }
  return end_label() ? out : std::string();
}

}  // namespace weir
