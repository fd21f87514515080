#include "net/sha256.h"

#include "base/check.h"

#include <openssl/evp.h>

namespace weir::net {

std::string Sha256(std::string_view text) {
  std::string out(32, '\0');
  unsigned size = 0;
  WEIR_CHECK(EVP_Digest(text.data(), text.size(), reinterpret_cast<unsigned char*>(out.data()), &size, EVP_sha256(),
                        nullptr) == 1 &&
             size == out.size());
  return out;
}

}  // namespace weir::net
