#pragma once

#include <boost/json/object.hpp>

#include <string>
#include <string_view>

namespace weir::app {

// The text under `key` of an answer of the admin API; empty where there is none.
[[nodiscard]] std::string TextOf(const boost::json::object& members, std::string_view key);

}  // namespace weir::app
