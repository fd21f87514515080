#include "proxy/log/log_text.h"

#include "base/arn.h"
#include "base/figures.h"
#include "base/text.h"
#include "base/words.h"

#include <algorithm>
#include <cstdio>

namespace weir::proxy {
namespace {

bool MustBeEscaped(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f || c == '"' || c == '\\';
}

// True when one of eight bytes must be escaped. The differences borrow only from bytes that are found themselves.
bool AnyMustBeEscaped(std::uint64_t bytes) {
  const auto zero_in = [](std::uint64_t word) { return (word - EachByte(1)) & ~word; };
  const std::uint64_t below_space = (bytes - EachByte(0x20)) & ~bytes;
  const std::uint64_t others =
      zero_in(bytes ^ EachByte('"')) | zero_in(bytes ^ EachByte('\\')) | zero_in(bytes ^ EachByte(0x7f));
  return ((below_space | others) & EachByte(0x80)) != 0;
}

bool AnyMustBeEscaped(std::string_view text) {
  constexpr std::size_t kWord = sizeof(std::uint64_t);
  if (text.size() < kWord) return std::ranges::any_of(text, MustBeEscaped);
  const auto any_at = [text](std::size_t at) { return AnyMustBeEscaped(LoadWord(text.data() + at)); };
  for (std::size_t at = 0; at + kWord <= text.size(); at += kWord) {
    if (any_at(at)) return true;
  }
  return any_at(text.size() - kWord);  // the last bytes, some of them again
}

}  // namespace

void PutSeconds(TextWriter& out, double seconds) {
  const auto milliseconds = static_cast<std::uint64_t>(seconds * 1'000 + 0.5);
  out.PutDecimal(milliseconds / 1'000);
  const auto rest = static_cast<unsigned>(milliseconds % 1'000);
  const char text[] = {'.', static_cast<char>('0' + rest / 100), static_cast<char>('0' + rest / 10 % 10),
                       static_cast<char>('0' + rest % 10)};
  out.Put(std::string_view(text, sizeof(text)));
}

void PutQuoted(TextWriter& out, std::string_view text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  out.Put('"');
  if (text.empty()) out.Put('-');
  if (!AnyMustBeEscaped(text)) {
    out.Put(text);
  } else {
    for (const char c : text) {
      if (!MustBeEscaped(c)) {
        out.Put(c);
        continue;
      }
      const auto byte = static_cast<unsigned char>(c);
      out.Put("\\x");
      out.Put(kHex[byte >> 4]);
      out.Put(kHex[byte & 15]);
    }
  }
  out.Put('"');
}

void PutLoadBalancerId(TextWriter& out, std::string_view name) {
  out.Put("app/");
  out.Put(name);
  out.Put('/');
  out.PutHex(HashOfName(name), 16);
}

void AppendLoadBalancerId(std::string& out, std::string_view name) {
  AppendWith(out, name.size() + 32, [name](TextWriter& text) { PutLoadBalancerId(text, name); });
}

void AppendJsonText(std::string& out, std::string_view key, std::string_view value) {
  out += ",\"";
  out += key;
  out += "\":";
  AppendJsonBytes(out, value);
}

void AppendJsonNumber(std::string& out, std::string_view key, std::uint64_t value) {
  out += ",\"";
  out += key;
  out += "\":";
  AppendDecimal(out, value);
}

void AppendJsonSeconds(std::string& out, std::string_view key, double seconds) {
  if (seconds < 0) return;
  char text[32];
  std::snprintf(text, sizeof(text), "%.6f", seconds);
  out += ",\"";
  out += key;
  out += "\":";
  out += text;
}

}  // namespace weir::proxy
