#include "net/tls_client.h"

#include "net/socket.h"
#include "tests/app/temporary_folder.h"
#include "tests/net/counted_events.h"
#include "tests/support/tls_server.h"

#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace weir::net {
namespace {

using weir::testing::Certificate;
using weir::testing::Connection;
using weir::testing::FakeTarget;
using weir::testing::TlsConnection;
using weir::testing::TlsServer;

class TlsClientTest : public ::testing::Test {
 protected:
  // A client that trusts authority_.
  std::shared_ptr<TlsClient> TrustingClient(std::vector<std::string> alpn = {}) {
    auto made = TlsClient::Build(
        {.verifies = true, .ca_file = folder_.Write("authorities.pem", authority_.Pem()), .alpn = std::move(alpn)});
    EXPECT_TRUE(made.has_value());
    return std::move(*made);
  }
  Certificate ServerCertificate(Certificate::Options options = {.names = {"server.example.test"}}) {
    return Certificate::Make(options, &authority_);
  }
  void RunUntil(const std::function<bool()>& done) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!done() && std::chrono::steady_clock::now() < deadline) loop_.RunOnce(std::chrono::milliseconds(20));
    ASSERT_TRUE(done());
  }
  // Connects and runs until the handshake has come to an end; the errno it told.
  int Connect(TlsClient& client, const Endpoint& to, const std::string& name = "server.example.test") {
    int error = 0;
    stream_ = client.Connect(loop_, to, name, events_, error);
    if (!stream_) return error;
    RunUntil([&] { return events_.connected > 0; });
    return events_.error;
  }
  int ConnectTo(const TlsServer& server, const std::string& name = "server.example.test") {
    client_ = TrustingClient();
    return Connect(*client_, server.endpoint(), name);
  }
  // Reads all that is there; how the last read ended.
  IoStatus ReadInto(std::string& text) {
    std::array<char, 4096> buffer;
    while (stream_->readable()) {
      const IoResult got = stream_->Read(buffer);
      if (got.status != IoStatus::kOk) return got.status;
      text.append(buffer.data(), got.bytes);
    }
    return IoStatus::kWouldBlock;
  }
  // Reads until the end or an error, which it returns.
  IoStatus ReadToEnd(std::string& text) {
    IoStatus status = IoStatus::kWouldBlock;
    RunUntil([&] {
      if (status == IoStatus::kWouldBlock) status = ReadInto(text);
      return status != IoStatus::kWouldBlock;
    });
    return status;
  }
  // Writes all of `text`, waiting for room as often as it takes, and reads meanwhile when told to.
  void WriteAll(std::string_view text, const std::function<void()>& meanwhile = [] {}) {
    std::string_view left = text;
    int waited_for = -1;  // events_.writable when there was no room
    had_to_wait_ = false;
    RunUntil([&] {
      meanwhile();
      while (!left.empty() && events_.writable != waited_for) {
        const IoResult sent = WriteOnce(*stream_, left);
        if (sent.status != IoStatus::kOk && sent.status != IoStatus::kWouldBlock) return true;
        left.remove_prefix(sent.bytes);
        if (left.empty()) break;
        waited_for = events_.writable;
        had_to_wait_ = true;
      }
      return left.empty();
    });
    EXPECT_TRUE(left.empty());
  }

  app::TemporaryFolder folder_;
  Certificate authority_ = Certificate::Make({.is_authority = true});
  EventLoop loop_;
  Events events_;
  std::shared_ptr<TlsClient> client_;
  std::unique_ptr<TlsStream> stream_;
  bool had_to_wait_ = false;
};

TEST_F(TlsClientTest, BytesGoBothWaysAfterTheHandshake) {
  TlsServer server(ServerCertificate(), [](TlsConnection& connection) {
    connection.Send("got " + connection.ReadBytes(5));
    connection.SendCloseNotify();
  });
  ASSERT_EQ(ConnectTo(server), 0);
  EXPECT_TRUE(stream_->open());
  EXPECT_EQ(stream_->peer(), server.endpoint());
  EXPECT_TRUE(stream_->local().address.is_loopback());
  EXPECT_EQ(stream_->failure().reason, "");
  EXPECT_FALSE(stream_->failure().certificate_refused);
  const std::array<iovec, 2> pieces = {iovec{.iov_base = const_cast<char*>("he"), .iov_len = 2},
                                       iovec{.iov_base = const_cast<char*>("llo"), .iov_len = 3}};
  EXPECT_EQ(stream_->Write(pieces).bytes, 5U);
  std::string text;
  EXPECT_EQ(ReadToEnd(text), IoStatus::kEnd);
  EXPECT_EQ(text, "got hello");
  EXPECT_EQ(events_.connected, 1);
}

