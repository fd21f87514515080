#include "tests/support/loopback.h"

#include "net/socket.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdlib>
#include <utility>

namespace weir::testing {
namespace {

constexpr int kDeadlineMilliseconds = 10'000;

bool WaitReadable(int fd, int milliseconds) {
  pollfd entry{.fd = fd, .events = POLLIN, .revents = 0};
  return poll(&entry, 1, milliseconds) == 1;
}

}  // namespace

Connection Connection::To(const Endpoint& endpoint) {
  UniqueFd fd(socket(endpoint.address.is_v4() ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const auto address = net::SocketAddress::From(endpoint);
  EXPECT_EQ(connect(fd.get(), address.get(), address.size), 0) << endpoint.ToString() << " errno " << errno;
  return Connection(std::move(fd));
}

void Connection::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

bool Connection::Fill() {
  if (!WaitReadable(fd_.get(), kDeadlineMilliseconds)) return false;
  char bytes[64 * 1024];
  const ssize_t got = recv(fd_.get(), bytes, sizeof(bytes), 0);
  if (got <= 0) return false;
  buffer_.append(bytes, static_cast<std::size_t>(got));
  return true;
}

std::string Connection::ReadSome() {
  if (buffer_.empty()) Fill();
  return std::exchange(buffer_, {});
}

std::string Connection::ReadBytes(std::size_t count) {
  while (buffer_.size() < count && Fill()) {
  }
  const std::size_t size = std::min(count, buffer_.size());
  std::string out = buffer_.substr(0, size);
  buffer_.erase(0, size);
  return out;
}

std::string Connection::ReadUntil(std::string_view end) {
  std::size_t at = buffer_.find(end);
  while (at == std::string::npos && Fill()) at = buffer_.find(end);
  return ReadBytes(at == std::string::npos ? buffer_.size() : at + end.size());
}

std::string Connection::ReadAll() {
  while (Fill()) {
  }
  return std::exchange(buffer_, {});
}

std::string Connection::ReadMessage(bool has_content) {
  std::string message = ReadUntil("\r\n\r\n");
  if (!has_content) return message;
  std::string lower = message;
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (const auto at = lower.find("\r\ncontent-length:"); at != std::string::npos) {
    message += ReadBytes(std::strtoul(lower.c_str() + at + 17, nullptr, 10));
  } else if (lower.find("\r\ntransfer-encoding: chunked") != std::string::npos) {
    for (;;) {
      const std::string line = ReadUntil("\r\n");
      message += line;
      const std::size_t size = std::strtoul(line.c_str(), nullptr, 16);
      if (size == 0) break;
      message += ReadBytes(size + 2);
    }
    std::string line;
    do {
      line = ReadUntil("\r\n");
      message += line;
    } while (line.size() > 2);
  }
  return message;
}

bool Connection::WaitForEnd() {
  if (!buffer_.empty() || !WaitReadable(fd_.get(), kDeadlineMilliseconds)) return false;
  char byte = 0;
  return recv(fd_.get(), &byte, 1, 0) <= 0;
}

void Connection::ShutdownWrite() { shutdown(fd_.get(), SHUT_WR); }

void Connection::Reset() {
  const linger now{.l_onoff = 1, .l_linger = 0};
  setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof(now));
  fd_.Reset();
}

FakeTarget::FakeTarget(Serve serve, bool ipv6) : serve_(std::move(serve)) {
  const auto loopback = IpAddress::Parse(ipv6 ? "::1" : "127.0.0.1");
  auto listener = net::ListenTcp({*loopback, 0});
  EXPECT_TRUE(listener.has_value());
  listener_ = std::move(*listener);
  endpoint_ = net::LocalEndpoint(listener_.get());
  acceptor_ = std::thread([this] { Run(); });
}

FakeTarget::~FakeTarget() {
  Stop();
  for (auto& thread : threads_) thread.join();
}

void FakeTarget::Stop() {
  if (stopping_.exchange(true)) return;
  acceptor_.join();
  listener_.Reset();
  const std::lock_guard lock(mutex_);
  for (const int fd : open_) shutdown(fd, SHUT_RDWR);
}

void FakeTarget::Run() {
  while (!stopping_) {
    if (!WaitReadable(listener_.get(), 20)) continue;
    const int fd = accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) continue;
    ++connections_;
    const std::lock_guard lock(mutex_);
    open_.push_back(fd);
    threads_.emplace_back([this, fd] {
      Connection connection{UniqueFd(fd)};
      serve_(connection);
      const std::lock_guard inner(mutex_);
      std::erase(open_, fd);
    });
  }
}

FakeTarget::Serve ServeBody(std::string body, RequestLog* log) {
  return [body = std::move(body), log](Connection& connection) {
    for (;;) {
      const std::string request = connection.ReadMessage();
      if (request.empty()) return;
      if (log != nullptr) {
        const std::lock_guard lock(log->mutex);
        log->requests.push_back(request);
      }
      connection.Send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
    }
  };
}

bool Eventually(const std::function<bool()>& condition) {
  for (int i = 0; i < 2'000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return condition();
}

}  // namespace weir::testing
