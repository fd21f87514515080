#include "control/status_text.h"

#include "base/printable.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::control {
namespace {

enum class Colour : std::uint8_t { kNone, kGood, kBad, kWaiting, kHeading };

struct Cell {
  std::string text;
  Colour colour = Colour::kNone;
};
using Row = std::vector<Cell>;

std::string_view Escape(Colour colour) {
  switch (colour) {
    case Colour::kNone:
      return "";
    case Colour::kGood:
      return "\x1b[32m";
    case Colour::kBad:
      return "\x1b[31m";
    case Colour::kWaiting:
      return "\x1b[33m";
    case Colour::kHeading:
      return "\x1b[1m";
  }
  return "";
}

constexpr std::string_view kReset = "\x1b[0m";

Colour ColourOf(std::string_view state) {
  if (state == "healthy") return Colour::kGood;
  if (state == "unhealthy" || state == "unavailable") return Colour::kBad;
  if (state == "initial" || state == "draining") return Colour::kWaiting;
  return Colour::kNone;
}

// Columns as wide as their widest cell; the last one is not padded, so that no line ends in spaces.
class Table {
 public:
  explicit Table(std::vector<std::string_view> titles) {
    Row row;
    for (const auto title : titles) row.push_back({std::string(title), Colour::kHeading});
    rows_.push_back(std::move(row));
  }
  // Control characters are escaped: a row is one line.
  void Add(Row row) {
    for (Cell& cell : row) cell.text = Printable(cell.text);
    rows_.push_back(std::move(row));
  }
  [[nodiscard]] bool empty() const { return rows_.size() == 1; }

  void AppendTo(std::string& out, bool colours) const {
    std::vector<std::size_t> widths;
    for (const auto& row : rows_) {
      widths.resize(std::max(widths.size(), row.size()));
      for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].text.size());
    }
    for (const auto& row : rows_) {
      std::string line = "  ";
      std::size_t pending = 0;  // spaces owed before the next cell that is not empty
      for (std::size_t i = 0; i < row.size(); ++i) {
        const Cell& cell = row[i];
        if (!cell.text.empty()) {
          line.append(pending, ' ');
          pending = 0;
          const bool paint = colours && cell.colour != Colour::kNone;
          if (paint) line += Escape(cell.colour);
          line += cell.text;
          if (paint) line += kReset;
        }
        pending += widths[i] - cell.text.size() + 2;
      }
      out += line + "\n";
    }
  }

 private:
  std::vector<Row> rows_;
};

void AppendTable(std::string& out, std::string_view title, const Table& table, bool colours) {
  if (table.empty()) return;
  out += "\n";
  if (colours) out += Escape(Colour::kHeading);
  out += title;
  if (colours) out += kReset;
  out += "\n";
  table.AppendTo(out, colours);
}

// 2026-11-02T10:15:30.123456Z without the fraction: a table has no room for it.
std::string Seconds(const std::string& time) {
  const auto dot = time.find('.');
  return dot == std::string::npos ? time : time.substr(0, dot) + "Z";
}

std::string Join(const std::vector<std::string>& texts) {
  std::string out;
  for (const auto& text : texts) out += (out.empty() ? "" : ", ") + text;
  return out;
}

std::string WeightsText(const std::vector<WeightedGroup>& groups) {
  std::string out;
  for (const auto& group : groups) out += (out.empty() ? "" : " ") + group.name + ":" + std::to_string(group.weight);
  return out;
}

// The parts of a redirect that are not simply the request's own.
std::string_view ShortLocation(std::string_view location) {
  constexpr std::string_view kSameSite = "#{protocol}://#{host}:#{port}";
  constexpr std::string_view kSameQuery = "?#{query}";
  if (location.starts_with(kSameSite)) location.remove_prefix(kSameSite.size());
  if (location.ends_with(kSameQuery)) location.remove_suffix(kSameQuery.size());
  return location;
}

std::string ActionText(const ActionReport& action) {
  if (action.type == "forward") {
    if (action.groups.size() == 1) return "forward " + action.groups.front().name;
    return "forward " + WeightsText(action.groups);
  }
  if (action.type == "redirect") {
    return "redirect " + std::to_string(action.status_code) + " " + std::string(ShortLocation(action.location));
  }
  return action.type + " " + std::to_string(action.status_code);
}

