#include "proxy/tls/key_files.h"

#include "base/result.h"
#include "proxy/tls/credential_store.h"

#include <cerrno>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <system_error>

namespace weir::proxy {
namespace {

template <class Key>
std::vector<Key> ReadKeys(const std::vector<config::LocatedText>& paths, Result<Key> (*parse)(std::string_view),
                          std::vector<config::Diagnostic>& findings) {
  std::vector<Key> keys;
  for (const config::LocatedText& path : paths) {
    if (path.text.empty()) continue;
    std::ifstream file(path.text, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    if (!file) {
      AddFinding(findings, config::Severity::kError, path.position,
                 {"cannot read " + path.text + ": " + std::generic_category().message(errno), {}});
      continue;
    }
    auto key = parse(text);
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
  return ReadKeys(model.tls_ticket_keys, net::ParseTicketKey, findings);
}

net::CookieKeySet ReadStickinessKeys(const config::Model& model, std::vector<config::Diagnostic>& findings) {
  return ReadKeys(model.stickiness_keys, net::ParseCookieKey, findings);
}

}  // namespace weir::proxy
