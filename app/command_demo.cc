#include "app/appliance.h"
#include "app/commands.h"
#include "app/configuration.h"
#include "app/demo_certificate.h"
#include "app/demo_targets.h"
#include "app/process.h"
#include "app/signals.h"
#include "base/clock.h"
#include "base/log.h"
#include "net/socket.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace weir::app {
namespace {

// High ports that seldom anybody uses; a free one is taken where one is in use.
constexpr std::uint16_t kListenerPort = 18080;
constexpr std::uint16_t kSecurePort = 18443;
constexpr std::uint16_t kDnsPort = 15353;
constexpr std::uint16_t kAdminPort = 9900;
constexpr std::array<std::uint16_t, 3> kTargetPorts = {19001, 19002, 19003};

const IpAddress kLoopbackV4 = IpAddress::V4({127, 0, 0, 1});
const IpAddress kLoopbackV6 = IpAddress::V6({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});

// Standard output, a line at a time from any thread.
class Narrator {
 public:
  void Say(std::string_view line) {
    const std::lock_guard lock(mutex_);
    std::fwrite(line.data(), 1, line.size(), stdout);
    std::fputc('\n', stdout);
    std::fflush(stdout);
  }
  // The same with the time of day (UTC) in front.
  void Tell(std::string_view line) {
    const auto now = FormatIso8601(SystemClock().WallNow());
    Say(fmt::format("{}  {}", now.substr(11, 8), line));
  }

 private:
  std::mutex mutex_;
};

struct Setting {
  bool has_v6 = false;
  std::uint16_t listener = 0;
  std::uint16_t secure = 0;
  std::uint16_t dns = 0;
  std::uint16_t admin = 0;
  DemoTarget blue;
  DemoTarget green;
  DemoTarget shaky;
  DemoCertificate certificate;
};

// `port` when nobody has it on any loopback address, else 0.
std::uint16_t PortOrFree(std::uint16_t port, bool has_v6) {
  for (const auto kind : {net::SocketKind::kTcp, net::SocketKind::kUdp}) {
    if (!net::CheckUnshared({kLoopbackV4, port}, kind)) return 0;
    if (has_v6 && !net::CheckUnshared({kLoopbackV6, port}, kind)) return 0;
  }
  return port;
}

std::string TargetList(const std::vector<const DemoTarget*>& targets) {
  std::string out;
  for (const auto* target : targets) {
    for (const auto& endpoint : target->endpoints) {
      out += fmt::format("      - {{address: \"{}\", port: {}}}\n", endpoint.address.ToString(), endpoint.port);
    }
  }
  return out;
}

// The configuration of the demo: what a user would write.
std::string DemoConfiguration(const Setting& setting) {
  const std::string addresses = setting.has_v6 ? "[127.0.0.1, \"::1\"]" : "[127.0.0.1]";
  const std::string check =
      "    health-check: {path: /health, interval: 1s, timeout: 1s, healthy-threshold: 2, unhealthy-threshold: 2, "
      "matcher: \"200\"}\n    attributes: {deregistration_delay.timeout_seconds: 5}\n";
  return fmt::format(
      R"(load-balancers:
  - name: demo
    ip-address-type: {ip_type}
    addresses: {addresses}
    advertise: {addresses}
    listeners:
      - port: {listener}
        protocol: HTTP
        rules:
          - {{name: beta, priority: 10, conditions: [{{http-header: {{name: X-Beta, values: ["yes"]}}}}], actions: [{{forward: {{target-group: green}}}}]}}
          - {{name: moved, priority: 20, conditions: [{{path-pattern: ["/old/*"]}}], actions: [{{redirect: {{path: "/new", status-code: HTTP_301}}}}]}}
          - {{name: ping, priority: 30, conditions: [{{path-pattern: [/ping]}}], actions: [{{fixed-response: {{status-code: 200, content-type: text/plain, message-body: pong}}}}]}}
        default-actions:
          - forward: {{target-groups: [{{name: blue, weight: 8}}, {{name: green, weight: 2}}]}}
      - port: {secure}
        protocol: HTTPS
        ssl-policy: ELBSecurityPolicy-TLS13-1-2-Res-2021-06
        certificates: [{{certificate: "{certificate}", key: "{key}"}}]
        default-actions:
          - forward: {{target-groups: [{{name: blue, weight: 8}}, {{name: green, weight: 2}}]}}
target-groups:
  - name: blue
    targets:
{blue}{check}  - name: green
    targets:
{green}{check}dns:
  addresses: {addresses}
  port: {dns}
health-checks:
  - {{name: shaky, type: HTTP, address: 127.0.0.1, port: {shaky_port}, path: /health, request-interval: 1s, failure-threshold: 2}}
zones:
  - name: demo.test
    name-servers: [ns1.demo.test.]
    records:
      - {{name: ns1, type: A, ttl: 5m, values: [127.0.0.1]}}
      - {{name: "@", type: A, alias: {{load-balancer: demo, evaluate-target-health: true}}}}
      - {{name: site, type: A, set: primary, failover: PRIMARY, ttl: 5s, values: [192.0.2.10], health-check: shaky}}
      - {{name: site, type: A, set: secondary, failover: SECONDARY, ttl: 5s, values: [198.51.100.10]}}
      - {{name: api, type: A, set: blue, weight: 90, ttl: 10s, values: [192.0.2.31]}}
      - {{name: api, type: A, set: green, weight: 10, ttl: 10s, values: [192.0.2.32]}}
admin: {{address: 127.0.0.1, port: {admin}}}
)",
      fmt::arg("ip_type", setting.has_v6 ? "dualstack" : "ipv4"), fmt::arg("addresses", addresses),
      fmt::arg("secure", setting.secure), fmt::arg("certificate", setting.certificate.certificate()),
      fmt::arg("key", setting.certificate.key()), fmt::arg("listener", setting.listener), fmt::arg("dns", setting.dns),
      fmt::arg("admin", setting.admin), fmt::arg("blue", TargetList({&setting.blue, &setting.shaky})),
      fmt::arg("green", TargetList({&setting.green})), fmt::arg("check", check),
      fmt::arg("shaky_port", setting.shaky.endpoints.front().port));
}

