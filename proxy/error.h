#pragma once

#include "base/enumerators.h"
#include "http/head_parser.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weir::proxy {

// Every way in which an exchange can fail, once. ErrorTraits says what follows from each: status, log reason, metric,
// connection handling.
enum class ErrorCode : std::uint8_t {
  kMalformedRequest,          // 400
  kRequestHeadTooLarge,       // 400: well-formed as far as it was read
  kDesyncBlocked,             // 400: the desync mitigation mode blocks the request's class
  kRequestContentIncomplete,  // 400: the client closed before the whole content
  kRequestContentMalformed,   // 400: bad chunked coding
  kMethodNotAllowed,          // 405: TRACE, CONNECT
  kJwtNotPresent,             // 401: a rule with jwt-validation, and no token
  kJwtFormatInvalid,          // 401: no bearer token, or no token at all
  kJwtSignatureInvalid,       // 401: no key of that `kid`, another algorithm, or not signed by it
  kJwtClaimNotPresent,        // 401
  kJwtClaimFormatInvalid,     // 401
  kJwtClaimValueInvalid,      // 401
  kJwksTimeout,               // 500: 5 s for the keys
  kJwksTooLarge,              // 500: more than 150 KB or ten keys
  kJwksUnreachable,           // 500: no address, no connection, no TLS
  kJwksInvalid,               // 562: another status than 2xx, no HTTP, or no key set
  kJwtInternalError,          // 500: whoever fetched the keys stopped
  kRequestTimeout,            // 408
  kTargetTooLong,             // 414
  kUnknownExpectation,        // 417: Expect asks for anything but 100-continue
  kClientClosed,              // 460
  kForwardedForTooLong,       // 463
  kProtocolVersionMismatch,   // 464: the group's version takes no such request (spec: alb.md 7.1)
  kTransferCodingUnknown,     // 501
  kVersionNotSupported,       // 505
  kRedirectTooLong,           // 507
  kTransformFailed,           // 500: a transform of the rule matched and made nothing that can be sent
  kNoTarget,                  // 503: the group has no target, or every weight is 0
  kActionTimeout,             // 504: what an action waited for did not come for the idle timeout
  kConnectionRefused,         // 502
  kConnectionTimeout,         // 504: 10 s to connect
  kConnectionFailed,          // 502: unreachable, no local port …
  kTlsHandshakeFailed,        // 502: the target speaks no TLS, or nothing that fits, or was not accepted
  kTlsHandshakeTimeout,       // 504: 10 s for the handshake, after the connect
  kTlsBroken,                 // 502: TLS failed with a request outstanding
  kTargetReset,               // 502: RST or FIN with a request outstanding
  kTargetSpeaksNoHttp2,       // 502: by ALPN, or by what it answered to the preface
  kTargetStreamRefused,       // 502: REFUSED_STREAM, or behind the last stream of a GOAWAY: certainly not processed
  kTargetStreamReset,         // 502: RST_STREAM before a response
  kTargetProtocolError,       // 502: its connection broke the rules of HTTP/2, or flooded
  kTargetResponseMalformed,   // 502
  kTargetResponseTooLarge,    // 502: the response head, well-formed as far as it was read
  kTooManyInterimResponses,   // 502
  kTargetResponseTimeout,     // 504: nothing for the idle timeout
  kRequestContentStalled,     // 408: Content-Length larger than the content
  kTargetResponseIncomplete,  // the response broke off after its head was sent: the client's connection is closed
  kTargetDeregistered,        // 502: the deregistration delay ended
  kResponseStalled,           // the client stopped reading for the idle timeout
  kTunnelIdle,                // a tunnel in which nothing moved for the idle timeout
  // Of functions; spec: alb.md 7.4, 13, 16.2.
  kLambdaWebsocketNotSupported,  // 400
  kLambdaRequestTooLarge,        // 413: more than 1 MB of content
  kLambdaResponseTooLarge,       // 502: more than 1 MB of JSON
  kLambdaInvalidResponse,        // 502: not what ALB reads
  kLambdaUnhandled,              // 502: the function failed, or took too long
  kLambdaThrottling,             // 502: as many invocations are under way as there may be
  kLambdaAccessDenied,           // 502: by the endpoint, as the following two
  kLambdaResourceNotFound,       // 502
  kLambdaBadRequest,             // 502
  kLambdaServiceException,       // 502: the endpoint failed
  kLambdaConnectionError,        // 504: nobody is there to run it
  kLambdaConnectionTimeout,      // 504: no answer
  // Of users who sign in (spec: alb.md 5.4, 13 and 16.2).
  kAuthRequired,              // 401: `on-unauthenticated-request: deny`
  kAuthInvalidCookie,         // 401: the same with a session cookie that is none of ours
  kAuthAccessDenied,          // 401: the provider said access_denied
  kAuthInvalidGrant,          // 401: the code was used before, or is none
  kAuthInvalidIdToken,        // 401: there is no ID token, or its claims are not what they must be
  kAuthInvalidState,          // 401: not of this browser and listener, or older than 15 minutes
  kAuthMissingState,          // 401
  kAuthMissingCode,           // 401
  kAuthMissingHost,           // 401: HTTP/1.0 without Host has nowhere to be sent back to
  kAuthInvalidTokenResponse,  // 500
  kAuthInvalidUserInfo,       // 500
  kAuthTokenFailed,           // 500: the token endpoint cannot be reached, or answered with an error
  kAuthTokenTimeout,          // 500: 5 s
  kAuthUserInfoFailed,        // 500: the same of the user info endpoint
  kAuthUserInfoTimeout,       // 500
  kAuthUnhandled,             // 500: too many sessions are being refreshed
  kAuthClaimsTooLarge,        // 500: more than 11 KB of claims and access token
  kAuthProviderError,         // 561: the provider sent the user back with another error
};
inline constexpr std::size_t kErrorCodeCount = CountEnumerators<ErrorCode>();

