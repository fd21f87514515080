#include "bench/load/http/http_arguments.h"

#include "base/text.h"
#include "bench/load/http/replay_log.h"
#include "bench/load/http/url.h"
#include "config/document/scalar.h"
#include "http/scan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <string_view>

namespace weir::bench {
namespace {

constexpr std::chrono::seconds kDefaultDuration{10};
// Of a WebSocket's message where none is given.
constexpr std::size_t kMessageBytes = 100;

// Puts a run together. Each step fails by setting refusal_.
class LoadBuilder {
 public:
  explicit LoadBuilder(const HttpArguments& arguments) : arguments_(arguments) {}
  std::expected<PlannedHttpLoad, Refusal> Build();

 private:
  bool Refuse(std::string message, std::string hint = {}) { return Refuse(Error{std::move(message), std::move(hint)}); }
  bool Refuse(const Error& error, RefusalCause cause = RefusalCause::kArguments) {
    refusal_ = {.cause = cause, .error = error, .findings = {}};
    return false;
  }
  bool TakeUrls();
  bool CheckWebSocket();
  bool TakeShape();
  bool TakeContent(RequestShape& shape);
  bool TakeRequests();
  bool TakeReplay();
  bool TakeSchedule();
  bool TakeDuration(const char* option, const std::string& text, std::chrono::nanoseconds& out);
  bool TakeLimits();
  bool TakeConnections();
  bool TakeAddresses();
  bool TakeAddress(const std::string& text);
  void Describe(PlannedHttpLoad& load) const;
  [[nodiscard]] std::string Mode() const;

