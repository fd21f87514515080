#include "control/zonal_shift.h"

#include "base/text.h"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <cstdint>
#include <optional>

namespace weir::control {
namespace {

namespace json = boost::json;

std::int64_t Milliseconds(WallTime time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

std::optional<WallTime> TimeOf(const json::object& from, std::string_view key) {
  const auto* const value = from.if_contains(key);
  if (value == nullptr || !value->is_int64()) return std::nullopt;
  return WallTime(std::chrono::milliseconds(value->get_int64()));
}

std::optional<std::string> TextOf(const json::object& from, std::string_view key) {
  const auto* const value = from.if_contains(key);
  if (value == nullptr || !value->is_string()) return std::nullopt;
  return std::string(value->get_string());
}

}  // namespace

std::string_view ToString(ZonalShiftStatus status) {
  switch (status) {
    case ZonalShiftStatus::kActive:
      return "ACTIVE";
    case ZonalShiftStatus::kExpired:
      return "EXPIRED";
    case ZonalShiftStatus::kCanceled:
      return "CANCELED";
  }
  return "";
}

Result<std::chrono::seconds> ParseExpiry(std::string_view text) {
  const auto refuse = [text] {
    return Failure("`" + std::string(text) + "` is no time until a zonal shift expires", "90s, 30m, 1h: up to 72h");
  };
  if (text.size() < 2 || text.starts_with('0')) return refuse();
  const auto number = ParseDecimal(text.substr(0, text.size() - 1));
  const char unit = text.back();
  const std::uint64_t seconds = unit == 's' ? 1 : unit == 'm' ? 60 : unit == 'h' ? 3'600 : 0;
  const auto limit = static_cast<std::uint64_t>(kZonalShiftSecondsMax.count());
  if (!number || seconds == 0 || *number > limit || *number * seconds > limit) return refuse();
  return std::chrono::seconds(*number * seconds);
}

std::string FormatZonalShift(const ZonalShift& shift) {
  return json::serialize(json::object{{"zone", shift.zone},
                                      {"started-unix-milliseconds", Milliseconds(shift.started)},
                                      {"expires-unix-milliseconds", Milliseconds(shift.expires)},
                                      {"comment", shift.comment}});
}

Result<ZonalShift> ParseZonalShift(std::string_view text) {
  boost::system::error_code error;
  const auto parsed = json::parse(text, error);
  if (error || !parsed.is_object()) return Failure("is no zonal shift");
  const json::object& from = parsed.get_object();
  const auto zone = TextOf(from, "zone");
  const auto started = TimeOf(from, "started-unix-milliseconds");
  const auto expires = TimeOf(from, "expires-unix-milliseconds");
  const auto comment = TextOf(from, "comment");
  if (!zone || zone->empty() || !started || !expires || !comment) return Failure("is no zonal shift");
  return ZonalShift{.zone = *zone, .started = *started, .expires = *expires, .comment = *comment};
}

}  // namespace weir::control
