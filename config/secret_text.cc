#include "config/secret_text.h"

#include "base/file.h"

#include <cstddef>

namespace weir::config {

Result<std::string> ReadSecret(const Secret& secret, std::string_view noun) {
  constexpr std::size_t kBytesMax = 4096;
  if (secret.file.empty()) return secret.text;
  auto text = ReadFileUpTo(secret.file, kBytesMax, noun);
  while (text && (text->ends_with('\n') || text->ends_with('\r'))) text->pop_back();
  return text;
}

}  // namespace weir::config