  const HttpArguments& arguments_;
  std::vector<Url> urls_;
  std::unique_ptr<LoadPlan> plan_;
  HttpLoadSettings settings_;
  std::string method_ = "GET";
  std::size_t content_bytes_ = 0;
  std::string replayed_;  // what of the log is sent
  std::vector<std::string> notes_;
  Refusal refusal_;
};

std::expected<PlannedHttpLoad, Refusal> LoadBuilder::Build() {
  const bool taken = TakeUrls() && TakeShape() && TakeLimits() && TakeConnections() && TakeSchedule() &&
                     TakeRequests() && TakeAddresses();
  if (!taken) return std::unexpected(refusal_);
  PlannedHttpLoad load{.plan = std::move(*plan_),
                       .settings = std::move(settings_),
                       .title = "weir bench http",
                       .described = {},
                       .notes = std::move(notes_)};
  for (const auto& url : arguments_.urls) load.title += " " + url;
  Describe(load);
  return load;
}

bool LoadBuilder::TakeUrls() {
  for (const auto& text : arguments_.urls) {
    auto url = ParseUrl(text);
    if (!url) return Refuse(url.error());
    urls_.push_back(std::move(*url));
  }
  if (std::ranges::any_of(urls_, &Url::websocket) && !CheckWebSocket()) return false;
  settings_.weights.assign(urls_.size(), 1);
  if (arguments_.weights.empty()) return true;
  if (arguments_.weights.size() != urls_.size()) {
    return Refuse(fmt::format("--weights has {} numbers for {} URLs", arguments_.weights.size(), urls_.size()),
                  "write one for each URL, in their order: --weights 3,1");
  }
  settings_.weights = arguments_.weights;
  const auto cycle = WeightedCycle::Build(settings_.weights);
  return cycle ? true : Refuse("--weights: " + cycle.error().message, cycle.error().hint);
}

// A connection is opened with one path, once, and has messages in place of requests.
bool LoadBuilder::CheckWebSocket() {
  if (urls_.size() != 1) return Refuse("a ws or wss URL stands alone");
  if (arguments_.http2) return Refuse("--http2 and a ws or wss URL", "WebSocket is asked for by HTTP/1.1 here");
  if (!arguments_.method.empty()) return Refuse("--method and a ws or wss URL", "messages have no method");
  if (arguments_.connection_per_request) return Refuse("--connection-per-request and a ws or wss URL");
  if (!arguments_.replay.empty()) return Refuse("--replay and a ws or wss URL", "messages are not in a log");
  return true;
}

bool LoadBuilder::TakeShape() {
  RequestShape shape;
  if (!TakeContent(shape)) return false;
  shape.websocket = settings_.websocket = urls_.front().websocket;
  if (shape.websocket && !shape.has_content) shape.content.assign(kMessageBytes, 'x');
  if (shape.websocket) content_bytes_ = shape.content.size();
  if (shape.has_content && !shape.websocket) method_ = "POST";
  if (!arguments_.method.empty()) method_ = arguments_.method;
  if (!http::IsToken(method_)) return Refuse("--method: `" + method_ + "` is no method");
  if (method_ == "CONNECT") return Refuse("--method: CONNECT opens a tunnel, which is not measured here");
  shape.method = method_;
  for (const auto& text : arguments_.headers) {
    auto header = ParseHeader(text);
    if (!header) return Refuse("--header: " + header.error().message, header.error().hint);
    shape.headers.push_back(std::move(*header));
  }
  shape.closes = arguments_.connection_per_request;
  shape.http2 = arguments_.http2;
  if (!arguments_.group_header.empty() && !http::IsToken(arguments_.group_header)) {
    return Refuse("--group-header: `" + arguments_.group_header + "` is no header name");
  }
  settings_.group_header = arguments_.group_header;
  plan_ = std::make_unique<LoadPlan>(std::move(shape));
  return true;
}

bool LoadBuilder::TakeContent(RequestShape& shape) {
  if (arguments_.data) {
    shape.content = *arguments_.data;
    shape.has_content = true;
  }
  if (!arguments_.data_file.empty()) {
    std::ifstream file(arguments_.data_file, std::ios::binary);
    shape.content.assign(std::istreambuf_iterator<char>(file), {});
    if (!file.is_open() || file.bad()) {
      return Refuse({"cannot read " + arguments_.data_file + ": " + std::strerror(errno), {}}, RefusalCause::kInput);
    }
    shape.has_content = true;
  }
  content_bytes_ = shape.content.size();
  return true;
}

bool LoadBuilder::TakeDuration(const char* option, const std::string& text, std::chrono::nanoseconds& out) {
  const auto value = config::ParseDuration(text);
  constexpr auto kMax = std::chrono::hours(24 * 30);
  if (!value || *value > kMax) {
    return Refuse(fmt::format("{}: `{}` is no duration", option, text), "write 500ms, 10s, 5m or 1h; at most 30d");
  }
  out = *value;
  return true;
}

bool LoadBuilder::TakeLimits() {
  if (arguments_.requests > 0) settings_.requests_max = arguments_.requests;
  std::chrono::nanoseconds duration = kDefaultDuration;
  if (!arguments_.duration.empty() && !TakeDuration("--duration", arguments_.duration, duration)) return false;
  if (duration.count() == 0) return Refuse("--duration: 0 measures nothing");
  const bool has_other_end = arguments_.requests > 0 || !arguments_.replay.empty();
  if (!arguments_.duration.empty() || !has_other_end) settings_.duration = duration;
  if (!arguments_.warmup.empty() && !TakeDuration("--warmup", arguments_.warmup, settings_.warmup)) return false;
  if (!TakeDuration("--timeout", arguments_.timeout, settings_.timeout)) return false;
  if (settings_.timeout.count() == 0) return Refuse("--timeout: 0 gives no request a chance");
  settings_.waiting_max = arguments_.backlog;
  return true;
}

bool LoadBuilder::TakeConnections() {
  settings_.connections = arguments_.connections;
  settings_.threads = arguments_.threads;
  settings_.http2 = arguments_.http2;
  settings_.keeps_connections = !arguments_.connection_per_request;
  if (arguments_.connections < arguments_.threads) {
    return Refuse(fmt::format("{} threads cannot share {} connections", arguments_.threads, arguments_.connections),
                  "use at least as many --connections as --threads");
  }
  if (settings_.requests_max && *settings_.requests_max < arguments_.threads) {
    return Refuse("there are fewer --requests than --threads");
  }
  if (arguments_.streams > 0 && !arguments_.http2) return Refuse("--streams needs --http2");
  if (arguments_.streams > 1 && arguments_.connection_per_request) {
    return Refuse("--connection-per-request leaves no use for several --streams");
  }
  settings_.streams = std::max(1U, arguments_.streams);
  const bool any_tls = std::ranges::any_of(urls_, &Url::tls);
  if (!any_tls && (arguments_.insecure || !arguments_.ca_file.empty())) {
    return Refuse("--insecure and --ca-file are about https and wss URLs, and there is none");
  }
  if (!any_tls && arguments_.tls_resume > 0) return Refuse("--tls-resume is about https URLs, and there is none");
  settings_.tls_resume_percent = arguments_.tls_resume;
  settings_.tls = {.verifies = !arguments_.insecure, .ca_file = arguments_.ca_file, .alpn = {}};
  settings_.tls.alpn = {arguments_.http2 ? "h2" : "http/1.1"};
  if (arguments_.ipv4) settings_.family = HttpLoadSettings::Family::kV4;
  if (arguments_.ipv6) settings_.family = HttpLoadSettings::Family::kV6;
  return true;
}

bool LoadBuilder::TakeSchedule() {
  if (!arguments_.replay.empty()) {
    if (arguments_.rate > 0 || !arguments_.arrivals.empty()) {
      return Refuse("--replay has the times of its log", "use --speed to change them");
    }
    if (arguments_.warmup.empty()) return true;
    return Refuse("--warmup would leave the beginning of the log out of a --replay");
  }
  if (arguments_.speed) return Refuse("--speed needs --replay");
  if (arguments_.rate == 0) {
    if (!arguments_.arrivals.empty()) return Refuse("--arrivals needs --rate", "a closed loop has no schedule");
    return true;
  }
  settings_.rate = arguments_.rate;
  settings_.arrivals = arguments_.arrivals == "constant" ? ArrivalKind::kConstant : ArrivalKind::kPoisson;
  return true;
}

bool LoadBuilder::TakeRequests() {
  if (!arguments_.replay.empty()) return TakeReplay();
  for (const auto& url : urls_) plan_->Add(url);
  return true;
}

bool LoadBuilder::TakeReplay() {
  if (urls_.size() != 1) return Refuse("--replay sends to one URL", "what is asked for is in the log");
  if (!arguments_.method.empty()) return Refuse("--replay has the methods of its log; leave --method out");
  std::ifstream file(arguments_.replay, std::ios::binary);
  if (!file.is_open()) {
    return Refuse({"cannot read " + arguments_.replay + ": " + std::strerror(errno), {}}, RefusalCause::kInput);
  }
  auto log = ReadReplayLog(file, arguments_.replay);
  if (!log) return Refuse(log.error(), RefusalCause::kInput);
  for (const auto& request : log->requests) {
    settings_.times.push_back(request.at);
    settings_.times_requests.push_back(plan_->Add(request, urls_.front()));
  }
  for (const auto& skipped : log->skipped) {
    notes_.push_back(fmt::format("{}:{}: skipped: {}", arguments_.replay, skipped.line, skipped.why));
  }
  if (log->skipped_count > log->skipped.size()) {
    notes_.push_back(fmt::format("{}: {} lines skipped in all", arguments_.replay, log->skipped_count));
  }
  settings_.arrivals = ArrivalKind::kRecorded;
  settings_.speed = arguments_.speed.value_or(1);
  const double seconds = std::chrono::duration<double>(settings_.times.back()).count();
  replayed_ = fmt::format("{}: {} requests of {:.3f} s", arguments_.replay, settings_.times.size(), seconds);
  return true;
}

bool LoadBuilder::TakeAddresses() {
  for (const auto& text : arguments_.resolve) {
    if (!TakeAddress(text)) return false;
  }
  return true;
}

// HOST:PORT:ADDRESS[,ADDRESS...]; an IPv6 address may stand in brackets.
bool LoadBuilder::TakeAddress(const std::string& text) {
  const std::size_t first = text.find(':');
  const std::size_t second = first == std::string::npos ? first : text.find(':', first + 1);
  if (second == std::string::npos) {
    return Refuse("--resolve: `" + text + "` is not HOST:PORT:ADDRESS", "for example shop.test:443:127.0.0.1");
  }
  const std::string place = ToLowerAscii(text.substr(0, second));
  const bool is_asked = std::ranges::any_of(
      urls_, [&](const Url& url) { return ToLowerAscii(url.host) + ":" + std::to_string(url.port) == place; });
  if (!is_asked) return Refuse("--resolve: no URL goes to " + place);
  std::string_view rest = std::string_view(text).substr(second + 1);
  for (;;) {
    std::string_view one = rest.substr(0, rest.find(','));
    const std::size_t length = one.size();
    if (one.starts_with('[') && one.ends_with(']')) one = one.substr(1, one.size() - 2);
    const auto address = IpAddress::Parse(one);
    if (!address) return Refuse("--resolve: `" + text + "`: " + address.error().message);
    settings_.addresses[place].push_back(*address);
    if (length == rest.size()) return true;
    rest.remove_prefix(length + 1);
  }
}

std::string LoadBuilder::Mode() const {
  switch (settings_.arrivals) {
    case ArrivalKind::kConstant:
      return fmt::format("open loop, {} requests/s, evenly spaced", settings_.rate);
    case ArrivalKind::kPoisson:
      return fmt::format("open loop, {} requests/s, Poisson arrivals", settings_.rate);
    case ArrivalKind::kRecorded:
      return fmt::format("open loop, replay at {} times the pace of the log", settings_.speed);
    case ArrivalKind::kClosedLoop:
      break;
  }
  return "closed loop";
}

void LoadBuilder::Describe(PlannedHttpLoad& load) const {
  const HttpLoadSettings& settings = load.settings;
  const auto add = [&](std::string name, std::string value) {
    load.described.emplace_back(std::move(name), std::move(value));
  };
  const auto text_of = [](std::chrono::nanoseconds time) {
    return fmt::format("{} s", std::chrono::duration<double>(time).count());
  };
  add("load", Mode());
  if (!replayed_.empty()) add("log", replayed_);
  std::string connections =
      fmt::format("{} in {} thread{}", settings.connections, settings.threads, settings.threads == 1 ? "" : "s");
  if (settings.streams > 1) connections += fmt::format(", {} streams each", settings.streams);
  if (!settings.keeps_connections) connections += ", a new one for each request";
  add("connections", connections);
  add("protocol", settings.websocket ? "WebSocket" : settings.http2 ? "HTTP/2" : "HTTP/1.1");
  if (replayed_.empty() && !settings.websocket) add("method", method_);
  if (content_bytes_ > 0) add("content", fmt::format("{} bytes", content_bytes_));
  for (const auto& header : arguments_.headers) add("header", header);
  for (std::size_t i = 0; i < arguments_.weights.size(); ++i) {
    add("weight", fmt::format("{} {}", arguments_.weights[i], arguments_.urls[i]));
  }
  if (settings.duration) add("duration", text_of(*settings.duration));
  if (settings.requests_max) add("requests", fmt::format("{}", *settings.requests_max));
  if (settings.warmup.count() > 0) add("warm-up", text_of(settings.warmup));
  add("timeout", text_of(settings.timeout));
  if (arguments_.insecure) add("certificates", "not verified");
  if (arguments_.tls_resume > 0)
    add("TLS sessions resumed", fmt::format("{} % of new connections", arguments_.tls_resume));
}

}  // namespace

std::expected<PlannedHttpLoad, Refusal> BuildHttpLoad(const HttpArguments& arguments) {
  return LoadBuilder(arguments).Build();
}

}  // namespace weir::bench
