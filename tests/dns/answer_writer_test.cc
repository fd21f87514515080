#include "dns/answer_writer.h"

#include "tests/dns/dns_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace weir::dns::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// A value as in ZoneSet::rdata(): its length in host order in front.
std::vector<std::uint8_t> Stored(const std::vector<std::vector<std::uint8_t>>& values) {
  std::vector<std::uint8_t> out;
  for (const auto& value : values) {
    const auto size = static_cast<std::uint16_t>(value.size());
    const auto* const bytes = reinterpret_cast<const std::uint8_t*>(&size);
    out.insert(out.end(), bytes, bytes + sizeof(size));
    out.insert(out.end(), value.begin(), value.end());
  }
  return out;
}

// A query for www.example.test. A and the response that is put together for it.
class Message {
 public:
  explicit Message(std::size_t bytes_max = 512)
      : text_(EncodeQuery("www.example.test.", rr::kA)),
        out_(bytes_max),
        query_(ParseQuery(text_)),
        writer_(query_, out_, {}) {
    name_.Assign(query_.name);
    writer_.PutHeader(0x8000);
    writer_.PutQuestion(name_);
  }

  AnswerSections sections;
  AnswerWriter& writer() { return writer_; }
  // An RRset of addresses at the question's name, or at another one.
  Rrset& Fill(Rrset& rrset, const std::vector<std::uint8_t>& stored, std::uint32_t count, std::uint32_t first = 0) {
    rrset.set_owner(query_.name, AnswerWriter::QuestionNameAt(0));
    rrset.AddPart({stored.data(), count, first});
    return rrset;
  }
  std::unique_ptr<Response> Finish() {
    return ParseResponse(std::span(out_).first(writer_.Finish(0, Rcode::kNoError)));
  }

 private:
  std::vector<std::uint8_t> text_;
  std::vector<std::uint8_t> out_;
  Query query_;
  HashedName name_;
  AnswerWriter writer_;
};

std::vector<std::string> Values(const std::vector<ResponseRecord>& records) {
  std::vector<std::string> out;
  for (const auto& record : records) out.push_back(record.value);
  return out;
}

const std::vector<std::uint8_t> kOne = Stored({{192, 0, 2, 1}});
const std::vector<std::uint8_t> kThree = Stored({{192, 0, 2, 1}, {192, 0, 2, 2}, {192, 0, 2, 3}});

TEST(AnswerWriterTest, SectionsAreWrittenInTheirOrderAndEmptied) {
  Message message;
  message.Fill(message.sections.additional.Add(rr::kA, 3), kOne, 1);
  message.Fill(message.sections.authority.Add(rr::kA, 2), kOne, 1);
  message.Fill(message.sections.answer.Add(rr::kA, 1), kThree, 3);
  EXPECT_TRUE(message.writer().Put(message.sections));
  EXPECT_TRUE(message.sections.answer.empty() && message.sections.authority.empty() &&
              message.sections.additional.empty());
  EXPECT_EQ(message.writer().answer_count(), 3);
  const auto response = message.Finish();
  ASSERT_TRUE(response->parsed);
  EXPECT_THAT(Values(response->answer), ElementsAre("192.0.2.1", "192.0.2.2", "192.0.2.3"));
  EXPECT_EQ(response->answer.at(0).ttl, 1U);
  EXPECT_EQ(response->authority.at(0).ttl, 2U);
  EXPECT_EQ(response->additional.at(0).ttl, 3U);
}

TEST(AnswerWriterTest, ValuesBeginWhereToldAndGoRound) {
  Message message;
  message.Fill(message.sections.answer.Add(rr::kA, 1), kThree, 3, 1).AddPart({kOne.data(), 1, 0});
  EXPECT_TRUE(message.writer().Put(message.sections));
  EXPECT_THAT(Values(message.Finish()->answer), ElementsAre("192.0.2.2", "192.0.2.3", "192.0.2.1", "192.0.2.1"));
}

