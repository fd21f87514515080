#include "http/writer.h"

#include "http/scan.h"

#include <algorithm>
#include <cstddef>

namespace weir::http {

namespace {

// Space and control characters: what some recipients end a target at.
bool EndsTarget(char c) { return IsByte(kTargetStop, c) && c != '#'; }

}  // namespace

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
  while (!target.empty()) {
    const auto stop = std::find_if(target.begin(), target.end(), EndsTarget);
    const auto plain = static_cast<std::size_t>(stop - target.begin());
    out.append(target.substr(0, plain));
    target.remove_prefix(plain);
    if (target.empty()) break;
    const auto byte = static_cast<unsigned char>(target.front());
    out.push_back('%');
    out.push_back(kDigits[byte >> 4]);
    out.push_back(kDigits[byte & 15]);
    target.remove_prefix(1);
  }
  out.append(" HTTP/1.1\r\n", 11);
}

}  // namespace weir::http
