#include "dns/counters.h"

#include "dns/wire/types.h"

namespace weir::dns {

std::size_t RcodeSlot(std::uint16_t rcode) {
  switch (static_cast<Rcode>(rcode)) {
    case Rcode::kNoError:
      return 0;
    case Rcode::kFormErr:
      return 1;
    case Rcode::kServFail:
      return 2;
    case Rcode::kNxDomain:
      return 3;
    case Rcode::kNotImp:
      return 4;
    case Rcode::kRefused:
      return 5;
    case Rcode::kNotAuth:
      return 6;
    case Rcode::kBadVers:
      return 7;
  }
  return kCountedRcodes.size() - 1;
}

std::size_t TypeSlot(std::uint16_t type) {
  static constexpr std::array<std::uint16_t, kCountedTypes.size() - 1> kTypes = {
      rr::kA,   rr::kAaaa, rr::kCname, rr::kTxt,   rr::kMx, rr::kNs, rr::kSoa,
      rr::kSrv, rr::kCaa,  rr::kPtr,   rr::kHttps, rr::kDs, rr::kAny};
  std::size_t slot = 0;
  while (slot < kTypes.size() && kTypes[slot] != type) ++slot;
  return slot;
}

std::shared_ptr<ZoneCountersTable> CounterRegistry::Zone(const std::string& name) {
  const std::lock_guard lock(mutex_);
  auto& counters = zones_[name];
  if (!counters) counters = std::make_shared<ZoneCountersTable>(workers_);
  return counters;
}

}  // namespace weir::dns