TEST(AnswerWriterTest, AnAnswerWithoutRoomLeavesTheQuestionAndTc) {
  Message message(12 + 22 + 2 * 16);
  message.Fill(message.sections.answer.Add(rr::kA, 1), kThree, 3);
  EXPECT_FALSE(message.writer().Put(message.sections));
  EXPECT_TRUE(message.writer().truncated());
  EXPECT_EQ(message.writer().answer_count(), 0);
  message.Fill(message.sections.answer.Add(rr::kA, 1), kOne, 1);
  EXPECT_FALSE(message.writer().Put(message.sections)) << "nothing comes behind it";
  const auto response = message.Finish();
  ASSERT_TRUE(response->parsed);
  EXPECT_TRUE(response->flag(0x0200));
  EXPECT_EQ(response->question, "www.example.test.");
  EXPECT_THAT(response->answer, IsEmpty());
}

TEST(AnswerWriterTest, AdditionalRecordsThatAreNoMoreThanACourtesyAreLeftOutTogether) {
  Message message(12 + 22 + 3 * 16);
  message.Fill(message.sections.answer.Add(rr::kA, 1), kOne, 1);
  message.Fill(message.sections.additional.Add(rr::kA, 1), kOne, 1);
  message.Fill(message.sections.additional.Add(rr::kA, 1), kThree, 3);
  EXPECT_FALSE(message.writer().Put(message.sections));
  EXPECT_FALSE(message.writer().truncated());
  const auto response = message.Finish();
  EXPECT_FALSE(response->flag(0x0200));
  EXPECT_THAT(response->answer, SizeIs(1));
  EXPECT_THAT(response->additional, IsEmpty());
}

TEST(AnswerWriterTest, NeededAdditionalRecordsTruncate) {
  Message message(12 + 22 + 3 * 16);
  message.sections.additional_is_needed = true;
  message.Fill(message.sections.authority.Add(rr::kA, 1), kOne, 1);
  message.Fill(message.sections.additional.Add(rr::kA, 1), kThree, 3);
  EXPECT_FALSE(message.writer().Put(message.sections));
  const auto response = message.Finish();
  EXPECT_TRUE(response->flag(0x0200));
  EXPECT_THAT(response->authority, IsEmpty());
  EXPECT_THAT(response->additional, IsEmpty());
}

TEST(AnswerWriterTest, ALaterPartOfWhatIsNeededTruncatesAsWell) {
  Message message(12 + 22 + 3 * 16);
  message.sections.additional_is_needed = true;
  message.Fill(message.sections.authority.Add(rr::kA, 1), kOne, 1);
  message.Fill(message.sections.additional.Add(rr::kA, 1), kOne, 1);
  EXPECT_TRUE(message.writer().Put(message.sections));
  message.Fill(message.sections.additional.Add(rr::kA, 1), kThree, 3);
  EXPECT_FALSE(message.writer().Put(message.sections));
  EXPECT_TRUE(message.writer().truncated());
  EXPECT_THAT(message.Finish()->authority, IsEmpty());
}

TEST(AnswerWriterTest, MoreAdditionalRecordsMayFollow) {
  Message message;
  message.Fill(message.sections.answer.Add(rr::kA, 1), kOne, 1);
  message.Fill(message.sections.additional.Add(rr::kA, 1), kOne, 1);
  EXPECT_TRUE(message.writer().Put(message.sections));
  message.Fill(message.sections.additional.Add(rr::kA, 2), kOne, 1);
  EXPECT_TRUE(message.writer().Put(message.sections));
  const auto response = message.Finish();
  EXPECT_THAT(response->answer, SizeIs(1));
  ASSERT_THAT(response->additional, SizeIs(2));
  EXPECT_EQ(response->additional[1].ttl, 2U);
}

TEST(AnswerWriterTest, AllThatIsACourtesyIsLeftOutWhenALaterPartHasNoRoom) {
  Message message(12 + 22 + 3 * 16);
  message.Fill(message.sections.answer.Add(rr::kA, 1), kOne, 1);
  message.Fill(message.sections.additional.Add(rr::kA, 1), kOne, 1);
  EXPECT_TRUE(message.writer().Put(message.sections));
  message.Fill(message.sections.additional.Add(rr::kA, 1), kThree, 3);
  EXPECT_FALSE(message.writer().Put(message.sections));
  const auto response = message.Finish();
  EXPECT_THAT(response->answer, SizeIs(1));
  EXPECT_THAT(response->additional, IsEmpty());
}

}  // namespace
}  // namespace weir::dns::testing
