#include "proxy/tls/key_files.h"

#include "base/file.h"
#include "base/result.h"
#include "proxy/tls/credential_store.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace weir::proxy {
namespace {

template <class Key>
std::vector<Key> ReadKeys(const std::vector<config::LocatedText>& paths, Result<Key> (*parse)(std::string_view),
                          std::string_view noun, std::vector<config::Diagnostic>& findings) {
  constexpr std::size_t kBytesMax = 4096;
  std::vector<Key> keys;
  for (const config::LocatedText& path : paths) {
    if (path.text.empty()) continue;
    const auto text = ReadFileUpTo(path.text, kBytesMax, noun);
    if (!text) {
      AddFinding(findings, config::Severity::kError, path.position, text.error());
      continue;
    }
    auto key = parse(*text);
    if (key) {
      keys.push_back(*key);
    } else {
      AddFinding(findings, config::Severity::kError, path.position,
                 {path.text + " " + key.error().message, key.error().hint});
    }
  }
  return keys;
}

}  // namespace

net::TlsTicketKeySet ReadTicketKeys(const config::Model& model, std::vector<config::Diagnostic>& findings) {
  return ReadKeys(model.tls_ticket_keys, net::ParseTicketKey, "a ticket key", findings);
}

net::CookieKeySet ReadStickinessKeys(const config::Model& model, std::vector<config::Diagnostic>& findings) {
  return ReadKeys(model.stickiness_keys, net::ParseCookieKey, "a stickiness key", findings);
}

}  // namespace weir::proxy
