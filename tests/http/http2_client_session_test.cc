#include "http/http2_client_session.h"

#include <gtest/gtest.h>
#include <nghttp2/nghttp2.h>

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace weir::http {
namespace {

// What a client session reported, by token.
struct SeenByClient final : Http2ClientSession::Events {
  struct One {
    std::uint16_t status = 0;
    std::map<std::string, std::string, std::less<>> fields;
    int ends = 0;
    StreamEnd end = StreamEnd::kReset;
    std::uint32_t code = 0;
  };
  void OnStatus(std::uint64_t token, std::uint16_t status) override { by_token[token].status = status; }
  void OnField(std::uint64_t token, std::string_view name, std::string_view value) override {
    by_token[token].fields[std::string(name)] = value;
  }
  void OnStreamEnd(std::uint64_t token, StreamEnd end, std::uint32_t code) override {
    ++by_token[token].ends;
    by_token[token].end = end;
    by_token[token].code = code;
  }
  std::map<std::uint64_t, One> by_token;
};

// The other side, by the same library's server.
class ServedSide {
 public:
  ServedSide() {
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(
        callbacks, [](nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name, std::size_t name_size,
                      const std::uint8_t* value, std::size_t value_size, std::uint8_t, void* user) {
          const std::string_view key(reinterpret_cast<const char*>(name), name_size);
          auto& fields = static_cast<ServedSide*>(user)->requests[frame->hd.stream_id];
          fields[std::string(key)] = std::string_view(reinterpret_cast<const char*>(value), value_size);
          return 0;
        });
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(
        callbacks, [](nghttp2_session*, std::uint8_t, std::int32_t stream, const std::uint8_t* bytes, std::size_t size,
                      void* user) {
          static_cast<ServedSide*>(user)->requests[stream]["content"].append(reinterpret_cast<const char*>(bytes),
                                                                             size);
          return 0;
        });
    nghttp2_session_server_new(&session, callbacks, this);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, nullptr, 0);
  }
  ~ServedSide() { nghttp2_session_del(session); }
  ServedSide(const ServedSide&) = delete;
  ServedSide& operator=(const ServedSide&) = delete;

  void Settings(std::uint32_t streams_max) const {
    const nghttp2_settings_entry entry = {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, streams_max};
    nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, &entry, 1);
  }
  void Respond(std::int32_t stream, const char* status, bool final = true) const {
    std::string name = ":status";
    std::string value = status;
    std::string other = "x-target";
    std::string blue = "blue";
    const auto bytes = [](std::string& text) { return reinterpret_cast<std::uint8_t*>(text.data()); };
    const std::array<nghttp2_nv, 2> fields = {
        {{bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE},
         {bytes(other), bytes(blue), other.size(), blue.size(), NGHTTP2_NV_FLAG_NONE}}};
    if (final) {
      nghttp2_submit_response(session, stream, fields.data(), fields.size(), nullptr);
    } else {
      nghttp2_submit_headers(session, NGHTTP2_FLAG_NONE, stream, nullptr, fields.data(), fields.size(), nullptr);
    }
  }

  nghttp2_session* session = nullptr;
  std::map<std::int32_t, std::map<std::string, std::string>> requests;
};

class Http2ClientSessionTest : public ::testing::Test {
 protected:
  void Exchange() {
    for (bool moved = true; moved;) {
      moved = false;
      for (auto bytes = client_.Output(); !bytes.empty(); bytes = client_.Output()) {
        const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
        ASSERT_EQ(nghttp2_session_mem_recv(server_.session, data, bytes.size()), static_cast<ssize_t>(bytes.size()));
        moved = true;
      }
      const std::uint8_t* data = nullptr;
      for (auto size = nghttp2_session_mem_send(server_.session, &data); size > 0;
           size = nghttp2_session_mem_send(server_.session, &data)) {
        ASSERT_TRUE(client_.Receive({reinterpret_cast<const char*>(data), static_cast<std::size_t>(size)}));
        moved = true;
      }
    }
  }
  bool Get(std::uint64_t token, std::string_view content = {}) {
    const std::vector<Field> fields = {
        {":method", content.empty() ? "GET" : "POST"}, {":scheme", "http"}, {":authority", "a.test"}, {":path", "/p"}};
    return client_.Submit(fields, content, token);
  }

  SeenByClient seen_;
  Http2ClientSession client_{seen_};
  ServedSide server_;
};

