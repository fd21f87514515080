// The target behind every proxy: a server of HTTP/1.1, of HTTP/2 with prior knowledge and of WebSockets that answers
// with bytes formatted at start.
//
//   floor_backend --port PORT [--any-loopback]
//
// Paths that end in /10k and /1m get 10 KiB and 1 MiB, every other one 13 bytes; the content of a request is read and
// thrown away. HTTP/2 gets 13 bytes, or the answer to a gRPC call; a WebSocket gets each of its messages back. It keeps
// each connection until the other side closes it. --any-loopback answers at all of 127.0.0.0/8, which makes one process
// many targets.
#include "http2_answers.h"
#include "sockets.h"
#include "websocket_echo.h"

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace floor_bench;

constexpr std::size_t kHeadBytesMax = 64 * 1024;

struct Connection {
  std::string head;                // the part of a request head, or of a WebSocket's frame, that came without its end
  std::uint64_t content_left = 0;  // bytes of the request's content still to come
  const std::string* answer = nullptr;
  std::size_t answer_sent = 0;
  bool is_websocket = false;
  std::unique_ptr<Http2Answers> http2;  // null: it speaks another protocol
  std::string stream;                   // what a WebSocket or HTTP/2 was answered and did not take yet
};

std::string Response(std::size_t bytes) {
  return "HTTP/1.1 200 OK\r\nServer: floor\r\nDate: Mon, 01 Jan 2024 00:00:00 GMT\r\nContent-Type: text/plain\r\n"
         "Content-Length: " +
         std::to_string(bytes) + "\r\n\r\n" + std::string(bytes, 'x');
}

class Backend {
 public:
  Backend(std::uint16_t port, Scope scope)
      : epoll_(Require(epoll_create1(EPOLL_CLOEXEC), "epoll_create1")), listener_(Listen(port, scope)) {
    Watch(epoll_, EPOLL_CTL_ADD, listener_, EPOLLIN);
  }

  [[noreturn]] void Run() {
    std::array<epoll_event, 256> events{};
    while (true) {
      const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
      if (count < 0 && errno != EINTR) Refuse(3, "epoll_wait", std::strerror(errno));
      for (int i = 0; i < count; ++i) OnEvent(events[static_cast<std::size_t>(i)]);
    }
  }

 private:
  void OnEvent(const epoll_event& event) {
    const int fd = event.data.fd;
    if (fd == listener_) return Accept();
    if ((event.events & EPOLLOUT) != 0) return Continue(fd);
    Read(fd);
  }

