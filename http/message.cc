#include "http/message.h"

#include "base/text.h"
#include "http/field_id.h"
#include "http/scan.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace weir::http {

namespace {

// Takes the next element off a comma-separated list: trimmed, may be empty.
std::string_view TakeListElement(std::string_view& list) {
  const std::size_t comma = std::min(list.find(','), list.size());
  const std::string_view element = TrimSpace(list.substr(0, comma));
  list.remove_prefix(std::min(comma + 1, list.size()));
  return element;
}

// Connection options with a meaning of their own; they name no field that would have to go beside the known ones. Host
// and Content-Length are needed at the next hop whatever Connection says: dropping them on a client's word would change
// routing or framing.
bool NamesNoField(std::string_view option) {
  switch (option.size()) {
    case 0:
      return true;
    case 4:
      return EqualsIgnoreCase(option, "host");
    case 5:
      return EqualsIgnoreCase(option, "close");
    case 7:
      return EqualsIgnoreCase(option, "upgrade");
    case 10:
      return EqualsIgnoreCase(option, "keep-alive");
    case 14:
      return EqualsIgnoreCase(option, "content-length");
    default:
      return false;
  }
}

}  // namespace

std::string_view ToString(DesyncClass value) {
  switch (value) {
    case DesyncClass::kCompliant:
      return "-";
    case DesyncClass::kAcceptable:
      return "Acceptable";
    case DesyncClass::kAmbiguous:
      return "Ambiguous";
    case DesyncClass::kSevere:
      return "Severe";
  }
  std::unreachable();
}

std::string_view ToString(DesyncReason value) {
  using enum DesyncReason;
  switch (value) {
    case kNone:
      return "-";
    case kAmbiguousUri:
      return "AmbiguousUri";
    case kBadContentLength:
      return "BadContentLength";
    case kBadHeader:
      return "BadHeader";
    case kBadTransferEncoding:
      return "BadTransferEncoding";
    case kBadUri:
      return "BadUri";
    case kBadMethod:
      return "BadMethod";
    case kBadVersion:
      return "BadVersion";
    case kBothTeClPresent:
      return "BothTeClPresent";
    case kDuplicateContentLength:
      return "DuplicateContentLength";
    case kEmptyHeader:
      return "EmptyHeader";
    case kGetHeadZeroContentLength:
      return "GetHeadZeroContentLength";
    case kMultipleContentLength:
      return "MultipleContentLength";
    case kMultipleTransferEncodingChunked:
      return "MultipleTransferEncodingChunked";
    case kNonCompliantHeader:
      return "NonCompliantHeader";
    case kNonCompliantVersion:
      return "NonCompliantVersion";
    case kSpaceInUri:
      return "SpaceInUri";
    case kSuspiciousHeader:
      return "SuspiciousHeader";
    case kSuspiciousTeClPresent:
      return "SuspiciousTeClPresent";
    case kUndefinedContentLengthSemantics:
      return "UndefinedContentLengthSemantics";
    case kUndefinedTransferEncodingSemantics:
      return "UndefinedTransferEncodingSemantics";
    case kNonCrLfLineTermination:
      return "NonCrLfLineTermination";
    case kMultilineHeader:
      return "MultilineHeader";
    case kPartialHeaderLine:
      return "PartialHeaderLine";
    case kMissingLastEmptyLine:
      return "MissingLastEmptyLine";
    case kMissingHeaderColon:
      return "MissingHeaderColon";
    case kMissingUri:
      return "MissingUri";
  }
  std::unreachable();
}

FieldId IdentifyField(std::string_view name) { return IsToken(name) ? IdentifyToken(name) : FieldId::kOther; }

const Field* FindField(const std::vector<Field>& fields, std::string_view name) {
  for (const Field& field : fields) {
    if (field.name.size() == name.size() && EqualsIgnoreCase(field.name, name)) return &field;
  }
  return nullptr;
}

bool HasListToken(const std::vector<Field>& fields, std::string_view name, std::string_view token) {
  for (const Field& field : fields) {
    if (field.name.size() != name.size() || !EqualsIgnoreCase(field.name, name)) continue;
    for (std::string_view list = field.value; !list.empty();) {
      if (EqualsIgnoreCase(TakeListElement(list), token)) return true;
    }
  }
  return false;
}

HopByHopFields::HopByHopFields(const std::vector<Field>& fields) {
  for (const Field& field : fields) {
    if (IdOf(field) != FieldId::kConnection) continue;
    for (std::string_view list = field.value; !list.empty();) {
      const std::string_view option = TakeListElement(list);
      if (NamesNoField(option)) continue;
      if (named_count_ == kNamedMax) return;  // the parser refuses such a head
      named_[named_count_++] = option;
    }
  }
}

bool HopByHopFields::IsNamed(std::string_view name) const {
  for (std::size_t i = 0; i < named_count_; ++i) {
    if (named_[i].size() == name.size() && EqualsIgnoreCase(named_[i], name)) return true;
  }
  return false;
}

}  // namespace weir::http