TEST_F(Http2ClientSessionTest, ARequestAndItsResponse) {
  ASSERT_TRUE(Get(7, "hello"));
  Exchange();
  ASSERT_EQ(server_.requests.size(), 1U);
  EXPECT_EQ(server_.requests[1][":path"], "/p");
  EXPECT_EQ(server_.requests[1]["content"], "hello");
  server_.Respond(1, "201");
  Exchange();
  const auto& one = seen_.by_token[7];
  EXPECT_EQ(one.status, 201);
  EXPECT_EQ(one.fields.find("x-target")->second, "blue");
  EXPECT_EQ(one.ends, 1);
  EXPECT_EQ(one.end, StreamEnd::kComplete);
}

TEST_F(Http2ClientSessionTest, InterimResponsesAreSkipped) {
  ASSERT_TRUE(Get(1));
  Exchange();
  server_.Respond(1, "103", false);
  Exchange();
  EXPECT_EQ(seen_.by_token[1].status, 0);
  EXPECT_TRUE(seen_.by_token[1].fields.empty());
  server_.Respond(1, "200");
  Exchange();
  EXPECT_EQ(seen_.by_token[1].status, 200);
  EXPECT_EQ(seen_.by_token[1].end, StreamEnd::kComplete);
}

TEST_F(Http2ClientSessionTest, LargeContentWaitsForWindows) {
  const std::string content(300'000, 'x');
  ASSERT_TRUE(Get(1, content));
  Exchange();
  EXPECT_EQ(server_.requests[1]["content"].size(), content.size());
}

TEST_F(Http2ClientSessionTest, TheServersLimitOfStreamsIsKnown) {
  EXPECT_EQ(client_.streams_max(), 100U);
  server_.Settings(3);
  Exchange();
  EXPECT_EQ(client_.streams_max(), 3U);
}

TEST_F(Http2ClientSessionTest, AResetIsNotARefusal) {
  ASSERT_TRUE(Get(1) && Get(2));
  Exchange();
  nghttp2_submit_rst_stream(server_.session, NGHTTP2_FLAG_NONE, 1, NGHTTP2_INTERNAL_ERROR);
  nghttp2_submit_rst_stream(server_.session, NGHTTP2_FLAG_NONE, 3, NGHTTP2_REFUSED_STREAM);
  Exchange();
  EXPECT_EQ(seen_.by_token[1].end, StreamEnd::kReset);
  EXPECT_EQ(seen_.by_token[1].code, 2U);
  EXPECT_EQ(seen_.by_token[2].end, StreamEnd::kRefused);
}

TEST_F(Http2ClientSessionTest, GoawayOvertakesWhatLiesBehindItAndFinishesTheRest) {
  ASSERT_TRUE(Get(1) && Get(2));
  Exchange();
  nghttp2_submit_goaway(server_.session, NGHTTP2_FLAG_NONE, 1, NGHTTP2_NO_ERROR, nullptr, 0);
  server_.Respond(1, "200");
  Exchange();
  EXPECT_FALSE(client_.accepts_requests());
  EXPECT_FALSE(Get(3));
  EXPECT_EQ(seen_.by_token[1].end, StreamEnd::kComplete);
  EXPECT_EQ(seen_.by_token[2].end, StreamEnd::kOvertaken);
}

TEST_F(Http2ClientSessionTest, ARequestThatWasNotSentYetIsOvertakenByGoawayToo) {
  server_.Settings(1);
  Exchange();
  ASSERT_TRUE(Get(1) && Get(2));
  Exchange();
  nghttp2_submit_goaway(server_.session, NGHTTP2_FLAG_NONE, 1, NGHTTP2_NO_ERROR, nullptr, 0);
  Exchange();
  server_.Respond(1, "200");
  Exchange();
  EXPECT_EQ(seen_.by_token[1].ends, 1);
  EXPECT_EQ(seen_.by_token[2].ends, 1);
  EXPECT_EQ(seen_.by_token[2].end, StreamEnd::kOvertaken);
}

TEST_F(Http2ClientSessionTest, ResetGivesAStreamUp) {
  ASSERT_TRUE(Get(1));
  Exchange();
  client_.Reset(1);
  Exchange();
  EXPECT_EQ(seen_.by_token[1].ends, 1);
  EXPECT_EQ(seen_.by_token[1].end, StreamEnd::kReset);
  EXPECT_TRUE(client_.accepts_requests());
}

TEST_F(Http2ClientSessionTest, BytesThatAreNoHttp2AreRefused) {
  EXPECT_FALSE(client_.Receive("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"));
  EXPECT_FALSE(client_.why().empty());
}

}  // namespace
}  // namespace weir::http
