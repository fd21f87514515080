// How much of one core the health engine needs: health_load [CHECKS] [INTERVAL_MS] [SECONDS]. Default: 10,000 checks
// every 5 s for 15 s. A child process answers on loopback, on one address of 127.0.0.0/8 for each check; one of them
// flaps. Prints what this process alone used.

#include "base/log.h"
#include "base/unique_fd.h"
#include "config/model.h"
#include "health/engine.h"
#include "net/socket.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <thread>
#include <utility>

namespace weir {
namespace {

constexpr std::string_view kWell = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
constexpr std::string_view kIll = "HTTP/1.1 503 Down\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno";
const IpAddress kFlapping = IpAddress::V4({127, 1, 0, 0});

// One blocking exchange after another: on loopback a probe's request is there at once.
[[noreturn]] void AnswerForever(int listener) {
  unsigned flapping_requests = 0;
  std::array<char, 4096> buffer;
  for (;;) {
    const UniqueFd connection(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
    if (!connection.valid()) continue;
    const auto got = recv(connection.get(), buffer.data(), buffer.size(), 0);
    if (got <= 0) continue;
    std::string_view answer = kWell;
    if (net::LocalEndpoint(connection.get()).address == kFlapping && (flapping_requests++ / 2) % 2 == 1) answer = kIll;
    if (send(connection.get(), answer.data(), answer.size(), MSG_NOSIGNAL) < 0) continue;
  }
}

std::shared_ptr<const config::Model> BuildModel(int checks, std::chrono::milliseconds interval, std::uint16_t port) {
  constexpr int kTargetsPerGroup = 1'000;
  auto model = std::make_shared<config::Model>();
  for (int i = 0; i < checks; ++i) {
    if (i % kTargetsPerGroup == 0) {
      config::TargetGroup group;
      group.name = fmt::format("group-{}", i / kTargetsPerGroup);
      group.in_use = true;
      group.health_check.interval = interval;
      model->target_groups.push_back(std::move(group));
    }
    config::Target target;
    target.address = IpAddress::V4({127, static_cast<std::uint8_t>(1 + i / 65'536), static_cast<std::uint8_t>(i / 256),
                                    static_cast<std::uint8_t>(i)});
    target.port = port;
    model->target_groups.back().targets.push_back(std::move(target));
  }
  return model;
}

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

void Measure(int checks, std::chrono::milliseconds interval, std::chrono::seconds duration, std::uint16_t port) {
  std::atomic<std::uint64_t> tables{0};
  health::Engine engine({}, [&](std::shared_ptr<const health::StatusTable>) { ++tables; });
  engine.Apply(BuildModel(checks, interval, port), 1);
  std::this_thread::sleep_for(interval * 2);
  const auto before = engine.probe_counters();
  const double cpu_before = CpuSeconds();
  const auto tables_before = tables.load();
  const auto start = std::chrono::steady_clock::now();
  std::this_thread::sleep_for(duration);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  const double cpu = CpuSeconds() - cpu_before;
  const auto after = engine.probe_counters();
  const auto succeeded = after.succeeded - before.succeeded;
  const auto failed = after.failed - before.failed;
  fmt::print("checks={} interval-ms={} probes/s={:.0f} failed={} transitions={} tables/s={:.1f}\n", checks,
             interval.count(), static_cast<double>(succeeded + failed) / took.count(), failed,
             after.transitions - before.transitions, static_cast<double>(tables - tables_before) / took.count());
  fmt::print("cpu={:.3f} of one core, {:.1f} us per probe\n", cpu / took.count(),
             cpu * 1e6 / static_cast<double>(succeeded + failed));
}

}  // namespace
}  // namespace weir

int main(int argc, char** argv) {
  const int checks = argc > 1 ? std::atoi(argv[1]) : 10'000;
  const std::chrono::milliseconds interval(argc > 2 ? std::atoi(argv[2]) : 5'000);
  const std::chrono::seconds duration(argc > 3 ? std::atoi(argv[3]) : 15);
  auto listener = weir::net::ListenTcp({weir::IpAddress::AnyV4(), 0});
  if (!listener || checks < 1 || interval.count() < 1) return 2;
  const std::uint16_t port = weir::net::LocalEndpoint(listener->get()).port;
  const pid_t child = fork();
  if (child == 0) {
    // The listener is non-blocking: here waiting is all there is to do.
    fcntl(listener->get(), F_SETFL, 0);
    weir::AnswerForever(listener->get());
  }
  weir::SetLogLevel(weir::LogLevel::kWarning);
  weir::Measure(checks, interval, duration, port);
  kill(child, SIGTERM);
  waitpid(child, nullptr, 0);
  return 0;
}
