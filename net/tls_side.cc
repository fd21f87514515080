#include "net/tls_side.h"

#include "base/check.h"
#include "net/tls_stream.h"

#include <openssl/ssl.h>

#include <cstddef>
#include <utility>

namespace weir::net {
namespace {

// What one read of a socket takes at most: several records of a large content at once.
constexpr std::size_t kReadBytes = 64 * 1024;

}  // namespace

TlsSide::TlsSide(OwnedSslSettings context) : bio_method_(TlsStream::MakeBioMethod()), context_(std::move(context)) {
  WEIR_CHECK(context_ != nullptr);
  SSL_CTX_set_options(context_.get(), SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(context_.get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN);
  SSL_CTX_set_read_ahead(context_.get(), 1);
  SSL_CTX_set_default_read_buffer_len(context_.get(), kReadBytes);
  SSL_CTX_set_info_callback(context_.get(), TlsStream::NoteAlert);
}

TlsSide::~TlsSide() = default;

}  // namespace weir::net
