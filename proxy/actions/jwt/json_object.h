#pragma once

#include <boost/json/object.hpp>
#include <boost/json/storage_ptr.hpp>
#include <boost/json/string.hpp>

#include <cstddef>
#include <optional>
#include <string_view>

namespace weir::proxy {

// A JSON object that a stranger wrote: strict JSON in UTF-8, at most kJsonDepthMax levels. Of members with one name the
// last counts, as RFC 7515 section 4 allows. Absent for everything else. `storage` outlives the object.
inline constexpr std::size_t kJsonDepthMax = 16;
[[nodiscard]] std::optional<boost::json::object> ParseJsonObject(std::string_view text,
                                                                 const boost::json::storage_ptr& storage);

// The member, when it is a text; null otherwise.
[[nodiscard]] const boost::json::string* TextMember(const boost::json::object& object, std::string_view name);

}  // namespace weir::proxy
