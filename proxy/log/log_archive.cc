#include "proxy/log/log_archive.h"

#include "base/log.h"
#include "base/text.h"
#include "base/unique_fd.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

namespace weir::proxy {
namespace {

constexpr std::size_t kChunkBytes = 64 * 1024;
constexpr std::string_view kStampShape = "00000000T000000Z";

std::string StampOf(WallTime time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const auto day = std::chrono::floor<std::chrono::days>(seconds);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(seconds - day);
  std::array<char, 32> text{};
  const int size = std::snprintf(text.data(), text.size(), "%04d%02u%02uT%02d%02d%02dZ", static_cast<int>(date.year()),
                                 static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                                 static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                                 static_cast<int>(clock.seconds().count()));
  return {text.data(), static_cast<std::size_t>(size)};
}

bool Exists(const std::string& path) {
  std::error_code error;
  return std::filesystem::exists(path, error);
}

// `.20261130T130659Z`, perhaps with `-2` and `.gz` behind it.
bool IsArchiveSuffix(std::string_view text) {
  if (text.size() < kStampShape.size() + 1 || text[0] != '.') return false;
  text.remove_prefix(1);
  for (std::size_t i = 0; i < kStampShape.size(); ++i) {
    const bool fits = kStampShape[i] == '0' ? text[i] >= '0' && text[i] <= '9' : text[i] == kStampShape[i];
    if (!fits) return false;
  }
  text.remove_prefix(kStampShape.size());
  if (text.ends_with(".gz")) text.remove_suffix(3);
  if (text.empty()) return true;
  return text.size() > 1 && text[0] == '-' &&
         std::ranges::all_of(text.substr(1), [](char c) { return c >= '0' && c <= '9'; });
}

// The oldest of those put aside go, but for `keep`.
void Prune(const std::string& path, std::uint32_t keep) {
  const std::filesystem::path log(path);
  const std::string name = log.filename().string();
  const auto folder = log.has_parent_path() ? log.parent_path() : std::filesystem::path(".");
  std::vector<std::string> archived;
  std::vector<std::string> unfinished;  // by a program that was killed
  std::error_code error;
  for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    const std::string other = at->path().filename().string();
    if (!other.starts_with(name)) continue;
    const std::string_view suffix = std::string_view(other).substr(name.size());
    if (IsArchiveSuffix(suffix)) archived.push_back(other);
    if (suffix.ends_with(".gz.tmp") && IsArchiveSuffix(suffix.substr(0, suffix.size() - 4)))
      unfinished.push_back(other);
  }
  // In the order of their times, and of their numbers within a second: a name without a number is the first.
  const auto order = [&](const std::string& each) {
    const std::string_view rest = std::string_view(each).substr(name.size() + 1);
    std::string_view number = rest.substr(kStampShape.size());
    if (number.ends_with(".gz")) number.remove_suffix(3);
    return std::pair(std::string(rest.substr(0, kStampShape.size())),
                     number.empty() ? std::uint64_t{1} : ParseDecimal(number.substr(1)).value_or(0));
  };
  std::ranges::sort(archived, {}, order);
  for (const std::string& left : unfinished) std::filesystem::remove(folder / left, error);
  for (std::size_t i = 0; i + keep < archived.size(); ++i) std::filesystem::remove(folder / archived[i], error);
}

}  // namespace

bool IsRotationDue(const config::LogRotation& rotation, std::uint64_t bytes, WallTime begun, WallTime now) {
  if (bytes == 0) return false;
  if (rotation.bytes > 0 && bytes >= rotation.bytes) return true;
  if (rotation.interval.count() == 0) return false;
  return begun.time_since_epoch() / rotation.interval != now.time_since_epoch() / rotation.interval;
}

std::string ArchivedPath(const std::string& path, WallTime now) {
  const std::string stamped = path + "." + StampOf(now);
  std::string out = stamped;
  for (unsigned i = 2; Exists(out) || Exists(out + ".gz"); ++i) out = stamped + "-" + std::to_string(i);
  return out;
}

void KeepAccess(int from, int to) {
  struct stat facts{};
  if (::fstat(from, &facts) != 0) return;
  static_cast<void>(::fchmod(to, facts.st_mode & 07777));
  const bool given = ::fchown(to, facts.st_uid, facts.st_gid) == 0;
  static_cast<void>(given);  // only root gives files away
}

LogArchive::~LogArchive() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void LogArchive::Take(std::string path, std::string archived, const config::LogRotation& rotation) {
  if (!rotation.compress && rotation.keep == 0) return;
  {
    const std::lock_guard lock(mutex_);
    jobs_.push_back({.path = std::move(path), .archived = std::move(archived), .rotation = rotation});
    if (!thread_.joinable()) thread_ = std::thread([this] { Run(); });
  }
  changed_.notify_one();
}

std::string LogArchive::Compress(const std::string& path) {
  const std::string compressed = path + ".gz";
  const std::string unfinished = compressed + ".tmp";
  const UniqueFd in(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!in.valid()) return std::strerror(errno);
  UniqueFd out(::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!out.valid()) return std::strerror(errno);
  KeepAccess(in.get(), out.get());
  gzFile const file = ::gzdopen(out.get(), "wb6");
  if (file == nullptr) return "out of memory";
  static_cast<void>(out.Release());  // it is the file's
  std::string failure;
  std::vector<char> chunk(kChunkBytes);
  bool whole = false;
  while (!stopping_) {
    const ssize_t got = ::read(in.get(), chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) failure = std::strerror(errno);
    whole = got == 0;
    if (got <= 0) break;
    if (::gzwrite(file, chunk.data(), static_cast<unsigned>(got)) != got) {
      failure = errno != 0 ? std::strerror(errno) : "cannot be written";
      break;
    }
  }
  if (::gzclose(file) != Z_OK && failure.empty()) failure = errno != 0 ? std::strerror(errno) : "cannot be written";
  if (whole && failure.empty() && ::rename(unfinished.c_str(), compressed.c_str()) != 0) failure = std::strerror(errno);
  if (!whole || !failure.empty()) {
    ::unlink(unfinished.c_str());
    return failure;
  }
  ::unlink(path.c_str());
  return {};
}

void LogArchive::Run() {
  for (;;) {
    Job job;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
      if (stopping_) return;  // what is not compressed yet stays as it is
      job = std::move(jobs_.front());
      jobs_.erase(jobs_.begin());
    }
    if (job.rotation.compress) {
      if (const std::string failure = Compress(job.archived); !failure.empty()) {
        LogError("a log that was put aside cannot be compressed path=" + job.archived + " reason=\"" + failure + "\"");
      }
    }
    if (job.rotation.keep > 0) Prune(job.path, job.rotation.keep);
  }
}

}  // namespace weir::proxy
