#include "dns/wire/rdata.h"

#include "base/domain_name.h"
#include "base/hex.h"
#include "base/ip_address.h"
#include "base/text.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>

namespace weir::dns {
namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr std::size_t kStringBytesMax = 255;  // RFC 1035 3.3

// One word of a value. Quoted words may hold blanks.
struct Word {
  std::string text;  // escapes resolved, except in names, which read `raw`
  std::string_view raw;
  bool quoted = false;
};

std::string Quote(std::string_view text) { return "'" + std::string(text) + "'"; }

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

Result<Word> ReadWord(std::string_view text, std::size_t& at) {
  Word word;
  word.quoted = text[at] == '"';
  if (word.quoted) ++at;
  const std::size_t begin = at;
  while (at < text.size()) {
    const char c = text[at];
    if (word.quoted ? c == '"' : IsBlank(c)) break;
    ++at;
    if (c != '\\') {
      word.text += c;
      continue;
    }
    const auto escaped = ParseEscape(text, at);
    if (!escaped) return std::unexpected(escaped.error());
    word.text += static_cast<char>(*escaped);
  }
  word.raw = text.substr(begin, at - begin);
  if (!word.quoted) return word;
  if (at >= text.size()) return Failure("a quotation mark is missing", "close the text with \"");
  ++at;
  return word;
}

Result<std::vector<Word>> ReadWords(std::string_view text) {
  std::vector<Word> words;
  std::size_t at = 0;
  while (true) {
    while (at < text.size() && IsBlank(text[at])) ++at;
    if (at >= text.size()) return words;
    auto word = ReadWord(text, at);
    if (!word) return std::unexpected(word.error());
    words.push_back(std::move(*word));
  }
}

// What one field of a type looks like in both forms.
enum class Field : std::uint8_t {
  kU8,
  kU16,
  kU32,
  kName,
  kString,   // one character-string
  kStrings,  // one or more, to the end
  kTag,      // CAA's tag: letters and digits
  kRest,     // CAA's value: one text without a length, to the end
  kHex,      // to the end, blanks allowed
  kAddressV4,
  kAddressV6,
};

struct Form {
  std::uint16_t type;
  std::string_view example;
  std::array<Field, 7> fields;
  std::size_t field_count;
};

template <class... Fields>
constexpr Form MakeForm(std::uint16_t type, std::string_view example, Fields... fields) {
  return {type, example, {fields...}, sizeof...(fields)};
}

constexpr std::array kForms = {
    MakeForm(rr::kA, "192.0.2.1", Field::kAddressV4),
    MakeForm(rr::kAaaa, "2001:db8::1", Field::kAddressV6),
    MakeForm(rr::kNs, "ns1.example.com.", Field::kName),
    MakeForm(rr::kCname, "www.example.com.", Field::kName),
    MakeForm(rr::kPtr, "host.example.com.", Field::kName),
    MakeForm(rr::kMx, "10 mail.example.com.", Field::kU16, Field::kName),
    MakeForm(rr::kTxt, R"("v=spf1 -all")", Field::kStrings),
    MakeForm(rr::kSpf, R"("v=spf1 -all")", Field::kStrings),
    MakeForm(rr::kHinfo, R"("cpu" "os")", Field::kString, Field::kString),
    MakeForm(rr::kSrv, "10 5 5060 sip.example.com.", Field::kU16, Field::kU16, Field::kU16, Field::kName),
    MakeForm(rr::kCaa, R"(0 issue "ca.example.net")", Field::kU8, Field::kTag, Field::kRest),
    MakeForm(rr::kNaptr, R"(10 100 "U" "SIP+D2U" "!^.*$!sip:info@example.com!" .)", Field::kU16, Field::kU16,
             Field::kString, Field::kString, Field::kString, Field::kName),
    MakeForm(rr::kDs, "12345 13 2 1F8188345F0A…", Field::kU16, Field::kU8, Field::kU8, Field::kHex),
    MakeForm(rr::kSshfp, "4 2 123456789ABC…", Field::kU8, Field::kU8, Field::kHex),
    MakeForm(rr::kTlsa, "3 1 1 D2ABDE240D7C…", Field::kU8, Field::kU8, Field::kU8, Field::kHex),
    MakeForm(rr::kSoa, "ns1.example.com. hostmaster.example.com. 1 7200 900 1209600 60", Field::kName, Field::kName,
             Field::kU32, Field::kU32, Field::kU32, Field::kU32, Field::kU32),
};

const Form* FindForm(std::uint16_t type) {
  const auto* found = std::ranges::find(kForms, type, &Form::type);
  return found == kForms.end() ? nullptr : found;
}

Result<void> ParseNumber(const Word& word, std::uint64_t max, std::size_t bytes, Bytes& out) {
  const auto number = ParseDecimal(word.text);
  if (!number || *number > max) {
    return Failure(Quote(word.text) + " is not a number from 0 to " + std::to_string(max));
  }
  for (std::size_t i = bytes; i-- > 0;) out.push_back(static_cast<std::uint8_t>(*number >> (8 * i)));
  return {};
}

Result<void> ParseNameField(const Word& word, const Name& zone, Bytes& out) {
  if (word.raw == "@") {
    std::ranges::copy(zone.wire(), std::back_inserter(out));
    return {};
  }
  auto name = ParseDomainName(word.raw);
  if (name && !name->is_absolute && name->labels() == 1) name = ParseDomainName(word.raw, zone.wire());
  if (!name) {
    return Failure(Quote(word.raw) + " is not a domain name: " + name.error().message, name.error().hint);
  }
  std::ranges::copy(name->wire(), std::back_inserter(out));
  return {};
}

Result<void> ParseString(const Word& word, Bytes& out) {
  if (word.text.size() > kStringBytesMax) {
    return Failure("a text of " + std::to_string(word.text.size()) + " bytes; one string holds at most 255",
                   R"(split it: "first part" "second part")");
  }
  out.push_back(static_cast<std::uint8_t>(word.text.size()));
  std::ranges::copy(word.text, std::back_inserter(out));
  return {};
}

Result<void> ParseTag(const Word& word, Bytes& out) {
  const bool good =
      !word.text.empty() && word.text.size() <= kStringBytesMax && std::ranges::all_of(word.text, [](char c) {
        const char lower = ToLowerAscii(c);
        return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9');
      });
  if (!good) return Failure(Quote(word.text) + " is not a CAA tag", "write issue, issuewild or iodef (RFC 8659)");
  return ParseString(word, out);
}

Result<void> ParseHex(std::span<const Word> words, Bytes& out) {
  std::string digits;
  for (const auto& word : words) digits += word.text;
  if (digits.size() % 2 != 0) return Failure("an odd number of hexadecimal digits");
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    const int high = HexValue(digits[i]);
    const int low = HexValue(digits[i + 1]);
    if (high < 0 || low < 0) return Failure(Quote(digits.substr(i, 2)) + " is not hexadecimal");
    out.push_back(static_cast<std::uint8_t>(high * 16 + low));
  }
  return {};
}

