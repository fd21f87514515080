#include "proxy/error.h"

#include <array>
#include <cerrno>
#include <utility>

namespace weir::proxy {
namespace {

using enum ErrorSource;
using enum RetryAdvice;

// A code without a row does not compile.
consteval ErrorTraits RowOf(ErrorCode code) {
  using enum ErrorCode;
  switch (code) {
    case kMalformedRequest:
      return {400, kDownstream, kNo, "MalformedRequest"};
    case kRequestHeadTooLarge:
      return {400, kDownstream, kNo, "RequestHeadTooLarge"};
    case kDesyncBlocked:
      return {400, kDownstream, kNo, "DesyncBlocked"};
    case kRequestContentIncomplete:
      return {400, kDownstream, kNo, "RequestContentIncomplete"};
    case kRequestContentMalformed:
      return {400, kDownstream, kNo, "RequestContentMalformed"};
    case kMethodNotAllowed:
      return {405, kDownstream, kNo, "MethodNotAllowed"};
    case kJwtNotPresent:
      return {401, kDownstream, kNo, "JWTHeaderNotPresent"};
    case kJwtFormatInvalid:
      return {401, kDownstream, kNo, "JWTRequestFormatInvalid"};
    case kJwtSignatureInvalid:
      return {401, kDownstream, kNo, "JWTSignatureValidationError"};
    case kJwtClaimNotPresent:
      return {401, kDownstream, kNo, "JWTClaimNotPresent"};
    case kJwtClaimFormatInvalid:
      return {401, kDownstream, kNo, "JWTClaimFormatInvalid"};
    case kJwtClaimValueInvalid:
      return {401, kDownstream, kNo, "JWTClaimValueInvalid"};
    case kJwksTimeout:
      return {500, kInternal, kNo, "JWKSRequestTimeout"};
    case kJwksTooLarge:
      return {500, kInternal, kNo, "JWKSResponseSizeExceeded"};
    case kJwksUnreachable:
      return {500, kInternal, kNo, "JWKSRequestFailed"};
    case kJwksInvalid:
      return {562, kInternal, kNo, "JWKSResponseInvalid"};
    case kJwtInternalError:
      return {500, kInternal, kNo, "JWTValidationInternalError"};
    case kRequestTimeout:
      return {408, kDownstream, kNo, "RequestTimeout"};
    case kTargetTooLong:
      return {414, kDownstream, kNo, "RequestTargetTooLong"};
    case kUnknownExpectation:
      return {417, kDownstream, kNo, "UnknownExpectation"};
    case kClientClosed:
      return {460, kDownstream, kNo, "ClientClosedConnection"};
    case kForwardedForTooLong:
      return {463, kDownstream, kNo, "TooManyForwardedForAddresses"};
    case kProtocolVersionMismatch:
      return {464, kDownstream, kNo, "ProtocolVersionMismatch"};
    case kTransferCodingUnknown:
      return {501, kDownstream, kNo, "UnsupportedTransferCoding"};
    case kVersionNotSupported:
      return {505, kDownstream, kNo, "UnsupportedHttpVersion"};
    case kRedirectTooLong:
      return {507, kInternal, kNo, "RedirectUrlTooLong"};
    case kTransformFailed:
      return {500, kInternal, kNo, "RequestTransformFailed"};
    case kNoTarget:
      return {503, kInternal, kNo, "NoTarget"};
    case kActionTimeout:
      return {504, kInternal, kNo, "ActionTimeout"};
    case kConnectionRefused:
      return {502, kUpstream, kYes, "TargetConnectionRefused"};
    case kConnectionTimeout:
      return {504, kUpstream, kNo, "TargetConnectionTimeout"};
    case kConnectionFailed:
      return {502, kUpstream, kYes, "TargetConnectionFailed"};
    case kTlsHandshakeFailed:
      return {502, kUpstream, kYes, "TargetTlsHandshakeFailed"};
    case kTlsHandshakeTimeout:
      return {504, kUpstream, kNo, "TargetTlsHandshakeTimeout"};
    case kTlsBroken:
      return {502, kUpstream, kIfReused, "TargetTlsFailed"};
    case kTargetReset:
      return {502, kUpstream, kIfReused, "TargetConnectionReset"};
    case kTargetSpeaksNoHttp2:
      return {502, kUpstream, kUnprocessed, "TargetSpeaksNoHttp2"};
    case kTargetStreamRefused:
      return {502, kUpstream, kUnprocessed, "TargetStreamRefused"};
    case kTargetStreamReset:
      return {502, kUpstream, kNo, "TargetStreamReset"};
    case kTargetProtocolError:
      return {502, kUpstream, kNo, "TargetProtocolError"};
    case kTargetResponseMalformed:
      return {502, kUpstream, kNo, "TargetResponseMalformed"};
    case kTargetResponseTooLarge:
      return {502, kUpstream, kNo, "TargetResponseHeadTooLarge"};
    case kTooManyInterimResponses:
      return {502, kUpstream, kNo, "TooManyInterimResponses"};
    case kTargetResponseTimeout:
      return {504, kUpstream, kNo, "TargetResponseTimeout"};
    case kRequestContentStalled:
      return {408, kDownstream, kNo, "RequestContentStalled"};
    case kTargetResponseIncomplete:
      return {502, kUpstream, kNo, "TargetResponseIncomplete"};
    case kTargetDeregistered:
      return {502, kUpstream, kNo, "TargetDeregistered"};
    case kResponseStalled:
      return {460, kDownstream, kNo, "ClientStoppedReading"};
    case kTunnelIdle:
      return {408, kInternal, kNo, "TunnelIdleTimeout"};
    case kLambdaWebsocketNotSupported:
      return {400, kDownstream, kNo, "LambdaWebsocketNotSupported", LambdaFault::kUser};
    case kLambdaRequestTooLarge:
      return {413, kDownstream, kNo, "LambdaRequestTooLarge", LambdaFault::kUser};
    case kLambdaResponseTooLarge:
      return {502, kUpstream, kNo, "LambdaResponseTooLarge", LambdaFault::kUser};
    case kLambdaInvalidResponse:
      return {502, kUpstream, kNo, "LambdaInvalidResponse", LambdaFault::kUser};
    case kLambdaUnhandled:
      return {502, kUpstream, kNo, "LambdaUnhandled", LambdaFault::kUser};
    case kLambdaThrottling:
      return {502, kUpstream, kNo, "LambdaThrottling", LambdaFault::kUser};
    case kLambdaAccessDenied:
      return {502, kUpstream, kNo, "LambdaAccessDenied", LambdaFault::kUser};
    case kLambdaResourceNotFound:
      return {502, kUpstream, kNo, "LambdaResourceNotFound", LambdaFault::kUser};
    case kLambdaBadRequest:
      return {502, kUpstream, kNo, "LambdaBadRequest", LambdaFault::kUser};
    case kLambdaServiceException:
      return {502, kUpstream, kNo, "LambdaServiceException", LambdaFault::kInternal};
    case kLambdaConnectionError:
      return {504, kUpstream, kNo, "LambdaConnectionError", LambdaFault::kInternal};
    case kLambdaConnectionTimeout:
      return {504, kUpstream, kNo, "LambdaConnectionTimeout", LambdaFault::kInternal};
    case kAuthRequired:
      return {401, kDownstream, kNo, "AuthRequired"};
    case kAuthInvalidCookie:
      return {401, kDownstream, kNo, "AuthInvalidCookie"};
    case kAuthAccessDenied:
      return {401, kDownstream, kNo, "AuthAccessDenied"};
    case kAuthInvalidGrant:
      return {401, kDownstream, kNo, "AuthInvalidGrantError"};
    case kAuthInvalidIdToken:
      return {401, kInternal, kNo, "AuthInvalidIdToken"};
    case kAuthInvalidState:
      return {401, kDownstream, kNo, "AuthInvalidStateParam"};
    case kAuthMissingState:
      return {401, kDownstream, kNo, "AuthMissingStateParam"};
    case kAuthMissingCode:
      return {401, kDownstream, kNo, "AuthMissingCodeParam"};
    case kAuthMissingHost:
      return {401, kDownstream, kNo, "AuthMissingHostHeader"};
    case kAuthInvalidTokenResponse:
      return {500, kInternal, kNo, "AuthInvalidTokenResponse"};
    case kAuthInvalidUserInfo:
      return {500, kInternal, kNo, "AuthInvalidUserinfoResponse"};
    case kAuthTokenFailed:
      return {500, kInternal, kNo, "AuthTokenEpRequestFailed"};
    case kAuthTokenTimeout:
      return {500, kInternal, kNo, "AuthTokenEpRequestTimeout"};
    case kAuthUserInfoFailed:
      return {500, kInternal, kNo, "AuthUserinfoEpRequestFailed"};
    case kAuthUserInfoTimeout:
      return {500, kInternal, kNo, "AuthUserinfoEpRequestTimeout"};
    case kAuthUnhandled:
      return {500, kInternal, kNo, "AuthUnhandledException"};
    case kAuthClaimsTooLarge:
      return {500, kInternal, kNo, "AuthUserinfoResponseSizeExceeded"};
    case kAuthProviderError:
      return {561, kInternal, kNo, "AuthProviderError"};
  }
  std::unreachable();
}

consteval std::array<ErrorTraits, kErrorCodeCount> AllRows() {
  std::array<ErrorTraits, kErrorCodeCount> rows{};
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = RowOf(static_cast<ErrorCode>(i));
  return rows;
}
constexpr std::array<ErrorTraits, kErrorCodeCount> kTraits = AllRows();

}  // namespace

const ErrorTraits& TraitsOf(ErrorCode code) { return kTraits[std::to_underlying(code)]; }

AuthenticationFault AuthenticationFaultOf(ErrorCode code) {
  using enum ErrorCode;
  switch (code) {
    case kAuthInvalidCookie:
    case kAuthAccessDenied:
    case kAuthInvalidGrant:
    case kAuthInvalidIdToken:
    case kAuthInvalidState:
    case kAuthMissingState:
    case kAuthMissingCode:
    case kAuthInvalidTokenResponse:
    case kAuthInvalidUserInfo:
    case kAuthProviderError:
      return AuthenticationFault::kFailure;
    case kAuthMissingHost:
    case kAuthTokenFailed:
    case kAuthTokenTimeout:
    case kAuthUserInfoFailed:
    case kAuthUserInfoTimeout:
    case kAuthUnhandled:
      return AuthenticationFault::kError;
    case kAuthClaimsTooLarge:
      return AuthenticationFault::kClaimsTooLarge;
    default:
      return AuthenticationFault::kNone;
  }
}

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
