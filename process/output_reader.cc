#include "process/output_reader.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace weir::process {
namespace {

constexpr std::chrono::seconds kSecond{1};
constexpr std::size_t kReadBytes = 16 * 1024;

}  // namespace

OutputReader::OutputReader(net::EventLoop& loop, UniqueFd pipe, OutputEvents& events)
    : loop_(loop), pipe_(std::move(pipe)), events_(events), second_timer_([this] { OnSecond(); }) {
  if (!loop_.Watch(pipe_.get(), EPOLLIN, *this)) pipe_.Reset();
}

OutputReader::~OutputReader() { Close(); }

void OutputReader::Close() {
  second_timer_.Cancel();
  if (!pipe_.valid()) return;
  loop_.Unwatch(pipe_.get(), *this);
  pipe_.Reset();
}

void OutputReader::Take(std::string_view bytes) {
  lines_.Take(bytes, loop_.now(), [this](std::string_view line) { events_.OnLine(line); });
}

void OutputReader::ReadAvailable() {
  std::array<char, kReadBytes> buffer;
  while (pipe_.valid() && budget_ > 0) {
    const ssize_t got = read(pipe_.get(), buffer.data(), std::min(buffer.size(), budget_));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) return Close();
    if (!second_timer_.scheduled()) loop_.timers().Schedule(second_timer_, loop_.now() + kSecond);
    budget_ -= static_cast<std::size_t>(got);
    Take({buffer.data(), static_cast<std::size_t>(got)});
  }
}

void OutputReader::OnEvents(std::uint32_t /*events*/) { ReadAvailable(); }

void OutputReader::OnSecond() {
  const bool waited = budget_ == 0;
  budget_ = kBytesPerSecond;
  if (const auto dropped = lines_.TakeDropped(); dropped > 0) events_.OnLinesDropped(dropped);
  if (waited) ReadAvailable();
}

void OutputReader::Finish() {
  budget_ = kBytesPerSecond;
  ReadAvailable();
  lines_.Finish(loop_.now(), [this](std::string_view line) { events_.OnLine(line); });
  if (const auto dropped = lines_.TakeDropped(); dropped > 0) events_.OnLinesDropped(dropped);
  Close();
}

}  // namespace weir::process
