// A certificate with its chain and its key, in one file; the passphrase of an encrypted key is `secret`.

#include "base/check.h"
#include "net/tls_credentials.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/memory_file.h"

#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const weir::MemoryFile file({reinterpret_cast<const char*>(data), size});
  const auto loaded =
      weir::net::TlsCredential::Load({.certificate = file.path(), .key = file.path(), .passphrase = "secret"});
  if (!loaded) {
    WEIR_CHECK(!loaded.error().error.message.empty());
    return 0;
  }
  const auto& facts = (*loaded)->facts();
  WEIR_CHECK(facts.key_type != weir::net::TlsKeyType::kOther);
  WEIR_CHECK(facts.key_type != weir::net::TlsKeyType::kRsa || facts.key_bits >= 2048);
  for (const auto& doubt : (*loaded)->Doubts(weir::WallTime())) WEIR_CHECK(!doubt.message.empty());
  return 0;
}
