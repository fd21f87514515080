#pragma once

#include "net/pipe.h"
#include "net/stream.h"

#include <unistd.h>

#include <algorithm>
#include <string>

namespace weir::proxy {

// A stream of a string: gives `incoming`, takes `room` bytes into `outgoing`.
class FakeStream : public net::Stream {
 public:
  std::string incoming;
  std::string outgoing;
  std::size_t room = 1'000'000;
  std::size_t asked = 0;  // of the last ReadTo
  bool refuses_pipes = false;
  bool broken_now = false;

  net::IoResult Read(std::span<char> buffer) override {
    const std::size_t bytes = std::min(buffer.size(), incoming.size());
    std::copy_n(incoming.begin(), bytes, buffer.begin());
    incoming.erase(0, bytes);
    return {bytes > 0 ? net::IoStatus::kOk : net::IoStatus::kWouldBlock, bytes, 0};
  }
  net::IoResult Write(std::span<const iovec> pieces) override {
    if (broken_now) return {net::IoStatus::kError, 0, EPIPE};
    std::size_t taken = 0;
    for (const iovec& piece : pieces) taken += Take(static_cast<const char*>(piece.iov_base), piece.iov_len);
    return {taken > 0 ? net::IoStatus::kOk : net::IoStatus::kWouldBlock, taken, 0};
  }
  bool splices() const override { return true; }
  net::IoResult ReadTo(net::Pipe& pipe, std::size_t max) override {
    asked = max;
    if (refuses_pipes) return {net::IoStatus::kRefused, 0, EINVAL};
    const std::size_t wanted = std::min(max, incoming.size());
    const ssize_t moved = wanted == 0 ? 0 : write(pipe.write_end(), incoming.data(), wanted);
    if (moved <= 0) return {};
    const auto bytes = static_cast<std::size_t>(moved);
    pipe.Filled(bytes);
    incoming.erase(0, bytes);
    return {net::IoStatus::kOk, bytes, 0};
  }
  net::IoResult WriteFrom(net::Pipe& pipe) override {
    if (broken_now) return {net::IoStatus::kError, 0, EPIPE};
    std::string bytes(std::min(room, pipe.bytes()), 0);
    const ssize_t moved = bytes.empty() ? 0 : read(pipe.read_end(), bytes.data(), bytes.size());
    if (moved <= 0) return {};
    pipe.Emptied(static_cast<std::size_t>(moved));
    Take(bytes.data(), static_cast<std::size_t>(moved));
    return {net::IoStatus::kOk, static_cast<std::size_t>(moved), 0};
  }
  void AwaitWritable() override {}
  void set_events(net::StreamEvents& /*events*/) override {}
  void ShutdownWrite() override {}
  void Close(CloseMode /*mode*/) override { open_ = false; }
  bool readable() const override { return !incoming.empty(); }
  bool open() const override { return open_; }
  bool peer_closed() const override { return false; }
  bool broken() const override { return broken_now; }
  const Endpoint& peer() const override { return endpoint_; }
  const Endpoint& local() const override { return endpoint_; }

 private:
  std::size_t Take(const char* bytes, std::size_t size) {
    const std::size_t taken = std::min(size, room);
    outgoing.append(bytes, taken);
    room -= taken;
    return taken;
  }

  bool open_ = true;
  Endpoint endpoint_;
};

}  // namespace weir::proxy
