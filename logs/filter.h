#pragma once

// Which lines somebody wants to see.

#include "base/result.h"
#include "logs/entry.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::logs {

// `5xx`, `404`, `500-504`; both ends included.
struct StatusRange {
  std::uint16_t first = 0;
  std::uint16_t last = 999;
};
// Fails for anything else. `000` is a status of logs too.
[[nodiscard]] Result<StatusRange> ParseStatusRange(std::string_view text);

// A moment: as logs write it, a day (`2026-11-02`), or `15m`, `2h`, `1d` before `now`.
[[nodiscard]] Result<WallTime> ParseMoment(std::string_view text, WallTime now);

// Everything that is given must hold; of a list, one of its values. The default takes every line. Lines of connection
// logs have a time, a client, a trace id and nothing else that could be asked for.
struct Filter {
  std::vector<StatusRange> statuses = {};
  std::vector<StatusRange> target_statuses = {};
  std::vector<std::string> rules = {};    // a priority, `default`, or a name
  std::vector<std::string> targets = {};  // ADDRESS:PORT or ADDRESS
  std::vector<std::string> groups = {};
  std::vector<std::string> reasons = {};  // of errors, in any case; `any`: every line that has one
  std::vector<std::string> methods = {};
  std::vector<std::string> hosts = {};      // with or without a port, in any case; `*` stands for anything
  std::vector<std::string> paths = {};      // without the query; `*` stands for anything
  std::vector<std::string> clients = {};    // ADDRESS or ADDRESS:PORT
  std::vector<std::string> trace_ids = {};  // part of a request's, or a connection's
  std::optional<WallTime> since = {};
  std::optional<WallTime> until = {};  // not included
  std::optional<std::chrono::microseconds> slower_than = {};

  [[nodiscard]] bool Takes(const Entry& entry) const;

 private:
  [[nodiscard]] bool TakesRequest(const Entry& entry) const;
  [[nodiscard]] bool AsksOfRequests() const;
};

}  // namespace weir::logs
