// Files of `tls-ticket-keys`. What is taken is 32 bytes in base64, and gives the same key with space around it.

#include "base/check.h"
#include "net/tls_ticket_keys.h"
#include "tests/fuzz/fuzz_target.h"

#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto key = weir::net::ParseTicketKey(text);
  if (!key) {
    WEIR_CHECK(!key.error().message.empty());
    return 0;
  }
  WEIR_CHECK(size >= 43);
  const auto again = weir::net::ParseTicketKey(" " + std::string(text) + "\r\n");
  WEIR_CHECK(again.has_value());
  WEIR_CHECK(again->name == key->name && again->cipher_key == key->cipher_key && again->mac_key == key->mac_key);
  return 0;
}