TEST_F(TlsClientTest, WhatTheServerSaysFirstIsReadable) {
  TlsServer server(ServerCertificate(), [](TlsConnection& connection) {
    connection.Send("welcome");
    static_cast<void>(connection.ReadAll());
  });
  ASSERT_EQ(ConnectTo(server), 0);
  std::string text;
  RunUntil([&] {
    static_cast<void>(ReadInto(text));
    return text == "welcome";
  });
  EXPECT_FALSE(stream_->peer_closed());
  stream_->Close(Stream::CloseMode::kGraceful);
}

TEST_F(TlsClientTest, ANameIsSentAsSni) {
  std::promise<std::string> name;
  TlsServer server(ServerCertificate(), [&](TlsConnection& connection) { name.set_value(connection.server_name()); });
  ASSERT_EQ(ConnectTo(server), 0);
  EXPECT_EQ(name.get_future().get(), "server.example.test");
}

TEST_F(TlsClientTest, TheFinalDotOfANameIsNeitherSentNorExpected) {
  std::promise<std::string> name;
  TlsServer server(ServerCertificate(), [&](TlsConnection& connection) { name.set_value(connection.server_name()); });
  ASSERT_EQ(ConnectTo(server, "server.example.test."), 0) << stream_->failure().reason;
  EXPECT_EQ(name.get_future().get(), "server.example.test") << "RFC 6066 section 3";
}

TEST_F(TlsClientTest, AnAddressLiteralIsVerifiedButNotSentAsSni) {
  std::promise<std::string> name;
  TlsServer server(ServerCertificate({.addresses = {"127.0.0.1"}}),
                   [&](TlsConnection& connection) { name.set_value(connection.server_name()); });
  ASSERT_EQ(ConnectTo(server, "127.0.0.1"), 0) << stream_->failure().reason;
  EXPECT_EQ(name.get_future().get(), "");
}

TEST_F(TlsClientTest, ACertificateForAnotherAddressIsRefused) {
  TlsServer server(ServerCertificate({.addresses = {"127.0.0.2", "::1"}}), [](TlsConnection&) {});
  EXPECT_EQ(ConnectTo(server, "127.0.0.1"), EPROTO);
  EXPECT_TRUE(stream_->failure().certificate_refused);
  EXPECT_EQ(stream_->failure().reason, "IP address mismatch");
}

TEST_F(TlsClientTest, AProbeSendsTheNameItIsGivenAndAcceptsAnyCertificate) {
  const Certificate expired = Certificate::Make({.valid_until = std::chrono::seconds(-60)});
  for (const std::string sent : {"target.example.test", "127.0.0.1", ""}) {
    std::promise<std::string> name;
    TlsServer server(expired, [&](TlsConnection& connection) { name.set_value(connection.server_name()); });
    const auto probes = TlsClient::ForProbes();
    events_ = {};
    ASSERT_EQ(Connect(*probes, server.endpoint(), sent), 0) << stream_->failure().reason;
    EXPECT_EQ(name.get_future().get(), sent);
    stream_.reset();
  }
}

TEST_F(TlsClientTest, AProbeSpeaksOldVersionsAndARequestDoesNot) {
  const auto serve = [](TlsConnection& connection) { connection.Send("old"); };
  TlsServer server(ServerCertificate(), {.version_max = TLS1_1_VERSION}, serve);
  EXPECT_EQ(ConnectTo(server), EPROTO);
  EXPECT_FALSE(stream_->failure().certificate_refused);
  EXPECT_NE(stream_->failure().reason, "");
  EXPECT_EQ(server.accepted(), 0);
}

TEST_F(TlsClientTest, Version12IsSpoken) {
  TlsServer server(ServerCertificate(), {.version_max = TLS1_2_VERSION}, [](TlsConnection& connection) {
    connection.Send(connection.ReadBytes(4));
    connection.SendCloseNotify();
  });
  ASSERT_EQ(ConnectTo(server), 0) << stream_->failure().reason;
  EXPECT_EQ(WriteOnce(*stream_, "ping").bytes, 4U);
  std::string text;
  EXPECT_EQ(ReadToEnd(text), IoStatus::kEnd);
  EXPECT_EQ(text, "ping");
}

