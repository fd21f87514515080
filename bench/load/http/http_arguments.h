#pragma once

#include "bench/load/http/load_plan.h"
#include "bench/load/http/load_run.h"
#include "bench/load/refusal.h"

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace weir::bench {

// What the command line of `weir bench http` says, as it was written.
struct HttpArguments {
  std::vector<std::string> urls;
  std::vector<std::uint32_t> weights;
  double rate = 0;       // 0: closed loop
  std::string arrivals;  // poisson, constant or empty
  unsigned connections = 64;
  unsigned threads = 1;
  std::string duration;
  std::uint64_t requests = 0;  // 0: no limit
  std::string warmup;
  std::string timeout = "10s";
  std::uint32_t backlog = 100'000;
  std::string method;
  std::vector<std::string> headers;
  std::optional<std::string> data;
  std::string data_file;
  bool connection_per_request = false;
  bool http2 = false;
  unsigned streams = 0;  // 0: not said
  bool insecure = false;
  std::string ca_file;
  double tls_resume = 0;  // percent
  std::vector<std::string> resolve;
  bool ipv4 = false;
  bool ipv6 = false;
  std::string replay;
  std::optional<double> speed;
  std::string group_header;
};

// A run that can be started.
struct PlannedHttpLoad {
  LoadPlan plan;
  HttpLoadSettings settings;
  std::string title;
  std::vector<std::pair<std::string, std::string>> described;  // the settings, to be shown with the result
  std::vector<std::string> notes;                              // to be told before it starts: skipped lines of a log
};

// Checks the arguments and reads the files that they name. Refuses with the cause: an
// argument, or a file.
[[nodiscard]] std::expected<PlannedHttpLoad, Refusal> BuildHttpLoad(const HttpArguments& arguments);

}  // namespace weir::bench
