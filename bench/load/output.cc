#include "bench/load/output.h"

#include "bench/load/report.h"

#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace weir::bench {

Result<std::unique_ptr<RunOutput>> RunOutput::Open(Options options) {
  std::unique_ptr<RunOutput> made(new RunOutput(std::move(options)));
  const OutputArguments& arguments = made->options_.arguments;
  if (arguments.admin) {
    auto feed = EventFeed::Start({.admin = *arguments.admin, .shares = made->options_.admin_shares});
    if (!feed) return std::unexpected(feed.error());
    made->feed_ = std::move(*feed);
  }
  if (!arguments.report.empty()) {
    made->page_.reset(std::fopen(arguments.report.c_str(), "we"));
    if (!made->page_) return Failure("cannot write " + arguments.report + ": " + std::strerror(errno));
  }
  if (arguments.progress || (!arguments.quiet && isatty(STDERR_FILENO) == 1)) {
    auto shown = ProgressOptionsFor(stderr);
    shown.unit = made->options_.unit;
    shown.duration_seconds = made->options_.duration_seconds;
    made->progress_ = std::make_unique<Progress>(stderr, shown);
  }
  return made;
}

void RunOutput::TakeEvents() {
  if (!feed_) return;
  for (auto& event : feed_->TakeEvents(WallTime{})) events_.push_back(std::move(event));
}

std::span<const ApplianceEvent> RunOutput::NewEvents() {
  return std::span(events_).subspan(std::exchange(events_shown_, events_.size()));
}

void RunOutput::CountSharesFrom(SteadyTime from) {
  if (feed_ && options_.admin_shares) feed_->CountSharesFrom(from);
}

void RunOutput::FinishShares() {
  if (feed_ && options_.admin_shares) feed_->Poll();
}

void RunOutput::AddShares(Counts& second) {
  if (!feed_ || !options_.admin_shares) return;
  for (const auto& [group, count] : feed_->TakeShares()) second.shares[group] += count;
}

void RunOutput::Show(const Interval& second) {
  TakeEvents();
  if (progress_) progress_->Show(second, NewEvents());
}

Result<void> RunOutput::Finish(RunRecord& record) {
  if (feed_) feed_->Poll();
  TakeEvents();
  if (progress_) progress_->Finish(NewEvents());
  const double started = std::chrono::duration<double>(record.started.time_since_epoch()).count();
  for (auto& event : events_) event.seconds -= started;
  record.events = std::move(events_);
  const bool colours = isatty(STDOUT_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr;
  const std::string text = options_.arguments.json ? Json(record) : Table(record, {.colours = colours});
  std::fputs(text.c_str(), stdout);
  std::fflush(stdout);
  if (!page_) return {};
  const std::string page = Page(record);
  const bool written = std::fwrite(page.data(), 1, page.size(), page_.get()) == page.size();
  if (std::fclose(page_.release()) != 0 || !written) {
    return Failure("cannot write " + options_.arguments.report + ": " + std::strerror(errno));
  }
  return {};
}

}  // namespace weir::bench
