#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace weir::http {

// `application/x-www-form-urlencoded`, as queries and the requests of OAuth 2.0 have it (RFC 6749 appendix B). Only
// unreserved characters (RFC 3986 section 2.3) stay as they are; a space is %20, which every reader takes.

// Appends `text` as a name or a value.
void AppendFormText(std::string& out, std::string_view text);
// Appends `name=value`, behind a `&` where `out` is not empty and does not end in `?` or `&`.
void AppendFormField(std::string& out, std::string_view name, std::string_view value);

// The value of the first field `name`, decoded (`+` is a space, a broken encoding stays as it is); empty for a name
// without `=`; absent when there is no such field.
[[nodiscard]] std::optional<std::string> FindFormField(std::string_view text, std::string_view name);

}  // namespace weir::http
