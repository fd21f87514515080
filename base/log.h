#pragma once

#include "base/result.h"

#include <cstdint>
#include <string_view>

namespace weir {

// State changes and refusals, once each, with old, new and reason; never per request above debug. One line per call on
// standard error: `2026-11-02T10:15:30.123Z info target state changed group=blue target=127.0.0.1:9001 from=initial
// to=healthy`. Thread: any.
enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarning, kError, kOff };

void SetLogLevel(LogLevel level);
void LogInfo(std::string_view message);
void LogWarning(std::string_view message);
void LogError(std::string_view message);

}  // namespace weir