Result<void> ParseAddress(const Word& word, IpFamily family, Bytes& out) {
  const auto address = IpAddress::Parse(word.text);
  if (!address || address->family() != family) {
    return Failure(Quote(word.text) +
                   (family == IpFamily::kV4 ? " is not an IPv4 address" : " is not an IPv6 address"));
  }
  std::ranges::copy(address->bytes(), std::back_inserter(out));
  return {};
}

// Reads the field at the front of `words`; fields that reach to the end take all of them.
Result<void> ParseField(Field field, std::span<const Word> words, const Name& zone, Bytes& out) {
  const Word& word = words.front();
  switch (field) {
    case Field::kU8:
      return ParseNumber(word, 0xFF, 1, out);
    case Field::kU16:
      return ParseNumber(word, 0xFFFF, 2, out);
    case Field::kU32:
      return ParseNumber(word, 0xFFFFFFFF, 4, out);
    case Field::kName:
      return ParseNameField(word, zone, out);
    case Field::kString:
      return ParseString(word, out);
    case Field::kStrings:
      for (const auto& each : words) {
        if (auto done = ParseString(each, out); !done) return done;
      }
      return {};
    case Field::kTag:
      return ParseTag(word, out);
    case Field::kRest:
      std::ranges::copy(word.text, std::back_inserter(out));
      return {};
    case Field::kHex:
      return ParseHex(words, out);
    case Field::kAddressV4:
      return ParseAddress(word, IpFamily::kV4, out);
    case Field::kAddressV6:
      return ParseAddress(word, IpFamily::kV6, out);
  }
  return {};
}

Result<void> ParseGeneric(std::span<const Word> words, Bytes& out) {
  // words[0] is `\#`.
  const auto length = words.size() < 2 ? std::nullopt : ParseDecimal(words[1].text);
  if (!length || *length > kRdataBytesMax) return Failure("no length follows \\#", "write \\# 4 0A000001 (RFC 3597)");
  Bytes data;
  if (auto done = ParseHex(words.subspan(2), data); !done) return done;
  if (data.size() != *length) {
    return Failure("\\# says " + std::to_string(*length) + " bytes, and " + std::to_string(data.size()) + " follow");
  }
  std::ranges::copy(data, std::back_inserter(out));
  return {};
}

bool TakesRest(Field field) { return field == Field::kStrings || field == Field::kHex; }

Result<void> ParseForm(const Form& form, std::span<const Word> words, const Name& zone, Bytes& out) {
  const std::string hint = RecordTypeName(form.type) + " is written " + std::string(form.example);
  for (std::size_t i = 0; i < form.field_count; ++i) {
    if (words.size() <= i) return Failure("something is missing", hint);
    auto done = ParseField(form.fields[i], words.subspan(i), zone, out);
    if (!done) {
      if (done.error().hint.empty()) done.error().hint = hint;
      return done;
    }
    if (TakesRest(form.fields[i])) return {};
  }
  if (words.size() > form.field_count) return Failure(Quote(words[form.field_count].raw) + " is too much", hint);
  return {};
}

