#pragma once

#include "dns/answer.h"
#include "dns/counters.h"
#include "dns/zone/zone_set.h"

#include <cstddef>

namespace weir::dns {

// Counts one query and what became of it. `zones` may be null. Thread: worker number `worker`.
void CountResponse(TransportCounters& counters, const ZoneSet* zones, std::size_t worker, const AnswerReport& report);

}  // namespace weir::dns
