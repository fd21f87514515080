// Spec: alb.md 5.5.

#include "config/decode/decode.h"

namespace weir::config {

JwtValidationAction DecodeJwtValidation(const Fields& fields, Decoding& /*decoding*/) {
  JwtValidationAction out;
  out.position = fields.position();
  return out;
}

}  // namespace weir::config
