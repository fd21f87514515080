#pragma once

#include "base/ip_address.h"
#include "base/unique_fd.h"

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace weir::testing {

// A name server on a free loopback UDP port that knows addresses only. Thread: any.
class FakeDnsServer {
 public:
  enum class Mode { kAnswer, kServerFailure, kSilent };

  FakeDnsServer();
  ~FakeDnsServer();
  FakeDnsServer(const FakeDnsServer&) = delete;
  FakeDnsServer& operator=(const FakeDnsServer&) = delete;

  [[nodiscard]] Endpoint endpoint() const { return endpoint_; }
  // The addresses of `name` (lower case, no final dot). Names that were never set do not exist.
  void Set(const std::string& name, std::vector<IpAddress> addresses, std::uint32_t ttl_seconds);
  void Remove(const std::string& name);
  void SetMode(Mode mode) { mode_ = mode; }
  [[nodiscard]] int queries() const { return queries_; }

 private:
  struct Entry {
    std::vector<IpAddress> addresses;
    std::uint32_t ttl_seconds;
  };
  void Run();
  [[nodiscard]] std::string Answer(const std::string& query) const;

  Endpoint endpoint_;
  UniqueFd socket_;
  std::atomic<bool> stopping_{false};
  std::atomic<Mode> mode_{Mode::kAnswer};
  std::atomic<int> queries_{0};
  mutable std::mutex mutex_;
  std::map<std::string, Entry> entries_;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace weir::testing
