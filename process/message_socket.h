#pragma once

#include "base/unique_fd.h"
#include "net/event_loop.h"

#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir::process {

// Who hears what the other side says.
class MessageSocketEvents {
 public:
  // `message` lives until this returns.
  virtual void OnMessage(std::string_view message, std::vector<UniqueFd> descriptors) = 0;
  // The other side has ended, or broke the rules of the socket. Nothing follows.
  virtual void OnClosed() = 0;

 protected:
  ~MessageSocketEvents() = default;
};

// One end of the socket between weir and the spawner: messages of at most kMessageBytesMax with at most
// kDescriptorsMax descriptors. What the system does not take now is queued; the number of children bounds that.
// Destroyed only outside its events. Thread: that of its loop.
class MessageSocket final : private net::FdWatcher {
 public:
  static constexpr std::size_t kDescriptorsMax = 3;

  // `socket` is one of a pair of SOCK_SEQPACKET, non-blocking.
  MessageSocket(net::EventLoop& loop, UniqueFd socket, MessageSocketEvents& events);
  ~MessageSocket();
  MessageSocket(const MessageSocket&) = delete;
  MessageSocket& operator=(const MessageSocket&) = delete;

  // The descriptors are closed here once they are sent. Does nothing when the socket is closed.
  void Send(std::string message, std::vector<UniqueFd> descriptors = {});
  [[nodiscard]] bool closed() const { return closed_; }

 private:
  struct Queued {
    std::string message;
    std::vector<UniqueFd> descriptors;
  };
  void OnEvents(std::uint32_t events) override;
  void ReadAll();
  void WriteQueued();
  void Fail();
  // False when there is nothing more to read now.
  bool ReadOne();

  net::EventLoop& loop_;
  UniqueFd socket_;
  MessageSocketEvents& events_;
  std::deque<Queued> queue_;
  std::vector<char> buffer_;
  bool closed_ = false;
};

// A pair of them, non-blocking, close-on-exec. Two invalid ones with errno set when the system refuses.
struct SocketPair {
  UniqueFd ours;
  UniqueFd theirs;
};
[[nodiscard]] SocketPair MakeSocketPair();

}  // namespace weir::process
