#include "app/command_bench_options.h"
#include "app/commands.h"
#include "app/complain.h"
#include "app/process.h"
#include "app/signals.h"
#include "bench/load/dns/dns_arguments.h"
#include "bench/load/dns/tally.h"
#include "net/event_loop.h"

#include <chrono>
#include <csignal>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>

namespace weir::app {
namespace {

constexpr std::uint64_t kDnsThreadsMax = 256;
constexpr std::uint64_t kSocketsMax = 60'000;
constexpr std::uint64_t kOutstandingMax = 10'000'000;
constexpr double kDnsRateMax = 1e8;

struct BenchDnsArguments {
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

int RunDnsLoad(const BenchDnsArguments& arguments) {
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

void AddQueryOptions(CommandSyntax command, bench::DnsArguments& load) {
  constexpr auto kGroup = "Queries";
  auto queries = command.AddOption("--queries", load.queries, "a file with NAME TYPE on each line, as dnsperf's");
  queries.ValueName("FILE").Group(kGroup);
  auto zone = command.AddOption("--zone", load.zone, "a configuration file: every name and type of its zones");
  zone.ValueName("FILE").Excludes(queries).Group(kGroup);
  auto name = command.AddOption("--name", load.name, "one name");
  name.Excludes(queries).Excludes(zone).Group(kGroup);
  command.AddOption("--type", load.type, "the type to ask for with --name; default A").Needs(name).Group(kGroup);
  command.AddFlag("--recursion-desired", load.recursion_desired, "sets RD").Group(kGroup);
  command.AddFlag("--edns", load.edns, "adds an OPT record; the options below do too").Group(kGroup);
  command.AddOption("--bufsize", load.bufsize, "the UDP payload size that OPT offers; default 1232")
      .InRange(512, 65'535)
      .Group(kGroup);
  command.AddFlag("--dnssec-ok", load.dnssec_ok, "sets DO").Group(kGroup);
  command.AddOption("--client-subnet", load.client_subnets, "a client's CIDR block (RFC 7871); several take turns")
      .OneValueEach()
      .ValueName("CIDR")
      .Group(kGroup);
  command.AddOption("--client-subnets", load.client_subnet_file, "a file with a CIDR block on each line")
      .ValueName("FILE")
      .Group(kGroup);
}

void AddLoadOptions(CommandSyntax command, bench::DnsArguments& load) {
  constexpr auto kGroup = "Load";
  auto rate = command.AddOption("--rate", load.rate, "open loop: queries a second; default: flat out");
  rate.InRange(0.001, kDnsRateMax).Group(kGroup);
  command.AddOption("--arrivals", load.arrivals, "poisson (default) or constant gaps between the queries of --rate")
      .OneOf({"poisson", "constant"})
      .Needs(rate)
      .Group(kGroup);
  command.AddOption("--outstanding", load.outstanding, "queries that wait for answers, in all threads; default 512")
      .InRange(std::uint64_t{1}, kOutstandingMax)
      .Group(kGroup);
  command.AddOption("-d,--duration", load.duration, "500ms, 10s, 5m; default 10s unless -n is given").Group(kGroup);
  auto count = command.AddOption("-n,--count", load.count, "ends after this many queries");
  count.InRange(std::uint64_t{1}, std::uint64_t{1} << 62).Group(kGroup);
  auto warmup = command.AddOption("--warmup", load.warmup, "load before the measured time; not counted");
  warmup.Excludes(count).Group(kGroup);
  command.AddOption("--timeout", load.timeout, "a query without an answer is lost after this time; default 5s")
      .Group(kGroup);
  command.AddOption("-t,--threads", load.threads, "generator threads; default 1")
      .InRange(std::uint64_t{1}, kDnsThreadsMax)
      .Group(kGroup);
  auto sockets = command.AddOption("--sockets", load.sockets, "UDP sockets, in all threads; default one a thread");
  sockets.InRange(std::uint64_t{1}, kSocketsMax).Group(kGroup);
  auto tcp = command.AddFlag("--tcp", load.tcp, "over TCP, pipelined");
  tcp.Excludes(sockets).Group(kGroup);
  command.AddOption("-c,--connections", load.connections, "TCP connections, in all threads; default one a thread")
      .InRange(std::uint64_t{1}, kSocketsMax)
      .Needs(tcp)
      .Group(kGroup);
}

}  // namespace

void AddBenchDnsCommand(CommandSyntax bench, Command& run) {
  auto arguments = std::make_shared<BenchDnsArguments>();
  auto command = bench.AddCommand("dns", "Loads a DNS server: flat out or at a rate");
  command.AddOption("SERVER", arguments->load.server, "ADDRESS[:PORT], [ADDRESS]:PORT or a host name; port 53")
      .Required();
  AddQueryOptions(command, arguments->load);
  AddLoadOptions(command, arguments->load);
  AddVerdictOptions(command, arguments->verdict,
                    "NOERROR,NXDOMAIN (the default): answers with all other response codes are errors");
  AddOutputOptions(command, arguments->output);
  command.Footer(
      "Exits with 0 when anything was answered as expected and no --fail-if holds, else with 1. Ctrl-C ends the run\n"
      "and reports.\n"
      "Example:  weir bench dns --name www.example.test --rate 5000 --duration 30s 127.0.0.1:5353");
  command.OnChosen([arguments, &run] { run = [arguments] { return RunDnsLoad(*arguments); }; });
}

}  // namespace weir::app