struct AlpnCase {
  const char* name;
  std::vector<std::string> offered;
  std::vector<std::string> served;
  std::string_view chosen;
};

TEST_F(TlsClientTest, AlpnIsTheServersChoiceOfWhatIsOffered) {
  const AlpnCase cases[] = {
      {"the server's preference", {"http/1.1", "h2"}, {"h2", "http/1.1"}, "h2"},
      {"the only one in common", {"h2", "http/1.1"}, {"http/1.1"}, "http/1.1"},
      {"none in common", {"h2"}, {"spdy/1"}, ""},
      {"a server without ALPN", {"h2", "http/1.1"}, {}, ""},
      {"nothing offered", {}, {"h2"}, ""},
  };
  for (const AlpnCase& row : cases) {
    SCOPED_TRACE(row.name);
    TlsServer server(ServerCertificate(), {.alpn = row.served}, [](TlsConnection&) {});
    const auto client = TrustingClient(row.offered);
    events_ = {};
    ASSERT_EQ(Connect(*client, server.endpoint()), 0) << stream_->failure().reason;
    EXPECT_EQ(stream_->tls()->alpn, row.chosen);
    stream_.reset();
  }
}

TEST_F(TlsClientTest, OnlyTheCertificateOfAnAuthorityInItsTimeForThisNameIsAccepted) {
  const Certificate stranger = Certificate::Make({.is_authority = true});
  const Certificate::Options right = {.names = {"server.example.test"}};
  Certificate::Options expired = right;
  expired.valid_from = std::chrono::hours(-48);
  expired.valid_until = std::chrono::seconds(-1);
  Certificate::Options early = right;
  early.valid_from = std::chrono::hours(1);
  early.valid_until = std::chrono::hours(2);
  const struct {
    Certificate certificate;
    std::string_view failure;  // a part of it
  } cases[] = {
      {Certificate::Make(right), "self-signed certificate"},
      {Certificate::Make(right, &stranger), "unable to get local issuer certificate"},
      {Certificate::Make(expired, &authority_), "certificate has expired"},
      {Certificate::Make(early, &authority_), "certificate is not yet valid"},
      {Certificate::Make({.names = {"other.example.test"}}, &authority_), "hostname mismatch"},
      {Certificate::Make({.names = {"*.server.example.test"}}, &authority_), "hostname mismatch"},
      {Certificate::Make({.addresses = {"127.0.0.1"}}, &authority_), "hostname mismatch"},
  };
  for (const auto& row : cases) {
    SCOPED_TRACE(std::string(row.failure));
    TlsServer server(row.certificate, [](TlsConnection& connection) { static_cast<void>(connection.ReadAll()); });
    events_ = {};
    EXPECT_EQ(ConnectTo(server), EPROTO);
    EXPECT_TRUE(stream_->failure().certificate_refused);
    std::string failure(stream_->failure().reason);
    for (char& letter : failure) letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
    EXPECT_NE(failure.find(row.failure), std::string::npos) << failure;
    EXPECT_EQ(events_.connected, 1);
    stream_.reset();
  }
}

TEST_F(TlsClientTest, AWildcardCertificateIsForNamesOfOneMoreLabel) {
  TlsServer server(ServerCertificate({.names = {"*.example.test"}}), [](TlsConnection&) {});
  EXPECT_EQ(ConnectTo(server), 0) << stream_->failure().reason;
}

TEST_F(TlsClientTest, WithoutVerificationAnyCertificateWillDo) {
  TlsServer server(Certificate::Make({.valid_until = std::chrono::seconds(-1)}), [](TlsConnection&) {});
  const auto client = TlsClient::Build({.verifies = false, .ca_file = {}, .alpn = {}});
  ASSERT_TRUE(client);
  EXPECT_EQ(Connect(**client, server.endpoint()), 0) << stream_->failure().reason;
}

TEST_F(TlsClientTest, WithoutANameToVerifyThereIsNoConnection) {
  TlsServer server(ServerCertificate(), [](TlsConnection&) {});
  for (const std::string& name :
       {std::string(), std::string("."), std::string("server.example.test\0.evil.test", 30)}) {
    EXPECT_EQ(ConnectTo(server, name), EINVAL) << name;
    EXPECT_EQ(stream_, nullptr);
  }
}

