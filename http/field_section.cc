#include "http/field_section.h"

#include "base/text.h"
#include "http/field_id.h"
#include "http/scan.h"

#include <algorithm>
#include <cstring>
#include <optional>

namespace weir::http {

namespace {

// `name` starts with `letters` once everything but letters and digits is left out, and has nothing else.
bool HasLetters(std::string_view name, std::string_view letters) {
  std::size_t matched = 0;
  for (std::size_t i = 0; i < name.size(); ++i) {
    char c = name[i];
    if (c == '\xc5' && i + 1 < name.size() && name[i + 1] == '\xbf') {
      c = 's';
      ++i;
    } else if (c == '\xc4' && i + 1 < name.size() && name[i + 1] == '\xb1') {
      c = 'i';
      ++i;
    } else if (!IsByte(kAlnumByte, c)) {
      continue;
    }
    if (matched == letters.size() || ToLowerAscii(c) != letters[matched]) return false;
    ++matched;
  }
  return matched == letters.size();
}

}  // namespace

NameLikeness FramingLikeness(std::string_view name) {
  if (name.size() < 13) return NameLikeness::kNone;  // `contentlength` is the shorter of the two
  const char last = name.back();
  if (IsByte(kAlnumByte, last) && ToLowerAscii(last) != 'h' && ToLowerAscii(last) != 'g') return NameLikeness::kNone;
  if (HasLetters(name, "contentlength") && !EqualsIgnoreCase(name, "content-length")) {
    return NameLikeness::kContentLength;
  }
  if (HasLetters(name, "transferencoding") && !EqualsIgnoreCase(name, "transfer-encoding")) {
    return NameLikeness::kTransferEncoding;
  }
  return NameLikeness::kNone;
}

void FieldFacts::Add(const Field& field, DesyncFinding& finding) {
  switch (field.id) {
    case FieldId::kHost:
      if (host_lines++ == 0) host = field.value;
      return;
    case FieldId::kExpect:
      return AddExpectations(field.value);
    case FieldId::kUpgrade:
      has_upgrade |= !field.value.empty();
      return;
    case FieldId::kConnection:
      return AddConnection(field.value);
    case FieldId::kContentLength:
      return AddLength(field.value, finding);
    case FieldId::kTransferEncoding:
      return AddCodings(field.value, finding);
    case FieldId::kOther:
      break;
    default:
      return;
  }
  const NameLikeness likeness = FramingLikeness(field.name);
  if (likeness == NameLikeness::kNone) return;
  has_suspicious_length |= likeness == NameLikeness::kContentLength;
  has_suspicious_coding |= likeness == NameLikeness::kTransferEncoding;
  finding.Add(DesyncClass::kAmbiguous, DesyncReason::kSuspiciousHeader);
}

// RFC 9110 section 10.1.1. A comma inside a quoted text splits an expectation that is not known anyhow.
void FieldFacts::AddExpectations(std::string_view value) {
  while (!value.empty()) {
    const std::size_t comma = std::min(value.find(','), value.size());
    const std::string_view expectation = TrimSpace(value.substr(0, comma));
    value.remove_prefix(std::min(comma + 1, value.size()));
    if (expectation.empty()) continue;
    const bool is_continue = EqualsIgnoreCase(expectation, "100-continue");
    expects_continue |= is_continue;
    has_other_expectation |= !is_continue;
  }
}

void FieldFacts::AddLength(std::string_view value, DesyncFinding& finding) {
  const std::optional<std::uint64_t> number = ParseDecimal(value);
  if (!number) {
    length_is_bad = true;
    finding.Add(DesyncClass::kSevere, DesyncReason::kBadContentLength);
  }
  if (length_lines++ == 0) {
    length = number.value_or(0);
    length_text = value;
    return;
  }
  // `4` and `04` are the same number, but whoever sends both is up to something: texts are compared.
  if (value == length_text) {
    finding.Add(DesyncClass::kAmbiguous, DesyncReason::kDuplicateContentLength);
  } else {
    lengths_differ = true;
    finding.Add(DesyncClass::kSevere, DesyncReason::kMultipleContentLength);
  }
}

void FieldFacts::AddCodings(std::string_view value, DesyncFinding& finding) {
  ++coding_lines;
  for (;;) {
    const std::size_t comma = value.find(',');
    const std::string_view coding = TrimSpace(value.substr(0, comma));
    chunked_is_last = false;
    if (!IsToken(coding)) {
      coding_is_bad = true;
    } else if (EqualsIgnoreCase(coding, "chunked")) {
      ++chunked_codings;
      chunked_is_last = true;
    } else if (EqualsIgnoreCase(coding, "identity")) {
      ++identity_codings;
    } else {
      ++other_codings;
    }
    if (comma == std::string_view::npos) break;
    value.remove_prefix(comma + 1);
  }
  if (coding_is_bad || other_codings > 0) finding.Add(DesyncClass::kSevere, DesyncReason::kBadTransferEncoding);
  if (chunked_codings > 1) finding.Add(DesyncClass::kSevere, DesyncReason::kMultipleTransferEncodingChunked);
}

void FieldFacts::AddConnection(std::string_view value) {
  while (!value.empty()) {
    const std::size_t comma = std::min(value.find(','), value.size());
    const std::string_view option = TrimSpace(value.substr(0, comma));
    value.remove_prefix(std::min(comma + 1, value.size()));
    if (option.empty()) continue;
    if (!IsToken(option)) {
      connection_is_bad = true;
    } else if (TokenIs(option, "close")) {
      says_close = true;
    } else if (TokenIs(option, "keep-alive")) {
      says_keep_alive = true;
    } else if (TokenIs(option, "upgrade")) {
      says_upgrade = true;
    } else {
      ++named_fields;
    }
  }
}

ParseStatus FieldSection::Refuse(std::string_view text, DesyncClass found, DesyncReason reason) {
  why = text;
  finding.Add(found, reason);
  return ParseStatus::kRefused;
}

ParseStatus FieldSection::RefuseAsTooLarge(std::string_view text) {
  too_large = true;
  return Refuse(text, DesyncClass::kCompliant, DesyncReason::kNone);
}

ParseStatus FieldSection::Read(const char*& at, const char* end, std::vector<Field>& fields) {
  // One comparison tells nearly every byte from those that are looked for.
  const auto is_at_most = [](const char* byte, char most) {
    return static_cast<unsigned char>(*byte) <= static_cast<unsigned char>(most);
  };
  for (std::size_t room = limits.fields_max - std::min(limits.fields_max, fields.size());; --room) {
    if (at == end) return ParseStatus::kNeedMore;
    if (is_at_most(at, '\r') && (*at == '\r' || *at == '\n')) return ReadEmptyLine(at, end);
    // A line and its end must fit before `stop`: where a line is too long never depends on how much has arrived.
    const std::size_t line_room = limits.field_line_bytes_max + 2;
    const char* const stop = static_cast<std::size_t>(end - at) > line_room ? at + line_room : end;
    const char* const name_end = FindNotToken(at, stop, facts.names_are_plain);
    if (name_end == stop || *name_end != ':' || name_end == at) return RefuseLine(at, stop, fields.empty());
    const char* value = name_end + 1;
    while (value != stop && is_at_most(value, ' ') && (*value == ' ' || *value == '\t')) ++value;
    const char* value_end = FindValueStop(value, stop);
    if (stop - value_end < 2 || value_end[0] != '\r' || value_end[1] != '\n') [[unlikely]] {
      const ParseStatus status = ReadValue(value_end, stop);
      if (status == ParseStatus::kRefused || (status == ParseStatus::kNeedMore && stop == end)) return status;
      if (status == ParseStatus::kNeedMore) {
        return RefuseAsTooLarge("field line too long");
      }
    }
    const char* const next = value_end + (*value_end == '\r' ? 2 : 1);
    if (static_cast<std::size_t>(value_end - at) > limits.field_line_bytes_max) {
      return RefuseAsTooLarge("field line too long");
    }
    while (value_end != value && is_at_most(value_end - 1, ' ') && (value_end[-1] == ' ' || value_end[-1] == '\t')) {
      --value_end;
    }
    if (room == 0) return RefuseAsTooLarge("too many fields");
    const std::string_view name(at, static_cast<std::size_t>(name_end - at));
    const bool verbatim = value - name_end == 2 && name_end[1] == ' ' && *value_end == '\r';
    const Field& field = fields.emplace_back(Field{.name = name,
                                                   .value = {value, static_cast<std::size_t>(value_end - value)},
                                                   .id = IdentifyToken(name),
                                                   .verbatim = verbatim});
    facts.Add(field, finding);
    at = next;
  }
}

// Moves `at` from the first byte that may not simply stand in a value to the CR or LF that ends the line.
ParseStatus FieldSection::ReadValue(const char*& at, const char* stop) {
  for (;;) {
    at = FindValueStop(at, stop);
    if (at == stop) return ParseStatus::kNeedMore;
    const char c = *at;
    if (c == '\r') {
      if (stop - at < 2) return ParseStatus::kNeedMore;
      if (at[1] == '\n') return ParseStatus::kDone;
      return Refuse("CR in a field value", DesyncClass::kSevere, DesyncReason::kBadHeader);
    }
    if (c == '\n') {
      if (strictness == Strictness::kRefuse) {
        return Refuse("line ends without CR", DesyncClass::kCompliant, DesyncReason::kNone);
      }
      finding.Add(DesyncClass::kAcceptable, DesyncReason::kNonCrLfLineTermination);
      return ParseStatus::kDone;
    }
    if (c == '\0') return Refuse("NUL in a field value", DesyncClass::kSevere, DesyncReason::kBadHeader);
    if (c != '\t') {
      if (static_cast<unsigned char>(c) < 0x80 && strictness == Strictness::kRefuse) {
        return Refuse("control character in a field value", DesyncClass::kCompliant, DesyncReason::kNone);
      }
      finding.Add(DesyncClass::kAcceptable, DesyncReason::kNonCompliantHeader);
    }
    ++at;
    // Text in another script is a run of such bytes: stepping over it here keeps the vector loop for what follows.
    while (at != stop && static_cast<unsigned char>(*at) >= 0x80) ++at;
  }
}

ParseStatus FieldSection::ReadEmptyLine(const char*& at, const char* end) {
  if (*at == '\n') {
    if (strictness == Strictness::kRefuse) {
      return Refuse("line ends without CR", DesyncClass::kCompliant, DesyncReason::kNone);
    }
    finding.Add(DesyncClass::kAcceptable, DesyncReason::kNonCrLfLineTermination);
    ++at;
    return ParseStatus::kDone;
  }
  if (end - at < 2) return ParseStatus::kNeedMore;
  if (at[1] != '\n') return Refuse("CR at the start of a line", DesyncClass::kSevere, DesyncReason::kBadHeader);
  at += 2;
  return ParseStatus::kDone;
}

// Says what is wrong with a line that does not start with `token ":"`. Waits for the whole line, so that the reason
// does not depend on where the bytes were split.
ParseStatus FieldSection::RefuseLine(const char* line, const char* stop, bool is_first) {
  const std::size_t room = static_cast<std::size_t>(stop - line);
  const void* const lf = std::memchr(line, '\n', room);
  if (lf == nullptr) {
    if (room < limits.field_line_bytes_max + 2) return ParseStatus::kNeedMore;
    return RefuseAsTooLarge("field line too long");
  }
  std::string_view text(line, static_cast<std::size_t>(static_cast<const char*>(lf) - line));
  if (text.ends_with('\r')) text.remove_suffix(1);
  const std::size_t colon = text.find(':');
  const std::string_view name = text.substr(0, colon);
  if (text.find_first_of(std::string_view("\0\r", 2)) != std::string_view::npos) {
    return Refuse("NUL or CR in a field line", DesyncClass::kSevere, DesyncReason::kBadHeader);
  }
  if (TrimSpace(text).empty() || (colon != std::string_view::npos && TrimSpace(name).empty())) {
    return Refuse("field line without a name", DesyncClass::kAmbiguous, DesyncReason::kEmptyHeader);
  }
  if (FramingLikeness(name) != NameLikeness::kNone) {
    return Refuse("field name looks like a framing field", DesyncClass::kAmbiguous, DesyncReason::kSuspiciousHeader);
  }
  if (text.front() == ' ' || text.front() == '\t') {
    return Refuse(is_first ? "white space before the first field" : "folded field line", DesyncClass::kAmbiguous,
                  DesyncReason::kMultilineHeader);
  }
  if (colon == std::string_view::npos) {
    return Refuse("field line without a colon", DesyncClass::kAmbiguous, DesyncReason::kMissingHeaderColon);
  }
  if (name.ends_with(' ') || name.ends_with('\t')) {
    return Refuse("white space before a colon", DesyncClass::kAcceptable, DesyncReason::kNonCompliantHeader);
  }
  return Refuse("field name is not a token", DesyncClass::kAcceptable, DesyncReason::kNonCompliantHeader);
}

}  // namespace weir::http
