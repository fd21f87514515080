#pragma once

#include "app/certificate_expiry.h"
#include "base/clock.h"
#include "config/model.h"
#include "control/appliance.h"
#include "control/event_journal.h"
#include "health/engine.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weir::app {

// What the running appliance writes into its journal: one function for each kind of thing that it does. `author` is who
// asked for it; empty where nobody said, and then left out. Thread: any.
class ApplianceEvents {
 public:
  // `clock` outlives the object.
  explicit ApplianceEvents(const Clock& clock) : clock_(clock) {}
  ApplianceEvents(const ApplianceEvents&) = delete;
  ApplianceEvents& operator=(const ApplianceEvents&) = delete;

  [[nodiscard]] const control::EventJournal& journal() const { return journal_; }

  void Ready(std::uint64_t revision);
  void Draining();
  // A target or a health check changed its state.
  void Changed(const health::Transition& transition);
  // A reload was accepted, or refused: `finding` is its first error and `revision` serves on.
  void Reloaded(std::uint64_t revision, std::string_view file, std::string_view author);
  void Refused(std::uint64_t revision, std::string_view file, std::string_view finding);
  // The document was edited at these places; or a reload put what the file says in the place of an edit.
  void Edited(std::uint64_t revision, std::string_view origin, const std::vector<std::string>& paths,
              std::string_view author);
  void EditReplaced(std::uint64_t revision, const std::string& path);
  // The overrides of health as they were and are: one event for each that was set, changed or is gone.
  void Overridden(const std::vector<health::Override>& before, const std::vector<health::Override>& now,
                  std::string_view author);
  // Weights were set, or given back to the configuration; the texts are those of the rule's groups (`blue:8 green:2`).
  struct Shift {
    std::string_view load_balancer;
    std::uint16_t port = 0;
    std::uint32_t priority = 0;  // 0: the default rule
    std::string_view from;
    std::string_view to;
    bool released = false;
    std::uint64_t revision = 0;
    std::string_view author = {};
  };
  void Shifted(const Shift& shift);
  // A reload took the rule of this override away, or changed its groups.
  void ShiftDropped(const control::ShiftOverride& shift);
  // A zonal shift was started; is over: `why` says by what.
  void ZonalShiftStarted(const control::ZonalShift& shift, std::uint64_t revision, std::string_view author);
  void ZonalShiftEnded(const control::ZonalShift& shift, std::string_view why, std::string_view author);
  // A certificate expires soon. Gives the sentence, for the log.
  std::string Expires(const CertificateExpiry::Notice& notice);

 private:
  const Clock& clock_;
  control::EventJournal journal_;
};

}  // namespace weir::app
