#include "proxy/error.h"

#include <array>
#include <cerrno>
#include <utility>

namespace weir::proxy {
namespace {

using enum ErrorSource;
using enum RetryAdvice;

// In the order of ErrorCode.
constexpr std::array<ErrorTraits, kErrorCodeCount> kTraits = {{
    {400, kDownstream, kNo, "MalformedRequest"},
    {400, kDownstream, kNo, "RequestHeadTooLarge"},
    {400, kDownstream, kNo, "DesyncBlocked"},
    {400, kDownstream, kNo, "RequestContentIncomplete"},
    {400, kDownstream, kNo, "RequestContentMalformed"},
    {405, kDownstream, kNo, "MethodNotAllowed"},
    {408, kDownstream, kNo, "RequestTimeout"},
    {414, kDownstream, kNo, "RequestTargetTooLong"},
    {417, kDownstream, kNo, "UnknownExpectation"},
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
    {502, kUpstream, kNo, "TargetResponseHeadTooLarge"},
    {502, kUpstream, kNo, "TooManyInterimResponses"},
    {504, kUpstream, kNo, "TargetResponseTimeout"},
    {408, kDownstream, kNo, "RequestContentStalled"},
    {502, kUpstream, kNo, "TargetResponseIncomplete"},
    {502, kUpstream, kNo, "TargetDeregistered"},
    {460, kDownstream, kNo, "ClientStoppedReading"},
}};

}  // namespace

const ErrorTraits& TraitsOf(ErrorCode code) { return kTraits[std::to_underlying(code)]; }

std::string_view ToString(ErrorSource source) {
  switch (source) {
    case kDownstream:
      return "downstream";
    case kUpstream:
      return "upstream";
    case kInternal:
      return "internal";
  }
  std::unreachable();
}

ErrorCode CodeForRefusedRequest(const http::ParseOutcome& outcome) {
  switch (outcome.http_status) {
    case 414:
      return ErrorCode::kTargetTooLong;
    case 417:
      return ErrorCode::kUnknownExpectation;
    case 501:
      return ErrorCode::kTransferCodingUnknown;
    case 505:
      return ErrorCode::kVersionNotSupported;
    default:
      return outcome.too_large ? ErrorCode::kRequestHeadTooLarge : ErrorCode::kMalformedRequest;
  }
}

ErrorCode CodeForRefusedResponse(const http::ParseOutcome& outcome) {
  return outcome.too_large ? ErrorCode::kTargetResponseTooLarge : ErrorCode::kTargetResponseMalformed;
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