enum class ErrorSource : std::uint8_t { kDownstream, kUpstream, kInternal };
// Whether the request may be sent again: never, always (nothing was sent), only when the connection was a reused one
// and the request is idempotent, or whenever its content is still there (the target did not process it).
enum class RetryAdvice : std::uint8_t { kNo, kYes, kIfReused, kUnprocessed };

// Whose fault the failure of a function is, as metrics tell it: LambdaUserError, LambdaInternalError.
enum class LambdaFault : std::uint8_t { kNone, kUser, kInternal };
// What a failure to sign a user in is counted as; spec: alb.md 16.2, 17.
enum class AuthenticationFault : std::uint8_t { kNone, kFailure, kError, kClaimsTooLarge };
[[nodiscard]] AuthenticationFault AuthenticationFaultOf(ErrorCode code);

struct ErrorTraits {
  std::uint16_t status;  // answered while no response head was sent, and logged as elb_status_code
  ErrorSource source;
  RetryAdvice retry;
  std::string_view reason;  // error_reason in metrics and in the access log, where those of TLS go on with OpenSSL's
  LambdaFault lambda_fault = LambdaFault::kNone;
};
[[nodiscard]] const ErrorTraits& TraitsOf(ErrorCode code);

// One of those of jwt-validation; spec: alb.md 5.5.
[[nodiscard]] constexpr bool IsJwtFailure(ErrorCode code) {
  return code >= ErrorCode::kJwtNotPresent && code <= ErrorCode::kJwtInternalError;
}

// `downstream`, `upstream`, `internal`: as metrics print it.
[[nodiscard]] std::string_view ToString(ErrorSource source);

// The code for a request head that the parser refused. Takes its outcome.
[[nodiscard]] ErrorCode CodeForRefusedRequest(const http::ParseOutcome& outcome);
// The same for a response head.
[[nodiscard]] ErrorCode CodeForRefusedResponse(const http::ParseOutcome& outcome);
// The code for a connect that failed with `error`, an errno.
[[nodiscard]] ErrorCode CodeForConnectError(int error);

}  // namespace weir::proxy
