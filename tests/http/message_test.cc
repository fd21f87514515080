#include "http/message.h"

#include <gtest/gtest.h>

#include <vector>

namespace weir::http {
namespace {

TEST(FieldTest, TheFirstFieldOfANameIsFoundWhateverItsCase) {
  const std::vector<Field> fields = {{"Host", "a"}, {"X-A", "1"}, {"x-a", "2"}};
  ASSERT_NE(FindField(fields, "x-A"), nullptr);
  EXPECT_EQ(FindField(fields, "x-A")->value, "1");
  EXPECT_EQ(FindField(fields, "X-"), nullptr);
}

TEST(FieldTest, ListTokensAreFoundInEveryLine) {
  const std::vector<Field> fields = {{"Connection", "a , Keep-Alive"}, {"connection", ",close"}, {"Other", "b"}};
  EXPECT_TRUE(HasListToken(fields, "connection", "keep-alive"));
  EXPECT_TRUE(HasListToken(fields, "connection", "CLOSE"));
  EXPECT_TRUE(HasListToken(fields, "connection", "a"));
  EXPECT_FALSE(HasListToken(fields, "connection", "b"));
  EXPECT_FALSE(HasListToken(fields, "connection", "keep"));
}

TEST(HopByHopFieldsTest, KnownAndNamedFieldsAreContained) {  // RFC 9110 section 7.6.1
  const std::vector<Field> fields = {{"Connection", "close, X-Private"}, {"Connection", "upgrade,x-other"}};
  const HopByHopFields hop_by_hop(fields);
  for (const char* name :
       {"Connection", "keep-alive", "Proxy-Connection", "TE", "Transfer-Encoding", "UPGRADE", "x-private", "X-Other"}) {
    EXPECT_TRUE(hop_by_hop.Contains(name)) << name;
  }
  for (const char* name : {"Trailer", "Content-Length", "Host", "X-Forwarded-For", "close"}) {
    EXPECT_FALSE(hop_by_hop.Contains(name)) << name;
  }
}

TEST(HopByHopFieldsTest, ConnectionCannotTakeHostOrContentLengthAway) {
  const std::vector<Field> fields = {{"Connection", "host, Content-Length, authorization"}};
  const HopByHopFields hop_by_hop(fields);
  EXPECT_FALSE(hop_by_hop.Contains("Host"));
  EXPECT_FALSE(hop_by_hop.Contains("Content-Length"));
  EXPECT_TRUE(hop_by_hop.Contains("Authorization"));
}

TEST(HopByHopFieldsTest, MoreNamesThanFitAreIgnored) {
  const std::vector<Field> fields = {{"Connection", "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q"}};
  const HopByHopFields hop_by_hop(fields);
  EXPECT_TRUE(hop_by_hop.Contains("p"));
  EXPECT_FALSE(hop_by_hop.Contains("q"));
}

TEST(ReasonPhraseTest, KnowsRegisteredAndAddedCodes) {
  EXPECT_EQ(ReasonPhrase(200), "OK");
  EXPECT_EQ(ReasonPhrase(404), "Not Found");
  EXPECT_EQ(ReasonPhrase(503), "Service Temporarily Unavailable");
  for (const int status : {460, 463, 464, 561, 562}) {
    EXPECT_FALSE(ReasonPhrase(static_cast<std::uint16_t>(status)).empty()) << status;
  }
  EXPECT_EQ(ReasonPhrase(299), "");
  EXPECT_EQ(ReasonPhrase(999), "");
}

TEST(DesyncTest, NamesAreThoseOfTheAccessLog) {
  EXPECT_EQ(ToString(DesyncClass::kCompliant), "-");
  EXPECT_EQ(ToString(DesyncClass::kAmbiguous), "Ambiguous");
  EXPECT_EQ(ToString(DesyncReason::kNone), "-");
  EXPECT_EQ(ToString(DesyncReason::kUndefinedTransferEncodingSemantics), "UndefinedTransferEncodingSemantics");
}

}  // namespace
}  // namespace weir::http
