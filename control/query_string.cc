#include "control/query_string.h"

#include "base/hex.h"

#include <algorithm>
#include <cstddef>

namespace weir::control {

std::string PercentDecode(std::string_view text, bool plus_is_space) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape =
        text[i] == '%' && i + 2 < text.size() && HexValue(text[i + 1]) >= 0 && HexValue(text[i + 2]) >= 0;
    if (escape) {
      out += static_cast<char>(HexValue(text[i + 1]) * 16 + HexValue(text[i + 2]));
      i += 2;
    } else {
      out += plus_is_space && text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

QueryPairs ParseQuery(std::string_view query) {
  QueryPairs out;
  while (!query.empty()) {
    const auto end = std::min(query.find('&'), query.size());
    const auto pair = query.substr(0, end);
    const auto equals = std::min(pair.find('='), pair.size());
    const auto value = equals < pair.size() ? pair.substr(equals + 1) : std::string_view();
    if (!pair.empty()) out.emplace_back(PercentDecode(pair.substr(0, equals), true), PercentDecode(value, true));
    query.remove_prefix(std::min(end + 1, query.size()));
  }
  return out;
}

std::string Find(const QueryPairs& pairs, std::string_view key) {
  const auto found = std::ranges::find(pairs, key, &QueryPairs::value_type::first);
  return found == pairs.end() ? std::string() : found->second;
}

}  // namespace weir::control