std::string HeaderText(const StatusReport& report) {
  std::string out = "weir " + report.version + "  " + report.phase + "  revision " + std::to_string(report.revision) +
                    "  " + Printable(report.file) + "  loaded " + Seconds(report.loaded_at) + "\n";
  out += "admin " + report.admin;
  if (!report.dns.empty()) out += "  dns " + Join(report.dns);
  out += "  workers " + std::to_string(report.workers);
  if (!report.state_directory.empty()) out += "  state " + Printable(report.state_directory);
  out += "\n";
  if (report.clients_wait) {
    out += "clients wait: the limit of " + std::to_string(report.client_connections_max) +
           " client connections is reached\n";
  }
  if (report.zonal_shift && report.zonal_shift->status == "ACTIVE") {
    out += "zonal shift away from " + Printable(report.zonal_shift->zone) + " until " +
           Seconds(report.zonal_shift->expires);
    if (!report.zonal_shift->comment.empty()) out += ": " + Printable(report.zonal_shift->comment);
    out += "\n";
  }
  if (!report.last_reload_error.empty()) out += "last reload refused: " + Printable(report.last_reload_error) + "\n";
  return out;
}

// 1234.5 as `1,234`, 12.34 as `12.3`: enough to see a difference, not more.
std::string StatusRate(double rate) {
  if (rate > 0 && rate < 100) return fmt::format("{:.1f}", rate);
  auto out = fmt::format("{:.0f}", rate);
  for (std::size_t at = out.size(); at > 3; at -= 3) out.insert(at - 3, ",");
  return out;
}

std::string StatusDuration(std::optional<std::chrono::microseconds> duration) {
  if (!duration) return "-";
  const auto microseconds = static_cast<double>(duration->count());
  if (microseconds < 1e3) return fmt::format("{:.0f} us", microseconds);
  if (microseconds < 1e6) return fmt::format("{:.3g} ms", microseconds / 1e3);
  return fmt::format("{:.3g} s", microseconds / 1e6);
}

void AppendRates(std::string& out, std::span<const GroupRate> rates, bool colours) {
  Table table({"GROUP", "HEALTHY", "REQUESTS/S", "ERRORS/S", "P99"});
  for (const auto& rate : rates) {
    const bool all_healthy = rate.healthy == rate.registered;
    table.Add({{rate.name},
               {fmt::format("{} of {}", rate.healthy, rate.registered), all_healthy ? Colour::kNone : Colour::kBad},
               {StatusRate(rate.requests)},
               {StatusRate(rate.errors), rate.errors > 0 ? Colour::kBad : Colour::kNone},
               {StatusDuration(rate.p99)}});
  }
  AppendTable(out, "Traffic", table, colours);
}

void AppendLoadBalancers(std::string& out, const StatusReport& report, bool colours) {
  Table table({"NAME", "HEALTH", "LISTENER", "RULE", "REQUESTS", "ACTION"});
  for (const auto& balancer : report.load_balancers) {
    std::string name = balancer.name;
    std::string health = balancer.healthy ? "healthy" : "unhealthy";
    for (const auto& listener : balancer.listeners) {
      std::string where = listener.protocol + ":" + std::to_string(listener.port);
      for (const auto& rule : listener.rules) {
        std::string title = PriorityText(rule.priority);
        if (!rule.name.empty()) title += " " + rule.name;
        std::string action = ActionText(rule.action);
        if (rule.weights_overridden) action += " (override)";
        // A name is said once, on the first line it holds for.
        const Colour colour = ColourOf(health);
        table.Add({{std::exchange(name, {})},
                   {std::exchange(health, {}), colour},
                   {std::exchange(where, {})},
                   {std::move(title)},
                   {std::to_string(rule.requests)},
                   {std::move(action)}});
      }
    }
  }
  AppendTable(out, "Load balancers", table, colours);
}

