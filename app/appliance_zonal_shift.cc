// Zonal shifts: the one that is under way, kept in the state directory until it ends.

#include "app/appliance.h"
#include "app/zonal_shift.h"
#include "base/log.h"
#include "base/printable.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace weir::app {
namespace {

// Of the file in the state directory.
constexpr std::string_view kZonalShiftName = "zonal-shift";
// The wall clock decides, and may be set meanwhile.
constexpr std::chrono::seconds kWallClockLook{60};

std::string CommentText(const control::ZonalShift& shift) {
  return shift.comment.empty() ? std::string() : fmt::format(" comment=\"{}\"", Printable(shift.comment));
}

}  // namespace

control::ChangeResult RunningAppliance::Make(const control::ZonalShiftChange& change) {
  return change.zone.empty() ? CancelZonalShift() : StartZonalShift(change);
}

control::ChangeResult RunningAppliance::StartZonalShift(const control::ZonalShiftChange& change) {
  const auto view = CurrentView();
  // Only this thread writes it: reading needs no lock.
  if (auto fits = CheckZonalShift(*view->model, *view->health, runtime_.zonal_shift, change); !fits) {
    return std::unexpected(std::move(fits.error()));
  }
  const WallTime now = SystemClock().WallNow();
  const control::ZonalShift shift{
      .zone = change.zone, .started = now, .expires = now + change.expires_in, .comment = change.comment};
  adoption_.engine().ShiftAwayFrom(shift.zone);
  auto result = Adopt(adoption_.Again(CurrentRuntime().shifts));
  if (!result) {
    adoption_.engine().ShiftAwayFrom({});
    return result;
  }
  NoteZonalShift(shift);
  LogInfo(fmt::format("zonal shift started zone={} expires={} load_balancers=\"{}\"{} revision={}{}", shift.zone,
                      FormatIso8601(shift.expires), fmt::join(BalancersShifted(*view->model, shift.zone), " "),
                      CommentText(shift), *result, AuthorText()));
  events_.ZonalShiftStarted(shift, *result, author_);
  Tell(fmt::format("zonal shift away from {} until {}", shift.zone, FormatIso8601(shift.expires)));
  KeepZonalShift();
  AwaitZonalShiftEnd();
  return result;
}

control::ChangeResult RunningAppliance::CancelZonalShift() {
  if (!runtime_.zonal_shift || !runtime_.zonal_shift->is_active()) {
    return std::unexpected(control::Refusal{.kind = control::RefusalKind::kConflict,
                                            .error = {"no zonal shift is under way", "nothing was cancelled"},
                                            .diagnostics = {}});
  }
  adoption_.engine().ShiftAwayFrom({});
  auto result = Adopt(adoption_.Again(CurrentRuntime().shifts));
  if (!result) {
    adoption_.engine().ShiftAwayFrom(runtime_.zonal_shift->zone);
    return result;
  }
  EndZonalShift(control::ZonalShiftStatus::kCanceled, "cancelled");
  return result;
}

void RunningAppliance::EndZonalShift(control::ZonalShiftStatus status, std::string_view why) {
  auto shift = *runtime_.zonal_shift;
  shift.status = status;
  adoption_.engine().ShiftAwayFrom({});
  NoteZonalShift(shift);
  zonal_shift_timer_.Cancel();
  KeepZonalShift();
  LogInfo(fmt::format("zonal shift ended zone={} status={} reason=\"{}\"{}", shift.zone, ToString(status), why,
                      AuthorText()));
  events_.ZonalShiftEnded(shift, why, author_);
  Tell(fmt::format("the zonal shift away from {} is over: {}", shift.zone, why));
}

void RunningAppliance::NoteZonalShift(const control::ZonalShift& shift) {
  const std::lock_guard lock(runtime_mutex_);
  runtime_.zonal_shift = shift;
}

void RunningAppliance::AwaitZonalShiftEnd() {
  const auto left = runtime_.zonal_shift->expires - SystemClock().WallNow();
  if (left <= left.zero()) {
    author_.clear();
    EndZonalShift(control::ZonalShiftStatus::kExpired, "expired");
    return;
  }
  const auto wait = std::min<std::chrono::nanoseconds>(left, kWallClockLook);
  loop_.timers().Schedule(zonal_shift_timer_, loop_.now() + wait);
}

void RunningAppliance::DropZonalShift(const config::Model& model) {
  const auto& shift = runtime_.zonal_shift;
  if (!shift || !shift->is_active() || CanBeLeft(model, shift->zone)) return;
  EndZonalShift(control::ZonalShiftStatus::kCanceled, "no load balancer lets the zone be left any more");
}

void RunningAppliance::RestoreZonalShift() {
  const auto kept = state_->Read(kZonalShiftName);
  if (!kept) {
    LogError(kept.error().message + "; there is no zonal shift");
    return;
  }
  if (!*kept) return;
  const auto shift = control::ParseZonalShift(**kept);
  if (!shift) {
    LogError(state_->PathOf(kZonalShiftName) + ' ' + shift.error().message + "; there is none");
    return;
  }
  kept_zonal_shift_ = **kept;
  NoteZonalShift(*shift);
  adoption_.engine().ShiftAwayFrom(shift->zone);
  AwaitZonalShiftEnd();
  if (!runtime_.zonal_shift->is_active()) return;
  LogInfo(fmt::format("zonal shift goes on zone={} expires={}{}", shift->zone, FormatIso8601(shift->expires),
                      CommentText(*shift)));
}

void RunningAppliance::KeepZonalShift() {
  if (!state_) return;
  const auto& shift = runtime_.zonal_shift;
  std::optional<std::string> text;
  if (shift && shift->is_active()) text = control::FormatZonalShift(*shift);
  const std::string known = text.value_or("");
  if (known != kept_zonal_shift_ && Keep(kZonalShiftName, text, "the zonal shift is")) kept_zonal_shift_ = known;
}

}  // namespace weir::app
