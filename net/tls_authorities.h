#pragma once

#include "base/result.h"
#include "net/openssl_parts.h"

#include <memory>
#include <string>

namespace weir::net {

// Certificate authorities that are trusted. Immutable. Thread: any (const).
class TlsAuthorities {
 public:
  // Those of a PEM file; fails with its name when it cannot be read or has none.
  [[nodiscard]] static Result<std::shared_ptr<const TlsAuthorities>> Load(const std::string& file);
  // Those of the system.
  [[nodiscard]] static Result<std::shared_ptr<const TlsAuthorities>> OfSystem();

  // For the files behind the seam.
  [[nodiscard]] x509_store_st* store() const { return store_.get(); }

 private:
  explicit TlsAuthorities(OwnedX509Store store) : store_(std::move(store)) {}
  OwnedX509Store store_;
};

}  // namespace weir::net