  void Accept() {
    while (true) {
      const int fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) return;
      SetOption(fd, IPPROTO_TCP, TCP_NODELAY, 1);
      if (connections_.size() <= static_cast<std::size_t>(fd)) connections_.resize(static_cast<std::size_t>(fd) + 1);
      of(fd) = {};
      Watch(epoll_, EPOLL_CTL_ADD, fd, EPOLLIN);
    }
  }

  void Read(int fd) {
    const ssize_t count = recv(fd, buffer_.data(), buffer_.size(), 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (count <= 0) return Close(fd);
    const std::string_view bytes(buffer_.data(), static_cast<std::size_t>(count));
    if (of(fd).is_websocket) return Echo(fd, bytes);
    if (of(fd).http2) return AnswerHttp2(fd, bytes);
    Consume(fd, bytes);
  }

  // Takes the bytes of a request; at its end the answer is sent.
  void Consume(int fd, std::string_view bytes) {
    Connection& connection = of(fd);
    if (connection.answer == nullptr) {
      connection.head.append(bytes);
      const std::size_t end = connection.head.find("\r\n\r\n");
      if (end == std::string::npos) {
        if (connection.head.size() > kHeadBytesMax) Close(fd);
        return;
      }
      const std::string_view head(connection.head.data(), end + 2);
      if (kHttp2Preface.starts_with(head)) {
        connection.http2 = std::make_unique<Http2Answers>();
        return AnswerHttp2(fd, std::exchange(connection.head, {}));
      }
      bytes.remove_prefix(bytes.size() - (connection.head.size() - (end + 4)));
      if (head.find("pgrade: websocket\r\n") != std::string_view::npos) {
        connection.head.clear();
        connection.is_websocket = true;
        connection.stream = kSwitched;
        return Echo(fd, bytes);
      }
      connection.answer = &AnswerTo(head);
      connection.content_left = ContentLength(head);
      connection.head.clear();
    }
    connection.content_left -= std::min<std::uint64_t>(connection.content_left, bytes.size());
    if (connection.content_left == 0) Send(fd);
  }

  void Echo(int fd, std::string_view bytes) {
    Connection& connection = of(fd);
    connection.head.append(bytes);
    if (!EchoFrames(connection.head, connection.stream)) return Close(fd);
    SendStream(fd);
  }

  void AnswerHttp2(int fd, std::string_view bytes) {
    Connection& connection = of(fd);
    if (!connection.http2->Receive(bytes, connection.stream)) return Close(fd);
    SendStream(fd);
  }

  // Of WebSocket and HTTP/2: what is sent has no end that anybody waits for.
  void SendStream(int fd) {
    if (!PushStream(fd)) Watch(epoll_, EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLOUT);
  }

  bool PushStream(int fd) {
    std::string& bytes = of(fd).stream;
    if (bytes.empty()) return true;
    const ssize_t count = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count < 0 && errno != EAGAIN) return true;  // reading reports the end and closes
    bytes.erase(0, static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    return bytes.empty();
  }

  [[nodiscard]] const std::string& AnswerTo(std::string_view head) const {
    const std::size_t start = head.find(' ') + 1;
    const std::string_view path = head.substr(start, head.find(' ', start) - start);
    if (path.ends_with("/10k")) return medium_;
    if (path.ends_with("/1m")) return large_;
    return small_;
  }

  static std::uint64_t ContentLength(std::string_view head) {
    static constexpr std::array<std::string_view, 2> kSpellings = {"\r\nContent-Length:", "\r\ncontent-length:"};
    for (const std::string_view name : kSpellings) {
      const std::size_t at = head.find(name);
      if (at == std::string_view::npos) continue;
      const std::size_t digits = head.find_first_not_of(' ', at + name.size());
      std::uint64_t value = 0;
      std::from_chars(head.data() + digits, head.data() + head.size(), value);
      return value;
    }
    return 0;
  }

  void Send(int fd) {
    if (!Push(fd)) Watch(epoll_, EPOLL_CTL_MOD, fd, EPOLLOUT);
  }

  void Continue(int fd) {
    const bool is_stream = of(fd).is_websocket || of(fd).http2 != nullptr;
    if (is_stream ? PushStream(fd) : Push(fd)) Watch(epoll_, EPOLL_CTL_MOD, fd, EPOLLIN);
  }

  // Sends what the socket takes; true when the answer is out or the connection has ended.
  bool Push(int fd) {
    Connection& connection = of(fd);
    const std::string& answer = *connection.answer;
    while (connection.answer_sent < answer.size()) {
      const ssize_t count =
          send(fd, answer.data() + connection.answer_sent, answer.size() - connection.answer_sent, MSG_NOSIGNAL);
      if (count < 0 && errno == EAGAIN) return false;
      if (count < 0) {
        // Reading reports the end and closes: the caller may still arm the descriptor.
        break;
      }
      connection.answer_sent += static_cast<std::size_t>(count);
    }
    connection.answer = nullptr;
    connection.answer_sent = 0;
    return true;
  }

  void Close(int fd) {
    of(fd) = {};
    close(fd);
  }

  Connection& of(int fd) { return connections_[static_cast<std::size_t>(fd)]; }

  const std::string small_ = Response(13);
  const std::string medium_ = Response(std::size_t{10} * 1024);
  const std::string large_ = Response(std::size_t{1024} * 1024);
  // Nobody who is compared here looks at what Sec-WebSocket-Accept says.
  static constexpr std::string_view kSwitched =
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
  int epoll_;
  int listener_;
  std::vector<Connection> connections_;
  std::array<char, 64 * 1024> buffer_{};
};

}  // namespace

int main(int argc, char** argv) {
  std::uint16_t port = 0;
  Scope scope = Scope::kLoopbackAddress;
  for (int i = 1; i < argc; ++i) {
    const std::string_view option = argv[i];
    if (option == "--port" && i + 1 < argc) {
      port = ParsePort(option, argv[++i]);
    } else if (option == "--any-loopback") {
      scope = Scope::kLoopbackInterface;
    } else {
      Refuse(2, option, "usage: floor_backend --port PORT [--any-loopback]");
    }
  }
  if (port == 0) Refuse(2, "floor_backend", "--port PORT is required");
  Backend(port, scope).Run();
}
