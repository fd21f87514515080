#pragma once

#include "base/ip_address.h"
#include "base/unique_fd.h"

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace weir::testing {

// A small HTTP target on a free loopback port, with faults. One thread, one connection after another. Thread: any.
class FakeTarget {
 public:
  enum class Behaviour {
    kAnswer,      // `text`, then close
    kByteByByte,  // `text` in pieces of one byte, then close
    kHang,        // reads the request and never answers
    kCloseEarly,  // reads the request and closes
    kReset,       // reads the request and resets
    kKeepOpen,    // `text`, and waits for the other side to close
  };
  enum class Security { kPlain, kTls };

  explicit FakeTarget(Security security = Security::kPlain);
  ~FakeTarget();
  FakeTarget(const FakeTarget&) = delete;
  FakeTarget& operator=(const FakeTarget&) = delete;

  [[nodiscard]] Endpoint endpoint() const { return endpoint_; }
  void Set(Behaviour behaviour, std::string text = {});
  // `HTTP/1.1 <status>`, with a short content.
  void AnswerStatus(int status);
  // Every request received so far, heads as they came.
  [[nodiscard]] std::vector<std::string> Requests() const;
  // The server name of the last TLS handshake; empty: none was sent.
  [[nodiscard]] std::string LastServerName() const;

 private:
  struct Tls;
  void Run();
  void Serve(UniqueFd connection);

  Endpoint endpoint_;
  UniqueFd listener_;
  std::unique_ptr<Tls> tls_;
  std::atomic<bool> stopping_{false};
  mutable std::mutex mutex_;
  Behaviour behaviour_ = Behaviour::kAnswer;  // these are guarded by mutex_
  std::string text_;
  std::vector<std::string> requests_;
  std::string server_name_;
  std::vector<UniqueFd> held_;  // connections that hang
  std::thread thread_;
};

// A loopback endpoint where nothing listens.
[[nodiscard]] Endpoint RefusingEndpoint();

}  // namespace weir::testing
