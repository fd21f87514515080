#include "http/writer.h"

#include "base/text.h"
#include "http/scan.h"

#include <algorithm>
#include <cstddef>

namespace weir::http {

void AppendField(std::string& out, std::string_view name, std::string_view value) {
  const std::size_t before = out.size();
  const std::size_t after = before + name.size() + value.size() + 4;
  out.resize_and_overwrite(after, [&](char* text, std::size_t /*room*/) {
    char* at = text + before;
    at = std::copy_n(name.data(), name.size(), at);
    *at++ = ':';
    *at++ = ' ';
    at = std::copy_n(value.data(), value.size(), at);
    *at++ = '\r';
    *at = '\n';
    return after;
  });
}

void AppendContentLength(std::string& out, std::uint64_t length) {
  out.append("Content-Length: ");
  AppendDecimal(out, length);
  out.append("\r\n", 2);
}

void AppendStatusLine(std::string& out, Version version, std::uint16_t status, std::string_view reason) {
  char start[] = "HTTP/1.1 000 ";
  if (version == Version::kHttp10) start[7] = '0';
  start[9] = static_cast<char>('0' + status / 100 % 10);
  start[10] = static_cast<char>('0' + status / 10 % 10);
  start[11] = static_cast<char>('0' + status % 10);
  out.append(start, sizeof(start) - 1).append(reason).append("\r\n", 2);
}

void AppendRequestLine(std::string& out, std::string_view method, std::string_view target) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  out.append(method).push_back(' ');
  const char* at = target.data();
  const char* const end = at + target.size();
  while (at != end) {
    const char* const stop = FindTargetStop(at, end);
    out.append(at, stop);
    if (stop == end) break;
    // Space and control characters: what some recipients end a target at. `#` passes.
    const auto byte = static_cast<unsigned char>(*stop);
    if (byte == '#') {
      out.push_back('#');
    } else {
      out.push_back('%');
      out.push_back(kDigits[byte >> 4]);
      out.push_back(kDigits[byte & 15]);
    }
    at = stop + 1;
  }
  out.append(" HTTP/1.1\r\n", 11);
}

}  // namespace weir::http