// A command to copy, and above it what it shows.
std::string Advice(std::string_view what, std::string_view command) {
  return fmt::format("  # {}\n  {}", what, command);
}

void SayWhatToTry(Narrator& out, const Setting& setting, const control::Runtime& runtime) {
  const auto listener = runtime.listeners.front().endpoints.front().ToString();
  const auto listener_v6 = runtime.listeners.front().endpoints.back().ToString();
  const auto secure = runtime.listeners.back().endpoints.front().ToString();
  const auto dns_port = runtime.dns.front().port;
  const auto admin = runtime.admin.ToString();
  const auto port = runtime.listeners.front().endpoints.front().port;
  const auto shaky = setting.shaky.endpoints.front().ToString();
  const std::string where = runtime.admin.port == kAdminPort ? "" : " --admin " + admin;
  out.Say(
      fmt::format("weir demo: blue gets 8 of 10 requests, green 2; blue has a second target, shaky, that can fail"));
  out.Say(fmt::format("  load balancer  http://{}{}", listener, setting.has_v6 ? "  http://" + listener_v6 : ""));
  out.Say(fmt::format("  HTTPS          https://{}, a certificate for localhost that nobody vouches for", secure));
  out.Say(fmt::format("  DNS            127.0.0.1 port {}, zone demo.test", dns_port));
  out.Say(fmt::format("  admin API      http://{}", admin));
  for (const auto* target : {&setting.blue, &setting.green, &setting.shaky}) {
    std::string line = fmt::format("  target         {:<6}", target->name);
    for (const auto& endpoint : target->endpoints) line += " http://" + endpoint.ToString();
    out.Say(line);
  }
  const std::string program = program_invocation_name;
  out.Say("\nTry in another terminal:");
  out.Say(Advice("blue or green, 8:2", fmt::format("curl http://{}/", listener)));
  if (setting.has_v6) out.Say(Advice("the same over IPv6", fmt::format("curl -g http://{}/", listener_v6)));
  out.Say(Advice("the same by HTTP/2 over TLS", fmt::format("curl -k --http2 https://{}/", secure)));
  out.Say(Advice("a rule: always green", fmt::format("curl -H 'X-Beta: yes' http://{}/", listener)));
  out.Say(Advice("a redirect", fmt::format("curl -i http://{}/old/page", listener)));
  out.Say(Advice("why", fmt::format("{} explain --live{} http GET http://{}/old/page", program, where, listener)));
  out.Say(Advice("with which certificate, and why",
                 fmt::format("{} explain --live{} http GET https://localhost:{}/", program, where,
                             runtime.listeners.back().endpoints.front().port)));
  out.Say(Advice("everything at a glance", fmt::format("{} status --watch{}", program, where)));
  const auto rule = fmt::format("{} weights{} demo:{} default", program, where, port);
  out.Say(Advice("shift all traffic to green", rule + " blue=0 green=100"));
  out.Say(Advice("and back", rule + " --reset"));
  out.Say(Advice("make shaky fail: it leaves the load balancer, and DNS fails over",
                 fmt::format("curl -X POST http://{}/fail", shaky)));
  out.Say(Advice("192.0.2.10, or 198.51.100.10 after a failover",
                 fmt::format("dig +short @127.0.0.1 -p {} site.demo.test A", dns_port)));
  out.Say(Advice("why", fmt::format("{} explain --live{} dns site.demo.test A", program, where)));
  out.Say(Advice("heal it", fmt::format("curl -X POST http://{}/recover", shaky)));
  out.Say("\nCtrl-C ends the demo. What happens from here on:");
}

