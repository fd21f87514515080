#include "app/commands.h"
#include "app/complain.h"
#include "base/clock.h"
#include "base/figures.h"
#include "base/printable.h"
#include "base/text.h"
#include "logs/entry.h"
#include "logs/filter.h"
#include "logs/line_source.h"
#include "logs/summary.h"
#include "logs/summary_report.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace weir::app {
namespace {

constexpr std::size_t kRowsDefault = 10;
constexpr std::chrono::milliseconds kFollowInterval{200};
constexpr std::size_t kOutputBytes = 64 * 1024;

struct LogsArguments {
  std::vector<std::string> files;
  std::vector<std::string> statuses;
  std::vector<std::string> target_statuses;
  std::string since;
  std::string until;
  std::string slower_than;
  logs::Filter filter;
  bool summary = false;
  bool json = false;
  bool raw = false;
  bool follow = false;
  int rows = kRowsDefault;
  std::string replay;
};

// `250ms`, `1.5s`.
Result<std::chrono::microseconds> ParseDuration(std::string_view text) {
  const bool is_milliseconds = text.ends_with("ms");
  std::string_view number = text;
  if (is_milliseconds) {
    number.remove_suffix(2);
  } else if (number.ends_with('s')) {
    number.remove_suffix(1);
  } else {
    number = {};
  }
  const auto value = logs::ParseLogSeconds(number);
  if (!value) return Failure(fmt::format("`{}` is no duration", text), "write 250ms or 1.5s");
  return is_milliseconds ? *value / 1000 : *value;
}

Result<std::vector<logs::StatusRange>> ParseStatuses(const std::vector<std::string>& texts) {
  std::vector<logs::StatusRange> out;
  for (const std::string& text : texts) {
    const auto range = logs::ParseStatusRange(text);
    if (!range) return std::unexpected(range.error());
    out.push_back(*range);
  }
  return out;
}

Result<logs::Filter> ReadFilter(const LogsArguments& arguments) {
  logs::Filter filter = arguments.filter;
  auto statuses = ParseStatuses(arguments.statuses);
  if (!statuses) return std::unexpected(statuses.error());
  filter.statuses = std::move(*statuses);
  auto target_statuses = ParseStatuses(arguments.target_statuses);
  if (!target_statuses) return std::unexpected(target_statuses.error());
  filter.target_statuses = std::move(*target_statuses);
  const WallTime now = SystemClock().WallNow();
  for (const auto& [text, moment] : {std::pair(&arguments.since, &filter.since), {&arguments.until, &filter.until}}) {
    if (text->empty()) continue;
    const auto parsed = logs::ParseMoment(*text, now);
    if (!parsed) return std::unexpected(parsed.error());
    *moment = *parsed;
  }
  if (!arguments.slower_than.empty()) {
    const auto slower = ParseDuration(arguments.slower_than);
    if (!slower) return std::unexpected(slower.error());
    filter.slower_than = *slower;
  }
  return filter;
}

std::string TimeText(const std::optional<std::chrono::microseconds>& time) {
  return time ? DurationText(static_cast<double>(time->count()) / 1e3) : "-";
}

// One line for people: what was asked, what came of it, how long it took, who answered.
void AppendReadable(std::string& out, const logs::Entry& entry) {
  using enum logs::RequestField;
  out += FormatIso8601(entry.time);
  if (entry.kind == logs::EntryKind::kConnection) {
    using Field = logs::ConnectionField;
    out += fmt::format(" connection from {}:{} to port {} {} {} {}\n", entry[Field::kClientIp],
                       entry[Field::kClientPort], entry[Field::kListenerPort], entry[Field::kTlsProtocol],
                       entry[Field::kVerifyStatus], entry[Field::kConnectionId]);
    return;
  }
  const auto line = entry.request_line();
  out += fmt::format(" {:03} {} {} {}", entry.status, TimeText(entry.total_time()), entry[kClient],
                     line.method.empty() ? entry[kRequest] : line.method);
  if (!line.method.empty()) {
    out += ' ';
    if (!line.scheme.empty()) (out += line.scheme) += "://";
    (out += line.host) += line.target;
  }
  const std::string_view priority = entry[kRulePriority];
  if (!entry.rule_name.empty()) {
    out += fmt::format(" rule {}", entry.rule_name);
  } else if (priority != "-") {
    out += fmt::format(" rule {}", priority == "0" ? std::string_view("default") : priority);
  }
  if (const auto group = entry.target_group(); !group.empty()) out += fmt::format(" {}", group);
  if (entry[kTarget] != "-") out += fmt::format(" {}", entry[kTarget]);
  if (entry.target_status != 0 && entry.target_status != entry.status)
    out += fmt::format(" gave {}", entry.target_status);
  if (entry[kRedirectUrl] != "-") out += fmt::format(" to {}", entry[kRedirectUrl]);
  if (const auto reason = entry.error_reason(); !reason.empty()) out += fmt::format(" {}", reason);
  out += '\n';
}

// Reads files and does with their lines what was asked.
class LogCommand {
 public:
  LogCommand(const LogsArguments& arguments, logs::Filter filter) : arguments_(arguments), filter_(std::move(filter)) {}

