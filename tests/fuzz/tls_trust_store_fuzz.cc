// A trust store: the bundle, then behind a line `lists` the revocation list.

#include "base/check.h"
#include "net/tls_trust_store.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/memory_file.h"

#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::string_view kMark = "lists\n";
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto mark = text.find(kMark);
  const weir::MemoryFile bundle(text.substr(0, mark));
  const weir::MemoryFile list(mark == std::string_view::npos ? std::string_view() : text.substr(mark + kMark.size()));
  weir::net::TlsTrustStore::Files files{.bundle = bundle.path(), .revocations = {}};
  if (mark != std::string_view::npos) files.revocations.push_back(list.path());
  const auto loaded = weir::net::TlsTrustStore::Load(files);
  if (!loaded) {
    WEIR_CHECK(!loaded.error().error.message.empty());
    WEIR_CHECK(!loaded.error().revocation || *loaded.error().revocation < files.revocations.size());
    return 0;
  }
  const auto& store = **loaded;
  WEIR_CHECK(store.authorities().size() == store.certificates().size());
  WEIR_CHECK(store.MakeStore() != nullptr);
  for (const auto& doubt : store.Doubts(weir::WallTime())) WEIR_CHECK(!doubt.error.message.empty());
  for (const auto& objection : store.aws_objections()) WEIR_CHECK(!objection.error.message.empty());
  for (const auto& revoked : store.revocations()) WEIR_CHECK(revoked.file == list.path());
  return 0;
}
