#include "proxy/actions/jwt/json_object.h"

#include <boost/json/parse.hpp>
#include <boost/json/parse_options.hpp>
#include <boost/json/value.hpp>
#include <boost/system/error_code.hpp>

#include <utility>

namespace weir::proxy {

std::optional<boost::json::object> ParseJsonObject(std::string_view text, const boost::json::storage_ptr& storage) {
  boost::json::parse_options options;
  options.max_depth = kJsonDepthMax;
  boost::system::error_code error;
  boost::json::value value = boost::json::parse({text.data(), text.size()}, error, storage, options);
  if (error || !value.is_object()) return std::nullopt;
  return std::move(value.get_object());
}

const boost::json::string* TextMember(const boost::json::object& object, std::string_view name) {
  const boost::json::value* const member = object.if_contains({name.data(), name.size()});
  return member == nullptr ? nullptr : member->if_string();
}

}  // namespace weir::proxy