std::string HexText(std::span<const std::uint8_t> bytes) {
  static constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (const std::uint8_t byte : bytes) {
    out += kDigits[byte >> 4];
    out += kDigits[byte & 0x0FU];
  }
  return out;
}

void AppendQuoted(std::span<const std::uint8_t> bytes, std::string& out) {
  out += '"';
  for (const std::uint8_t c : bytes) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += static_cast<char>(c);
    } else if (c >= 0x20 && c < 0x7F) {
      out += static_cast<char>(c);
    } else {
      out += '\\';
      for (const unsigned shift : {6U, 3U, 0U}) out += static_cast<char>('0' + ((unsigned{c} >> shift) & 7U));
    }
  }
  out += '"';
}

// The bytes that `field` takes at the front of `rest`; absent when it does not fit there.
std::optional<std::size_t> FieldBytes(Field field, std::span<const std::uint8_t> rest) {
  std::size_t bytes = 0;
  switch (field) {
    case Field::kU8:
      bytes = 1;
      break;
    case Field::kU16:
      bytes = 2;
      break;
    case Field::kU32:
    case Field::kAddressV4:
      bytes = 4;
      break;
    case Field::kAddressV6:
      bytes = 16;
      break;
    case Field::kName:
      bytes = NameBytes(rest);
      if (bytes == 0) return std::nullopt;
      break;
    case Field::kString:
    case Field::kStrings:
    case Field::kTag:
      if (rest.empty()) return std::nullopt;
      bytes = 1U + rest[0];
      break;
    case Field::kRest:
    case Field::kHex:
      bytes = rest.size();
      break;
  }
  return bytes <= rest.size() ? std::optional(bytes) : std::nullopt;
}

void AppendField(Field field, std::span<const std::uint8_t> bytes, std::string& out) {
  switch (field) {
    case Field::kU8:
    case Field::kU16:
    case Field::kU32: {
      std::uint64_t number = 0;
      for (const std::uint8_t byte : bytes) number = number << 8 | byte;
      out += std::to_string(number);
      return;
    }
    case Field::kName:
      AppendDomainName(bytes, out);
      return;
    case Field::kString:
    case Field::kStrings:
      AppendQuoted(bytes.subspan(1), out);
      return;
    case Field::kTag:
      out.append(bytes.begin() + 1, bytes.end());
      return;
    case Field::kRest:
      AppendQuoted(bytes, out);
      return;
    case Field::kHex:
      out += HexText(bytes);
      return;
    case Field::kAddressV4:
      out += IpAddress::V4({bytes[0], bytes[1], bytes[2], bytes[3]}).ToString();
      return;
    case Field::kAddressV6: {
      std::array<std::uint8_t, 16> address{};
      std::ranges::copy(bytes, address.begin());
      out += IpAddress::V6(address).ToString();
      return;
    }
  }
}

// Splits wire data by the type's fields; false when it does not have this form (it came as `\#`).
bool AppendFields(const Form& form, std::span<const std::uint8_t> rdata, std::string& out) {
  std::size_t i = 0;
  while (i < form.field_count) {
    const Field field = form.fields[i];
    const auto bytes = FieldBytes(field, rdata);
    if (!bytes) return false;
    if (!out.empty()) out += ' ';
    AppendField(field, rdata.first(*bytes), out);
    rdata = rdata.subspan(*bytes);
    if (field != Field::kStrings || rdata.empty()) ++i;
  }
  return rdata.empty();
}

}  // namespace

Result<void> ParseRdata(std::uint16_t type, std::string_view text, const Name& zone, Bytes& out) {
  const auto words = ReadWords(text);
  if (!words) return std::unexpected(words.error());
  const std::size_t begin = out.size();
  const Form* form = FindForm(type);
  Result<void> done;
  if (!words->empty() && !words->front().quoted && words->front().raw == "\\#") {
    done = ParseGeneric(*words, out);
    // A wrong form of a known type would break the clients that know it, and the compression of its names.
    std::string unused;
    if (done && form != nullptr && !AppendFields(*form, std::span(out).subspan(begin), unused)) {
      done = Failure("these bytes are no " + RecordTypeName(type),
                     RecordTypeName(type) + " is written " + std::string(form->example));
    }
  } else if (form != nullptr) {
    done = ParseForm(*form, *words, zone, out);
  } else {
    done = Failure(Quote(text) + " cannot be read", RecordTypeName(type) + " is written \\# LENGTH HEX (RFC 3597)");
  }
  if (done && out.size() - begin > kRdataBytesMax) return Failure("more than 65,535 bytes", "split the record");
  return done;
}

std::string RdataText(std::uint16_t type, std::span<const std::uint8_t> rdata) {
  std::string out;
  const Form* form = FindForm(type);
  if (form != nullptr && AppendFields(*form, rdata, out)) return out;
  out = "\\# " + std::to_string(rdata.size());
  if (!rdata.empty()) out += " " + HexText(rdata);
  return out;
}

}  // namespace weir::dns
