#include "net/tls_stream.h"

#include "base/check.h"
#include "base/text.h"
#include "net/tls_bio.h"
#include "net/tls_server.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <utility>

namespace weir::net {
namespace {

// Encrypted before the socket is asked for room: four records, and all that a connection keeps of what it sends.
constexpr std::size_t kWriteBytes = 64 * 1024;
// Pieces that lie apart are put together up to one record.
constexpr std::size_t kRecordBytes = 16 * 1024;

// A part of a record has come, and not all of it.
bool IsInRecord(SSL* ssl) {
  return SSL_has_pending(ssl) == 1 || std::string_view(SSL_rstate_string(ssl)) == "RB";
}

TlsVersion VersionOf(const SSL* ssl) {
  switch (SSL_version(ssl)) {
    case TLS1_VERSION:
      return TlsVersion::k10;
    case TLS1_1_VERSION:
      return TlsVersion::k11;
    case TLS1_2_VERSION:
      return TlsVersion::k12;
    default:
      return TlsVersion::k13;
  }
}

std::string_view SuiteOf(const SSL* ssl, const TlsPolicy& policy) {
  const SSL_CIPHER* const cipher = SSL_get_current_cipher(ssl);
  const std::uint16_t id = cipher == nullptr ? std::uint16_t{0} : SSL_CIPHER_get_protocol_id(cipher);
  for (std::size_t i = 0; i < policy.suite_count; ++i) {
    if (policy.suite(i).id == id) return policy.suite(i).name;
  }
  return {};
}

// The bytes of `pieces` from `from` on, at most kWriteBytes of one piece, or up to a record of several, put together in
// `joined`.
std::string_view BytesFrom(std::span<const iovec> pieces, std::size_t from, std::string& joined) {
  joined.clear();
  for (const iovec& piece : pieces) {
    if (from >= piece.iov_len) {
      from -= piece.iov_len;
      continue;
    }
    const auto bytes = std::string_view(static_cast<const char*>(piece.iov_base), piece.iov_len).substr(from);
    from = 0;
    if (joined.empty() && (&piece == &pieces.back() || bytes.size() >= kRecordBytes)) {
      return bytes.substr(0, kWriteBytes);
    }
    joined += bytes.substr(0, kRecordBytes - joined.size());
    if (joined.size() == kRecordBytes) break;
  }
  return joined;
}

}  // namespace

TlsStream::TlsStream(std::shared_ptr<TlsServer> server, OwnedSsl ssl, std::unique_ptr<Stream> transport,
                     StreamEvents& events)
    : server_(std::move(server)), transport_(std::move(transport)), ssl_(std::move(ssl)), events_(&events) {
  transport_->set_events(*this);
}

TlsStream::~TlsStream() = default;
