#include "app/json_text.h"

#include <boost/json/value.hpp>

namespace weir::app {

std::string TextOf(const boost::json::object& members, std::string_view key) {
  const auto* const value = members.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

}  // namespace weir::app
