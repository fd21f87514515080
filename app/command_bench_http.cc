#include "app/command_bench_options.h"
#include "app/commands.h"
#include "app/complain.h"
#include "app/process.h"
#include "app/signals.h"
#include "bench/load/http/http_arguments.h"
#include "bench/load/text_format.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <fmt/format.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <memory>
#include <string>

namespace weir::app {
namespace {

constexpr unsigned kThreadsMax = 256;
constexpr unsigned kConnectionsMax = 1'000'000;
constexpr unsigned kStreamsMax = 10'000;
constexpr double kRateMax = 1e8;

struct Arguments {
  bench::HttpArguments load;
  bench::VerdictArguments verdict;
  bench::OutputArguments output;
};

// What the table cannot say: how well the schedule was kept.
void DescribeLateness(const bench::HttpLoadResult& result, bench::RunRecord& record) {
  if (result.lateness.count() == 0) return;
  const auto text = [&](double percent) {
    const std::chrono::duration<double, std::milli> time = result.lateness.Percentile(percent);
    return bench::DurationText(time.count());
  };
  record.settings.emplace_back("sent late by", fmt::format("p50 {}, p99 {}, max {}", text(50), text(99), text(100)));
}

int RunLoad(const Arguments& arguments) {
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
    fmt::print(stderr, "weir: {}, the first one: {}\n", bench::ToString(kind), bench::TerminalText(detail));
  }
  if (!finished) return Complain(finished.error(), kSystemRefused);
  return verdict->Tell(record) ? kDone : kInputWrong;
}

void AddLoadOptions(CLI::App& command, bench::HttpArguments& load) {
  constexpr auto kGroup = "Load";
  command
      .add_option("--rate", load.rate, "open loop: requests a second, whatever the answers do; default: closed loop")
      ->check(CLI::Range(0.001, kRateMax))
      ->group(kGroup);
  command.add_option("--arrivals", load.arrivals, "poisson (default) or constant gaps between the requests of --rate")
      ->check(CLI::IsMember({"poisson", "constant"}))
      ->group(kGroup);
  command.add_option("-c,--connections", load.connections, "connections to each origin, in all threads; default 64")
      ->check(CLI::Range(1U, kConnectionsMax))
      ->group(kGroup);
  command.add_option("-t,--threads", load.threads, "generator threads; default 1")
      ->check(CLI::Range(1U, kThreadsMax))
      ->group(kGroup);
  command
      .add_option("-d,--duration", load.duration, "500ms, 10s, 5m; default 10s unless --requests or --replay is given")
      ->group(kGroup);
  command.add_option("-n,--requests", load.requests, "ends after this many requests")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 62))
      ->group(kGroup);
  command.add_option("--warmup", load.warmup, "load before the measured time; not counted")->group(kGroup);
  command.add_option("--timeout", load.timeout, "for one request, its connecting included; default 10s")->group(kGroup);
  command
      .add_option("--backlog", load.backlog,
                  "open loop: due requests that may wait for a connection; more are counted as errors; default 100000")
      ->group(kGroup);
  auto* replay =
      command.add_option("--replay", load.replay, "sends what this access log (ALB format) has, at its pace");
  replay->type_name("FILE")->group(kGroup);
  command.add_option("--speed", load.speed, "how many times faster than logged --replay goes; default 1")
      ->check(CLI::Range(0.001, 1e6))
      ->group(kGroup);
}

void AddRequestOptions(CLI::App& command, bench::HttpArguments& load) {
  constexpr auto kGroup = "Requests";
  command
      .add_option("URL", load.urls, "what to ask for: http:// or https://, which take turns, or one ws:// or wss://")
      ->required();
  command.add_option("--weights", load.weights, "how often each URL is asked, in their order: 3,1")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->group(kGroup);
  command.add_option("-X,--method", load.method, "GET by default, POST with content")->group(kGroup);
  command.add_option("-H,--header", load.headers, "'Name: value', sent with each request; may be repeated")
      ->allow_extra_args(false)
      ->group(kGroup);
  auto* data = command.add_option("--data", load.data, "content of each request");
  data->type_name("TEXT")->group(kGroup);
  command.add_option("--data-file", load.data_file, "a file with the content of each request")
      ->type_name("FILE")
      ->excludes(data)
      ->group(kGroup);
  command.add_option("--group-header", load.group_header, "shows the shares of the values of this response header")
      ->type_name("NAME")
      ->group(kGroup);
}

void AddConnectionOptions(CLI::App& command, bench::HttpArguments& load, bool& http1) {
  constexpr auto kGroup = "Connections";
  auto* first = command.add_flag("--http1.1", http1, "HTTP/1.1; the default");
  first->group(kGroup);
  command.add_flag("--http2", load.http2, "HTTP/2: by ALPN for https, with prior knowledge for http")
      ->excludes(first)
      ->group(kGroup);
  command.add_option("--streams", load.streams, "HTTP/2: requests at a time on each connection; default 1")
      ->check(CLI::Range(1U, kStreamsMax))
      ->group(kGroup);
  command
      .add_flag("--connection-per-request", load.connection_per_request,
                "opens a connection for each request, and asks the server to close it")
      ->group(kGroup);
  auto* insecure = command.add_flag("--insecure", load.insecure, "does not verify certificates");
  insecure->group(kGroup);
  command.add_option("--ca-file", load.ca_file, "PEM file with the authorities to trust instead of the system's")
      ->type_name("FILE")
      ->excludes(insecure)
      ->group(kGroup);
  command.add_option("--tls-resume", load.tls_resume, "so many of the new TLS connections resume a session; default 0")
      ->type_name("PERCENT")
      ->check(CLI::Range(0.0, 100.0))
      ->group(kGroup);
  command
      .add_option("--resolve", load.resolve, "HOST:PORT:ADDRESS[,ADDRESS], instead of looking HOST up; may be repeated")
      ->allow_extra_args(false)
      ->group(kGroup);
  auto* v4 = command.add_flag("-4", load.ipv4, "IPv4 addresses only");
  v4->group(kGroup);
  command.add_flag("-6", load.ipv6, "IPv6 addresses only")->excludes(v4)->group(kGroup);
}

}  // namespace

void AddBenchHttpCommand(CLI::App& bench, Command& run) {
  auto arguments = std::make_shared<Arguments>();
  auto http1 = std::make_shared<bool>(false);  // the default: accepted so that scripts can say it
  auto* command = bench.add_subcommand("http", "Loads HTTP servers: flat out, at a rate, or as an access log says");
  AddRequestOptions(*command, arguments->load);
  AddLoadOptions(*command, arguments->load);
  AddConnectionOptions(*command, arguments->load, *http1);
  AddVerdictOptions(*command, arguments->verdict,
                    "2xx,304,500-504: all other answers are errors; default: every status but 5xx");
  AddOutputOptions(*command, arguments->output);
  command->footer(
      "Exits with 0 when anything was answered as expected and no --fail-if holds, else with 1. Ctrl-C ends the run\n"
      "and reports.\n"
      "Example:  weir bench http --rate 2000 --duration 30s --report load.html http://127.0.0.1:8080/");
  command->callback([arguments, http1, &run] { run = [arguments] { return RunLoad(*arguments); }; });
}

}  // namespace weir::app
