#include "proxy/error.h"

#include <array>
#include <cerrno>
#include <utility>

namespace weir::proxy {
namespace {

using enum ErrorSource;
using enum RetryAdvice;

// In the order of ErrorCode.
constexpr std::array<ErrorTraits, 23> kTraits = {{
    {400, kDownstream, kNo, "MalformedRequest"},
    {400, kDownstream, kNo, "DesyncBlocked"},
    {400, kDownstream, kNo, "RequestContentIncomplete"},
    {400, kDownstream, kNo, "RequestContentMalformed"},
    {405, kDownstream, kNo, "MethodNotAllowed"},
    {408, kDownstream, kNo, "RequestTimeout"},
    {414, kDownstream, kNo, "RequestTargetTooLong"},
    {460, kDownstream, kNo, "ClientClosedConnection"},
    {463, kDownstream, kNo, "TooManyForwardedForAddresses"},
    {501, kDownstream, kNo, "UnsupportedTransferCoding"},
    {505, kDownstream, kNo, "UnsupportedHttpVersion"},
    {507, kInternal, kNo, "RedirectUrlTooLong"},
    {503, kInternal, kNo, "NoTarget"},
    {502, kUpstream, kYes, "TargetConnectionRefused"},
    {504, kUpstream, kNo, "TargetConnectionTimeout"},
    {502, kUpstream, kYes, "TargetConnectionFailed"},
    {502, kUpstream, kIfReused, "TargetConnectionReset"},
    {502, kUpstream, kNo, "TargetResponseMalformed"},
    {504, kUpstream, kNo, "TargetResponseTimeout"},
    {504, kDownstream, kNo, "RequestContentStalled"},
    {502, kUpstream, kNo, "TargetResponseIncomplete"},
    {502, kUpstream, kNo, "TargetDeregistered"},
    {460, kDownstream, kNo, "ClientStoppedReading"},
}};

}  // namespace

const ErrorTraits& TraitsOf(ErrorCode code) { return kTraits[std::to_underlying(code)]; }

ErrorCode CodeForRefusedHead(std::uint16_t http_status) {
  switch (http_status) {
    case 414:
      return ErrorCode::kTargetTooLong;
    case 501:
      return ErrorCode::kTransferCodingUnknown;
    case 505:
      return ErrorCode::kVersionNotSupported;
    default:
      return ErrorCode::kMalformedRequest;
  }
}

ErrorCode CodeForConnectError(int error) {
  switch (error) {
    case ECONNREFUSED:
    case ECONNRESET:
      return ErrorCode::kConnectionRefused;
    case ETIMEDOUT:
      return ErrorCode::kConnectionTimeout;
    default:
      return ErrorCode::kConnectionFailed;
  }
}

}  // namespace weir::proxy
