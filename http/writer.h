#pragma once

#include "http/message.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace weir::http {

// Serialises HTTP/1.1 heads. Nothing is checked: names, values and methods come from the parser or from the
// configuration, and both refuse what would break a line (CR, LF, NUL).

// Appends `name: value\r\n`. An empty value gives `name: \r\n`, which RFC 9112 section 5 allows.
void AppendField(std::string& out, std::string_view name, std::string_view value);

// Appends `Content-Length: 123\r\n`.
void AppendContentLength(std::string& out, std::uint64_t length);

// Appends `HTTP/1.1 200 OK\r\n`. An empty reason keeps the space before it (RFC 9112 section 4). `version` is kHttp10
// or kHttp11; kHttp2 is written as HTTP/1.1, because it only gets here through a translation. `status` is 100 to 999.
void AppendStatusLine(std::string& out, Version version, std::uint16_t status, std::string_view reason);

// Appends `GET /path HTTP/1.1\r\n`. Bytes at which some recipients end a target (space, control characters, 0x7f) are
// written as percent escapes, so that the line has exactly two spaces whatever the parser accepted (docs/desync.md,
// SpaceInUri and AmbiguousUri). All else is copied as it is.
void AppendRequestLine(std::string& out, std::string_view method, std::string_view target);

}  // namespace weir::http
