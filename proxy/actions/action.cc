#include "proxy/actions/action.h"

#include <utility>

namespace weir::proxy {

std::string_view ToString(ActionKind kind) {
  switch (kind) {
    case ActionKind::kForward:
      return "forward";
    case ActionKind::kRedirect:
      return "redirect";
    case ActionKind::kFixedResponse:
      return "fixed-response";
  }
  std::unreachable();
}

}  // namespace weir::proxy
