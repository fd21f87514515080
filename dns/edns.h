#pragma once

// The OPT record of an answer (RFC 6891) with the options that were asked for.

#include "dns/wire/query.h"
#include "dns/wire/types.h"
#include "dns/wire/writer.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace weir::dns {

// What an OPT record says that the query did not.
struct EdnsAnswer {
  std::string_view name_server_id;            // NSID (RFC 5001), cut to kNsidBytesMax; empty: not asked for
  std::chrono::milliseconds idle_timeout{0};  // of this TCP connection, for clients that ask (RFC 7828); 0: not told
  std::span<const std::uint8_t> cookie = {};  // as AnswerCookie makes it; empty: not asked for
  Rcode rcode = Rcode::kNoError;              // its upper bits are in OPT
  unsigned scope_bits = 0;                    // of the client subnet, which the answer is tailored to (RFC 7871 7.2.1)
};

inline constexpr std::size_t kNsidBytesMax = 64;  // our choice: a node's name, and small answers stay small

// The bytes to set aside for the OPT record of an answer to `query`, which has EDNS.
[[nodiscard]] std::size_t EdnsBytes(const Query& query, std::string_view name_server_id);

// Puts the OPT record of an answer to `query`, which has EDNS, into the room that was set aside.
void PutEdns(const Query& query, const EdnsAnswer& answer, MessageWriter& writer);

}  // namespace weir::dns