Result<Setting> Prepare(DemoTargets& targets) {
  Setting setting;
  for (auto& [target, name, port] : std::array<std::tuple<DemoTarget*, const char*, std::uint16_t>, 3>{
           {{&setting.blue, "blue", kTargetPorts[0]},
            {&setting.green, "green", kTargetPorts[1]},
            {&setting.shaky, "shaky", kTargetPorts[2]}}}) {
    auto added = targets.Add(name, port);
    if (!added) return std::unexpected(added.error());
    *target = std::move(*added);
  }
  setting.has_v6 = setting.blue.endpoints.size() > 1;
  setting.listener = PortOrFree(kListenerPort, setting.has_v6);
  setting.secure = PortOrFree(kSecurePort, setting.has_v6);
  setting.dns = PortOrFree(kDnsPort, setting.has_v6);
  setting.admin = PortOrFree(kAdminPort, false);
  auto certificate = DemoCertificate::Make();
  if (!certificate) return std::unexpected(certificate.error());
  setting.certificate = std::move(*certificate);
  return setting;
}

void NarrateHealth(Narrator& out, const health::Transition& change) {
  const std::string subject =
      change.group.empty() ? "health check " + change.id : "target " + change.id + " of " + change.group;
  std::string line = fmt::format("{}: {} -> {}", subject, change.from, change.to);
  if (!change.seen.empty()) line += fmt::format(" (saw {})", change.seen);
  out.Tell(line);
}

int RunDemo() {
  BlockSignals();
  RaiseDescriptorLimit();
  auto functions = StartFunctionPool();
  if (!functions) return ReportStartFailure({.diagnostics = {}, .error = functions.error()});
  Narrator narrator;
  DemoTargets targets([&narrator](std::string_view what) { narrator.Tell(what); });
  auto setting = Prepare(targets);
  if (!setting) return ReportStartFailure({.diagnostics = {}, .error = setting.error()});
  targets.Start();
  ApplianceOptions options;
  options.name = "demo";
  options.functions = std::move(*functions);
  options.load = [text = DemoConfiguration(*setting)] { return LoadConfigurationText(text, "demo"); };
  options.watch_files = false;
  options.workers = 1;
  options.drain_timeout = std::chrono::seconds(2);
  options.on_transition = [&narrator](const health::Transition& change) { NarrateHealth(narrator, change); };
  options.on_change = [&narrator](std::string_view change) { narrator.Tell(change); };
  options.on_ready = [&narrator, &setting](const control::Runtime& runtime) {
    SayWhatToTry(narrator, *setting, runtime);
  };
  // The narration says it; the log would say it again.
  SetLogLevel(LogLevel::kError);
  RunningAppliance appliance(std::move(options));
  const auto failure = appliance.Run();
  return failure ? ReportStartFailure(*failure) : kDone;
}

}  // namespace

void AddDemoCommand(CommandSyntax root, Command& run) {
  auto command = root.AddCommand("demo", "Serves a built-in blue/green example and says what to try");
  command.Footer("Example:  weir demo");
  command.OnChosen([&run] { run = [] { return RunDemo(); }; });
}

}  // namespace weir::app
