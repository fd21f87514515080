#include "http/head_parser.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace weir::http {
namespace {

using enum DesyncClass;
using enum DesyncReason;

struct RequestParsed {
  ParseOutcome outcome;
  RequestHead head;
};

RequestParsed ParseWhole(std::string_view bytes, const HeadLimits& limits = {}) {
  RequestParsed parsed;
  std::size_t scanned = 0;
  parsed.outcome = ParseRequestHead(bytes, scanned, limits, parsed.head);
  return parsed;
}

// Feeds `step` bytes more at each call, as a slow client would.
RequestParsed ParseInSteps(std::string_view bytes, std::size_t step, const HeadLimits& limits = {}) {
  RequestParsed parsed;
  std::size_t scanned = 0;
  for (std::size_t size = std::min(step, bytes.size());; size = std::min(size + step, bytes.size())) {
    parsed.outcome = ParseRequestHead(bytes.substr(0, size), scanned, limits, parsed.head);
    if (parsed.outcome.status != ParseStatus::kNeedMore || size == bytes.size()) return parsed;
  }
}

void ExpectSame(const RequestParsed& a, const RequestParsed& b) {
  EXPECT_EQ(a.outcome.status, b.outcome.status);
  EXPECT_EQ(a.outcome.http_status, b.outcome.http_status);
  EXPECT_EQ(a.outcome.why, b.outcome.why);
  EXPECT_EQ(a.outcome.consumed, b.outcome.consumed);
  EXPECT_EQ(a.head.desync_class, b.head.desync_class);
  EXPECT_EQ(a.head.desync_reason, b.head.desync_reason);
  EXPECT_EQ(a.head.framing.kind, b.head.framing.kind);
  EXPECT_EQ(a.head.framing.content_length, b.head.framing.content_length);
  EXPECT_EQ(a.head.keep_alive, b.head.keep_alive);
  EXPECT_EQ(a.head.fields.size(), b.head.fields.size());
}

constexpr std::uint16_t kAccepted = 0;

struct RequestRow {
  std::string_view name;
  std::string_view bytes;  // a whole head
  std::uint16_t http_status = kAccepted;
  DesyncClass desync_class = kCompliant;
  DesyncReason desync_reason = kNone;
  FramingKind framing = FramingKind::kNone;
  std::uint64_t content_length = 0;
  bool keep_alive = true;
};

class RequestHeadTable : public ::testing::TestWithParam<RequestRow> {};

TEST_P(RequestHeadTable, GivesVerdictAndFramingHoweverItArrives) {
  const RequestRow& row = GetParam();
  const RequestParsed whole = ParseWhole(row.bytes);
  EXPECT_EQ(whole.outcome.status, row.http_status == kAccepted ? ParseStatus::kDone : ParseStatus::kRefused)
      << whole.outcome.why;
  EXPECT_EQ(whole.outcome.http_status, row.http_status) << whole.outcome.why;
  EXPECT_EQ(ToString(whole.head.desync_class), ToString(row.desync_class));
  EXPECT_EQ(ToString(whole.head.desync_reason), ToString(row.desync_reason));
  EXPECT_EQ(whole.outcome.why.empty(), row.http_status == kAccepted);
  if (row.http_status == kAccepted) {
    EXPECT_EQ(whole.head.framing.kind, row.framing);
    EXPECT_EQ(whole.head.framing.content_length, row.content_length);
    EXPECT_EQ(whole.head.keep_alive, row.keep_alive);
    EXPECT_EQ(whole.outcome.consumed, row.bytes.size());
  } else {
    EXPECT_FALSE(whole.head.keep_alive);
  }
  ExpectSame(whole, ParseInSteps(row.bytes, 1));
  ExpectSame(whole, ParseInSteps(row.bytes, 7));
}

std::string RowName(const ::testing::TestParamInfo<RequestRow>& info) { return std::string(info.param.name); }

#define GET_LINE "GET / HTTP/1.1\r\nHost: a\r\n"
#define POST_LINE "POST / HTTP/1.1\r\nHost: a\r\n"
#define LITERAL(text) std::string_view(text, sizeof(text) - 1)

// spec: alb.md 14.2, row by row.
INSTANTIATE_TEST_SUITE_P(
    DesyncReasons, RequestHeadTable,
    ::testing::Values(
        RequestRow{"AmbiguousUri", "GET /a\tb HTTP/1.1\r\nHost: a\r\n\r\n", kAccepted, kAmbiguous, kAmbiguousUri},
        RequestRow{"AmbiguousUriDel", "GET /a\x7f HTTP/1.1\r\nHost: a\r\n\r\n", kAccepted, kAmbiguous, kAmbiguousUri},
        RequestRow{"AmbiguousUriFragment", "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", kAccepted, kAmbiguous,
                   kAmbiguousUri},
        RequestRow{"BadContentLength", POST_LINE "Content-Length: x\r\n\r\n", 400, kSevere, kBadContentLength},
        RequestRow{"BadHeaderNul", LITERAL(GET_LINE "A: x\0y\r\n\r\n"), 400, kSevere, kBadHeader},
        RequestRow{"BadHeaderCr", GET_LINE "A: x\ry\r\n\r\n", 400, kSevere, kBadHeader},
        RequestRow{"BadHeaderNulInName", LITERAL(GET_LINE "A\0: x\r\n\r\n"), 400, kSevere, kBadHeader},
        RequestRow{"BadTransferEncoding", POST_LINE "Transfer-Encoding: chunked;\r\n\r\n", 400, kSevere,
                   kBadTransferEncoding},
        RequestRow{"BadUriNul", LITERAL("GET /a\0b HTTP/1.1\r\nHost: a\r\n\r\n"), 400, kSevere, kBadUri},
        RequestRow{"BadUriCr", "GET /a\rb HTTP/1.1\r\nHost: a\r\n\r\n", 400, kSevere, kBadUri},
        RequestRow{"BadMethod", "G=x / HTTP/1.1\r\nHost: a\r\n\r\n", 400, kSevere, kBadMethod},
        RequestRow{"BadVersion", "GET / HTTP/x\r\nHost: a\r\n\r\n", 400, kSevere, kBadVersion},
        RequestRow{"BothTeClPresent", POST_LINE "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n", kAccepted,
                   kAmbiguous, kBothTeClPresent, FramingKind::kChunked, 0, false},
        RequestRow{"BothTeClPresentReversed", POST_LINE "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n",
                   kAccepted, kAmbiguous, kBothTeClPresent, FramingKind::kChunked, 0, false},
        RequestRow{"DuplicateContentLength", POST_LINE "Content-Length: 4\r\nContent-Length: 4\r\n\r\n", kAccepted,
                   kAmbiguous, kDuplicateContentLength, FramingKind::kContentLength, 4},
        RequestRow{"EmptyHeader", GET_LINE ": x\r\n\r\n", 400, kAmbiguous, kEmptyHeader},
        RequestRow{"EmptyHeaderColonOnly", GET_LINE ":\r\n\r\n", 400, kAmbiguous, kEmptyHeader},
        RequestRow{"EmptyHeaderSpaces", GET_LINE "  \r\n\r\n", 400, kAmbiguous, kEmptyHeader},
        RequestRow{"GetHeadZeroContentLength", GET_LINE "Content-Length: 0\r\n\r\n", kAccepted, kAcceptable,
                   kGetHeadZeroContentLength, FramingKind::kContentLength, 0},
        RequestRow{"MultipleContentLength", POST_LINE "Content-Length: 4\r\nContent-Length: 5\r\n\r\n", 400, kSevere,
                   kMultipleContentLength},
        RequestRow{"MultipleTransferEncodingChunked",
                   POST_LINE "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 400, kSevere,
                   kMultipleTransferEncodingChunked},
        RequestRow{"NonCompliantHeaderObsText", GET_LINE "A: x\xe9y\r\n\r\n", kAccepted, kAcceptable,
                   kNonCompliantHeader},
        RequestRow{"NonCompliantHeaderControl", GET_LINE "A: x\x01y\r\n\r\n", kAccepted, kAcceptable,
                   kNonCompliantHeader},
        RequestRow{"NonCompliantVersion", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", kAccepted, kAcceptable,
                   kNonCompliantVersion},
        RequestRow{"SpaceInUri", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", kAccepted, kAcceptable, kSpaceInUri},
        RequestRow{"SuspiciousHeader", POST_LINE "Content_Length: 4\r\n\r\n", kAccepted, kAmbiguous, kSuspiciousHeader},
        RequestRow{"SuspiciousHeaderCoding", POST_LINE "Transfer.Encoding: chunked\r\n\r\n", kAccepted, kAmbiguous,
                   kSuspiciousHeader},
        RequestRow{"SuspiciousTeClPresent", POST_LINE "Transfer_Encoding: chunked\r\nContent-Length: 4\r\n\r\n", 400,
                   kSevere, kSuspiciousTeClPresent},
        RequestRow{"SuspiciousTeClPresentLength", POST_LINE "Transfer-Encoding: chunked\r\nContent_Length: 4\r\n\r\n",
                   400, kSevere, kSuspiciousTeClPresent},
        RequestRow{"UndefinedContentLengthSemantics", GET_LINE "Content-Length: 4\r\n\r\n", kAccepted, kAmbiguous,
                   kUndefinedContentLengthSemantics, FramingKind::kContentLength, 4},
        RequestRow{"UndefinedTransferEncodingSemantics", GET_LINE "Transfer-Encoding: chunked\r\n\r\n", kAccepted,
                   kAmbiguous, kUndefinedTransferEncodingSemantics, FramingKind::kChunked}),
    RowName);

// spec: alb.md 14.3.
INSTANTIATE_TEST_SUITE_P(
    LibraryDetails, RequestHeadTable,
    ::testing::Values(
        RequestRow{"WorstFindingWins", POST_LINE "A: \xe9\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n",
                   kAccepted, kAmbiguous, kBothTeClPresent, FramingKind::kChunked, 0, false},
        RequestRow{"FirstOfEqualFindingsWins",
                   POST_LINE "Content_Length: 4\r\nContent-Length: 4\r\nContent-Length: 4\r\n\r\n", kAccepted,
                   kAmbiguous, kSuspiciousHeader, FramingKind::kContentLength, 4},
        RequestRow{"HeadersComeBeforeVersionAndTarget", "GET /a b HTTP/1.2\r\nHost: a\r\nA: \xe9\r\n\r\n", kAccepted,
                   kAcceptable, kNonCompliantHeader},
        RequestRow{"VersionComesBeforeTarget", "GET /a b HTTP/1.2\r\nHost: a\r\n\r\n", kAccepted, kAcceptable,
                   kNonCompliantVersion},
        RequestRow{"CodingIsCaseInsensitive", POST_LINE "Transfer-Encoding: ChUnKeD\r\n\r\n", kAccepted, kCompliant,
                   kNone, FramingKind::kChunked},
        RequestRow{"LengthOf64Bits", POST_LINE "Content-Length: 18446744073709551615\r\n\r\n", kAccepted, kCompliant,
                   kNone, FramingKind::kContentLength, 18446744073709551615U},
        RequestRow{"LengthOverflows", POST_LINE "Content-Length: 18446744073709551616\r\n\r\n", 400, kSevere,
                   kBadContentLength},
        RequestRow{"SimilarNameWithSpace", POST_LINE "Content-Length : 4\r\n\r\n", 400, kAmbiguous, kSuspiciousHeader},
        RequestRow{"SimilarNameWithLongS",
                   POST_LINE "Tran\xc5\xbf"
                             "fer-Encoding: chunked\r\n\r\n",
                   400, kAmbiguous, kSuspiciousHeader},
        RequestRow{"SimilarNameWithDotlessI", POST_LINE "Transfer-Encod\xc4\xb1ng: chunked\r\n\r\n", 400, kAmbiguous,
                   kSuspiciousHeader},
        RequestRow{"SimilarNameFolded", POST_LINE " Transfer-Encoding: chunked\r\n\r\n", 400, kAmbiguous,
                   kSuspiciousHeader},
        RequestRow{"LongerNameIsNotSimilar", POST_LINE "X-Content-Length: 4\r\n\r\n"},
        RequestRow{"CodingInHttp10", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400, kAmbiguous,
                   kUndefinedTransferEncodingSemantics},
        RequestRow{"Http09", "GET / HTTP/0.9\r\n\r\n", 505, kAcceptable, kNonCompliantVersion},
        RequestRow{"ExtraSpaceAfterVersion", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400, kAcceptable,
                   kNonCompliantVersion},
        RequestRow{"NonCrLfLineTermination", "GET / HTTP/1.1\nHost: a\n\n", kAccepted, kAcceptable,
                   kNonCrLfLineTermination},
        RequestRow{"NonCrLfInOneLine", "GET / HTTP/1.1\r\nHost: a\nB: c\r\n\r\n", kAccepted, kAcceptable,
                   kNonCrLfLineTermination},
        RequestRow{"NonCrLfEmptyLine", GET_LINE "\n", kAccepted, kAcceptable, kNonCrLfLineTermination},
        RequestRow{"MultilineHeader", GET_LINE "A: b\r\n c\r\n\r\n", 400, kAmbiguous, kMultilineHeader},
        RequestRow{"MissingHeaderColon", GET_LINE "Abc\r\n\r\n", 400, kAmbiguous, kMissingHeaderColon},
        RequestRow{"MissingUri", "GET HTTP/1.1\r\nHost: a\r\n\r\n", 400, kAmbiguous, kMissingUri},
        RequestRow{"MissingUriTwoSpaces", "GET  HTTP/1.1\r\nHost: a\r\n\r\n", 400, kAmbiguous, kMissingUri}),
    RowName);

// spec: l7.md 5.3 A.
INSTANTIATE_TEST_SUITE_P(
    RequestLines, RequestHeadTable,
    ::testing::Values(
        RequestRow{"OneLeadingEmptyLine", "\r\n" GET_LINE "\r\n"},
        RequestRow{"TwoLeadingEmptyLines", "\r\n\r\n" GET_LINE "\r\n"},
        RequestRow{"ThreeLeadingEmptyLines", "\r\n\r\n\r\n" GET_LINE "\r\n", 400},
        RequestRow{"LeadingCr", "\rGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400, kSevere, kBadMethod},
        RequestRow{"LeadingLf", "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", kAccepted, kAcceptable, kNonCrLfLineTermination},
        RequestRow{"LeadingSpace", " GET / HTTP/1.1\r\nHost: a\r\n\r\n", 400, kSevere, kBadMethod},
        RequestRow{"NulInMethod", LITERAL("G\0ET / HTTP/1.1\r\nHost: a\r\n\r\n"), 400, kSevere, kBadMethod},
        RequestRow{"NulInVersion", LITERAL("GET / HTTP/1.1\0\r\nHost: a\r\n\r\n"), 400, kSevere, kBadVersion},
        RequestRow{"CrBeforeLineEnd", "GET / HTTP/1.1\r\r\nHost: a\r\n\r\n", 400, kSevere, kBadVersion},
        RequestRow{"RawByteInTarget", "GET /\x80 HTTP/1.1\r\nHost: a\r\n\r\n"},
        RequestRow{"TargetWithoutSlash", "GET ! HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        RequestRow{"AuthorityFormOutsideConnect", "GET a:80 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        RequestRow{"AuthorityForm", "CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n"},
        RequestRow{"ConnectWithPath", "CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        RequestRow{"AbsoluteForm", "GET http://b/x HTTP/1.1\r\nHost: a\r\n\r\n"},
        RequestRow{"AbsoluteFormWithUser", "GET http://u@b/x HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        RequestRow{"AsteriskWithOptions", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"},
        RequestRow{"AsteriskWithGet", "GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        RequestRow{"LowerCaseMethod", "get / HTTP/1.1\r\nHost: a\r\n\r\n"},
        RequestRow{"VersionMissing", "GET /\r\n\r\n", 400, kAcceptable, kNonCompliantVersion},
        RequestRow{"VersionCut", "GET / HTTP/1.\r\nHost: a\r\n\r\n", 400, kSevere, kBadVersion},
        RequestRow{"VersionLong", "GET / HTTP/1.10\r\nHost: a\r\n\r\n", 400, kSevere, kBadVersion},
        RequestRow{"VersionLong32", "GET / HTTP/1.32\r\nHost: a\r\n\r\n", 400, kSevere, kBadVersion},
        RequestRow{"VersionHuge", "GET / HTTP/4294967295.255\r\nHost: a\r\n\r\n", 400, kSevere, kBadVersion},
        RequestRow{"VersionLowerCase", "GET / http/1.1\r\nHost: a\r\n\r\n", 400, kSevere, kBadVersion},
        RequestRow{"Version2", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505, kSevere, kBadVersion},
        RequestRow{"Version19", "GET / HTTP/1.9\r\nHost: a\r\n\r\n", kAccepted, kAcceptable, kNonCompliantVersion},
        RequestRow{"TabsBetweenParts", "GET\t/\tHTTP/1.1\r\nHost: a\r\n\r\n", 400, kSevere, kBadMethod},
        RequestRow{"TabBeforeVersion", "GET /\tHTTP/1.1\r\nHost: a\r\n\r\n", 400, kAcceptable, kNonCompliantVersion},
        RequestRow{"SpaceBeforeTarget", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400, kAcceptable, kSpaceInUri},
        RequestRow{"SpaceAfterTarget", "GET /  HTTP/1.1\r\nHost: a\r\n\r\n", 400, kAcceptable, kSpaceInUri},
        RequestRow{"VersionInsideTarget", "GET / HTTP/1.1 HTTP/1.1\r\nHost: a\r\n\r\n", kAccepted, kAcceptable,
                   kSpaceInUri},
        RequestRow{"LfAsSeparator", "GET\n/\nHTTP/1.1\n\n", 400, kSevere, kBadMethod},
        RequestRow{"EscapedNul", "GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n"},
        RequestRow{"EscapedDots", "GET /%2e%2e/x HTTP/1.1\r\nHost: a\r\n\r\n"},
        RequestRow{"DoubleSlash", "GET //x HTTP/1.1\r\nHost: a\r\n\r\n"},
        RequestRow{"EmptyMethod", " / HTTP/1.1\r\nHost: a\r\n\r\n", 400, kSevere, kBadMethod},
        RequestRow{"MethodOnly", "GET\r\n\r\n", 400, kSevere, kBadMethod}),
    RowName);

// spec: l7.md 5.3 B.
INSTANTIATE_TEST_SUITE_P(
    Fields, RequestHeadTable,
    ::testing::Values(
        RequestRow{"SpaceBeforeColon", GET_LINE "A : b\r\n\r\n", 400, kAcceptable, kNonCompliantHeader},
        RequestRow{"TabBeforeColon", GET_LINE "A\t: b\r\n\r\n", 400, kAcceptable, kNonCompliantHeader},
        RequestRow{"SpaceBeforeFirstField", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400, kAmbiguous, kMultilineHeader},
        RequestRow{"SpaceAsName", GET_LINE " : x\r\n\r\n", 400, kAmbiguous, kEmptyHeader},
        RequestRow{"NameOverTwoLines", GET_LINE "A\r\nB: c\r\n\r\n", 400, kAmbiguous, kMissingHeaderColon},
        RequestRow{"ControlInName", GET_LINE "A\x01: b\r\n\r\n", 400, kAcceptable, kNonCompliantHeader},
        RequestRow{"HighByteInName", GET_LINE "A\xe9: b\r\n\r\n", 400, kAcceptable, kNonCompliantHeader},
        RequestRow{"QuoteInName", GET_LINE "\"A\": b\r\n\r\n", 400, kAcceptable, kNonCompliantHeader},
        RequestRow{"LfInValue", GET_LINE "A: b\nC: d\r\n\r\n", kAccepted, kAcceptable, kNonCrLfLineTermination},
        RequestRow{"CrLfInName", GET_LINE "A\r\n: b\r\n\r\n", 400, kAmbiguous, kMissingHeaderColon},
        RequestRow{"CrInEmptyLine", GET_LINE "\rX: y\r\n\r\n", 400, kSevere, kBadHeader},
        RequestRow{"VerticalTab",
                   GET_LINE "A: \x0b"
                            "b\r\n\r\n",
                   kAccepted, kAcceptable, kNonCompliantHeader},
        RequestRow{"FormFeed", GET_LINE "A: b\x0c\r\n\r\n", kAccepted, kAcceptable, kNonCompliantHeader},
        RequestRow{"TabInValue", GET_LINE "A: b\tc\r\n\r\n"}, RequestRow{"EmptyValue", GET_LINE "A:\r\n\r\n"},
        RequestRow{"ValueOfSpaces", GET_LINE "A: \t \r\n\r\n"},
        RequestRow{"UnderscoreName", GET_LINE "X_Y: 1\r\nX-Y: 2\r\n\r\n"},
        RequestRow{"FoldInTransferEncoding", POST_LINE "Transfer-Encoding:\r\n chunked\r\n\r\n", 400, kSevere,
                   kBadTransferEncoding},
        RequestRow{"FoldWithTab", GET_LINE "A: b\r\n\tc\r\n\r\n", 400, kAmbiguous, kMultilineHeader},
        RequestRow{"MissingHost", "GET / HTTP/1.1\r\n\r\n", 400},
        RequestRow{"MissingHostIn10", "GET / HTTP/1.0\r\n\r\n", kAccepted, kCompliant, kNone, FramingKind::kNone, 0,
                   false},
        RequestRow{"TwoHosts", GET_LINE "Host: a\r\n\r\n", 400},
        RequestRow{"TwoHostsIn10", "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400},
        RequestRow{"EmptyHost", "GET / HTTP/1.1\r\nHost:\r\n\r\n", 400},
        RequestRow{"HostWithUser", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", 400},
        RequestRow{"HostWithSlash", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
        RequestRow{"HostWithSpace", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400},
        RequestRow{"HostWithComma", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400},
        RequestRow{"HostWithHighByte", "GET / HTTP/1.1\r\nHost: \xe9\r\n\r\n", 400, kAcceptable, kNonCompliantHeader},
        RequestRow{"HostWithPort", "GET / HTTP/1.1\r\nHost: a:8080\r\n\r\n"},
        RequestRow{"HostWithBadPort", "GET / HTTP/1.1\r\nHost: a:80x\r\n\r\n", 400},
        RequestRow{"HostIpv6", "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n"},
        RequestRow{"HostIpv6Open", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", 400},
        RequestRow{"ConnectionNamesFramingFields",
                   POST_LINE "Connection: content-length, host, transfer-encoding, x-forwarded-for, authorization\r\n"
                             "Content-Length: 3\r\n\r\n",
                   kAccepted, kCompliant, kNone, FramingKind::kContentLength, 3},
        RequestRow{"ConnectionNames17", GET_LINE "Connection: a,b,c,d,e,f,g,h,i,j\r\nConnection: k,l,m,n,o,p,q\r\n\r\n",
                   400},
        RequestRow{"ConnectionNames16",
                   GET_LINE "Connection: close,a,b,c,d,e,f,g,h\r\nConnection: i,j,k,l,m,n,o,p\r\n\r\n", kAccepted,
                   kCompliant, kNone, FramingKind::kNone, 0, false},
        RequestRow{"ConnectionWithoutToken", GET_LINE "Connection: \"close\"\r\n\r\n", 400},
        RequestRow{"ConnectionEmptyElements", GET_LINE "Connection: , close,\r\n\r\n", kAccepted, kCompliant, kNone,
                   FramingKind::kNone, 0, false},
        RequestRow{"ExpectContinue", GET_LINE "Expect: 100-continue\r\n\r\n"},
        RequestRow{"ExpectEmpty", GET_LINE "Expect:\r\n\r\n"},
        RequestRow{"ExpectEmptyList", GET_LINE "Expect: , ,\r\n\r\n"},
        RequestRow{"ExpectContinueInAList", GET_LINE "Expect: ,100-Continue,\r\n\r\n"},
        RequestRow{"ExpectObfuscated", GET_LINE "Expect: y 100-continue\r\n\r\n", 417},
        RequestRow{"ExpectBoth", GET_LINE "Expect: 100-continue, magic\r\n\r\n", 417},
        RequestRow{"ExpectOtherAndTwoHosts", GET_LINE "Expect: magic\r\nHost: b\r\n\r\n", 400},
        RequestRow{"ExpectOther", GET_LINE "Expect: 200-ok\r\n\r\n", 417}),
    RowName);

// spec: l7.md 5.3 C and 2.1.
INSTANTIATE_TEST_SUITE_P(
    Lengths, RequestHeadTable,
    ::testing::Values(
        RequestRow{"NoLength", POST_LINE "\r\n"},
        RequestRow{"Length", POST_LINE "Content-Length: 4\r\n\r\n", kAccepted, kCompliant, kNone,
                   FramingKind::kContentLength, 4},
        RequestRow{"LengthZero", POST_LINE "Content-Length: 0\r\n\r\n", kAccepted, kCompliant, kNone,
                   FramingKind::kContentLength, 0},
        RequestRow{"LengthEmpty", POST_LINE "Content-Length:\r\n\r\n", 400, kSevere, kBadContentLength},
        RequestRow{"LengthPlus", POST_LINE "Content-Length: +4\r\n\r\n", 400, kSevere, kBadContentLength},
        RequestRow{"LengthMinusZero", POST_LINE "Content-Length: -0\r\n\r\n", 400, kSevere, kBadContentLength},
        RequestRow{"LengthHex", POST_LINE "Content-Length: 0x4\r\n\r\n", 400, kSevere, kBadContentLength},
        RequestRow{"LengthLeadingZero", POST_LINE "Content-Length: 010\r\n\r\n", kAccepted, kCompliant, kNone,
                   FramingKind::kContentLength, 10},
        RequestRow{"LengthTrailingSpace", POST_LINE "Content-Length: 4 \r\n\r\n", kAccepted, kCompliant, kNone,
                   FramingKind::kContentLength, 4},
        RequestRow{"LengthVerticalTab",
                   POST_LINE "Content-Length: \x0b"
                             "4\r\n\r\n",
                   400, kSevere, kBadContentLength},
        RequestRow{"LengthList", POST_LINE "Content-Length: 4, 4\r\n\r\n", 400, kSevere, kBadContentLength},
        RequestRow{"LengthListDiffers", POST_LINE "Content-Length: 4,5\r\n\r\n", 400, kSevere, kBadContentLength},
        RequestRow{"LengthsSameNumber", POST_LINE "Content-Length: 4\r\nContent-Length: 04\r\n\r\n", 400, kSevere,
                   kMultipleContentLength},
        RequestRow{"LengthTwoTo63", POST_LINE "Content-Length: 9223372036854775808\r\n\r\n", kAccepted, kCompliant,
                   kNone, FramingKind::kContentLength, 9223372036854775808U},
        RequestRow{"Length30Digits", POST_LINE "Content-Length: 111111111111111111111111111111\r\n\r\n", 400, kSevere,
                   kBadContentLength},
        RequestRow{"CodingTrailingComma", POST_LINE "Transfer-Encoding: chunked,\r\n\r\n", 400, kSevere,
                   kBadTransferEncoding},
        RequestRow{"CodingLeadingComma", POST_LINE "Transfer-Encoding: ,chunked\r\n\r\n", 400, kSevere,
                   kBadTransferEncoding},
        RequestRow{"CodingEmpty", POST_LINE "Transfer-Encoding:\r\n\r\n", 400, kSevere, kBadTransferEncoding},
        RequestRow{"CodingParameter", POST_LINE "Transfer-Encoding: chunked;q=1\r\n\r\n", 400, kSevere,
                   kBadTransferEncoding},
        RequestRow{"CodingUnknown", POST_LINE "Transfer-Encoding: xchunked\r\n\r\n", 501, kSevere,
                   kBadTransferEncoding},
        RequestRow{"CodingUnknownAndIdentity", POST_LINE "Transfer-Encoding: deflate, identity, chunked\r\n\r\n", 501,
                   kSevere, kBadTransferEncoding},
        RequestRow{"CodingGzip", POST_LINE "Transfer-Encoding: gzip\r\n\r\n", 501, kSevere, kBadTransferEncoding},
        RequestRow{"CodingUnknownWithLength", POST_LINE "Transfer-Encoding: xchunked\r\nContent-Length: 4\r\n\r\n", 501,
                   kSevere, kBadTransferEncoding},
        RequestRow{"CodingIdentity", POST_LINE "Transfer-Encoding: identity\r\n\r\n", kAccepted, kAmbiguous,
                   kUndefinedTransferEncodingSemantics, FramingKind::kNone, 0, false},
        RequestRow{"CodingIdentityWithLength", POST_LINE "Transfer-Encoding: identity\r\nContent-Length: 4\r\n\r\n",
                   400, kAmbiguous, kBothTeClPresent},
        RequestRow{"CodingGzipChunked", POST_LINE "Transfer-Encoding: gzip, chunked\r\n\r\n", 501, kSevere,
                   kBadTransferEncoding},
        RequestRow{"CodingChunkedGzip", POST_LINE "Transfer-Encoding: chunked, gzip\r\n\r\n", 400, kSevere,
                   kBadTransferEncoding},
        RequestRow{"CodingChunkedIdentity", POST_LINE "Transfer-Encoding: chunked, identity\r\n\r\n", 400, kSevere,
                   kBadTransferEncoding},
        RequestRow{"CodingIdentityChunked",
                   POST_LINE "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n", 400, kSevere,
                   kBadTransferEncoding},
        RequestRow{"CodingVerticalTab",
                   POST_LINE "Transfer-Encoding: \x0b"
                             "chunked\r\n\r\n",
                   400, kSevere, kBadTransferEncoding},
        RequestRow{"CodingNoBreakSpace",
                   POST_LINE "Transfer-Encoding: \xa0"
                             "chunked\r\n\r\n",
                   400, kSevere, kBadTransferEncoding},
        RequestRow{"CodingQuoted", POST_LINE "Transfer-Encoding: \"chunked\"\r\n\r\n", 400, kSevere,
                   kBadTransferEncoding},
        RequestRow{"CodingSpaced", POST_LINE "Transfer-Encoding: \t chunked \t\r\n\r\n", kAccepted, kCompliant, kNone,
                   FramingKind::kChunked},
        RequestRow{"BadLengthBesideCoding", POST_LINE "Content-Length: x\r\nTransfer-Encoding: chunked\r\n\r\n", 400,
                   kSevere, kBadContentLength},
        RequestRow{"CodingOnHead", "HEAD / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", kAccepted,
                   kAmbiguous, kUndefinedTransferEncodingSemantics, FramingKind::kChunked},
        RequestRow{"LengthOnDelete", "DELETE / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n", kAccepted, kCompliant,
                   kNone, FramingKind::kContentLength, 4},
        RequestRow{"CodingOnOptions", "OPTIONS * HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", kAccepted,
                   kCompliant, kNone, FramingKind::kChunked},
        RequestRow{"LengthOnTrace", "TRACE / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n", kAccepted, kCompliant,
                   kNone, FramingKind::kContentLength, 4}),
    RowName);

TEST(RequestHeadTest, PartsAreViewsOfTheBytes) {
  constexpr std::string_view kBytes =
      "POST /a/b?c=d HTTP/1.1\r\nHost: example.com:8080\r\nContent-Length:7\r\nX-Empty:\r\nX-Spaced: \t a b \t "
      "\r\n\r\nrest";
  const RequestParsed parsed = ParseWhole(kBytes);
  ASSERT_EQ(parsed.outcome.status, ParseStatus::kDone) << parsed.outcome.why;
  EXPECT_EQ(kBytes.substr(parsed.outcome.consumed), "rest");
  EXPECT_EQ(parsed.head.method, "POST");
  EXPECT_EQ(parsed.head.target, "/a/b?c=d");
  EXPECT_EQ(parsed.head.version, Version::kHttp11);
  EXPECT_EQ(parsed.head.authority.host, "example.com");
  EXPECT_EQ(parsed.head.authority.port, 8080);
  ASSERT_EQ(parsed.head.fields.size(), 4U);
  EXPECT_EQ(parsed.head.fields[2].name, "X-Empty");
  EXPECT_EQ(parsed.head.fields[2].value, "");
  EXPECT_EQ(parsed.head.fields[3].value, "a b");
  EXPECT_GE(parsed.head.target.data(), kBytes.data());
  EXPECT_LT(parsed.head.target.data(), kBytes.data() + kBytes.size());
}

TEST(RequestHeadTest, TargetLiesBetweenFirstAndLastSpace) {
  const RequestParsed parsed = ParseWhole("GET /a b?c d HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(parsed.head.target, "/a b?c d");
}

TEST(RequestHeadTest, Http2PrefaceIsRefusedWith505BeforeItsEnd) {
  const RequestParsed parsed = ParseWhole("PRI * HTTP/2.0\r\n");
  EXPECT_EQ(parsed.outcome.status, ParseStatus::kRefused);
  EXPECT_EQ(parsed.outcome.http_status, 505);
}

TEST(RequestHeadTest, RubbishIsRefusedWithoutWaitingForTheEndOfTheHead) {
  EXPECT_EQ(ParseWhole("GET /\r\n").outcome.http_status, 400);
  EXPECT_EQ(ParseWhole("\x16\x03\x01\r\n").outcome.http_status, 400);
  EXPECT_EQ(ParseWhole(GET_LINE "no colon\r\n").outcome.http_status, 400);
}

TEST(RequestHeadTest, EveryPrefixOfAWholeHeadNeedsMore) {
  constexpr std::string_view kBytes = "\r\nGET /a HTTP/1.1\r\nHost: a\r\nA: \xe9 b\r\nConnection: close\r\n\r\n";
  for (std::size_t size = 0; size < kBytes.size(); ++size) {
    EXPECT_EQ(ParseWhole(kBytes.substr(0, size)).outcome.status, ParseStatus::kNeedMore) << size;
  }
}

TEST(RequestHeadTest, PersistenceFollowsVersionAndConnection) {  // RFC 9112 section 9.3
  const auto keeps_alive = [](std::string_view version, std::string_view connection) {
    const std::string bytes =
        std::string("GET / ").append(version).append("\r\nHost: a\r\n").append(connection).append("\r\n");
    return ParseWhole(bytes).head.keep_alive;
  };
  EXPECT_TRUE(keeps_alive("HTTP/1.1", ""));
  EXPECT_FALSE(keeps_alive("HTTP/1.1", "Connection: close\r\n"));
  EXPECT_FALSE(keeps_alive("HTTP/1.1", "Connection: keep-alive, CLOSE\r\n"));
  EXPECT_FALSE(keeps_alive("HTTP/1.0", ""));
  EXPECT_TRUE(keeps_alive("HTTP/1.0", "Connection: Keep-Alive\r\n"));
  EXPECT_FALSE(keeps_alive("HTTP/1.0", "Connection: keep-alive\r\nConnection: close\r\n"));
}

TEST(RequestHeadTest, UpgradeNeedsOptionFieldAndHttp11) {  // RFC 9110 section 7.8
  EXPECT_TRUE(ParseWhole(GET_LINE "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n").head.upgrade);
  EXPECT_FALSE(ParseWhole(GET_LINE "Upgrade: websocket\r\n\r\n").head.upgrade);
  EXPECT_FALSE(ParseWhole(GET_LINE "Connection: upgrade\r\n\r\n").head.upgrade);
  EXPECT_FALSE(ParseWhole("GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n").head.upgrade);
}

TEST(RequestHeadTest, ContinueIsExpectedOnlyWithContentAndHttp11) {  // RFC 9110 section 10.1.1
  EXPECT_TRUE(ParseWhole(POST_LINE "Expect: 100-Continue\r\nContent-Length: 1\r\n\r\n").head.expects_continue);
  EXPECT_TRUE(ParseWhole(POST_LINE "Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n").head.expects_continue);
  EXPECT_FALSE(ParseWhole(POST_LINE "Expect: 100-continue\r\nContent-Length: 0\r\n\r\n").head.expects_continue);
  EXPECT_FALSE(
      ParseWhole("POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n").head.expects_continue);
}

TEST(RequestHeadTest, StartLineLimitIsInclusiveAndGives414) {  // spec: alb.md 12.2
  const HeadLimits limits;
  for (const std::size_t excess : {0U, 1U, 2U, 3U, 40'000U}) {
    std::string line = "GET / HTTP/1.1";
    line.insert(5, limits.start_line_bytes_max - line.size() + excess, 'x');
    const std::string bytes = line + "\r\nHost: a\r\n\r\n";
    const RequestParsed whole = ParseWhole(bytes, limits);
    EXPECT_EQ(whole.outcome.http_status, excess == 0 ? 0 : 414) << excess;
    ExpectSame(whole, ParseInSteps(bytes, 1, limits));
  }
}

TEST(RequestHeadTest, FieldLineLimitIsInclusiveAndGives400) {  // spec: alb.md 12.2
  const HeadLimits limits;
  for (const std::size_t excess : {0U, 1U, 2U, 3U, 40'000U}) {
    const std::string line = "A: " + std::string(limits.field_line_bytes_max - 3 + excess, 'x');
    for (const std::string_view end : {"\r\n", "\n"}) {
      const std::string bytes = std::string(GET_LINE).append(line).append(end).append("\r\n");
      const RequestParsed whole = ParseWhole(bytes, limits);
      EXPECT_EQ(whole.outcome.http_status, excess == 0 ? 0 : 400) << excess;
      ExpectSame(whole, ParseInSteps(bytes, 1, limits));
    }
  }
}

TEST(RequestHeadTest, HeadLimitIsInclusiveAndGives400) {
  const HeadLimits limits{.head_bytes_max = 300};
  for (const std::size_t excess : {0U, 1U, 2U, 300U}) {
    std::string bytes = GET_LINE "A: \r\nB: c\r\n\r\n";
    bytes.insert(bytes.find("A: ") + 3, limits.head_bytes_max - bytes.size() + excess, 'x');
    const RequestParsed whole = ParseWhole(bytes, limits);
    EXPECT_EQ(whole.outcome.http_status, excess == 0 ? 0 : 400) << excess;
    ExpectSame(whole, ParseInSteps(bytes, 1, limits));
  }
}

TEST(RequestHeadTest, FieldCountLimitIsInclusiveAndGives400) {
  HeadLimits limits;
  limits.fields_max = 10;
  for (const std::size_t count : {10U, 11U}) {
    std::string bytes = GET_LINE;
    for (std::size_t i = 1; i < count; ++i) bytes += "a:\r\n";
    bytes += "\r\n";
    EXPECT_EQ(ParseWhole(bytes, limits).outcome.http_status, count == 10 ? 0 : 400);
  }
}

TEST(RequestHeadTest, TenThousandTinyFieldsAreRefused) {  // spec: l7.md 5.3 B
  std::string bytes = GET_LINE;
  for (int i = 0; i < 10'000; ++i) bytes += "a:\n";
  bytes += "\r\n";
  EXPECT_EQ(ParseWhole(bytes).outcome.why, "too many fields");
}

TEST(RequestHeadTest, CapacityIsKeptBetweenHeads) {
  RequestHead head;
  std::size_t scanned = 0;
  ASSERT_EQ(ParseRequestHead(GET_LINE "A: b\r\nC: d\r\n\r\n", scanned, {}, head).status, ParseStatus::kDone);
  const Field* const storage = head.fields.data();
  scanned = 0;
  ASSERT_EQ(ParseRequestHead(GET_LINE "E: f\r\n\r\n", scanned, {}, head).status, ParseStatus::kDone);
  EXPECT_EQ(head.fields.data(), storage);
  EXPECT_EQ(head.fields.size(), 2U);
}

TEST(RequestHeadTest, EveryByteInAValueIsEitherRefusedOrSafeToCopy) {
  for (int byte = 0; byte < 256; ++byte) {
    std::string bytes = GET_LINE "A: x?y\r\n\r\n";
    bytes[bytes.find('?')] = static_cast<char>(byte);
    const RequestParsed parsed = ParseWhole(bytes);
    if (parsed.outcome.status != ParseStatus::kDone) continue;
    for (const Field& field : parsed.head.fields) {
      EXPECT_EQ(field.value.find_first_of(std::string_view("\0\r\n", 3)), std::string_view::npos) << byte;
      EXPECT_EQ(field.name.find_first_of(std::string_view("\0\r\n: \t", 6)), std::string_view::npos) << byte;
    }
  }
}

TEST(RequestHeadTest, LongValuesAreScannedAlikeAtEveryOffset) {
  for (std::size_t before = 0; before < 40; ++before) {
    for (const char stop : {'\r', '\x01', '\x7f', '\xff'}) {
      std::string bytes = GET_LINE "A: ";
      bytes.append(before, 'x').append(1, stop).append(40, 'y').append("\r\n\r\n");
      const RequestParsed parsed = ParseWhole(bytes);
      EXPECT_EQ(parsed.outcome.http_status, stop == '\r' ? 400 : 0) << before;
      EXPECT_EQ(parsed.head.desync_class, stop == '\r' ? kSevere : kAcceptable) << before;
    }
  }
}

}  // namespace
}  // namespace weir::http