void AppendNodes(std::string& out, const StatusReport& report, bool colours) {
  Table table({"LOAD BALANCER", "ZONE", "HEALTH", "DNS", "ADDRESSES", "ADVERTISED"});
  for (const auto& balancer : report.load_balancers) {
    std::string name = balancer.name;
    for (const auto& node : balancer.nodes) {
      const std::string health = node.healthy ? "healthy" : "unhealthy";
      table.Add({{std::exchange(name, {})},
                 {node.zone},
                 {health, ColourOf(health)},
                 {node.shifted   ? "shifted away"
                  : node.answers ? "answers"
                                 : "left out",
                  node.answers ? Colour::kNone : Colour::kWaiting},
                 {Join(node.addresses)},
                 {Join(node.advertise)}});
    }
  }
  AppendTable(out, "Zones of load balancers", table, colours);
}

void AppendCertificates(std::string& out, const StatusReport& report, bool colours) {
  Table table({"LISTENER", "POLICY", "CLIENTS", "CERTIFICATE", "NAMES", "EXPIRES"});
  for (const auto& balancer : report.load_balancers) {
    for (const auto& listener : balancer.listeners) {
      std::string where = balancer.name + "/" + std::to_string(listener.port);
      std::string policy = listener.ssl_policy;
      std::string clients = listener.mutual_authentication;
      if (!listener.trust_store.empty()) clients += " " + listener.trust_store;
      for (const auto& certificate : listener.certificates) {
        std::string names;
        for (const auto& name : certificate.names) names += (names.empty() ? "" : " ") + name;
        table.Add({{std::exchange(where, {})},
                   {std::exchange(policy, {})},
                   {std::exchange(clients, {})},
                   {certificate.certificate},
                   {std::move(names)},
                   {certificate.not_after, certificate.valid ? Colour::kNone : Colour::kBad}});
      }
    }
  }
  AppendTable(out, "Certificates", table, colours);
}

void AppendTargetGroups(std::string& out, const StatusReport& report, bool colours) {
  Table table({"GROUP", "TARGET", "ZONE", "STATE", "REQUESTS", "SINCE", "WHY"});
  for (const auto& group : report.target_groups) {
    std::string name = group.name;
    if (!group.ssl_policy.empty()) name += " (" + group.protocol + ")";
    // An appliance of an older version does not say.
    const bool is_http1 = group.protocol_version.empty() || group.protocol_version == "HTTP1";
    if (!is_http1) name += " (" + group.protocol_version + ")";
    if (group.is_function) name += " (lambda)";
    if (!group.stickiness.empty()) name += " (sticky)";
    if (group.fail_open && group.zones.empty()) name += " (fail-open)";
    for (const auto& zone : group.zones) {
      if (zone.fail_open) name += " (fail-open in " + zone.zone + ")";
    }
    for (const auto& target : group.targets) {
      std::string state = target.state;
      if (target.admin_state != "measured" && !target.admin_state.empty()) state += " (forced)";
      std::string why = target.reason;
      if (!target.description.empty()) why = target.description;
      if (!group.versions.empty()) why += (why.empty() ? "" : "; ") + group.versions;
      if (!target.anomaly.empty()) why += (why.empty() ? "" : "; ") + target.anomaly;
      if (!target.zonal_override.empty()) why += (why.empty() ? "" : "; ") + target.zonal_override;
      table.Add({{std::exchange(name, {})},
                 {target.host.empty() ? target.id : target.id + " " + target.host},
                 {target.zone},
                 {std::move(state), ColourOf(target.state)},
                 {std::to_string(target.requests)},
                 {Seconds(target.since)},
                 {std::move(why)}});
    }
    for (const auto& host : group.unresolved_hosts) {
      std::string why = host.reason;
      if (host.addresses_kept > 0) why += ", the last addresses stay";
      table.Add({{std::exchange(name, {})},
                 {host.host + ":" + std::to_string(host.port)},
                 {},
                 {"unresolved", Colour::kBad},
                 {},
                 {},
                 {std::move(why)}});
    }
    if (group.targets.empty() && group.unresolved_hosts.empty()) table.Add({{name}, {"no targets"}});
  }
  AppendTable(out, "Target groups", table, colours);
}

void AppendHealthChecks(std::string& out, const StatusReport& report, bool colours) {
  Table table({"CHECK", "TYPE", "STATUS", "SINCE", "LAST RESULT"});
  for (const auto& check : report.health_checks) {
    std::string status = check.status;
    if (check.admin_state != "measured" && !check.admin_state.empty()) status += " (forced)";
    table.Add({{check.name},
               {check.type},
               {std::move(status), ColourOf(check.status)},
               {Seconds(check.since)},
               {check.last_result}});
  }
  AppendTable(out, "Health checks", table, colours);
}

