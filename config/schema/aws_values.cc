#include "config/schema/aws_values.h"

#include "base/text.h"
#include "config/findings.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <string>

namespace weir::config {
namespace {

constexpr std::size_t kFieldNameMax = 40;
constexpr std::size_t kMethodMax = 40;

// Beside letters and digits. Wildcards are allowed everywhere.
constexpr std::string_view kHostMarks = "-._*?";
constexpr std::string_view kPathMarks = "_-.$/~\"'@:+&*?";
constexpr std::string_view kFieldMarks = " !\"#$%&'()+,./:;<=>@[]^_`{|}~-*?";
constexpr std::string_view kQueryMarks = "_-.$/~\"'@:+&()!,;=*?\\";

bool IsLetter(char c) { return ToLowerAscii(c) >= 'a' && ToLowerAscii(c) <= 'z'; }

// Whether each character is a letter, a digit or one of `marks`.
bool HoldsOnly(std::string_view text, std::string_view marks) {
  return std::ranges::all_of(
      text, [&](char c) { return IsLetter(c) || IsDigit(c) || marks.find(c) != std::string_view::npos; });
}

AwsObjection Against(std::string_view noun, std::string_view value, std::string_view limit) {
  return {fmt::format("{} {}", noun, Quoted(value)), std::string(limit)};
}

std::optional<AwsObjection> Query(std::string_view noun, std::string_view value) {
  if (HoldsOnly(value, kQueryMarks)) return std::nullopt;
  return Against(noun, value, "letters, digits, _-.$/~\"'@:+&()!,;= and the wildcards * and ?");
}

}  // namespace

std::optional<AwsObjection> AwsHost(std::string_view value) {
  constexpr std::string_view kNoun = "host-header";
  if (!HoldsOnly(value, kHostMarks)) return Against(kNoun, value, "letters, digits, -, ., _ and the wildcards * and ?");
  const std::size_t dot = value.rfind('.');
  if (dot == std::string_view::npos) return Against(kNoun, value, "at least one dot");
  if (!std::ranges::all_of(value.substr(dot + 1), IsLetter))
    return Against(kNoun, value, "only letters behind the last dot");
  return std::nullopt;
}

std::optional<AwsObjection> AwsPath(std::string_view value) {
  if (HoldsOnly(value, kPathMarks)) return std::nullopt;
  return Against("path-pattern", value, "letters, digits, _-.$/~\"'@:+& and the wildcards * and ?");
}

std::optional<AwsObjection> AwsFieldName(std::string_view name) {
  if (name.size() > kFieldNameMax) {
    return AwsObjection{fmt::format("a header name of {} characters", name.size()),
                        fmt::format("at most {}", kFieldNameMax)};
  }
  if (EqualsIgnoreCase(name, "Host")) return AwsObjection{"an http-header condition on Host", "host-header"};
  return std::nullopt;
}

std::optional<AwsObjection> AwsFieldValue(std::string_view value) {
  if (HoldsOnly(value, kFieldMarks)) return std::nullopt;
  return Against("http-header value", value, "visible ASCII and spaces, no backslash");
}

std::optional<AwsObjection> AwsMethod(std::string_view value) {
  const bool upper = std::ranges::all_of(value, [](char c) { return (c >= 'A' && c <= 'Z') || c == '-' || c == '_'; });
  if (upper && value.size() <= kMethodMax) return std::nullopt;
  return Against("method", value, fmt::format("at most {} of A-Z, - and _", kMethodMax));
}

std::optional<AwsObjection> AwsQueryKey(std::string_view value) { return Query("query-string key", value); }
std::optional<AwsObjection> AwsQueryValue(std::string_view value) { return Query("query-string value", value); }

}  // namespace weir::config
