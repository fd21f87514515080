#pragma once

#include "http/message.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir::http {

// Absent when the text is none of the four forms that `method` may use (CONNECT: authority-form; `*`: OPTIONS only).
[[nodiscard]] std::optional<Target> ParseTarget(std::string_view method, std::string_view target);

// Takes `head.target`, which its method may use, apart: sets `parts` and, for the absolute-form, `authority`, which
// goes before the Host field (RFC 9112 section 3.2.2): call it after that was read. False when ParseTarget refuses it.
[[nodiscard]] bool TakeTargetApart(RequestHead& head);

// Absent for user information, empty or malformed hosts and ports (RFC 3986 section 3.2). An empty text is absent too.
[[nodiscard]] std::optional<HostPort> ParseHostPort(std::string_view text);

// The path as rules see it (spec: alb.md 4.2 leaves it open; docs/decisions.md has our choice): percent-encoded
// unreserved characters are decoded, other escapes get upper-case digits, `.` and `..` segments are resolved and never
// climb above `/`.
// `//` and %2F stay as they are: they are data to a target. The request that is forwarded is not changed.
// Appends to `out`. Returns false when nothing had to change (and appends nothing): the caller then uses `path` itself.
[[nodiscard]] bool NormalizePath(std::string_view path, std::string& out);

}  // namespace weir::http
