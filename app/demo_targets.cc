#include "app/demo_targets.h"

#include "base/unique_fd.h"
#include "control/linger.h"
#include "net/socket.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include <chrono>
#include <optional>
#include <thread>
#include <utility>

namespace weir::app {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using Tcp = asio::ip::tcp;

constexpr std::chrono::seconds kIdleTimeout{60};
constexpr std::uint64_t kBodyBytesMax = 1024 * 1024;

// One target. Its endpoints share the state.
struct Site {
  std::string name;
  bool failing = false;
  const std::function<void(std::string_view)>* on_change = nullptr;
};

// One endpoint of a target.
struct Door {
  Site* site = nullptr;
  std::string where;
  Tcp::acceptor acceptor;
};

std::string Field(const http::request<http::string_body>& request, std::string_view name) {
  const auto value = request[beast::string_view(name.data(), name.size())];
  return {value.data(), value.size()};
}

// The answer's status and body; POST /fail and /recover change the site.
std::pair<unsigned, std::string> Answer(Site& site, const std::string& where,
                                        const http::request<http::string_body>& request) {
  const std::string target(request.target().data(), request.target().size());
  const bool fail = target == "/fail";
  if (fail || target == "/recover") {
    if (request.method() != http::verb::post) return {405, "use POST\n"};
    if (site.failing != fail) (*site.on_change)(site.name + (fail ? " was told to fail" : " was told to recover"));
    site.failing = fail;
    return {200, site.name + (fail ? " fails from now on\n" : " works again\n")};
  }
  if (site.failing) return {503, site.name + " is failing\n"};
  std::string body = "hello from " + site.name + " at " + where + "\n";
  if (const auto client = Field(request, "X-Forwarded-For"); !client.empty()) body += "client " + client + "\n";
  return {200, std::move(body)};
}

class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(Tcp::socket socket, const Door& door) : stream_(std::move(socket)), door_(door) {}

  void Read() {
    parser_.emplace();
    parser_->body_limit(kBodyBytesMax);
    stream_.expires_after(kIdleTimeout);
    http::async_read(stream_, buffer_, *parser_, [self = shared_from_this()](beast::error_code error, std::size_t) {
      if (!error) self->Write();
    });
  }

 private:
  void Write() {
    const auto& request = parser_->get();
    auto [status, body] = Answer(*door_.site, door_.where, request);
    response_ = {static_cast<http::status>(status), request.version()};
    response_.set(http::field::content_type, "text/plain");
    response_.set("X-Demo-Target", door_.site->name);
    response_.keep_alive(request.keep_alive());
    response_.content_length(body.size());
    if (request.method() != http::verb::head) response_.body() = std::move(body);
    http::async_write(stream_, response_, [self = shared_from_this()](beast::error_code error, std::size_t) {
      if (error) return;
      if (self->response_.keep_alive()) return self->Read();
      control::Linger(self->stream_, self);
    });
  }

  beast::tcp_stream stream_;
  const Door& door_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  http::response<http::string_body> response_;
};

}  // namespace

class DemoTargets::Loop {
 public:
  explicit Loop(std::function<void(std::string_view)> on_change) : on_change_(std::move(on_change)) {}
  ~Loop() {
    io_.stop();
    if (thread_.joinable()) thread_.join();
  }
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  void Add(const DemoTarget& target, std::vector<UniqueFd> sockets) {
    auto& site = sites_.emplace_back(
        std::make_unique<Site>(Site{.name = target.name, .failing = false, .on_change = &on_change_}));
    for (std::size_t i = 0; i < sockets.size(); ++i) {
      const auto& endpoint = target.endpoints[i];
      auto& door =
          doors_.emplace_back(std::make_unique<Door>(Door{site.get(), endpoint.ToString(), Tcp::acceptor(io_)}));
      boost::system::error_code error;
      door->acceptor.assign(endpoint.address.is_v4() ? Tcp::v4() : Tcp::v6(), sockets[i].Release(), error);
      if (!error) Accept(*door);
    }
  }
  void Start() {
    thread_ = std::thread([this] { io_.run(); });
  }

 private:
  void Accept(Door& door) {
    door.acceptor.async_accept([this, &door](boost::system::error_code error, Tcp::socket socket) {
      if (error == asio::error::operation_aborted) return;
      if (!error) std::make_shared<Session>(std::move(socket), door)->Read();
      Accept(door);
    });
  }

  std::function<void(std::string_view)> on_change_;
  std::vector<std::unique_ptr<Site>> sites_;
  asio::io_context io_{1};
  std::vector<std::unique_ptr<Door>> doors_;
  std::thread thread_;
};

DemoTargets::DemoTargets(std::function<void(std::string_view)> on_change)
    : loop_(std::make_unique<Loop>(std::move(on_change))) {}
DemoTargets::~DemoTargets() = default;

Result<DemoTarget> DemoTargets::Add(const std::string& name, std::uint16_t port) {
  DemoTarget target{.name = name, .endpoints = {}};
  std::vector<UniqueFd> sockets;
  Endpoint v4{IpAddress::V4({127, 0, 0, 1}), port};
  if (!net::CheckUnshared(v4, net::SocketKind::kTcp)) v4.port = 0;
  auto first = net::ListenTcp(v4);
  if (!first) return std::unexpected(first.error());
  target.endpoints.push_back(net::LocalEndpoint(first->get()));
  sockets.push_back(std::move(*first));
  // Without IPv6 on the machine the demo shows IPv4 alone.
  const Endpoint v6{IpAddress::V6({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}), target.endpoints.front().port};
  if (net::CheckUnshared(v6, net::SocketKind::kTcp)) {
    if (auto second = net::ListenTcp(v6)) {
      target.endpoints.push_back(v6);
      sockets.push_back(std::move(*second));
    }
  }
  loop_->Add(target, std::move(sockets));
  return target;
}

void DemoTargets::Start() { loop_->Start(); }

}  // namespace weir::app
