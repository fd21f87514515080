#include "app/bench_output.h"

#include "app/admin_option.h"
#include "bench/load/report.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace weir::app {

void AddBenchOutputOptions(CLI::App& command, BenchOutputArguments& arguments) {
  auto* json = command.add_flag("--json", arguments.json, "print the result as JSON instead of a table");
  json->group("Output");
  command.add_option("--report", arguments.report, "write the result as one self-contained HTML page to this file")
      ->type_name("FILE")
      ->group("Output");
  auto* quiet = command.add_flag("--quiet", arguments.quiet, "show no progress");
  quiet->group("Output");
  command.add_flag("--progress", arguments.progress, "show progress where standard error is no terminal too")
      ->excludes(quiet)
      ->group("Output");
  command
      .add_option("--admin", arguments.admin,
                  "ADDRESS:PORT of the admin API of the appliance under load: its events are shown with the result")
      ->check([](const std::string& text) {
        const auto endpoint = Endpoint::Parse(text);
        return endpoint ? std::string() : endpoint.error().message + " (write ADDRESS:PORT, [::1]:9900 for IPv6)";
      })
      ->type_name("ADDRESS:PORT")
      ->group("Output");
}

Result<std::unique_ptr<BenchOutput>> BenchOutput::Open(Options options) {
  std::unique_ptr<BenchOutput> made(new BenchOutput(std::move(options)));
  const BenchOutputArguments& arguments = made->options_.arguments;
  if (!arguments.admin.empty()) {
    auto feed =
        bench::EventFeed::Start({.admin = AdminEndpoint(arguments.admin), .shares = made->options_.admin_shares});
    if (!feed) return std::unexpected(feed.error());
    made->feed_ = std::move(*feed);
  }
  if (!arguments.report.empty()) {
    made->page_.reset(std::fopen(arguments.report.c_str(), "we"));
    if (!made->page_) return Failure("cannot write " + arguments.report + ": " + std::strerror(errno));
  }
  if (arguments.progress || (!arguments.quiet && isatty(STDERR_FILENO) == 1)) {
    auto shown = bench::ProgressOptionsFor(stderr);
    shown.unit = made->options_.unit;
    shown.duration_seconds = made->options_.duration_seconds;
    made->progress_ = std::make_unique<bench::Progress>(stderr, shown);
  }
  return made;
}

void BenchOutput::TakeEvents() {
  if (!feed_) return;
  for (auto& event : feed_->TakeEvents(WallTime{})) events_.push_back(std::move(event));
}

std::span<const bench::ApplianceEvent> BenchOutput::NewEvents() {
  return std::span(events_).subspan(std::exchange(events_shown_, events_.size()));
}

void BenchOutput::CountSharesFrom(SteadyTime from) {
  if (feed_ && options_.admin_shares) feed_->CountSharesFrom(from);
}

void BenchOutput::FinishShares() {
  if (feed_ && options_.admin_shares) feed_->Poll();
}

void BenchOutput::AddShares(bench::Counts& second) {
  if (!feed_ || !options_.admin_shares) return;
  for (const auto& [group, count] : feed_->TakeShares()) second.shares[group] += count;
}

void BenchOutput::Show(const bench::Interval& second) {
  TakeEvents();
  if (progress_) progress_->Show(second, NewEvents());
}

Result<void> BenchOutput::Finish(bench::RunRecord& record) {
  if (feed_) feed_->Poll();
  TakeEvents();
  if (progress_) progress_->Finish(NewEvents());
  const double started = std::chrono::duration<double>(record.started.time_since_epoch()).count();
  for (auto& event : events_) event.seconds -= started;
  record.events = std::move(events_);
  const bool colours = isatty(STDOUT_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr;
  const std::string text = options_.arguments.json ? bench::Json(record) : bench::Table(record, {.colours = colours});
  std::fputs(text.c_str(), stdout);
  std::fflush(stdout);
  if (!page_) return {};
  const std::string page = bench::Page(record);
  const bool written = std::fwrite(page.data(), 1, page.size(), page_.get()) == page.size();
  if (std::fclose(page_.release()) != 0 || !written) {
    return Failure("cannot write " + options_.arguments.report + ": " + std::strerror(errno));
  }
  return {};
}

}  // namespace weir::app
