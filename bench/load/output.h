#pragma once

#include "base/clock.h"
#include "base/ip_address.h"
#include "base/result.h"
#include "bench/load/event_feed.h"
#include "bench/load/progress.h"
#include "bench/load/run_record.h"

#include <cstddef>
#include <cstdio>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace weir::bench {

// What every bench command shows, and where.
struct OutputArguments {
  bool json = false;
  bool quiet = false;
  bool progress = false;
  std::string report;             // a file; empty: none
  std::optional<Endpoint> admin;  // of the appliance to be watched
};

// What a run is shown by: progress on standard error while it goes, the appliance's events and shares beside it, and
// the table, JSON and page at its end. Thread: one.
class RunOutput {
 public:
  struct Options {
    OutputArguments arguments;
    std::string unit;             // as in RunRecord
    double duration_seconds = 0;  // 0: not known
    bool admin_shares = false;    // shares come from the appliance's counters: the generator counts none itself
  };

  // Before the load starts: opens the report's file and the event feed, so that a wrong path or address is told at
  // once.
  [[nodiscard]] static Result<std::unique_ptr<RunOutput>> Open(Options options);

  // With a warm-up: the shares of the appliance count from this moment on.
  void CountSharesFrom(SteadyTime from);
  // Asks the appliance once more, so that the last second has the shares of its last requests.
  void FinishShares();
  // For every second that has ended: adds the shares that the appliance counted.
  void AddShares(Counts& second);
  // Shows a second as progress.
  void Show(const Interval& second);
  // Puts the appliance's events into the record, prints the table or JSON, writes the page. Fails when the page cannot
  // be written.
  [[nodiscard]] Result<void> Finish(RunRecord& record);

 private:
  struct CloseFile {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  explicit RunOutput(Options options) : options_(std::move(options)) {}
  void TakeEvents();
  // Those that have not been shown yet.
  [[nodiscard]] std::span<const ApplianceEvent> NewEvents();

  Options options_;
  std::unique_ptr<std::FILE, CloseFile> page_;
  std::unique_ptr<EventFeed> feed_;
  std::unique_ptr<Progress> progress_;
  std::size_t events_shown_ = 0;        // as progress
  std::vector<ApplianceEvent> events_;  // their seconds count from 1970 until Finish
};

}  // namespace weir::bench
