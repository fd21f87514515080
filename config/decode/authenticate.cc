// Spec: alb.md 5.4.

#include "config/decode/decode.h"

namespace weir::config {

AuthenticateOidcAction DecodeAuthenticateOidc(const Fields& fields, Decoding& /*decoding*/) {
  AuthenticateOidcAction out;
  out.position = fields.position();
  return out;
}

}  // namespace weir::config
