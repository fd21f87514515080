#include "proxy/actions/request_copy.h"

#include "http/head_parser.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

namespace weir::proxy {
namespace {

http::RequestHead Parse(const std::string& text) {
  http::RequestHead head;
  std::size_t scanned = 0;
  EXPECT_EQ(http::ParseRequestHead(text, scanned, http::HeadLimits(), head).status, http::ParseStatus::kDone);
  return head;
}

TEST(RequestCopyTest, IsEqualToWhatItWasMadeOfWhenThatIsGone) {
  const std::vector<std::string> heads = {
      "GET /a/b?c=d&e HTTP/1.1\r\nHost: Shop.test:8080\r\nX-Cart:  7 \r\nCookie: a=b\r\nCookie: c=d\r\n\r\n",
      "POST http://other.test HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 6\r\nExpect: 100-continue\r\n\r\n",
      "OPTIONS * HTTP/1.1\r\nHost: shop.test\r\n\r\n",
      "GET / HTTP/1.0\r\n\r\n",
  };
  for (const std::string& expected_text : heads) {
    const http::RequestHead expected = Parse(expected_text);
    std::string text = expected_text;
    std::optional<http::RequestHead> original = Parse(text);
    const RequestHeadCopy copy(*original);
    text.assign(text.size(), '#');
    original.reset();
    const http::RequestHead& head = copy.head();
    EXPECT_EQ(head.method, expected.method);
    EXPECT_EQ(head.target, expected.target);
    EXPECT_EQ(head.parts.form, expected.parts.form);
    EXPECT_EQ(head.parts.scheme, expected.parts.scheme);
    EXPECT_EQ(head.parts.authority, expected.parts.authority);
    EXPECT_EQ(head.parts.path, expected.parts.path);
    EXPECT_EQ(head.parts.query, expected.parts.query);
    EXPECT_EQ(head.parts.has_query, expected.parts.has_query);
    EXPECT_EQ(head.authority.host, expected.authority.host);
    EXPECT_EQ(head.authority.port, expected.authority.port);
    EXPECT_EQ(head.version, expected.version);
    EXPECT_EQ(head.framing.kind, expected.framing.kind);
    EXPECT_EQ(head.framing.content_length, expected.framing.content_length);
    EXPECT_EQ(head.keep_alive, expected.keep_alive);
    EXPECT_EQ(head.expects_continue, expected.expects_continue);
    ASSERT_EQ(head.fields.size(), expected.fields.size());
    for (std::size_t i = 0; i < head.fields.size(); ++i) {
      EXPECT_EQ(head.fields[i].name, expected.fields[i].name);
      EXPECT_EQ(head.fields[i].value, expected.fields[i].value);
      EXPECT_EQ(head.fields[i].id, expected.fields[i].id);
      EXPECT_EQ(head.fields[i].verbatim, expected.fields[i].verbatim);
    }
  }
}

TEST(RequestCopyTest, KeepsEachLineAsItIsWritten) {
  const std::string text = "GET / HTTP/1.1\r\nHost: a\r\nX-Cart: 7\r\nX-Empty:\r\n\r\n";
  const RequestHeadCopy copy(Parse(text));
  for (const http::Field& field : copy.head().fields) {
    const std::string line = std::string(field.name) + ": " + std::string(field.value) + "\r\n";
    EXPECT_EQ(std::string_view(field.name.data(), line.size()), line);
  }
}

}  // namespace
}  // namespace weir::proxy
