#pragma once

// Keys that appliances share: one file each, in the order of the configuration.

#include "config/diagnostic.h"
#include "config/model.h"
#include "net/cookie_cipher.h"
#include "net/tls_ticket_keys.h"

#include <vector>

namespace weir::proxy {

// The keys of `tls-ticket-keys`, in order; what is none is an error among `findings`. Blocks on the file system.
// Thread: control; so below.
[[nodiscard]] net::TlsTicketKeySet ReadTicketKeys(const config::Model& model,
                                                  std::vector<config::Diagnostic>& findings);
// The same of `stickiness-keys`.
[[nodiscard]] net::CookieKeySet ReadStickinessKeys(const config::Model& model,
                                                   std::vector<config::Diagnostic>& findings);

}  // namespace weir::proxy
