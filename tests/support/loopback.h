#pragma once

#include "base/ip_address.h"
#include "base/unique_fd.h"

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace weir::testing {

// A blocking TCP connection with a deadline on every read: for test clients and fake targets. Thread: one at a time.
class Connection {
 public:
  explicit Connection(UniqueFd fd) : fd_(std::move(fd)) {}
  // Connects to `endpoint`; the test fails when that is refused.
  [[nodiscard]] static Connection To(const Endpoint& endpoint);

  void Send(std::string_view bytes);
  // What comes next, at most 64 KiB; empty at the end of the stream or after the deadline.
  [[nodiscard]] std::string ReadSome();
  // Reads until `count` bytes, the end of the stream, or the deadline.
  [[nodiscard]] std::string ReadBytes(std::size_t count);
  // Reads up to and including `end`; what came after it is kept for the next read.
  [[nodiscard]] std::string ReadUntil(std::string_view end);
  // Reads until the peer closes.
  [[nodiscard]] std::string ReadAll();
  // A whole message: head, then content by Content-Length or chunked coding (as it came), or until the end.
  [[nodiscard]] std::string ReadMessage(bool has_content = true);
  // True when the peer has closed (FIN or RST) within the deadline and nothing more came.
  [[nodiscard]] bool WaitForEnd();
  void ShutdownWrite();
  void Close() { fd_.Reset(); }
  // Closes with RST.
  void Reset();
  [[nodiscard]] int fd() const { return fd_.get(); }

 private:
  bool Fill();
  UniqueFd fd_;
  std::string buffer_;
};

// A target on 127.0.0.1 or ::1 that gives each connection to `serve`, on a thread of its own.
class FakeTarget {
 public:
  using Serve = std::function<void(Connection&)>;
  explicit FakeTarget(Serve serve, bool ipv6 = false);
  ~FakeTarget();
  FakeTarget(const FakeTarget&) = delete;
  FakeTarget& operator=(const FakeTarget&) = delete;

  [[nodiscard]] const Endpoint& endpoint() const { return endpoint_; }
  [[nodiscard]] int connections() const { return connections_; }
  // Stops listening and cuts every connection.
  void Stop();

 private:
  void Run();
  Serve serve_;
  UniqueFd listener_;
  Endpoint endpoint_;
  std::atomic<int> connections_{0};
  std::atomic<bool> stopping_{false};
  std::mutex mutex_;
  std::vector<std::thread> threads_;
  std::vector<int> open_;
  std::thread acceptor_;
};

// Answers every request of a connection with 200 and `body`, and records what came in `requests` when given.
struct RequestLog {
  std::mutex mutex;
  std::vector<std::string> requests;
  [[nodiscard]] std::vector<std::string> Copy() {
    const std::lock_guard lock(mutex);
    return requests;
  }
};
[[nodiscard]] FakeTarget::Serve ServeBody(std::string body, RequestLog* log = nullptr);

// Waits until `condition` holds; false after ten seconds.
[[nodiscard]] bool Eventually(const std::function<bool()>& condition);

}  // namespace weir::testing
