#include "dns/edns.h"

#include "tests/dns/dns_fixture.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

namespace weir::dns::testing {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kQuestionEnd = 12;

// The OPT record alone, in a message without a question.
std::unique_ptr<Response> Put(const Query& query, const EdnsAnswer& answer) {
  std::vector<std::uint8_t> out(512);
  MessageWriter writer(out, out.size());
  writer.PutHeader(1, 0x8000);
  PutEdns(query, answer, writer);
  return ParseResponse(std::span(out).first(writer.Finish(0)));
}

Query QueryWith(std::vector<std::uint8_t> options, std::uint32_t ttl = 0) {
  // The spans of a query point into the message, and none of them is looked at here.
  return ParseQuery(
      EncodeQuery("www.example.test.", rr::kA, {.edns = true, .edns_ttl = ttl, .options = std::move(options)}));
}

TEST(EdnsTest, TheRoomSetAsideIsWhatTheRecordTakes) {
  std::vector<std::uint8_t> all = SubnetOption("192.0.2.0/24");
  const std::vector<std::uint8_t> others = {0, 3, 0, 0, 0, 11, 0, 0};
  all.insert(all.end(), others.begin(), others.end());
  const std::string long_id(200, 'n');
  struct Row {
    const char* what;
    std::vector<std::uint8_t> options;
    std::string id;
    milliseconds idle;
  };
  for (const Row& row :
       {Row{"nothing", {}, "", milliseconds(0)},
        Row{"client subnet", SubnetOption("2001:db8::/56"), "", milliseconds(0)},
        Row{"all", all, "front-1", milliseconds(5'000)}, Row{"a long name", all, long_id, milliseconds(5'000)}}) {
    const Query query = QueryWith(row.options);
    const auto response = Put(query, {.name_server_id = row.id, .idle_timeout = row.idle});
    ASSERT_TRUE(response->parsed) << row.what;
    EXPECT_EQ(response->size - kQuestionEnd, EdnsBytes(query, row.id)) << row.what;
  }
}

TEST(EdnsTest, OptionsAreAnsweredWhenAskedFor) {
  std::vector<std::uint8_t> all = SubnetOption("192.0.2.0/24");
  const std::vector<std::uint8_t> others = {0, 3, 0, 0, 0, 11, 0, 0};
  all.insert(all.end(), others.begin(), others.end());
  const auto response =
      Put(QueryWith(all),
          {.name_server_id = "ab", .idle_timeout = milliseconds(5'000), .rcode = Rcode::kNoError, .scope_bits = 16});
  EXPECT_EQ(response->option(8), (std::vector<std::uint8_t>{0, 1, 24, 16, 192, 0, 2}));
  EXPECT_EQ(response->option(3), (std::vector<std::uint8_t>{'a', 'b'}));
  EXPECT_EQ(response->option(11), (std::vector<std::uint8_t>{0, 50}));  // in tenths of a second
  const auto plain =
      Put(QueryWith({}),
          {.name_server_id = {}, .idle_timeout = milliseconds(5'000), .rcode = Rcode::kNoError, .scope_bits = 16});
  EXPECT_FALSE(plain->option(8) || plain->option(3) || plain->option(11));
}

TEST(EdnsTest, TheUpperBitsOfTheCodeAndDoAreInTheRecord) {
  const auto response = Put(QueryWith({}, 0x00018000), {.name_server_id = {}, .rcode = Rcode::kBadVers});
  ASSERT_NE(response->opt, nullptr);
  EXPECT_EQ(response->opt->ttl, 0x01008000U);
  EXPECT_EQ(response->opt->record_class, kUdpPayloadMax);
}

}  // namespace
}  // namespace weir::dns::testing
