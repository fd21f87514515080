#pragma once

#include "base/result.h"

#include <chrono>
#include <cstddef>
#include <istream>
#include <string>
#include <string_view>
#include <vector>

namespace weir::bench {

// One request of an access log, as far as it can be sent again: bodies and most fields are not logged.
struct LoggedRequest {
  // When it arrived (request_creation_time; where that is missing, `time`): since 1970 from ParseAccessLogLine, since
  // the first request of the log in a ReplayLog.
  std::chrono::nanoseconds at{0};
  std::string method;
  std::string authority;   // of the Host field; a default port is left out
  std::string target;      // as the client sent it
  std::string user_agent;  // empty where the log has `-`
};

// Parses one line of ALB's access log format. Fields behind those it needs may be missing or more. Fails with the
// reason, which names the field.
[[nodiscard]] Result<LoggedRequest> ParseAccessLogLine(std::string_view line);

struct SkippedLine {
  std::size_t line = 0;  // from 1
  std::string why;
};

struct ReplayLog {
  static constexpr std::size_t kSkippedKept = 5;

  std::vector<LoggedRequest> requests;  // by time, the first at 0
  std::vector<SkippedLine> skipped;     // the first kSkippedKept lines that cannot be replayed
  std::size_t skipped_count = 0;        // all of them
};

// Reads a whole log. Lines that are no request are skipped and told; empty lines are skipped silently. Fails when no
// line can be replayed (with the first reason), or when the log is compressed. `name` is for the messages.
[[nodiscard]] Result<ReplayLog> ReadReplayLog(std::istream& in, const std::string& name);

}  // namespace weir::bench
