#include "bench/load/dns/dns_arguments.h"

#include "base/random.h"
#include "base/text.h"
#include "bench/load/dns/query_sources.h"
#include "config/document/scalar.h"
#include "config/load.h"
#include "net/socket.h"

#include <fmt/format.h>
#include <netdb.h>
#include <sys/socket.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string_view>

namespace weir::bench {
namespace {

constexpr std::uint16_t kDnsPort = 53;
constexpr std::chrono::seconds kDefaultDuration{10};
constexpr std::uint16_t kBufsizeDefault = 1232;  // DNS flag day 2020

// `SERVER`, `SERVER:PORT`, `[2001:db8::1]:PORT` or an IPv6 address alone, in two parts.
struct ServerText {
  std::string host;
  std::string port;  // may be empty
};
ServerText SplitServer(const std::string& text) {
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end != std::string::npos && (end + 1 == text.size() || text[end + 1] == ':')) {
      return {text.substr(1, end - 1), end + 2 <= text.size() ? text.substr(end + 2) : ""};
    }
  }
  const auto colon = text.find(':');
  if (colon == std::string::npos || text.find(':', colon + 1) != std::string::npos) return {text, ""};
  return {text.substr(0, colon), text.substr(colon + 1)};
}

Result<IpAddress> ResolveServer(const std::string& host) {
  if (auto address = IpAddress::Parse(host)) return *address;
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(host.c_str(), nullptr, &hints, &found);
  if (error != 0) return Failure(fmt::format("cannot resolve {}: {}", host, gai_strerror(error)));
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, freeaddrinfo);
  return net::SocketAddress::ToEndpoint(found->ai_addr).address;
}

// Puts a run together. Each step fails by setting refusal_.
class DnsLoadBuilder {
 public:
  explicit DnsLoadBuilder(const DnsArguments& arguments) : arguments_(arguments) {}
  std::expected<PlannedDnsLoad, Refusal> Build();

 private:
  bool Refuse(const Error& error, RefusalCause cause = RefusalCause::kArguments);
  bool RefuseFile(std::string findings);
  bool TakeServer();
  bool TakeNumbers();
  bool TakeDuration(const char* option, const std::string& text, std::chrono::nanoseconds& out);
  bool TakeQuestions();
  bool TakeZones();
  bool TakeSubnets();
  void TakeQueries();
  void Describe();
  [[nodiscard]] std::string MessageText() const;

  const DnsArguments& arguments_;
  PlannedDnsLoad made_;
  std::vector<Question> questions_;
  std::vector<CidrBlock> subnets_;
  std::string source_;  // of the questions, for people
  Refusal refusal_;
};

std::expected<PlannedDnsLoad, Refusal> DnsLoadBuilder::Build() {
  if (!TakeNumbers() || !TakeQuestions() || !TakeSubnets() || !TakeServer()) return std::unexpected(refusal_);
  TakeQueries();
  if (const auto checked = CheckDnsLoad(made_.load); !checked) {
    Refuse(checked.error());
    return std::unexpected(refusal_);
  }
  Describe();
  return std::move(made_);
}

bool DnsLoadBuilder::Refuse(const Error& error, RefusalCause cause) {
  refusal_ = {.cause = cause, .error = error, .findings = {}};
  return false;
}

bool DnsLoadBuilder::RefuseFile(std::string findings) {
  refusal_ = {.cause = RefusalCause::kInput, .error = {}, .findings = std::move(findings)};
  return false;
}

bool DnsLoadBuilder::TakeServer() {
  const ServerText text = SplitServer(arguments_.server);
  auto port = text.port.empty() ? std::optional<std::uint64_t>(kDnsPort) : ParseDecimal(text.port);
  if (!port || *port == 0 || *port > 65'535 || text.host.empty() || arguments_.server.ends_with(':')) {
    return Refuse({"'" + arguments_.server + "' is no server", "write ADDRESS, ADDRESS:PORT or [2001:db8::1]:PORT"});
  }
  const auto address = ResolveServer(text.host);
  if (!address) return Refuse(address.error(), RefusalCause::kSystem);
  made_.load.server = {*address, static_cast<std::uint16_t>(*port)};
  return true;
}

bool DnsLoadBuilder::TakeDuration(const char* option, const std::string& text, std::chrono::nanoseconds& out) {
  const auto duration = config::ParseDuration(text);
  if (!duration) return Refuse({fmt::format("{}: '{}' is no duration", option, text), "write 500ms, 10s or 5m"});
  out = *duration;
  return true;
}

bool DnsLoadBuilder::TakeNumbers() {
  DnsLoad& load = made_.load;
  load.transport = arguments_.tcp ? DnsTransport::kTcp : DnsTransport::kUdp;
  load.threads = arguments_.threads;
  const std::uint64_t given = arguments_.tcp ? arguments_.connections : arguments_.sockets;
  load.sockets = given == 0 ? arguments_.threads : given;
  load.outstanding = arguments_.outstanding;
  load.rate = arguments_.rate;
  load.arrival = arguments_.arrivals == "constant" ? Spacing::kConstant : Spacing::kPoisson;
  load.queries_max = arguments_.count;
  load.seed = Random().Next();
  if (arguments_.duration.empty() && arguments_.count == 0) load.duration = kDefaultDuration;
  if (!arguments_.duration.empty() && !TakeDuration("--duration", arguments_.duration, load.duration)) return false;
  if (!arguments_.duration.empty() && load.duration.count() <= 0) {
    return Refuse({"--duration: a run of no length", "write 500ms, 10s or 5m"});
  }
  if (!arguments_.warmup.empty() && !TakeDuration("--warmup", arguments_.warmup, load.warmup)) return false;
  return TakeDuration("--timeout", arguments_.timeout, load.timeout);
}

