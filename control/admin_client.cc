#include "control/admin_client.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>

namespace weir::control {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;

constexpr std::uint64_t kReplyBytesMax = std::uint64_t{1} << 30;

asio::ip::tcp::endpoint ToAsio(const Endpoint& endpoint) {
  const auto bytes = endpoint.address.bytes();
  if (endpoint.address.is_v4()) {
    asio::ip::address_v4::bytes_type raw{};
    std::ranges::copy(bytes, raw.begin());
    return {asio::ip::address_v4(raw), endpoint.port};
  }
  asio::ip::address_v6::bytes_type raw{};
  std::ranges::copy(bytes, raw.begin());
  return {asio::ip::address_v6(raw, endpoint.address.zone()), endpoint.port};
}

// One call: connect, write, read, each step started by the one before it; the first error ends it.
class Call {
 public:
  Call(const Endpoint& admin, http::request<http::string_body> request, std::chrono::milliseconds timeout)
      : admin_(admin), request_(std::move(request)) {
    parser_.body_limit(kReplyBytesMax);
    stream_.expires_after(timeout);
  }

  Result<AdminReply> Run() {
    stream_.async_connect(ToAsio(admin_), [this](beast::error_code error) {
      error_ = error;
      if (!error) Write();
    });
    io_.run();
    if (error_) {
      return Failure("nothing answers at the admin address " + admin_.ToString() + ": " + error_.message(),
                     "is `weir run` up? --admin ADDRESS:PORT or WEIR_ADMIN says where");
    }
    auto& answer = parser_.get();
    const auto etag = answer[http::field::etag];
    return AdminReply{answer.result_int(), std::move(answer.body()), {etag.data(), etag.size()}};
  }

 private:
  void Write() {
    http::async_write(stream_, request_, [this](beast::error_code error, std::size_t) {
      error_ = error;
      if (!error) Read();
    });
  }
  void Read() {
    http::async_read(stream_, buffer_, parser_, [this](beast::error_code error, std::size_t) { error_ = error; });
  }

  Endpoint admin_;
  http::request<http::string_body> request_;
  asio::io_context io_{1};
  beast::tcp_stream stream_{io_};
  beast::flat_buffer buffer_;
  http::response_parser<http::string_body> parser_;
  beast::error_code error_;
};

}  // namespace

Result<AdminReply> CallAdmin(const Endpoint& admin, std::string_view method, std::string_view target,
                             std::string_view body, std::chrono::milliseconds timeout, std::string_view if_match,
                             std::string_view author) {
  http::request<http::string_body> request;
  request.version(11);
  request.method_string({method.data(), method.size()});
  request.target({target.data(), target.size()});
  request.set(http::field::host, admin.ToString());
  request.set(http::field::connection, "close");
  if (!if_match.empty()) request.set(http::field::if_match, {if_match.data(), if_match.size()});
  if (!author.empty()) request.set("Weir-Author", {author.data(), author.size()});
  request.body() = std::string(body);
  request.prepare_payload();
  return Call(admin, std::move(request), timeout).Run();
}

}  // namespace weir::control
