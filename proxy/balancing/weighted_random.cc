// By chance. Anomaly mitigation takes weight from targets before it comes here (health/anomaly.h). spec: alb.md 8.3.

#include "proxy/balancing/algorithm.h"
#include "proxy/balancing/weights.h"

namespace weir::proxy {

std::uint32_t WeightedRandom(const TargetChoice& choice) { return DrawByWeight(choice.status, choice.random); }

}  // namespace weir::proxy
