#include "control/admin_server.h"

#include "base/log.h"
#include "control/admin_api.h"
#include "control/linger.h"
#include "net/socket.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include <chrono>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <variant>

namespace weir::control {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using Tcp = asio::ip::tcp;

constexpr std::chrono::seconds kReadTimeout{30};
constexpr std::chrono::seconds kWriteTimeout{30};
constexpr std::chrono::milliseconds kAcceptRetry{100};

}  // namespace

// The server's thread and everything on it: the acceptor and the sessions.
class AdminServer::Loop {
 public:
  Loop(UniqueFd socket, const Endpoint& endpoint, Appliance& appliance, const BuildFacts& build,
       std::size_t connections_max);
  ~Loop() { Stop(); }

  [[nodiscard]] const Endpoint& endpoint() const { return endpoint_; }
  void Run();
  void Retire();
  void Stop();

 private:
  class Session;
  void Accept();
  void Retry();

  // Sessions end with the operations that io_ holds, so what they refer to is declared before it.
  std::set<Session*> sessions_;  // those alive; each removes itself
  asio::io_context io_{1};
  // A retired server has nothing to accept, but a change of its own to answer.
  asio::executor_work_guard<asio::io_context::executor_type> work_{io_.get_executor()};
  std::set<std::shared_ptr<Session>> waiting_;  // those whose change is being made
  Tcp::acceptor acceptor_{io_};
  asio::steady_timer retry_{io_};
  std::size_t connections_max_;
  Endpoint endpoint_;
  Appliance& appliance_;
  AdminApi api_;
  bool retiring_ = false;
  std::thread thread_;
};

// One connection: reads a request, answers it, and so on. Lives as long as an operation of its own is under way.
class AdminServer::Loop::Session : public std::enable_shared_from_this<Session> {
 public:
  Session(Loop& loop, Tcp::socket socket) : loop_(loop), stream_(std::move(socket)) { loop_.sessions_.insert(this); }
  ~Session() { loop_.sessions_.erase(this); }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void Read();
  void EndIfReading() {
    if (reading_) stream_.cancel();
  }

 private:
  void OnRequest();
  void Send(AdminResponse answer);
  template <class Message>
  void Write(std::shared_ptr<Message> message);
  void End();

  Loop& loop_;
  beast::tcp_stream stream_;
  beast::flat_buffer buffer_{kHeadBytesMax + kBodyBytesMax};
  std::optional<http::request_parser<http::string_body>> parser_;
  bool reading_ = false;
  bool keep_alive_ = false;
  bool head_only_ = false;
  unsigned version_ = 11;
};

void AdminServer::Loop::Session::Read() {
  parser_.emplace();
  parser_->header_limit(kHeadBytesMax);
  parser_->body_limit(kBodyBytesMax);
  stream_.expires_after(kReadTimeout);
  reading_ = true;
  http::async_read(stream_, buffer_, *parser_, [self = shared_from_this()](beast::error_code error, std::size_t) {
    self->reading_ = false;
    self->keep_alive_ = false;
    if (error == http::error::body_limit) return self->Send(ErrorResponse(413, "the body is too long"));
    if (error == http::error::header_limit) return self->Send(ErrorResponse(431, "the header section is too long"));
    const bool malformed = error && error.category() == make_error_code(http::error::bad_method).category() &&
                           error != http::error::end_of_stream && error != http::error::partial_message;
    if (malformed) return self->Send(ErrorResponse(400, "this is no HTTP request: " + error.message()));
    if (error == asio::error::operation_aborted) return self->End();
    if (error) return self->stream_.close();
    self->OnRequest();
  });
}

void AdminServer::Loop::Session::OnRequest() {
  const auto& message = parser_->get();
  const auto text = [](beast::string_view view) { return std::string_view(view.data(), view.size()); };
  keep_alive_ = message.keep_alive();
  head_only_ = message.method() == http::verb::head;
  version_ = message.version();
  const AdminRequest request{.method = text(message.method_string()),
                             .target = text(message.target()),
                             .host = text(message[http::field::host]),
                             .origin = text(message[http::field::origin]),
                             .fetch_site = text(message["Sec-Fetch-Site"]),
                             .if_match = text(message[http::field::if_match]),
                             .author = text(message["Weir-Author"]),
                             .accept = text(message[http::field::accept]),
                             .body = message.body()};
  auto answer = loop_.api_.Answer(request);
  if (auto* response = std::get_if<AdminResponse>(&answer)) return Send(std::move(*response));
  auto pending = std::get<PendingChange>(std::move(answer));
  // The change takes as long as it takes; the control thread always concludes it.
  stream_.expires_never();
  loop_.waiting_.insert(shared_from_this());
  auto change = pending.change;
  // A weak pointer: the control thread may conclude when the server is gone.
  loop_.appliance_.Submit(
      std::move(change), [weak = weak_from_this(), pending = std::move(pending)](const ChangeResult& result) {
        auto self = weak.lock();
        if (!self) return;
        auto& io = self->loop_.io_;
        asio::post(io, [self = std::move(self), answer = AdminApi::Conclude(pending, result)]() mutable {
          self->loop_.waiting_.erase(self);
          self->Send(std::move(answer));
        });
      });
}

