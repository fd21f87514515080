#include "control/linger.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <utility>

namespace weir::control {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;

constexpr std::chrono::seconds kLingerTime{2};
constexpr std::size_t kLingerBytesMax = 16 * 1024 * 1024;

// Lives as long as its read is under way.
struct Lingering : std::enable_shared_from_this<Lingering> {
  Lingering(beast::tcp_stream& ended, std::shared_ptr<void> keeper) : stream(ended), owner(std::move(keeper)) {}

  void Discard() {
    stream.async_read_some(asio::buffer(scratch),
                           [self = shared_from_this()](beast::error_code error, std::size_t bytes) {
                             self->discarded += bytes;
                             if (!error && self->discarded <= kLingerBytesMax) return self->Discard();
                             self->stream.close();
                           });
  }

  beast::tcp_stream& stream;
  std::shared_ptr<void> owner;
  std::size_t discarded = 0;
  std::array<char, 2048> scratch;
};

}  // namespace

void Linger(beast::tcp_stream& stream, std::shared_ptr<void> owner) {
  beast::error_code ignored;
  stream.socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  stream.expires_after(kLingerTime);
  std::make_shared<Lingering>(stream, std::move(owner))->Discard();
}

}  // namespace weir::control