TEST_F(TlsClientTest, AFileWithoutAuthoritiesIsRefusedWithItsName) {
  const std::string files[] = {
      folder_.Path("missing.pem"),
      folder_.Write("empty.pem", ""),
      folder_.Write("text.pem", "no certificate\n"),
      folder_.Write("key.pem", authority_.KeyPem()),
      folder_.Write("broken.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
  };
  for (const std::string& file : files) {
    const auto client = TlsClient::Build({.ca_file = file, .alpn = {}});
    ASSERT_FALSE(client) << file;
    EXPECT_NE(client.error().message.find(file), std::string::npos) << client.error().message;
  }
  const auto missing = TlsClient::Build({.ca_file = files[0], .alpn = {}});
  EXPECT_NE(missing.error().message.find("No such file"), std::string::npos) << missing.error().message;
}

TEST_F(TlsClientTest, ARefusedConnectionIsNoFailedHandshake) {
  auto listener = ListenTcp({IpAddress::V4({127, 0, 0, 1}), 0});
  ASSERT_TRUE(listener);
  const Endpoint gone = LocalEndpoint(listener->get());
  listener->Reset();
  client_ = TrustingClient();
  EXPECT_EQ(Connect(*client_, gone), ECONNREFUSED);
  EXPECT_EQ(stream_->failure().reason, "");
  EXPECT_FALSE(stream_->failure().certificate_refused);
  EXPECT_EQ(events_.connected, 1);
}

// What a fake server does after the client's first message; the errno and the words that the client gives.
struct BrokenHandshake {
  const char* name;
  std::function<void(Connection&)> act;
  int error;
  std::string_view failure;  // a part of it
};

TEST_F(TlsClientTest, AHandshakeThatFailsIsToldOnceWithTheReason) {
  using namespace std::string_view_literals;
  const auto send = [](std::string_view bytes) {
    return [bytes](Connection& connection) {
      connection.Send(bytes);
      static_cast<void>(connection.ReadAll());
    };
  };
  const BrokenHandshake cases[] = {
      {"an alert", send("\x15\x03\x03\x00\x02\x02\x28"sv), EPROTO, "alert handshake failure"},
      {"an alert about the version", send("\x15\x03\x03\x00\x02\x02\x46"sv), EPROTO, "alert protocol version"},
      {"another protocol", send("HTTP/1.1 400 Bad Request\r\n\r\n"sv), EPROTO, "wrong version number"},
      {"an end", [](Connection& connection) { connection.Close(); }, EPROTO, "closed during the TLS handshake"},
      {"half a message and an end",
       [](Connection& connection) {
         connection.Send("\x16\x03\x03\x00\x7a\x02"sv);
         connection.Close();
       },
       EPROTO, "closed during the TLS handshake"},
      {"a reset", [](Connection& connection) { connection.Reset(); }, ECONNRESET, "closed during the TLS handshake"},
  };
  for (const BrokenHandshake& row : cases) {
    SCOPED_TRACE(row.name);
    FakeTarget server([&](Connection& connection) {
      EXPECT_NE(connection.ReadSome(), "");
      row.act(connection);
    });
    client_ = TrustingClient();
    events_ = {};
    EXPECT_EQ(Connect(*client_, server.endpoint()), row.error);
    EXPECT_NE(stream_->failure().reason.find(row.failure), std::string_view::npos) << stream_->failure().reason;
    EXPECT_FALSE(stream_->failure().certificate_refused);
    // The owner may close it later: what comes until then is no second end.
    server.Stop();
    RunUntil([&] { return stream_->peer_closed(); });
    for (int i = 0; i < 3; ++i) loop_.RunOnce(std::chrono::milliseconds(1));
    EXPECT_EQ(events_.connected, 1);
    EXPECT_EQ(events_.readable, 0);
    stream_.reset();
  }
}

TEST_F(TlsClientTest, AServerThatWantsACertificateRefusesAfterTheHandshake) {
  TlsServer server(ServerCertificate(), {.wants_certificate = true}, [](TlsConnection&) {});
  ASSERT_EQ(ConnectTo(server), 0) << "TLS 1.3: the client is done before the server has looked";
  std::string text;
  EXPECT_EQ(ReadToEnd(text), IoStatus::kError);
  EXPECT_TRUE(stream_->broken()) << "nothing can be sent any more";
  EXPECT_EQ(stream_->failure().reason, "tlsv13 alert certificate required");
  EXPECT_EQ(stream_->failure().alert_received, 116);
  EXPECT_EQ(server.accepted(), 0);
}

TEST_F(TlsClientTest, CloseNotifyIsTheEndThoughTheTransportStaysOpen) {
  TlsServer server(ServerCertificate(), [](TlsConnection& connection) {
    connection.Send("all");
    connection.SendCloseNotify();
    EXPECT_EQ(connection.ReadAll(), "answer");
  });
  ASSERT_EQ(ConnectTo(server), 0);
  std::string text;
  EXPECT_EQ(ReadToEnd(text), IoStatus::kEnd);
  EXPECT_EQ(text, "all");
  EXPECT_TRUE(stream_->got_close_notify());
  EXPECT_TRUE(stream_->peer_closed());
  EXPECT_FALSE(stream_->broken()) << "half closed is not broken";
  EXPECT_EQ(WriteOnce(*stream_, "answer").bytes, 6U);
  stream_->ShutdownWrite();
}

TEST_F(TlsClientTest, AServerThatClosesBetweenRecordsHasEnded) {
  TlsServer server(ServerCertificate(), [](TlsConnection& connection) { connection.Send("some"); });
  ASSERT_EQ(ConnectTo(server), 0);
  std::string text;
  EXPECT_EQ(ReadToEnd(text), IoStatus::kEnd);
  EXPECT_EQ(text, "some");
  EXPECT_TRUE(stream_->peer_closed());
  EXPECT_FALSE(stream_->got_close_notify());
}

TEST_F(TlsClientTest, ARecordThatIsCutOffIsAnErrorAndNoEnd) {
  for (const std::size_t bytes : {3U, 5U, 20U}) {
    TlsServer server(ServerCertificate(), [&](TlsConnection& connection) {
      connection.Send("some");
      connection.transport().Send(connection.Encrypt("the rest, which is cut off").substr(0, bytes));
    });
    events_ = {};
    ASSERT_EQ(ConnectTo(server), 0);
    std::string text;
    EXPECT_EQ(ReadToEnd(text), IoStatus::kError) << bytes;
    EXPECT_EQ(text, "some");
    stream_.reset();
  }
}

TEST_F(TlsClientTest, AForgedRecordIsAnError) {
  TlsServer server(ServerCertificate(), [](TlsConnection& connection) {
    std::string record = connection.Encrypt("genuine");
    record.back() = static_cast<char>(record.back() ^ 1);
    connection.transport().Send(record);
    static_cast<void>(connection.transport().ReadAll());
  });
  ASSERT_EQ(ConnectTo(server), 0);
  std::string text;
  EXPECT_EQ(ReadToEnd(text), IoStatus::kError);
  EXPECT_EQ(text, "");
  EXPECT_TRUE(stream_->broken());
  stream_->Close(Stream::CloseMode::kReset);
}

TEST_F(TlsClientTest, AResetInMidDataIsAnError) {
  TlsServer server(ServerCertificate(), [](TlsConnection& connection) {
    connection.Send("some");
    static_cast<void>(connection.ReadBytes(1));
    connection.transport().Reset();
  });
  ASSERT_EQ(ConnectTo(server), 0);
  std::string text;
  RunUntil([&] {
    static_cast<void>(ReadInto(text));
    return text == "some";
  });
  EXPECT_EQ(WriteOnce(*stream_, "x").bytes, 1U);
  EXPECT_EQ(ReadToEnd(text), IoStatus::kError);
  EXPECT_TRUE(stream_->broken());
}

TEST_F(TlsClientTest, TheEndOfWritingIsToldByCloseNotifyAndReadingGoesOn) {
  TlsServer server(ServerCertificate(), [](TlsConnection& connection) {
    const std::string request = connection.ReadAll();
    connection.Send(connection.got_close_notify() ? "whole: " + request : "cut: " + request);
    connection.SendCloseNotify();
  });
  ASSERT_EQ(ConnectTo(server), 0);
  EXPECT_EQ(WriteOnce(*stream_, "request").bytes, 7U);
  stream_->ShutdownWrite();
  stream_->ShutdownWrite();  // once is enough, twice is no fault
  std::string text;
  EXPECT_EQ(ReadToEnd(text), IoStatus::kEnd);
  EXPECT_EQ(text, "whole: request");
}

TEST_F(TlsClientTest, AGracefulCloseIsToldByCloseNotifyAndAResetIsNot) {
  for (const auto mode : {Stream::CloseMode::kGraceful, Stream::CloseMode::kReset}) {
    std::promise<bool> notified;
    TlsServer server(ServerCertificate(), [&](TlsConnection& connection) {
      static_cast<void>(connection.ReadAll());
      notified.set_value(connection.got_close_notify());
    });
    events_ = {};
    ASSERT_EQ(ConnectTo(server), 0);
    stream_->Close(mode);
    EXPECT_FALSE(stream_->open());
    EXPECT_EQ(notified.get_future().get(), mode == Stream::CloseMode::kGraceful);
    stream_.reset();
  }
}

TEST_F(TlsClientTest, LargeDataArrivesWholeWhereTheServerIsSlowToRead) {
  const std::string sent = Pattern(8'000'000);
  std::promise<void> begin;
  std::promise<std::string> received;
  TlsServer server(ServerCertificate(), [&](TlsConnection& connection) {
    begin.get_future().wait();
    received.set_value(connection.ReadBytes(sent.size()));
  });
  ASSERT_EQ(ConnectTo(server), 0);
  std::size_t taken = 0;
  IoResult result{.status = IoStatus::kOk};
  while (result.status == IoStatus::kOk && taken < sent.size()) {
    result = WriteOnce(*stream_, std::string_view(sent).substr(taken));
    if (result.status == IoStatus::kOk) taken += result.bytes;
  }
  EXPECT_EQ(result.status, IoStatus::kWouldBlock) << "nobody reads: the client must be held back";
  EXPECT_LT(taken, sent.size());
  EXPECT_EQ(events_.writable, 0);
  begin.set_value();
  RunUntil([&] { return events_.writable > 0; });
  WriteAll(std::string_view(sent).substr(taken));
  EXPECT_EQ(received.get_future().get() == sent, true);
}

TEST_F(TlsClientTest, AWriteThatTookAllIsNotLostByTheEndThatFollows) {
  const std::string sent = Pattern(8'000'000);
  for (const bool closes : {false, true}) {
    std::promise<void> begin;
    std::promise<std::string> received;
    bool notified = false;
    TlsServer server(ServerCertificate(), [&](TlsConnection& connection) {
      begin.get_future().wait();
      std::string all = connection.ReadAll();
      notified = connection.got_close_notify();
      received.set_value(std::move(all));
    });
    events_ = {};
    ASSERT_EQ(ConnectTo(server), 0);
    // As every owner does: a close that finds bytes unread, if only a session ticket, is a reset.
    std::string nothing;
    bool begun = false;
    WriteAll(sent, [&] {
      // Nobody reads before there was no room.
      if (had_to_wait_ && !std::exchange(begun, true)) begin.set_value();
      static_cast<void>(ReadInto(nothing));
    });
    EXPECT_TRUE(begun) << "no room was never seen";
    if (!begun) begin.set_value();
    if (closes) {
      stream_->Close(Stream::CloseMode::kGraceful);
    } else {
      stream_->ShutdownWrite();
    }
    auto arrived = received.get_future();
    while (arrived.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
      loop_.RunOnce(std::chrono::milliseconds(5));
    }
    EXPECT_TRUE(arrived.get() == sent) << closes;
    EXPECT_TRUE(closes || notified);
    stream_.reset();
  }
}

TEST_F(TlsClientTest, AFullConnectionThatBreaksIsAnErrorForTheWriter) {
  const std::string sent = Pattern(8'000'000);
  std::promise<void> full;
  TlsServer server(ServerCertificate(), [&](TlsConnection& connection) {
    full.get_future().wait();
    connection.transport().Reset();
  });
  ASSERT_EQ(ConnectTo(server), 0);
  IoResult result{.status = IoStatus::kOk};
  while (result.status == IoStatus::kOk) result = WriteOnce(*stream_, sent);
  EXPECT_EQ(result.status, IoStatus::kWouldBlock);
  full.set_value();
  RunUntil([&] { return events_.writable > 0; });
  EXPECT_EQ(WriteOnce(*stream_, sent).status, IoStatus::kError);
  EXPECT_TRUE(stream_->broken());
}

TEST_F(TlsClientTest, AnEarlyAnswerIsReadThoughTheServerTakesNoMore) {
  const std::string sent = Pattern(8'000'000);
  std::promise<void> full;
  TlsServer server(ServerCertificate(), [&](TlsConnection& connection) {
    full.get_future().wait();
    connection.Send("too large");
    // Closing with bytes unread: the answer, and a reset behind it.
  });
  ASSERT_EQ(ConnectTo(server), 0);
  IoResult result{.status = IoStatus::kOk};
  while (result.status == IoStatus::kOk) result = WriteOnce(*stream_, sent);
  full.set_value();
  RunUntil([&] { return stream_->broken(); });
  EXPECT_EQ(WriteOnce(*stream_, sent).status, IoStatus::kError);
  std::string text;
  EXPECT_EQ(ReadToEnd(text), IoStatus::kError) << "the end after a reset is no end";
  EXPECT_EQ(text, "too large");
}

TEST_F(TlsClientTest, LargeDataGoesBothWaysAtOnce) {
  const std::string sent = Pattern(6'000'000);
  TlsServer server(ServerCertificate(), [&](TlsConnection& connection) {
    for (std::size_t done = 0; done < sent.size();) {
      const std::string piece = connection.ReadBytes(std::min<std::size_t>(100'000, sent.size() - done));
      if (piece.empty()) return;
      connection.Send(piece);
      done += piece.size();
    }
    connection.SendCloseNotify();
  });
  ASSERT_EQ(ConnectTo(server), 0);
  std::string echoed;
  WriteAll(sent, [&] { static_cast<void>(ReadInto(echoed)); });
  EXPECT_EQ(ReadToEnd(echoed), IoStatus::kEnd);
  EXPECT_TRUE(echoed == sent);
}

TEST_F(TlsClientTest, AServerThatSendsByteByByteIsUnderstood) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsServer server(ServerCertificate(), {.version_max = version, .byte_by_byte = true},
                     [](TlsConnection& connection) {
                       connection.Send(connection.ReadBytes(4) + " came");
                       connection.SendCloseNotify();
                     });
    events_ = {};
    ASSERT_EQ(ConnectTo(server), 0) << stream_->failure().reason;
    EXPECT_EQ(events_.connected, 1);
    EXPECT_EQ(WriteOnce(*stream_, "ping").bytes, 4U);
    std::string text;
    EXPECT_EQ(ReadToEnd(text), IoStatus::kEnd);
    EXPECT_EQ(text, "ping came");
    stream_.reset();
  }
}

TEST_F(TlsClientTest, AReaderWithLittleRoomGetsAllOfARecord) {
  TlsServer server(ServerCertificate(), [](TlsConnection& connection) {
    connection.Send("0123456789");
    static_cast<void>(connection.ReadAll());
  });
  ASSERT_EQ(ConnectTo(server), 0);
  std::string text;
  std::array<char, 3> little;
  RunUntil([&] {
    while (stream_->readable()) {
      const IoResult got = stream_->Read(little);
      if (got.status != IoStatus::kOk) break;
      text.append(little.data(), got.bytes);
    }
    return text.size() >= 10;
  });
  EXPECT_EQ(text, "0123456789");
  stream_->Close(Stream::CloseMode::kGraceful);
}

TEST_F(TlsClientTest, AConnectionMayBeGivenUpInEveryStepOfTheHandshake) {
  TlsServer server(ServerCertificate(), {.byte_by_byte = true},
                   [](TlsConnection& connection) { static_cast<void>(connection.ReadAll()); });
  client_ = TrustingClient();
  for (int turns = 0; turns < 40; ++turns) {
    int error = 0;
    events_ = {};
    auto given_up = client_->Connect(loop_, server.endpoint(), "server.example.test", events_, error);
    ASSERT_NE(given_up, nullptr);
    for (int turn = 0; turn < turns; ++turn) loop_.RunOnce(std::chrono::milliseconds(1));
    const int told = events_.connected;
    if (turns % 2 == 0) given_up->Close(Stream::CloseMode::kReset);
    given_up.reset();
    loop_.RunOnce(std::chrono::milliseconds(0));
    EXPECT_EQ(events_.connected, told);
  }
}

TEST_F(TlsClientTest, AnAddressThatTheSystemHasNoWayToIsRefusedAtOnce) {
  client_ = TrustingClient();
  // A multicast group takes no TCP connection.
  EXPECT_NE(Connect(*client_, {IpAddress::V4({224, 0, 0, 1}), 443}), 0);
  EXPECT_EQ(stream_, nullptr);
}

}  // namespace
}  // namespace weir::net
