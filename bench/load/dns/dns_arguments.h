#pragma once

#include "bench/load/dns/dns_load.h"
#include "bench/load/refusal.h"

#include <cstdint>
#include <expected>
#include <string>
#include <utility>
#include <vector>

namespace weir::bench {

// `weir bench dns` as it was typed.
struct DnsArguments {
  std::string server;
  // Where the questions come from: exactly one of the three.
  std::string queries;  // a file of names and types
  std::string zone;     // a configuration file, whose zones are swept
  std::string name;
  std::string type = "A";

  bool tcp = false;
  std::uint64_t connections = 0;  // TCP; 0: one a thread
  std::uint64_t sockets = 0;      // UDP; 0: one a thread
  std::uint64_t threads = 1;
  std::uint64_t outstanding = 512;
  double rate = 0;
  std::string arrivals = "poisson";
  std::string duration;
  std::uint64_t count = 0;
  std::string warmup;
  std::string timeout = "5s";

  bool recursion_desired = false;
  bool edns = false;
  std::uint16_t bufsize = 0;  // 0: not given
  bool dnssec_ok = false;
  std::vector<std::string> client_subnets;
  std::string client_subnet_file;
};

struct PlannedDnsLoad {
  DnsLoad load;
  std::string title;
  std::vector<std::pair<std::string, std::string>> described;  // RunRecord::settings
};

// Reads the files that the arguments name, resolves the server's name and checks that everything fits together. Thread:
// any; blocks on files and on the system's resolver.
[[nodiscard]] std::expected<PlannedDnsLoad, Refusal> BuildDnsLoad(const DnsArguments& arguments);

}  // namespace weir::bench
