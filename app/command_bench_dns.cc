#include "app/command_bench_options.h"
#include "app/commands.h"
#include "app/complain.h"
#include "app/process.h"
#include "app/signals.h"
#include "bench/load/dns/dns_arguments.h"
#include "bench/load/dns/tally.h"
#include "net/event_loop.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>

namespace weir::app {
namespace {

constexpr std::uint64_t kThreadsMax = 256;
constexpr std::uint64_t kSocketsMax = 60'000;
constexpr std::uint64_t kOutstandingMax = 10'000'000;
constexpr double kRateMax = 1e8;

struct Arguments {
  bench::DnsArguments load;
  bench::VerdictArguments verdict;
  bench::OutputArguments output;
};

// Turns the first Ctrl-C into a request to stop, on a thread of its own. BlockSignals was called before.
class StopOnSignal {
 public:
  StopOnSignal()
      : signals_(loop_,
                 [this](int number) {
                   if (number == SIGINT || number == SIGTERM) source_.request_stop();
                 }),
        thread_([this] { loop_.Run(); }) {}
  ~StopOnSignal() {
    loop_.Stop();
    thread_.join();
  }
  StopOnSignal(const StopOnSignal&) = delete;
  StopOnSignal& operator=(const StopOnSignal&) = delete;
  [[nodiscard]] std::stop_token token() const { return source_.get_token(); }

 private:
  std::stop_source source_;
  net::EventLoop loop_;
  Signals signals_;
  std::thread thread_;
};

int RunLoad(const Arguments& arguments) {
  const auto verdict =
      bench::BuildVerdict(arguments.verdict, bench::ExpectedRcodes(),
                          {.error_kinds = bench::QueryErrorKinds(), .parse_answers = &bench::ParseRcodes});
  if (!verdict) return Complain(verdict.error(), kCommandLineWrong);
  BlockSignals();
  RaiseDescriptorLimit();
  auto built = bench::BuildDnsLoad(arguments.load);
  if (!built) return Complain(built.error());
  built->load.expected = verdict->expected;
  auto output =
      bench::RunOutput::Open({.arguments = arguments.output,
                              .unit = "queries",
                              .duration_seconds = std::chrono::duration<double>(built->load.duration).count()});
  if (!output) return Complain(output.error(), kSystemRefused);
  const StopOnSignal stop;
  auto record =
      bench::RunDnsLoad(built->load, stop.token(), [&](const bench::Interval& interval) { (*output)->Show(interval); });
  if (!record) return Complain(record.error(), kSystemRefused);
  record->title = built->title;
  record->settings = built->described;
  if (arguments.verdict.expect) record->settings.emplace_back("expected", *arguments.verdict.expect);
  verdict->Judge(*record);
  if (const auto finished = (*output)->Finish(*record); !finished) return Complain(finished.error(), kSystemRefused);
  return verdict->Tell(*record) ? kDone : kInputWrong;
}

void AddQueryOptions(CLI::App& command, bench::DnsArguments& load) {
  constexpr auto kGroup = "Queries";
  auto* queries = command.add_option("--queries", load.queries, "a file with NAME TYPE on each line, as dnsperf's");
  queries->type_name("FILE")->group(kGroup);
  auto* zone = command.add_option("--zone", load.zone, "a configuration file: every name and type of its zones");
  zone->type_name("FILE")->excludes(queries)->group(kGroup);
  auto* name = command.add_option("--name", load.name, "one name");
  name->excludes(queries)->excludes(zone)->group(kGroup);
  command.add_option("--type", load.type, "the type to ask for with --name; default A")->needs(name)->group(kGroup);
  command.add_flag("--recursion-desired", load.recursion_desired, "sets RD")->group(kGroup);
  command.add_flag("--edns", load.edns, "adds an OPT record; the options below do too")->group(kGroup);
  command.add_option("--bufsize", load.bufsize, "the UDP payload size that OPT offers; default 1232")
      ->check(CLI::Range(512, 65'535))
      ->group(kGroup);
  command.add_flag("--dnssec-ok", load.dnssec_ok, "sets DO")->group(kGroup);
  command.add_option("--client-subnet", load.client_subnets, "a client's CIDR block (RFC 7871); several take turns")
      ->allow_extra_args(false)
      ->type_name("CIDR")
      ->group(kGroup);
  command.add_option("--client-subnets", load.client_subnet_file, "a file with a CIDR block on each line")
      ->type_name("FILE")
      ->group(kGroup);
}

void AddLoadOptions(CLI::App& command, bench::DnsArguments& load) {
  constexpr auto kGroup = "Load";
  auto* rate = command.add_option("--rate", load.rate, "open loop: queries a second; default: flat out");
  rate->check(CLI::Range(0.001, kRateMax))->group(kGroup);
  command.add_option("--arrivals", load.arrivals, "poisson (default) or constant gaps between the queries of --rate")
      ->check(CLI::IsMember({"poisson", "constant"}))
      ->needs(rate)
      ->group(kGroup);
  command.add_option("--outstanding", load.outstanding, "queries that wait for answers, in all threads; default 512")
      ->check(CLI::Range(std::uint64_t{1}, kOutstandingMax))
      ->group(kGroup);
  command.add_option("-d,--duration", load.duration, "500ms, 10s, 5m; default 10s unless -n is given")->group(kGroup);
  command.add_option("-n,--count", load.count, "ends after this many queries")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 62))
      ->group(kGroup);
  auto* warmup = command.add_option("--warmup", load.warmup, "load before the measured time; not counted");
  warmup->excludes("--count")->group(kGroup);
  command.add_option("--timeout", load.timeout, "a query without an answer is lost after this time; default 5s")
      ->group(kGroup);
  command.add_option("-t,--threads", load.threads, "generator threads; default 1")
      ->check(CLI::Range(std::uint64_t{1}, kThreadsMax))
      ->group(kGroup);
  auto* sockets = command.add_option("--sockets", load.sockets, "UDP sockets, in all threads; default one a thread");
  sockets->check(CLI::Range(std::uint64_t{1}, kSocketsMax))->group(kGroup);
  auto* tcp = command.add_flag("--tcp", load.tcp, "over TCP, pipelined");
  tcp->excludes(sockets)->group(kGroup);
  command.add_option("-c,--connections", load.connections, "TCP connections, in all threads; default one a thread")
      ->check(CLI::Range(std::uint64_t{1}, kSocketsMax))
      ->needs(tcp)
      ->group(kGroup);
}

}  // namespace

void AddBenchDnsCommand(CLI::App& bench, Command& run) {
  auto arguments = std::make_shared<Arguments>();
  auto* command = bench.add_subcommand("dns", "Loads a DNS server: flat out or at a rate");
  command->add_option("SERVER", arguments->load.server, "ADDRESS[:PORT], [ADDRESS]:PORT or a host name; port 53")
      ->required();
  AddQueryOptions(*command, arguments->load);
  AddLoadOptions(*command, arguments->load);
  AddVerdictOptions(*command, arguments->verdict,
                    "NOERROR,NXDOMAIN (the default): answers with all other response codes are errors");
  AddOutputOptions(*command, arguments->output);
  command->footer(
      "Exits with 0 when anything was answered as expected and no --fail-if holds, else with 1. Ctrl-C ends the run\n"
      "and reports.\n"
      "Example:  weir bench dns --name www.example.test --rate 5000 --duration 30s 127.0.0.1:5353");
  command->callback([arguments, &run] { run = [arguments] { return RunLoad(*arguments); }; });
}

}  // namespace weir::app
