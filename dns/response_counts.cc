#include "dns/response_counts.h"

#include <utility>

namespace weir::dns {

void CountResponse(TransportCounters& counters, const ZoneSet* zones, std::size_t worker, const AnswerReport& report) {
  counters.queries.Add();
  if (report.size == 0) {
    counters.dropped.Add();
    return;
  }
  counters.rcodes[RcodeSlot(std::to_underlying(report.rcode))].Add();
  if (report.type != 0) counters.types[TypeSlot(report.type)].Add();
  if (report.rcode == Rcode::kFormErr) counters.malformed.Add();
  if (report.truncated) counters.truncated.Add();
  if (!report.zone || zones == nullptr) return;
  ZoneCounters& zone = zones->zone_counters(*report.zone)[worker];
  zone.queries.Add();
  if (report.referral) {
    zone.referrals.Add();
  } else if (report.rcode == Rcode::kNxDomain) {
    zone.nxdomain.Add();
  } else if (report.answer_count > 0 || report.truncated) {
    zone.answers.Add();
  } else {
    zone.no_data.Add();
  }
}

}  // namespace weir::dns
