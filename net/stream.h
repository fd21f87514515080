#pragma once

#include "base/block_pool.h"
#include "base/ip_address.h"
#include "base/unique_fd.h"
#include "net/event_loop.h"

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace weir::net {

class Pipe;
struct TlsFacts;

enum class IoStatus : std::uint8_t {
  kOk,          // `bytes` were moved; for Read that is at least one
  kWouldBlock,  // nothing now; OnReadable or OnWritable will follow
  kEnd,         // the peer finished sending (Read only)
  kError,       // the connection is broken; `error` is an errno
  kRefused,     // the system does not splice here: read by copying (ReadTo only; nothing was read)
};

struct IoResult {
  IoStatus status = IoStatus::kWouldBlock;
  std::size_t bytes = 0;
  int error = 0;
};

// Readiness of one Stream. A broken connection shows as readable and writable: the next Read or Write tells what
// happened.
class StreamEvents {
 public:
  // The connection that Connect began is there (0) or failed (an errno).
  virtual void OnConnected(int /*error*/) {}
  virtual void OnReadable() = 0;
  virtual void OnWritable() = 0;

 protected:
  ~StreamEvents() = default;
};

// A byte stream between weir and one peer: TCP, or TLS over it. Readiness is edge-triggered: after OnReadable
// read until readable() is false, after a Write that moved less than all wait for OnWritable. Never blocks. Thread:
// that of its loop.
class Stream {
 public:
  virtual ~Stream() = default;
  // Reads what is there, at most buffer.size() bytes.
  [[nodiscard]] virtual IoResult Read(std::span<char> buffer) = 0;
  // Writes the pieces in order with one call; `bytes` says how many were taken.
  [[nodiscard]] virtual IoResult Write(std::span<const iovec> pieces) = 0;
  // The same for the last bytes of all: ShutdownWrite follows at once when they are all taken, so that the end can
  // travel with them. Close may follow instead where the peer has sent its end (read_to_end): what is held back would
  // be lost by a close that finds bytes unread.
  [[nodiscard]] virtual IoResult WriteLast(std::span<const iovec> pieces) { return Write(pieces); }
  // True when bytes can be moved without a copy: ReadTo and WriteFrom may be called.
  [[nodiscard]] virtual bool splices() const { return false; }
  // Reads at most `max` bytes into `pipe`, which is empty. Does not notice that it read the last byte: the next read
  // tells.
  [[nodiscard]] virtual IoResult ReadTo(Pipe& /*pipe*/, std::size_t /*max*/) { return {IoStatus::kRefused, 0, 0}; }
  // Writes what `pipe` holds, in order; `bytes` says how many were taken, the rest stays in the pipe.
  [[nodiscard]] virtual IoResult WriteFrom(Pipe& /*pipe*/) { return {IoStatus::kError, 0, 0}; }
  // OnWritable follows as soon as the system would take bytes, also when no Write was refused: for a writer that makes
  // what it writes only when there is room.
  virtual void AwaitWritable() = 0;
  // Hands the stream's events to another object: the kind of connection that was chosen after an accept or a handshake,
  // or the next owner of a pooled one.
  virtual void set_events(StreamEvents& events) = 0;
  // Nothing more is expected from the peer but its end: an OnReadable may come about a millisecond late.
  virtual void ExpectOnlyEnd() {}
  // Sends FIN; reading goes on.
  virtual void ShutdownWrite() = 0;
  // Closes both ways. `kReset` sends RST, so that the peer cannot take what it got for complete.
  enum class CloseMode : std::uint8_t { kGraceful, kReset };
  virtual void Close(CloseMode mode) = 0;
  // False when a Read is known to have nothing: saves the receive that would return EAGAIN.
  [[nodiscard]] virtual bool readable() const = 0;
  [[nodiscard]] virtual bool open() const = 0;
  // The peer has closed its side or the connection broke, as far as the last event told.
  [[nodiscard]] virtual bool peer_closed() const = 0;
  // The connection is gone both ways (RST, or FIN both ways): nothing that is written can arrive.
  [[nodiscard]] virtual bool broken() const = 0;
  [[nodiscard]] virtual const Endpoint& peer() const = 0;
  // Every byte that the peer sends has been read, its end included: nothing can arrive any more.
  [[nodiscard]] bool read_to_end() const { return peer_closed() && !readable(); }
  // Asks the system, at the price of a call: whether the peer's system has acknowledged all that was written and, after
  // ShutdownWrite, the end. True where that cannot be told.
  [[nodiscard]] virtual bool acknowledged() const { return true; }
  // What the TLS handshake agreed on; null without TLS, and before its end.
  [[nodiscard]] virtual const TlsFacts* tls() const { return nullptr; }
  // Without a zone, like the peer's. Asks the system the first time, where nobody has told.
  [[nodiscard]] virtual const Endpoint& local() const = 0;
};

// A Stream over one TCP socket; one epoll registration for its life. That of an accepted socket is put off to a first
// look at what the peer has sent already: a connection for one short exchange (ExpectOnlyEnd) gets on without any, or
// with one that tells the first bytes and no more.
class TcpStream final : public Pooled, public Stream, private FdWatcher, private Look {
 public:
  // Takes an accepted, non-blocking socket of a ListenTcp listener. `local` with port 0: not known yet. `events`
  // outlives the stream or its Close.
  TcpStream(EventLoop& loop, UniqueFd fd, const Endpoint& peer, const Endpoint& local, StreamEvents& events);
  // The same for whoever is not known yet: set_events is called before the loop's next turn.
  TcpStream(EventLoop& loop, UniqueFd fd, const Endpoint& peer, const Endpoint& local);
  ~TcpStream();

  // Begins to connect; OnConnected follows in a later turn. Null with `error` set when the system refuses at once
  // (no descriptors, no route).
  [[nodiscard]] static std::unique_ptr<TcpStream> Connect(EventLoop& loop, const Endpoint& peer, StreamEvents& events,
                                                          int& error);

  [[nodiscard]] IoResult Read(std::span<char> buffer) override;
  [[nodiscard]] IoResult Write(std::span<const iovec> pieces) override { return Send(pieces, 0); }
  [[nodiscard]] IoResult WriteLast(std::span<const iovec> pieces) override;
  [[nodiscard]] bool splices() const override { return true; }
  [[nodiscard]] IoResult ReadTo(Pipe& pipe, std::size_t max) override;
  [[nodiscard]] IoResult WriteFrom(Pipe& pipe) override;
  void AwaitWritable() override;
  void set_events(StreamEvents& events) override { events_ = &events; }
  void ExpectOnlyEnd() override { only_end_ = true; }
  void ShutdownWrite() override;
  void Close(CloseMode mode) override;
  [[nodiscard]] bool readable() const override { return readable_; }
  [[nodiscard]] bool open() const override { return fd_.valid(); }
  [[nodiscard]] bool peer_closed() const override { return peer_closed_; }
  [[nodiscard]] bool broken() const override { return broken_; }
  [[nodiscard]] bool acknowledged() const override;
  [[nodiscard]] const Endpoint& peer() const override { return peer_; }
  [[nodiscard]] const Endpoint& local() const override;

  // The bytes that are there, at most buffer.size() of them, which the next Read gives, too. Where too few have come,
  // OnReadable follows with further ones.
  [[nodiscard]] IoResult Peek(std::span<char> buffer);
  // Whoever passed the connection on says between whom it is.
  void Rename(const Endpoint& peer, const Endpoint& local);
  // OnReadable follows in a later turn when there is anything to read: for whom the stream is given on to.
  void TellAgain();

 private:
  enum class Phase : std::uint8_t { kConnecting, kOpen };
  // What the loop tells: nothing; the next bytes, once; nothing any more; everything.
  enum class Watched : std::uint8_t { kNo, kOnce, kNoMore, kAlways };
  [[nodiscard]] IoResult Send(std::span<const iovec> pieces, int flags);
  [[nodiscard]] IoResult EndOfRead(int error);
  void OnEvents(std::uint32_t events) override;
  void OnLook() override;
  void OnFull();
  void Register();
  void RegisterOnce();
  void OnUnwatched();
  void NoteRegistered(bool registered);

  EventLoop& loop_;
  StreamEvents* events_ = nullptr;
  UniqueFd fd_;
  Phase phase_ = Phase::kOpen;
  bool readable_ = false;
  bool writable_ = true;
  bool peer_closed_ = false;
  bool broken_ = false;
  Watched watched_ = Watched::kNo;
  bool received_ = false;  // any byte
  bool looked_ = false;
  bool only_end_ = false;
  bool shut_down_ = false;
  Endpoint peer_;
  mutable Endpoint local_;
};

}  // namespace weir::net