  int Run() {
    if (!arguments_.replay.empty()) {
      replay_.reset(std::fopen(arguments_.replay.c_str(), "we"));
      if (replay_ == nullptr) {
        return Complain({fmt::format("cannot write {}: {}", arguments_.replay, std::strerror(errno)), {}},
                        kSystemRefused);
      }
    }
    for (const std::string& path : arguments_.files) {
      auto source = logs::LineSource::Open(path);
      if (!source) return Complain(source.error(), kSystemRefused);
      (*source)->set_waits_for_end(arguments_.follow);
      sources_.push_back(std::move(*source));
    }
    for (const auto& source : sources_) ReadOn(*source);
    if (arguments_.follow) Follow();
    return Finish();
  }

 private:
  struct CloseFile {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  static constexpr std::size_t kComplaintsMax = 5;

  // All that is there.
  void ReadOn(logs::LineSource& source) {
    while (!failed_) {
      const auto line = source.Next();
      if (!line) return Refuse(line.error().message);
      if (!line->has_value()) return;
      if (!(*line)->empty()) Take(source, **line);
    }
  }

  void Take(const logs::LineSource& source, std::string_view line) {
    const auto entry = parser_.Parse(line);
    if (!entry) {
      ++wrong_lines_;
      if (wrong_lines_ <= kComplaintsMax) {
        Note(fmt::format("{}:{}: {}", source.path(), source.line_number(), Printable(entry.error().message)));
      }
      return;
    }
    ++good_lines_;
    if (!filter_.Takes(*entry)) return;
    ++taken_lines_;
    if (replay_ != nullptr) return WriteReplay(*entry);
    if (arguments_.summary) return summary_.Add(*entry);
    if (arguments_.json) {
      logs::AppendJsonLine(output_, *entry);
      output_ += '\n';
    } else if (arguments_.raw) {
      (output_ += line) += '\n';
    } else {
      AppendReadable(output_, *entry);
    }
    if (output_.size() >= kOutputBytes) Flush();
  }

  void WriteReplay(const logs::Entry& entry) {
    if (entry.kind != logs::EntryKind::kRequest) return;
    std::string line;
    logs::AppendAlbLine(line, entry);
    line += '\n';
    if (std::fwrite(line.data(), 1, line.size(), replay_.get()) != line.size()) CannotWrite(arguments_.replay);
  }

  void CannotWrite(const std::string& what) {
    failed_ = true;
    code_ = Complain({fmt::format("cannot write {}: {}", what, std::strerror(errno)), {}}, kSystemRefused);
  }

  void Flush() {
    if (std::fwrite(output_.data(), 1, output_.size(), stdout) != output_.size() || std::fflush(stdout) != 0) {
      // Whoever read it has gone: nothing is wrong with that.
      failed_ = true;
      if (errno != EPIPE) CannotWrite("the output");
    }
    output_.clear();
  }

  static void Note(const std::string& what) { std::fputs(("weir: " + what + "\n").c_str(), stderr); }

  void Refuse(const std::string& what) {
    Note(Printable(what));
    code_ = kInputWrong;
  }

  void Follow() {
    while (!failed_) {
      Flush();
      std::this_thread::sleep_for(kFollowInterval);
      for (const auto& source : sources_) {
        ReadOn(*source);
        // Rotated: what was written to the old file last has been read.
        if (source->ReopenIfReplaced()) ReadOn(*source);
      }
    }
  }

