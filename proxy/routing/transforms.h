#pragma once

#include "config/diagnostic.h"
#include "config/model.h"
#include "proxy/routing/transform_status.h"

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir::proxy {

// As much as a request line may have (spec: alb.md 12.2).
inline constexpr std::size_t kTransformedBytesMax = 16 * 1024;

// A request as it goes on. Empty texts: as the client sent them.
struct TransformedRequest {
  std::string host;    // with a port where the replacement gives one
  std::string target;  // path and query, in origin-form

  void Clear() {
    host.clear();
    target.clear();
  }
};

struct CompiledRewrite;  // hides RE2

// The transforms of one rule, which change a request after the rule has matched. Immutable. Thread: any (const).
class RequestTransforms {
 public:
  // `path` is that of the list in the document. Null when an expression does not compile, which is an error in
  // `findings`.
  [[nodiscard]] static std::shared_ptr<const RequestTransforms> Build(std::span<const config::Transform> transforms,
                                                                      const std::string& path,
                                                                      std::vector<config::Diagnostic>& findings);
  // Only to be had by Build.
  RequestTransforms();
  ~RequestTransforms();
  RequestTransforms(const RequestTransforms&) = delete;
  RequestTransforms& operator=(const RequestTransforms&) = delete;

  // Replaces what the expressions match first: of the host without its port, whatever its case, and of path and query
  // as the client sent them (`query` without its `?`; absent: none). Clears `out` first; leaves it empty but for
  // kSuccess.
  [[nodiscard]] TransformStatus Apply(std::string_view host, std::string_view path,
                                      std::optional<std::string_view> query, TransformedRequest& out) const;
  // Whether Build would make the same of these.
  [[nodiscard]] bool IsOf(std::span<const config::Transform> transforms) const;

 private:
  std::array<std::unique_ptr<const CompiledRewrite>, config::kTransformKinds> rewrites_;  // null: none of the kind
};

}  // namespace weir::proxy
