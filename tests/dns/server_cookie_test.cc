// DNS cookies (RFC 7873) with the server cookies of RFC 9018.

#include "dns/server_cookie.h"

#include "tests/dns/dns_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::dns::testing {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kSecret = "e5e973e5a6b2a43f48e7dc849e37bfcf";

std::vector<std::uint8_t> Bytes(std::string_view hex) {
  std::vector<std::uint8_t> out;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    out.push_back(static_cast<std::uint8_t>(std::stoul(std::string(hex.substr(i, 2)), nullptr, 16)));
  }
  return out;
}

std::string Hex(std::span<const std::uint8_t> bytes) {
  std::string out;
  for (const std::uint8_t byte : bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    out.push_back(kDigits[byte >> 4]);
    out.push_back(kDigits[byte & 0xF]);
  }
  return out;
}

std::string Answered(std::string_view option, const char* client, std::string_view secret, std::uint32_t now) {
  return Hex(AnswerCookie(Bytes(option), IpAddress::Parse(client).value(), ParseCookieSecret(secret).value(), now));
}

TEST(ServerCookieTest, ExamplesOfRfc9018) {
  EXPECT_EQ(Answered("2464c4abcf10c957", "198.51.100.100", kSecret, 1'559'731'985),
            "2464c4abcf10c957010000005cf79f111f8130c3eee29480");
  EXPECT_EQ(Answered("22681ab97d52c298", "2001:db8:220:1:59de:d0f4:8769:82b8", "445536bcd2513298075a5d379663c962",
                     1'559'741'961),
            "22681ab97d52c298010000005cf7c609a6bb79d16625507a");
}

TEST(ServerCookieTest, ARightCookieIsKeptForHalfAnHour) {
  const std::string whole = "2464c4abcf10c957010000005cf79f111f8130c3eee29480";
  constexpr std::uint32_t kMade = 1'559'731'985;
  EXPECT_EQ(Answered(whole, "198.51.100.100", kSecret, kMade + 1'799), whole);
  EXPECT_EQ(Answered(whole, "198.51.100.100", kSecret, kMade - 300), whole);
  for (const std::uint32_t now : {kMade + 1'800, kMade - 301, kMade + 1'000'000}) {
    EXPECT_EQ(Answered(whole, "198.51.100.100", kSecret, now),
              Answered(whole.substr(0, 16), "198.51.100.100", kSecret, now));
  }
  EXPECT_NE(Answered(whole, "198.51.100.101", kSecret, kMade + 5), whole) << "another client";
  EXPECT_NE(Answered("2464c4abcf10c957010000005cf79f111f8130c3eee29481", "198.51.100.100", kSecret, kMade + 5),
            "2464c4abcf10c957010000005cf79f111f8130c3eee29481")
      << "a forged one";
}

TEST(ServerCookieTest, ASecretIs32HexadecimalDigits) {
  EXPECT_TRUE(ParseCookieSecret(" E5E973E5A6B2A43F48E7DC849E37BFCF\n"));
  for (const char* wrong : {"", "e5e9", "e5e973e5a6b2a43f48e7dc849e37bfcg", "e5e973e5a6b2a43f48e7dc849e37bfcf0"}) {
    EXPECT_FALSE(ParseCookieSecret(wrong)) << wrong;
  }
}

std::vector<std::uint8_t> Option(std::string_view hex) {
  std::vector<std::uint8_t> out = {0, 10, 0, static_cast<std::uint8_t>(hex.size() / 2)};
  std::ranges::copy(Bytes(hex), std::back_inserter(out));
  return out;
}

config::Model Model() {
  config::Model model;
  model.zones = {MakeZone("example.test.", {MakeRecord("www.example.test.", rr::kA, {.values = {"192.0.2.1"}})})};
  model.dns.emplace();
  return model;
}

TEST(ServerCookieTest, QueriesWithACookieGetOne) {
  auto model = Model();
  model.dns->cookie_secret = config::Secret{.text = std::string(kSecret), .file = {}, .position = {}};
  Server server(std::move(model));
  server.answerer.set_unix_seconds([] { return std::uint32_t{1'559'731'985}; });
  const auto ask = [&](std::string_view hex) {
    return server.Ask("www.example.test.", rr::kA, {.edns = true, .options = Option(hex)}, Transport::kUdp,
                      "198.51.100.100");
  };
  const std::string whole = "2464c4abcf10c957010000005cf79f111f8130c3eee29480";
  for (const std::string& sent : {whole.substr(0, 16), whole, whole.substr(0, 16) + std::string(64, 'a')}) {
    const auto response = ask(sent);
    EXPECT_EQ(response->rcode(), Rcode::kNoError) << sent;
    EXPECT_EQ(Hex(response->option(10).value()), whole) << sent;
  }
  EXPECT_FALSE(server.Ask("www.example.test.", rr::kA, {.edns = true})->option(10));
  // RFC 7873 5.2.2: a length that no cookie has.
  for (const std::size_t digits : {0U, 14U, 18U, 30U, 82U}) {
    EXPECT_EQ(ask(std::string(digits, 'a'))->rcode(), Rcode::kFormErr) << digits;
  }
}

TEST(ServerCookieTest, WithoutASecretOneIsMade) {
  Server server(Model());
  const auto ask = [&] {
    return Hex(server.Ask("www.example.test.", rr::kA, {.edns = true, .options = Option("2464c4abcf10c957")})
                   ->option(10)
                   .value());
  };
  server.answerer.set_unix_seconds([] { return std::uint32_t{1'559'731'985}; });
  EXPECT_EQ(ask(), ask());
  EXPECT_NE(ask(), "2464c4abcf10c957010000005cf79f111f8130c3eee29480");
}

TEST(ServerCookieTest, AWrongSecretIsFoundWhereItIsNamed) {
  auto model = Model();
  model.dns->cookie_secret = config::Secret{.text = {}, .file = "/nonexistent/cookie.secret", .position = {0, 7, 3}};
  EXPECT_THAT(BuildErrors(model), HasSubstr("7: cannot read /nonexistent/cookie.secret"));
  model.dns->cookie_secret = config::Secret{.text = "short", .file = {}, .position = {0, 7, 3}};
  EXPECT_THAT(BuildErrors(model), HasSubstr("7: the secret of DNS cookies is not 32 hexadecimal digits"));
}

}  // namespace
}  // namespace weir::dns::testing