  int Finish() {
    if (failed_) return code_;
    if (arguments_.summary) {
      output_ += arguments_.json ? logs::SummaryJson(summary_) + "\n"
                                 : logs::SummaryText(summary_, static_cast<std::size_t>(arguments_.rows));
    }
    Flush();
    if (replay_ != nullptr) {
      if (std::fflush(replay_.get()) != 0) {
        CannotWrite(arguments_.replay);
        return code_;
      }
      std::fputs(fmt::format("{} requests in {}\nReplay them:  weir bench http --replay {} URL\n",
                             CountText(taken_lines_), arguments_.replay, arguments_.replay)
                     .c_str(),
                 stdout);
    }
    if (wrong_lines_ > kComplaintsMax) Note(fmt::format("{} further lines are no log", wrong_lines_ - kComplaintsMax));
    if (code_ == kDone && good_lines_ == 0 && wrong_lines_ > 0) return kInputWrong;
    return code_;
  }

  const LogsArguments& arguments_;
  logs::Filter filter_;
  std::vector<std::unique_ptr<logs::LineSource>> sources_;
  logs::EntryParser parser_;
  logs::Summary summary_;
  std::unique_ptr<std::FILE, CloseFile> replay_;
  std::string output_;
  std::uint64_t good_lines_ = 0;
  std::uint64_t wrong_lines_ = 0;
  std::uint64_t taken_lines_ = 0;
  bool failed_ = false;  // no more is read
  int code_ = kDone;
};

int Logs(const LogsArguments& arguments) {
  auto filter = ReadFilter(arguments);
  if (!filter) return Complain(filter.error(), kCommandLineWrong);
  return LogCommand(arguments, std::move(*filter)).Run();
}

}  // namespace

void AddLogsCommand(CommandSyntax root, Command& run) {
  auto arguments = std::make_shared<LogsArguments>();
  auto command = root.AddCommand("logs", "Reads access and connection logs, weir's and those of an ALB");
  command
      .AddOption("FILE", arguments->files,
                 "logs, plain or gzip, ALB's format or JSON, in any mixture; - is the standard input")
      .Required();
  const auto ask = [&](const std::string& name, std::vector<std::string>& values, const std::string& text) {
    command.AddOption(name, values, text).OneValueEach().Group("Which lines");
  };
  ask("--status", arguments->statuses, "of the answer: 404, 5xx, 500-504; may be given again, as may all of these");
  ask("--target-status", arguments->target_statuses, "that the target gave");
  ask("--rule", arguments->filter.rules, "a priority, `default`, or a name");
  ask("--target", arguments->filter.targets, "ADDRESS:PORT or ADDRESS");
  ask("--group", arguments->filter.groups, "of targets");
  ask("--reason", arguments->filter.reasons, "of errors, as the log has it; `any`");
  ask("--method", arguments->filter.methods, "GET, POST, …");
  ask("--host", arguments->filter.hosts, "* stands for anything");
  ask("--path", arguments->filter.paths, "without the query; * stands for anything");
  ask("--client", arguments->filter.clients, "ADDRESS or ADDRESS:PORT");
  ask("--trace", arguments->filter.trace_ids, "part of a trace id, or a connection's TID_…");
  command.AddOption("--since", arguments->since, "2026-11-02T10:15:30Z, 2026-11-02, or how long ago: 15m, 2h, 1d")
      .Group("Which lines");
  command.AddOption("--until", arguments->until, "the same; this moment is not included").Group("Which lines");
  command.AddOption("--slower", arguments->slower_than, "took at least this long: 250ms, 1.5s").Group("Which lines");
  auto summary = command.AddFlag("--summary", arguments->summary,
                                 "counts and times by status, reason, rule, group, target and over time");
  command.AddOption("--rows", arguments->rows, "of each table of the summary").InRange(1, 100'000).Needs(summary);
  command.AddFlag("--json", arguments->json, "print JSON: each line, or the summary");
  auto raw = command.AddFlag("--raw", arguments->raw, "print lines as they stand in the log");
  raw.Excludes(summary);
  auto follow = command.AddFlag("-f,--follow", arguments->follow, "wait for further lines, over rotations too");
  follow.Excludes(summary);
  auto replay =
      command
          .AddOption("--replay-into", arguments->replay, "write requests to FILE, for `weir bench http --replay FILE`")
          .ValueName("FILE");
  replay.Excludes(summary).Excludes(raw).Excludes(follow);
  command.Footer(
      "Example:  weir logs access.log --status 5xx --since 15m\n"
      "          weir logs AWSLogs/*.log.gz --summary");
  command.OnChosen([arguments, &run] { run = [arguments] { return Logs(*arguments); }; });
}

}  // namespace weir::app
