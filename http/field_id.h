#pragma once

#include "http/message.h"
#include "http/scan.h"

#include <string_view>

namespace weir::http {

// IdentifyField for a name that is known to be a token. By length first: nearly every field of a message is told apart
// from these without comparing a character.
[[nodiscard]] inline FieldId IdentifyToken(std::string_view name) {
  using enum FieldId;
  switch (name.size()) {
    case 2:
      return (name[0] | 0x20) == 't' && (name[1] | 0x20) == 'e' ? kTe : kOther;
    case 4:
      return TokenIs(name, "host") ? kHost : kOther;
    case 6:
      return TokenIs(name, "expect") ? kExpect : kOther;
    case 7:
      return TokenIs(name, "upgrade") ? kUpgrade : kOther;
    case 10:
      if (TokenIs(name, "user-agent")) return kUserAgent;
      if (TokenIs(name, "connection")) return kConnection;
      return TokenIs(name, "keep-alive") ? kKeepAlive : kOther;
    case 14:
      return TokenIs(name, "content-length") ? kContentLength : kOther;
    case 15:
      if (TokenIs(name, "x-forwarded-for")) return kXForwardedFor;
      return TokenIs(name, "x-amzn-trace-id") ? kXAmznTraceId : kOther;
    case 16:
      if (TokenIs(name, "x-forwarded-port")) return kXForwardedPort;
      return TokenIs(name, "proxy-connection") ? kProxyConnection : kOther;
    case 17:
      if (TokenIs(name, "x-forwarded-proto")) return kXForwardedProto;
      return TokenIs(name, "transfer-encoding") ? kTransferEncoding : kOther;
    default:
      return kOther;
  }
}

}  // namespace weir::http
