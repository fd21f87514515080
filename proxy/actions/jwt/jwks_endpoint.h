#pragma once

#include "base/clock.h"
#include "base/published.h"
#include "net/event_loop.h"
#include "outbound/http_client.h"
#include "proxy/actions/jwt/key_set.h"
#include "proxy/error.h"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace weir::net {
class TlsAuthorities;
}

namespace weir::proxy {

struct WorkerState;

// Waits for keys. Thread: worker.
class KeyWaiter {
 public:
  // Once: the keys are there, or cannot be had. The waiter is in no list any more.
  virtual void OnKeys() = 0;

 protected:
  KeyWaiter() = default;
  virtual ~KeyWaiter() = default;
  KeyWaiter(const KeyWaiter&) = delete;
  KeyWaiter& operator=(const KeyWaiter&) = delete;

 private:
  friend class JwksEndpoint;
  std::vector<KeyWaiter*>* list_ = nullptr;  // null: it does not wait
  std::size_t index_ = 0;
};

// Where keys are published, and the keys that it published last: shared by all workers, and by all rules that name it.
// Requests whose key is there touch nothing shared but the number of the newest set. Only where a key is missing, or
// the keys are old, does one worker fetch them; the others are told through their loops. What holds:
//
//   - at most one fetch is under way;
//   - keys are fetched anew after kFreshFor, by the way, while the old ones serve on; where that fails they serve for
//     kKeptFor, and it is tried again every kRetryInterval;
//   - a `kid` that is not known has the keys fetched anew, once in kUnknownKeyInterval, however many requests ask;
//   - a failure is told to everybody who waits, and to whoever asks in the kRetryInterval after it.
//
// Thread: worker, except where a method says `any`. Destroyed on any thread, once no worker uses it.
class JwksEndpoint : public std::enable_shared_from_this<JwksEndpoint> {
 public:
  // spec: alb.md 5.5 has the first two and leaves the others open; docs/decisions.md.
  static constexpr std::chrono::seconds kFetchTimeout{5};
  static constexpr std::size_t kContentBytesMax = 150 * 1024;
  static constexpr std::chrono::minutes kFreshFor{5};
  static constexpr std::chrono::hours kKeptFor{1};
  static constexpr std::chrono::seconds kUnknownKeyInterval{30};
  static constexpr std::chrono::seconds kRetryInterval{1};

  // How a worker asks: with its client.
  using Fetch =
      std::function<void(WorkerState& worker, outbound::Request request, outbound::HttpClient::OnAnswer done)>;
  static void FetchWithClient(WorkerState& worker, outbound::Request request, outbound::HttpClient::OnAnswer done);

  // `address` is `url` as it is configured; `authorities` those that vouch for it.
  JwksEndpoint(std::string address, outbound::Url url, std::shared_ptr<const net::TlsAuthorities> authorities,
               std::size_t workers, Fetch fetch = FetchWithClient);
  ~JwksEndpoint();

  // Thread: any.
  [[nodiscard]] const std::string& address() const { return address_; }
  [[nodiscard]] const std::shared_ptr<const net::TlsAuthorities>& authorities() const { return authorities_; }

  // The worker's copy of the newest keys, which lives until the next call; empty where there are none, or none young
  // enough.
  [[nodiscard]] const TokenKeys& KeysOf(WorkerState& worker);

  // What a request whose key is not among them is answered, without waiting; absent: it is worth a wait.
  [[nodiscard]] std::optional<ErrorCode> Refusal(WorkerState& worker);
  enum class Wait : std::uint8_t {
    kBegun,    // OnKeys follows, in a later turn
    kNewKeys,  // there are newer ones than KeysOf gave: look again
    kRefused,  // as Refusal says by now
  };
  // Waits for keys, and fetches them where nobody does.
  [[nodiscard]] Wait Await(WorkerState& worker, KeyWaiter& waiter);
  // Ends a wait; one that is over already, too.
  void Forget(WorkerState& worker, KeyWaiter& waiter);
  // Who waited did not find its key: what it is answered. Where the fetch went well there is no use in another one at
  // once.
  [[nodiscard]] ErrorCode NoteUnknownKey();

 private:
  struct Ring {
    std::uint64_t number = 0;  // 1 is the first
    SteadyTime fetched;
    KeySet keys;
  };
  struct alignas(64) Worker {
    explicit Worker(const Published<Ring>& rings) : newest(rings) {}
    Published<Ring>::Reader newest;
    TokenKeys keys;
    std::vector<KeyWaiter*> waiting;
    std::vector<KeyWaiter*> waking;  // told, and not called yet
  };
  class Fetching;  // one that is under way

  // What a request in want of a key may expect; with mutex_ held.
  [[nodiscard]] std::optional<ErrorCode> RefusalAt(const Worker& own, SteadyTime now) const;
  void Begin(WorkerState& worker);
  void OnAnswer(outbound::Answer answer, SteadyTime now);
  void OnFailed(ErrorCode failure, std::optional<SteadyTime> now);
  // Ends the fetch that is under way, and tells whoever waits; with mutex_ held.
  void EndFetch();
  void Wake(std::size_t worker, net::EventLoop& loop);
  void WakeSome(std::size_t worker, net::EventLoop& loop);
  static void Enlist(KeyWaiter& waiter, std::vector<KeyWaiter*>& list);
  static void Delist(KeyWaiter& waiter);

  const std::string address_;
  const outbound::Url url_;
  const std::shared_ptr<const net::TlsAuthorities> authorities_;
  const Fetch fetch_;
  Published<Ring> newest_;
  std::vector<std::unique_ptr<Worker>> workers_;  // each is its worker's alone
  std::atomic<bool> is_fetching_{false};          // changed with mutex_ held
  std::atomic<std::int64_t> retry_at_{0};         // nanoseconds of the steady clock; the same

  std::mutex mutex_;
  std::uint64_t number_ = 0;          // of the newest ring
  std::optional<ErrorCode> failure_;  // of the last fetch; absent: it went well, or there was none
  SteadyTime unknown_key_at_{};       // when an unknown key is next worth a fetch
  std::vector<std::pair<std::size_t, net::EventLoop*>> told_;  // workers in which somebody waits
};

}  // namespace weir::proxy