bool DnsLoadBuilder::TakeQuestions() {
  if (!arguments_.zone.empty()) return TakeZones();
  if (!arguments_.name.empty()) {
    auto question = ParseQuestion(arguments_.name, arguments_.type);
    if (!question) return Refuse(question.error());
    questions_.push_back(*question);
    source_ = fmt::format("{} {}", question->name.ToString(), arguments_.type);
    return true;
  }
  if (arguments_.queries.empty()) {
    return Refuse({"nothing to ask for", "give --name NAME, --queries FILE or --zone FILE"});
  }
  const auto text = ReadTextFile(arguments_.queries);
  if (!text) return Refuse(text.error(), RefusalCause::kInput);
  auto questions = ParseQueries(*text, arguments_.queries);
  if (!questions) return RefuseFile(questions.error().text);
  questions_ = *std::move(questions);
  source_ = fmt::format("{} of {}", questions_.size(), arguments_.queries);
  return true;
}

bool DnsLoadBuilder::TakeZones() {
  const auto loaded = config::LoadFile(arguments_.zone);
  if (!loaded.model) {
    std::string findings = loaded.diagnostics.FormatAll();
    if (!findings.ends_with('\n')) findings += '\n';
    return RefuseFile(std::move(findings));
  }
  questions_ = SweepZones(*loaded.model);
  if (questions_.empty()) {
    return RefuseFile(fmt::format("{}: error: no zone in it to sweep\n", arguments_.zone));
  }
  source_ = fmt::format("{} names and types of the zones in {}", questions_.size(), arguments_.zone);
  return true;
}

bool DnsLoadBuilder::TakeSubnets() {
  for (const auto& text : arguments_.client_subnets) {
    const auto block = CidrBlock::Parse(text);
    if (!block) return Refuse({"--client-subnet: " + block.error().message, block.error().hint});
    subnets_.push_back(*block);
  }
  if (arguments_.client_subnet_file.empty()) return true;
  const auto text = ReadTextFile(arguments_.client_subnet_file);
  if (!text) return Refuse(text.error(), RefusalCause::kInput);
  const auto subnets = ParseSubnets(*text, arguments_.client_subnet_file);
  if (!subnets) return RefuseFile(subnets.error().text);
  subnets_.insert(subnets_.end(), subnets->begin(), subnets->end());
  return true;
}

void DnsLoadBuilder::TakeQueries() {
  const QueryOptions options{
      .recursion_desired = arguments_.recursion_desired,
      .edns = arguments_.edns || arguments_.bufsize != 0 || arguments_.dnssec_ok || !subnets_.empty(),
      .dnssec_ok = arguments_.dnssec_ok,
      .bufsize = arguments_.bufsize == 0 ? kBufsizeDefault : arguments_.bufsize};
  made_.load.queries = std::make_shared<const QuerySet>(questions_, subnets_, options);
}

std::string DnsLoadBuilder::MessageText() const {
  std::string text = arguments_.recursion_desired ? "RD" : "";
  const auto add = [&text](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
  if (arguments_.edns || arguments_.bufsize != 0 || arguments_.dnssec_ok || !subnets_.empty()) {
    add(fmt::format("EDNS {} bytes", arguments_.bufsize == 0 ? kBufsizeDefault : arguments_.bufsize));
  }
  if (arguments_.dnssec_ok) add("DO");
  if (!subnets_.empty()) add(fmt::format("{} client subnet{}", subnets_.size(), subnets_.size() == 1 ? "" : "s"));
  return text;
}

void DnsLoadBuilder::Describe() {
  const DnsLoad& load = made_.load;
  const auto put = [this](const char* key, std::string value) { made_.described.emplace_back(key, std::move(value)); };
  made_.title = "weir bench dns " + arguments_.server;
  put("server", load.server.ToString() + (arguments_.tcp ? " over TCP" : " over UDP"));
  put("queries", source_);
  if (const std::string text = MessageText(); !text.empty()) put("message", text);
  put("mode", load.rate == 0 ? "flat out"
                             : fmt::format("{} queries/s, {}", load.rate,
                                           load.arrival == Spacing::kConstant ? "constant" : "Poisson"));
  put("outstanding", fmt::format("at most {}", load.outstanding));
  put(arguments_.tcp ? "connections" : "sockets", std::to_string(load.sockets));
  put("threads", std::to_string(load.threads));
  put("timeout", arguments_.timeout);
  if (load.warmup.count() > 0) put("warm-up", arguments_.warmup);
}

}  // namespace

std::expected<PlannedDnsLoad, Refusal> BuildDnsLoad(const DnsArguments& arguments) {
  return DnsLoadBuilder(arguments).Build();
}

}  // namespace weir::bench
