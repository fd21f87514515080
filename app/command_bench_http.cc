#include "app/command_bench_options.h"
#include "app/commands.h"
#include "app/complain.h"
#include "app/process.h"
#include "app/signals.h"
#include "base/figures.h"
#include "bench/load/http/http_arguments.h"

#include <fmt/format.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <memory>
#include <string>

namespace weir::app {
namespace {

constexpr unsigned kHttpThreadsMax = 256;
constexpr unsigned kConnectionsMax = 1'000'000;
constexpr unsigned kStreamsMax = 10'000;
constexpr double kHttpRateMax = 1e8;

struct BenchHttpArguments {
  bench::HttpArguments load;
  bench::VerdictArguments verdict;
  bench::OutputArguments output;
};

// What the table cannot say: how well the schedule was kept.
void DescribeLateness(const bench::HttpLoadResult& result, bench::RunRecord& record) {
  if (result.lateness.count() == 0) return;
  const auto text = [&](double percent) {
    const std::chrono::duration<double, std::milli> time = result.lateness.Percentile(percent);
    return DurationText(time.count());
  };
  record.settings.emplace_back("sent late by", fmt::format("p50 {}, p99 {}, max {}", text(50), text(99), text(100)));
}

int RunHttpLoad(const BenchHttpArguments& arguments) {
  const auto verdict =
      bench::BuildVerdict(arguments.verdict, bench::ExpectedStatuses(),
                          {.error_kinds = bench::ErrorKindNames(), .parse_answers = &bench::AnswerSet::ParseStatuses});
  if (!verdict) return Complain(verdict.error(), kCommandLineWrong);
  BlockSignals();
  RaiseDescriptorLimit();
  auto load = bench::BuildHttpLoad(arguments.load);
  if (!load) return Complain(load.error());
  for (const auto& note : load->notes) fmt::print(stderr, "weir: {}\n", note);
  load->settings.expected = verdict->expected;
  const auto duration = load->settings.duration.value_or(std::chrono::nanoseconds(0));
  const double rate = load->settings.rate;
  auto output = bench::RunOutput::Open({.arguments = arguments.output,
                                        .unit = "requests",
                                        .duration_seconds = std::chrono::duration<double>(duration).count(),
                                        .admin_shares = load->settings.group_header.empty()});
  if (!output) return Complain(output.error(), kSystemRefused);
  net::EventLoop loop;
  bench::HttpLoadRun run(loop, std::move(load->plan), std::move(load->settings));
  const Signals signals(loop, [&run](int number) {
    if (number == SIGINT || number == SIGTERM) run.Interrupt();
  });
  run.on_warmup = [&](SteadyTime measure_from) { (*output)->CountSharesFrom(measure_from); };
  run.on_end = [&] { (*output)->FinishShares(); };
  run.on_counts = [&](bench::Counts& second) { (*output)->AddShares(second); };
  run.on_interval = [&](const bench::Interval& second) { (*output)->Show(second); };
  auto result = run.Run();
  if (!result) return Complain(result.error(), kSystemRefused);
  bench::RunRecord& record = result->record;
  record.title = load->title;
  record.settings = load->described;
  record.offered_rate = rate;
  if (arguments.verdict.expect) record.settings.emplace_back("expected", *arguments.verdict.expect);
  DescribeLateness(*result, record);
  verdict->Judge(record);
  const auto finished = (*output)->Finish(record);
  for (const auto& [kind, detail] : result->details) {
    fmt::print(stderr, "weir: {}, the first one: {}\n", bench::ToString(kind), TerminalText(detail));
  }
  if (!finished) return Complain(finished.error(), kSystemRefused);
  return verdict->Tell(record) ? kDone : kInputWrong;
}

void AddLoadOptions(CommandSyntax command, bench::HttpArguments& load) {
  constexpr auto kGroup = "Load";
  command.AddOption("--rate", load.rate, "open loop: requests a second, whatever the answers do; default: closed loop")
      .InRange(0.001, kHttpRateMax)
      .Group(kGroup);
  command.AddOption("--arrivals", load.arrivals, "poisson (default) or constant gaps between the requests of --rate")
      .OneOf({"poisson", "constant"})
      .Group(kGroup);
  command.AddOption("-c,--connections", load.connections, "connections to each origin, in all threads; default 64")
      .InRange(1U, kConnectionsMax)
      .Group(kGroup);
  command.AddOption("-t,--threads", load.threads, "generator threads; default 1")
      .InRange(1U, kHttpThreadsMax)
      .Group(kGroup);
  command
      .AddOption("-d,--duration", load.duration, "500ms, 10s, 5m; default 10s unless --requests or --replay is given")
      .Group(kGroup);
  command.AddOption("-n,--requests", load.requests, "ends after this many requests")
      .InRange(std::uint64_t{1}, std::uint64_t{1} << 62)
      .Group(kGroup);
  command.AddOption("--warmup", load.warmup, "load before the measured time; not counted").Group(kGroup);
  command.AddOption("--timeout", load.timeout, "for one request, its connecting included; default 10s").Group(kGroup);
  command
      .AddOption("--backlog", load.backlog,
                 "open loop: due requests that may wait for a connection; more are counted as errors; default 100000")
      .Group(kGroup);
  auto replay = command.AddOption("--replay", load.replay, "sends what this access log (ALB format) has, at its pace");
  replay.ValueName("FILE").Group(kGroup);
  command.AddOption("--speed", load.speed, "how many times faster than logged --replay goes; default 1")
      .InRange(0.001, 1e6)
      .Group(kGroup);
}

void AddRequestOptions(CommandSyntax command, bench::HttpArguments& load) {
  constexpr auto kGroup = "Requests";
  command.AddOption("URL", load.urls, "what to ask for: http:// or https://, which take turns, or one ws:// or wss://")
      .Required();
  command.AddOption("--weights", load.weights, "how often each URL is asked, in their order: 3,1")
      .SeparatedBy(',')
      .OneValueEach()
      .Group(kGroup);
  command.AddOption("-X,--method", load.method, "GET by default, POST with content").Group(kGroup);
  command.AddOption("-H,--header", load.headers, "'Name: value', sent with each request; may be repeated")
      .OneValueEach()
      .Group(kGroup);
  auto data = command.AddOption("--data", load.data, "content of each request");
  data.ValueName("TEXT").Group(kGroup);
  command.AddOption("--data-file", load.data_file, "a file with the content of each request")
      .ValueName("FILE")
      .Excludes(data)
      .Group(kGroup);
  command.AddOption("--group-header", load.group_header, "shows the shares of the values of this response header")
      .ValueName("NAME")
      .Group(kGroup);
}

void AddConnectionOptions(CommandSyntax command, bench::HttpArguments& load, bool& http1) {
  constexpr auto kGroup = "Connections";
  auto first = command.AddFlag("--http1.1", http1, "HTTP/1.1; the default");
  first.Group(kGroup);
  command.AddFlag("--http2", load.http2, "HTTP/2: by ALPN for https, with prior knowledge for http")
      .Excludes(first)
      .Group(kGroup);
  command.AddOption("--streams", load.streams, "HTTP/2: requests at a time on each connection; default 1")
      .InRange(1U, kStreamsMax)
      .Group(kGroup);
  command
      .AddFlag("--connection-per-request", load.connection_per_request,
               "opens a connection for each request, and asks the server to close it")
      .Group(kGroup);
  auto insecure = command.AddFlag("--insecure", load.insecure, "does not verify certificates");
  insecure.Group(kGroup);
  command.AddOption("--ca-file", load.ca_file, "PEM file with the authorities to trust instead of the system's")
      .ValueName("FILE")
      .Excludes(insecure)
      .Group(kGroup);
  command.AddOption("--tls-resume", load.tls_resume, "so many of the new TLS connections resume a session; default 0")
      .ValueName("PERCENT")
      .InRange(0.0, 100.0)
      .Group(kGroup);
  command
      .AddOption("--resolve", load.resolve, "HOST:PORT:ADDRESS[,ADDRESS], instead of looking HOST up; may be repeated")
      .OneValueEach()
      .Group(kGroup);
  auto v4 = command.AddFlag("-4", load.ipv4, "IPv4 addresses only");
  v4.Group(kGroup);
  command.AddFlag("-6", load.ipv6, "IPv6 addresses only").Excludes(v4).Group(kGroup);
}

}  // namespace

void AddBenchHttpCommand(CommandSyntax bench, Command& run) {
  auto arguments = std::make_shared<BenchHttpArguments>();
  auto http1 = std::make_shared<bool>(false);  // the default: accepted so that scripts can say it
  auto command = bench.AddCommand("http", "Loads HTTP servers: flat out, at a rate, or as an access log says");
  AddRequestOptions(command, arguments->load);
  AddLoadOptions(command, arguments->load);
  AddConnectionOptions(command, arguments->load, *http1);
  AddVerdictOptions(command, arguments->verdict,
                    "2xx,304,500-504: all other answers are errors; default: every status but 5xx");
  AddOutputOptions(command, arguments->output);
  command.Footer(
      "Exits with 0 when anything was answered as expected and no --fail-if holds, else with 1. Ctrl-C ends the run\n"
      "and reports.\n"
      "Example:  weir bench http --rate 2000 --duration 30s --report load.html http://127.0.0.1:8080/");
  command.OnChosen([arguments, http1, &run] { run = [arguments] { return RunHttpLoad(*arguments); }; });
}

}  // namespace weir::app
