#include "bench/load/dns/rcodes.h"

#include "base/text.h"
#include "dns/wire/types.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace weir::bench {
namespace {

constexpr std::uint16_t kRcodeMax = 4'095;  // twelve bits (RFC 6891 section 6.1.3)

const std::vector<std::string>& RcodeNames() {
  static const std::vector<std::string> kNames = [] {
    std::vector<std::string> names;
    for (std::uint16_t code = 0; code <= kRcodeMax; ++code) {
      names.push_back(dns::RcodeName(static_cast<dns::Rcode>(code)));
    }
    return names;
  }();
  return kNames;
}

std::string HintFor(std::string_view part) {
  std::vector<std::string_view> named;
  for (const auto& name : RcodeNames()) {
    if (!name.starts_with("RCODE")) named.push_back(name);
  }
  const auto near = NearestWord(part, named);
  return near.empty() ? "write NOERROR, NXDOMAIN, SERVFAIL, REFUSED or RCODE24" : fmt::format("did you mean {}?", near);
}

}  // namespace

AnswerSet ExpectedRcodes() {
  return AnswerSet({dns::RcodeName(dns::Rcode::kNoError), dns::RcodeName(dns::Rcode::kNxDomain)});
}

Result<AnswerSet> ParseRcodes(std::string_view text) {
  std::set<std::string, std::less<>> chosen;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const std::string_view part = text.substr(begin, end - begin);
    const auto& names = RcodeNames();
    const auto found = std::ranges::find_if(names, [part](const auto& name) { return EqualsIgnoreCase(name, part); });
    if (found == names.end()) {
      return Failure(fmt::format("column {}: `{}` is no response code", begin + 1, part), HintFor(part));
    }
    chosen.insert(*found);
    begin = end + 1;
  }
  return AnswerSet(std::move(chosen));
}

}  // namespace weir::bench