void AppendZones(std::string& out, const StatusReport& report, bool colours) {
  for (const auto& zone : report.zones) {
    Table table({"RECORD", "TYPE", "SET", "POLICY", "HEALTH", "CHECK OR ALIAS"});
    for (const auto& record : zone.records) {
      std::string policy = record.policy;
      if (!record.routing.empty()) policy += " " + record.routing;
      std::string subject = record.health_check;
      if (!record.alias.empty()) subject += (subject.empty() ? "alias " : ", alias ") + record.alias;
      table.Add({{record.name},
                 {record.type},
                 {record.set},
                 {std::move(policy)},
                 {record.health, ColourOf(record.health)},
                 {std::move(subject)}});
    }
    const std::string title = "Zone " + Printable(zone.name) + " (" + std::to_string(zone.record_count) + " records)";
    if (table.empty()) {
      out += "\n" + title + "\n";
    } else {
      AppendTable(out, title, table, colours);
    }
    if (zone.records_omitted > 0) out += "  and " + std::to_string(zone.records_omitted) + " more\n";
  }
}

void AppendOverrides(std::string& out, const StatusReport& report, bool colours) {
  Table table({"OVERRIDE", "WHAT", "STATE", "SINCE"});
  for (const auto& entry : report.overrides) {
    table.Add({{entry.kind},
               {entry.group.empty() ? entry.id : entry.group + " " + entry.id},
               {entry.weights.empty() ? entry.state : WeightsText(entry.weights)},
               {Seconds(entry.since)}});
  }
  AppendTable(out, "Overrides", table, colours);
}

// Reads one character of UTF-8 or one colour sequence at the front of `text`, which is not empty.
struct Glyph {
  std::size_t bytes = 1;
  std::size_t cells = 1;
};
Glyph FirstGlyph(std::string_view text) {
  if (text.front() == '\x1b') {
    const auto end = text.find('m');
    return {end == std::string_view::npos ? text.size() : end + 1, 0};
  }
  std::size_t bytes = 1;
  while (bytes < text.size() && (static_cast<unsigned char>(text[bytes]) & 0xC0U) == 0x80U) ++bytes;
  // Scripts whose characters take two cells (CJK and what follows it) need three bytes or more; counting more cells
  // than a character takes cuts a line early, counting fewer would break it.
  const bool wide = bytes >= 3 && static_cast<unsigned char>(text.front()) >= 0xE1U;
  return {bytes, wide ? 2U : 1U};
}

std::string CutLine(std::string_view line, std::size_t columns) {
  std::string out;
  std::size_t cells = 0;
  bool coloured = false;
  while (!line.empty()) {
    const auto glyph = FirstGlyph(line);
    if (cells + glyph.cells > columns) break;
    cells += glyph.cells;
    out += line.substr(0, glyph.bytes);
    if (glyph.cells == 0) coloured = line.substr(0, glyph.bytes) != kReset;
    line.remove_prefix(glyph.bytes);
  }
  if (coloured) out += kReset;
  return out;
}

}  // namespace

std::string StatusText(const StatusReport& report, const StatusTextOptions& options) {
  std::string out = HeaderText(report);
  AppendRates(out, options.rates, options.colours);
  AppendLoadBalancers(out, report, options.colours);
  AppendNodes(out, report, options.colours);
  AppendCertificates(out, report, options.colours);
  AppendTargetGroups(out, report, options.colours);
  AppendHealthChecks(out, report, options.colours);
  AppendZones(out, report, options.colours);
  AppendOverrides(out, report, options.colours);
  return out;
}

std::string FitToTerminal(std::string_view text, std::size_t columns, std::size_t rows) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  std::string out;
  if (rows == 0) return out;
  const bool all = lines.size() <= rows;
  const auto shown = all ? lines.size() : rows - 1;
  for (std::size_t i = 0; i < shown; ++i) out += (i == 0 ? "" : "\n") + CutLine(lines[i], columns);
  if (all) return out;
  const auto more = fmt::format("{} more lines: make the terminal higher, or see weir status", lines.size() - shown);
  return out + (shown == 0 ? "" : "\n") + CutLine(more, columns);
}

}  // namespace weir::control