void AdminServer::Loop::Session::Send(AdminResponse answer) {
  if (loop_.retiring_) keep_alive_ = false;
  const auto fill = [&](auto& message) {
    message.set(http::field::content_type, answer.content_type);
    message.set(http::field::cache_control, "no-store");
    message.set("X-Content-Type-Options", "nosniff");
    if (!answer.allow.empty()) message.set(http::field::allow, answer.allow);
    if (!answer.etag.empty()) message.set(http::field::etag, answer.etag);
    message.keep_alive(keep_alive_);
    message.content_length(answer.body.size());
  };
  const auto status = static_cast<http::status>(answer.status);
  if (head_only_) {
    auto message = std::make_shared<http::response<http::empty_body>>(status, version_);
    fill(*message);
    return Write(std::move(message));
  }
  auto message = std::make_shared<http::response<http::string_body>>(status, version_);
  fill(*message);
  message->body() = std::move(answer.body);
  Write(std::move(message));
}

template <class Message>
void AdminServer::Loop::Session::Write(std::shared_ptr<Message> message) {
  stream_.expires_after(kWriteTimeout);
  http::async_write(stream_, *message, [self = shared_from_this(), message](beast::error_code error, std::size_t) {
    if (error) return self->stream_.close();
    if (!self->keep_alive_ || self->loop_.retiring_) return self->End();
    self->Read();
  });
}

// After the last answer.
void AdminServer::Loop::Session::End() { Linger(stream_, shared_from_this()); }

AdminServer::Loop::Loop(UniqueFd socket, const Endpoint& endpoint, Appliance& appliance, const BuildFacts& build,
                        std::size_t connections_max)
    : connections_max_(connections_max),
      endpoint_(endpoint),
      appliance_(appliance),
      api_(appliance, build, endpoint.address.is_loopback()) {
  boost::system::error_code error;
  acceptor_.assign(endpoint.address.is_v4() ? Tcp::v4() : Tcp::v6(), socket.Release(), error);
  if (error) LogError("the admin address cannot be served: " + error.message());
}

void AdminServer::Loop::Run() {
  Accept();
  thread_ = std::thread([this] { io_.run(); });
}

void AdminServer::Loop::Accept() {
  acceptor_.async_accept([this](boost::system::error_code error, Tcp::socket socket) {
    if (error == asio::error::operation_aborted || !acceptor_.is_open()) return;
    // Out of descriptors: trying again at once would spin.
    if (error && error != asio::error::connection_aborted) return Retry();
    if (!error && sessions_.size() < connections_max_) std::make_shared<Session>(*this, std::move(socket))->Read();
    Accept();
  });
}

void AdminServer::Loop::Retry() {
  retry_.expires_after(kAcceptRetry);
  retry_.async_wait([this](boost::system::error_code error) {
    if (!error && acceptor_.is_open()) Accept();
  });
}

void AdminServer::Loop::Retire() {
  asio::post(io_, [this] {
    retiring_ = true;
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    retry_.cancel();
    for (Session* session : sessions_) session->EndIfReading();
  });
}

void AdminServer::Loop::Stop() {
  io_.stop();
  if (thread_.joinable()) thread_.join();
}

Result<std::unique_ptr<AdminServer>> AdminServer::Start(const Endpoint& endpoint, Appliance& appliance,
                                                        const BuildFacts& build, std::size_t connections_max) {
  if (auto free = net::CheckUnshared(endpoint, net::SocketKind::kTcp); !free) return std::unexpected(free.error());
  auto socket = net::ListenTcp(endpoint);
  if (!socket) return std::unexpected(socket.error());
  const auto bound = net::LocalEndpoint(socket->get());
  auto loop = std::make_unique<Loop>(std::move(*socket), bound, appliance, build, connections_max);
  return std::unique_ptr<AdminServer>(new AdminServer(std::move(loop)));
}

AdminServer::AdminServer(std::unique_ptr<Loop> loop) : loop_(std::move(loop)) { loop_->Run(); }
AdminServer::~AdminServer() = default;

Endpoint AdminServer::endpoint() const { return loop_->endpoint(); }
void AdminServer::Retire() { loop_->Retire(); }
void AdminServer::Stop() { loop_->Stop(); }

}  // namespace weir::control
