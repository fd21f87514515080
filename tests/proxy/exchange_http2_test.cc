// Exchanges with targets that speak HTTP/2: who may ask them (spec: alb.md 7.1), and what is sent again.

#include "proxy/exchange.h"
#include "tests/proxy/exchange_fixture.h"

#include <gtest/gtest.h>

#include <string>

namespace weir::proxy {
namespace {

using config::TargetProtocolVersion;
using http::Version;
using Plan = FakeUpstreams::Plan;

const std::string kHttp2Get = "GET /a HTTP/1.1\r\nHost: shop.test";
const std::string kHttp2Post = "POST /a HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 6";

class Http2GroupFixture : public ExchangeFixture {
 public:
  explicit Http2GroupFixture(TargetProtocolVersion group_version = TargetProtocolVersion::kHttp2,
                             std::size_t targets = 1)
      : ExchangeFixture(targets) {
    version = Version::kHttp2;
    model.target_groups[0].protocol_version = group_version;
    Publish();
  }
};

void ExpectHttp2Over(const ExchangeFixture& fixture, const FakeDownstream& downstream) {
  EXPECT_EQ(downstream.finished, 1);
  EXPECT_TRUE(fixture.idle());
  EXPECT_EQ(fixture.active_requests(), 0U);
  for (const auto& stream : fixture.upstreams.streams) EXPECT_TRUE(stream->released);
}

struct Fit {
  const char* name;
  TargetProtocolVersion group;
  Version client;
  const char* head;
  bool fits;
  bool takes_http1 = false;
};
void PrintTo(const Fit& fit, std::ostream* out) { *out << fit.name; }
class ProtocolMatrixTest : public ::testing::TestWithParam<Fit> {};

TEST_P(ProtocolMatrixTest, ForwardsOrAnswers464) {
  const Fit& row = GetParam();
  Http2GroupFixture fixture(row.group);
  fixture.version = row.client;
  fixture.model.target_groups[0].takes_http1 = row.takes_http1;
  fixture.Publish();
  FakeDownstream downstream;
  fixture.Begin(downstream, row.head);
  if (row.fits) fixture.upstreams.last().Answer(200);
  EXPECT_EQ(downstream.status, row.fits ? 200 : 464);
  EXPECT_EQ(fixture.errors(ErrorCode::kProtocolVersionMismatch), row.fits ? 0U : 1U);
  EXPECT_EQ(fixture.upstreams.streams.size(), row.fits ? 1U : 0U);
  ExpectHttp2Over(fixture, downstream);
}

constexpr const char* kGrpc = "POST /shop.Cart/Add HTTP/1.1\r\nHost: a\r\nContent-Type: application/grpc+proto";
constexpr const char* kPlainPost = "POST / HTTP/1.1\r\nHost: a";
constexpr const char* kPlainGet = "GET / HTTP/1.1\r\nHost: a";
INSTANTIATE_TEST_SUITE_P(
    All, ProtocolMatrixTest,
    ::testing::Values(
        Fit{"Http1ToHttp1", TargetProtocolVersion::kHttp1, Version::kHttp11, kPlainGet, true},
        Fit{"Http2ToHttp1", TargetProtocolVersion::kHttp1, Version::kHttp2, kPlainGet, true},
        Fit{"GrpcToHttp1", TargetProtocolVersion::kHttp1, Version::kHttp2, kGrpc, false},
        Fit{"Http1ToHttp2", TargetProtocolVersion::kHttp2, Version::kHttp11, kPlainGet, false},
        Fit{"Http1ToHttp2Allowed", TargetProtocolVersion::kHttp2, Version::kHttp11, kPlainGet, true, true},
        Fit{"Http10ToHttp2Allowed", TargetProtocolVersion::kHttp2, Version::kHttp10, kPlainGet, true, true},
        Fit{"Http2ToHttp2", TargetProtocolVersion::kHttp2, Version::kHttp2, kPlainGet, true},
        Fit{"GrpcToHttp2", TargetProtocolVersion::kHttp2, Version::kHttp2, kGrpc, true},
        Fit{"Http1ToGrpc", TargetProtocolVersion::kGrpc, Version::kHttp11, kPlainPost, false},
        Fit{"GetToGrpc", TargetProtocolVersion::kGrpc, Version::kHttp2, kPlainGet, false},
        Fit{"PostToGrpc", TargetProtocolVersion::kGrpc, Version::kHttp2, kPlainPost, true},
        Fit{"GrpcToGrpc", TargetProtocolVersion::kGrpc, Version::kHttp2, kGrpc, true}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(ExchangeHttp2Test, ARefusedPostIsSentAgainToTheOnlyTarget) {
  Http2GroupFixture fixture;
  FakeDownstream downstream;
  Exchange& exchange = fixture.Begin(downstream, kHttp2Post, "abc", ContentEnd::kMore);
  exchange.OnRequestContent({.bytes = "def", .end = ContentEnd::kLast});
  fixture.upstreams.last().Fail(ErrorCode::kTargetStreamRefused);
  ASSERT_EQ(fixture.upstreams.streams.size(), 2U);
  EXPECT_EQ(fixture.upstreams.modes.back(), UpstreamSource::Mode::kReuse);
  EXPECT_EQ(fixture.upstreams.last().content, "abcdef");
  EXPECT_TRUE(fixture.upstreams.last().complete);
  fixture.upstreams.last().Answer(200);
  EXPECT_EQ(downstream.status, 200);
  EXPECT_EQ(fixture.group().retries.value(), 1U);
  EXPECT_EQ(fixture.group().requests.value(), 1U);
  ExpectHttp2Over(fixture, downstream);
}

TEST(ExchangeHttp2Test, ARequestThatIsRefusedAgainAndAgainIs502) {
  Http2GroupFixture fixture;
  FakeDownstream downstream;
  fixture.Begin(downstream, kHttp2Get);
  for (std::size_t i = 0; i <= Attempts::kRefusalsMax; ++i) {
    ASSERT_EQ(fixture.upstreams.streams.size(), i + 1);
    fixture.upstreams.last().Fail(ErrorCode::kTargetStreamRefused);
  }
  EXPECT_EQ(downstream.status, 502);
  ExpectHttp2Over(fixture, downstream);
}

TEST(ExchangeHttp2Test, ContentThatIsNotThereAnyMoreIsNotSentAgain) {
  Http2GroupFixture fixture;
  FakeDownstream downstream;
  Exchange& exchange = fixture.Begin(downstream, kHttp2Post, "abc", ContentEnd::kMore);
  exchange.OnRequestContent({.bytes = std::string(HeldContent::kRepeatableBytesMax, 'x')});
  fixture.upstreams.last().Fail(ErrorCode::kTargetStreamRefused);
  EXPECT_EQ(downstream.status, 502);
  EXPECT_EQ(fixture.upstreams.streams.size(), 1U);
  ExpectHttp2Over(fixture, downstream);
}

TEST(ExchangeHttp2Test, WhoWaitsForAConnectionThatIsFullGoesOnWithAnother) {
  Http2GroupFixture fixture;
  fixture.upstreams.plans = {Plan{.connected = false}, Plan{}};
  FakeDownstream downstream;
  Exchange& exchange = fixture.Begin(downstream, kHttp2Post, "abc", ContentEnd::kMore);
  EXPECT_TRUE(downstream.request_paused);
  fixture.upstreams.last().Fail(ErrorCode::kTargetStreamRefused);
  ASSERT_EQ(fixture.upstreams.streams.size(), 2U);
  EXPECT_FALSE(downstream.request_paused);
  exchange.OnRequestContent({.bytes = "def", .end = ContentEnd::kLast});
  EXPECT_EQ(fixture.upstreams.last().content, "abcdef");
  fixture.upstreams.last().Answer(200);
  ExpectHttp2Over(fixture, downstream);
}

TEST(ExchangeHttp2Test, AResetIsNotSentAgain) {
  Http2GroupFixture fixture(TargetProtocolVersion::kHttp2, 2);
  FakeDownstream downstream;
  downstream.forwards_resets = true;
  fixture.Begin(downstream, kHttp2Get);
  fixture.upstreams.last().reset_by = 0x8;
  fixture.upstreams.last().Fail(ErrorCode::kTargetStreamReset);
  EXPECT_EQ(downstream.status, 502);
  EXPECT_FALSE(downstream.forwarded);
  ExpectHttp2Over(fixture, downstream);
}

// spec: alb.md 12.7.
TEST(ExchangeHttp2Test, ForwardsFourCodesWhereThatIsWanted) {
  for (std::uint32_t code = 0; code <= 0x2d; ++code) {
    Http2GroupFixture fixture;
    fixture.model.target_groups[0].forwards_resets = true;
    fixture.Publish();
    FakeDownstream downstream;
    downstream.forwards_resets = true;
    fixture.Begin(downstream, kHttp2Get);
    fixture.upstreams.last().reset_by = code;
    fixture.upstreams.last().Fail(code == 0x7 ? ErrorCode::kTargetStreamRefused : ErrorCode::kTargetStreamReset);
    const bool is_forwarded = code == 0x2 || code == 0x7 || code == 0x8 || code == 0xb;
    EXPECT_EQ(downstream.forwarded.has_value(), is_forwarded) << code;
    EXPECT_EQ(downstream.forwarded.value_or(code), code);
    EXPECT_EQ(downstream.status, is_forwarded ? 0 : 502) << code;
    ExpectHttp2Over(fixture, downstream);
  }
}

TEST(ExchangeHttp2Test, AnHttp1ClientGets502ForWhatWouldBeForwarded) {
  Http2GroupFixture fixture;
  fixture.version = Version::kHttp11;
  fixture.model.target_groups[0].takes_http1 = true;
  fixture.model.target_groups[0].forwards_resets = true;
  fixture.Publish();
  FakeDownstream downstream;
  fixture.Begin(downstream, kHttp2Get);
  fixture.upstreams.last().reset_by = 0x8;
  fixture.upstreams.last().Fail(ErrorCode::kTargetStreamReset);
  EXPECT_EQ(downstream.status, 502);
  ExpectHttp2Over(fixture, downstream);
}

TEST(ExchangeHttp2Test, AWebSocketHandshakeIsSentWithoutItsUpgrade) {
  Http2GroupFixture fixture;
  fixture.version = Version::kHttp11;
  fixture.model.target_groups[0].takes_http1 = true;
  fixture.Publish();
  FakeDownstream downstream;
  fixture.Begin(downstream, "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket");
  EXPECT_EQ(fixture.upstreams.last().fields.find("pgrade"), std::string::npos);
  fixture.upstreams.last().Answer(400);
  EXPECT_EQ(downstream.status, 400);
  ExpectHttp2Over(fixture, downstream);
}

}  // namespace
}  // namespace weir::proxy
