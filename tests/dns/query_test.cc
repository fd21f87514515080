#include "dns/wire/query.h"

#include "base/random.h"
#include "tests/dns/dns_fixture.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

namespace weir::dns::testing {
namespace {

config::Model SmallModel() {
  config::Model model;
  model.zones = {
      MakeZone("example.test.", {MakeRecord("www.example.test.", rr::kA, {.values = {"192.0.2.1"}}),
                                 MakeRecord("*.example.test.", rr::kCname, {.values = {"a.b.c.example.test."}}),
                                 MakeRecord("child.example.test.", rr::kNs, {.values = {"ns.child.example.test."}}),
                                 MakeRecord("ns.child.example.test.", rr::kA, {.values = {"192.0.2.2"}})})};
  return model;
}

// Whatever arrives: no crash, no answer to a response, and an answer that can be read.
void ExpectAnswerOrDrop(Server& server, std::span<const std::uint8_t> message) {
  const auto report = server.Send(message);
  if (message.size() < kHeaderBytes || (message[2] & 0x80U) != 0) {
    EXPECT_EQ(report.size, 0U);
    return;
  }
  ASSERT_GE(report.size, kHeaderBytes);
  ASSERT_LE(report.size, kUdpPayloadMax);
  EXPECT_TRUE(server.last()->parsed);
}

TEST(QueryTest, EveryCutOfAQueryIsAnsweredOrDropped) {
  Server server(SmallModel());
  const auto whole = EncodeQuery("www.example.test.", rr::kA, {.edns = true, .options = SubnetOption("192.0.2.0/24")});
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto cut = std::span(whole).first(size);
    ExpectAnswerOrDrop(server, cut);
    if (size >= kHeaderBytes) {
      EXPECT_EQ(server.last()->rcode(), Rcode::kFormErr) << size;
    }
  }
}

TEST(QueryTest, ResponsesAreNeverAnswered) {
  Server server(SmallModel());
  EXPECT_EQ(server.Send(EncodeQuery("www.example.test.", rr::kA, {.flags = 0x8000})).size, 0U);
}

TEST(QueryTest, MalformedMessagesAreFormErr) {
  Server server(SmallModel());
  const auto form_error = [&](const char* what, std::vector<std::uint8_t> message) {
    EXPECT_EQ(server.Send(message).rcode, Rcode::kFormErr) << what;
    ExpectAnswerOrDrop(server, message);
  };
  const std::vector<std::uint8_t> header = {0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0};
  const auto with = [&header](std::vector<std::uint8_t> rest) {
    auto message = header;
    message.insert(message.end(), rest.begin(), rest.end());
    return message;
  };
  form_error("a pointer to itself", with({0xC0, 12, 0, 1, 0, 1}));
  form_error("a pointer forward", with({0xC0, 18, 0, 1, 0, 1, 0}));
  form_error("a pointer behind a label", with({1, 'a', 0xC0, 12, 0, 1, 0, 1}));
  form_error("a reserved label type", with({0x80, 0, 0, 1, 0, 1}));
  form_error("a name without end", with({3, 'w', 'w', 'w'}));
  std::vector<std::uint8_t> long_name;
  for (int i = 0; i < 130; ++i) long_name.insert(long_name.end(), {1, 'a'});
  long_name.insert(long_name.end(), {0, 0, 1, 0, 1});
  form_error("a name of more than 255 bytes", with(long_name));
  auto no_question = header;
  no_question[5] = 0;
  form_error("no question", no_question);
  auto two = with({0, 0, 1, 0, 1, 0, 0, 1, 0, 1});
  two[5] = 2;
  form_error("two questions (RFC 9619)", two);
  auto opts = EncodeQuery("www.example.test.", rr::kA, {.edns = true});
  opts[11] = 2;
  opts.insert(opts.end(), {0, 0, 41, 4, 0xD0, 0, 0, 0, 0, 0, 0});
  form_error("two OPT records (RFC 6891 6.1.1)", opts);
  auto counts = EncodeQuery("www.example.test.", rr::kA);
  counts[7] = 1;
  form_error("an answer that is not there", counts);
}

TEST(QueryTest, LongNamesOfManyLabelsAreAnswered) {
  Server server(SmallModel());
  std::string name;
  while (name.size() < 225) name += "x.";
  // The wildcard stands for its own target too; that loop is answered once.
  EXPECT_EQ(server.Ask(name + "example.test.", rr::kA)->answer.size(), 2U);
}

TEST(QueryFuzzTest, RandomAndMutatedBytesAreAnsweredOrDropped) {
  Server server(SmallModel());
  Random random(42);
  const std::vector<std::vector<std::uint8_t>> seeds = {
      EncodeQuery("www.example.test.", rr::kA),
      EncodeQuery("x.y.example.test.", rr::kAny, {.edns = true, .options = SubnetOption("2001:db8::/33")}),
      EncodeQuery("a.child.example.test.", rr::kAaaa, {.edns = true, .payload = 600})};
  const char* rounds_text = std::getenv("WEIR_FUZZ_ROUNDS");
  const long rounds = rounds_text == nullptr ? 3'000 : std::atol(rounds_text);
  for (long round = 0; round < rounds && !HasFailure(); ++round) {
    auto message = seeds[random.Below(seeds.size())];
    if (random.Below(8) == 0) {
      message.resize(random.Below(80));
      for (auto& byte : message) byte = static_cast<std::uint8_t>(random.Next());
    }
    for (std::uint64_t i = random.Below(6); i > 0 && !message.empty(); --i) {
      const auto at = random.Below(message.size());
      switch (random.Below(3)) {
        case 0:
          message[at] = static_cast<std::uint8_t>(random.Next());
          break;
        case 1:
          message[at] = static_cast<std::uint8_t>(message[at] ^ (1U << random.Below(8)));
          break;
        default:
          message.insert(message.begin() + static_cast<std::ptrdiff_t>(at), static_cast<std::uint8_t>(random.Next()));
      }
    }
    ExpectAnswerOrDrop(server, message);
  }
}

}  // namespace
}  // namespace weir::dns::testing
