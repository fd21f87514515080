#include "app/admin_change.h"
#include "app/admin_option.h"
#include "app/commands.h"
#include "app/complain.h"
#include "app/configuration.h"
#include "app/json_text.h"
#include "app/log_coverage.h"
#include "app/log_entries.h"
#include "app/offline_view.h"
#include "app/seen_request.h"
#include "base/figures.h"
#include "base/file.h"
#include "base/printable.h"
#include "base/record_type.h"
#include "control/admin_client.h"
#include "control/explain.h"
#include "logs/entry.h"
#include "proxy/routing/explain.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::app {
namespace {

// A page of many pictures, which a browser records with their contents.
constexpr std::size_t kHarBytesMax = std::size_t{1} << 30;

struct ExplainArguments {
  std::string file;
  std::string admin;
  bool admin_named = false;  // by --admin or WEIR_ADMIN
  bool live = false;
  bool json = false;
  std::vector<std::string> unhealthy;
  control::HttpQuestion http;
  std::vector<std::string> headers;
  std::string server_name;
  bool names_server = false;
  control::DnsQuestion dns;
  std::string seen;               // a curl command, a line of a log, the path of a HAR file
  std::vector<std::string> logs;  // of which the coverage is asked for
};

// The methods of the IANA registry. Any other token is forwarded by a listener too, but on a command line it is a slip.
constexpr std::array<std::string_view, 40> kMethods = {"ACL",
                                                       "BASELINE-CONTROL",
                                                       "BIND",
                                                       "CHECKIN",
                                                       "CHECKOUT",
                                                       "CONNECT",
                                                       "COPY",
                                                       "DELETE",
                                                       "GET",
                                                       "HEAD",
                                                       "LABEL",
                                                       "LINK",
                                                       "LOCK",
                                                       "MERGE",
                                                       "MKACTIVITY",
                                                       "MKCALENDAR",
                                                       "MKCOL",
                                                       "MKREDIRECTREF",
                                                       "MKWORKSPACE",
                                                       "MOVE",
                                                       "OPTIONS",
                                                       "ORDERPATCH",
                                                       "PATCH",
                                                       "POST",
                                                       "PRI",
                                                       "PROPFIND",
                                                       "PROPPATCH",
                                                       "PUT",
                                                       "QUERY",
                                                       "REBIND",
                                                       "REPORT",
                                                       "SEARCH",
                                                       "TRACE",
                                                       "UNBIND",
                                                       "UNCHECKOUT",
                                                       "UNLINK",
                                                       "UNLOCK",
                                                       "UPDATE",
                                                       "UPDATEREDIRECTREF",
                                                       "VERSION-CONTROL"};

void AppendPair(std::string& target, std::string_view key, std::string_view value) {
  if (value.empty()) return;
  target += fmt::format("{}{}={}", target.find('?') == std::string::npos ? "?" : "&", key, PercentEncode(value));
}

int PrintFindings(const config::Diagnostics& diagnostics) {
  const auto findings = diagnostics.FormatAll();
  std::fprintf(stderr, "%s%s", findings.c_str(), findings.ends_with('\n') ? "" : "\n");
  return kInputWrong;
}

int AskAdmin(const ExplainArguments& arguments, const std::string& target) {
  const auto reply = control::CallAdmin(AdminEndpoint(arguments.admin), "GET", target);
  if (!reply) return Complain(reply.error(), kSystemRefused);
  boost::system::error_code error;
  const auto parsed = boost::json::parse(reply->body, error);
  const auto* members = error ? nullptr : parsed.if_object();
  const auto member = [&](std::string_view key) { return members == nullptr ? std::string() : TextOf(*members, key); };
  if (reply->status == 400) return Complain({member("error"), member("hint")}, kCommandLineWrong);
  if (reply->status != 200 || members == nullptr) {
    return Complain({fmt::format("the admin API answers {}: {}", reply->status, reply->body), {}}, kSystemRefused);
  }
  fmt::print("{}\n", arguments.json ? reply->body : "live: answered by the running appliance at " + arguments.admin);
  if (!arguments.json) fmt::print("{}", member("text"));
  return kDone;
}

// Asks the running appliance at `target` of its admin API and prints what it says. Where neither the command line nor
// the environment names the appliance, it is the one that serves FILE.
int AskLive(ExplainArguments arguments, const std::string& target) {
  if (arguments.admin_named || arguments.file.empty()) return AskAdmin(arguments, target);
  const auto loaded = LoadConfiguration(arguments.file);
  if (!loaded.model) return PrintFindings(loaded.diagnostics);
  const auto& admin = loaded.model->admin;
  if (admin.port == 0) {
    return Complain({fmt::format("{} leaves the admin port to the system", arguments.file),
                     "name it with --admin; `weir run` says it when it is ready"},
                    kCommandLineWrong);
  }
  arguments.admin = Endpoint{admin.address, admin.port}.ToString();
  return AskAdmin(arguments, target);
}

// Loads the file and answers with `explain`, every target and check healthy but those that were named.
template <class Explain>
int AskOffline(const ExplainArguments& arguments, Explain explain) {
  if (arguments.file.empty()) {
    return Complain({"no configuration file is named", "give FILE before http or dns, or --live"}, kCommandLineWrong);
  }
  const auto loaded = LoadOffline(arguments.file);
  if (!loaded.view) return PrintFindings(loaded.diagnostics);
  const auto view = WithUnhealthy(*loaded.view, arguments.unhealthy);
  if (!view) return Complain(view.error(), kCommandLineWrong);
  const Result<control::ExplainAnswer> answer = explain(**view);
  if (!answer) return Complain(answer.error(), kCommandLineWrong);
  if (arguments.json) {
    fmt::print("{}\n", answer->json);
    return kDone;
  }
  std::string names;
  for (const auto& name : arguments.unhealthy) names += (names.empty() ? "" : ", ") + name;
  fmt::print("offline: every target and health check counts as healthy{}{}; --live asks the running appliance\n{}",
             names.empty() ? "" : " except ", names, answer->text);
  return kDone;
}

int AskRequest(const ExplainArguments& arguments, const control::HttpQuestion& question) {
  if (!arguments.live) {
    return AskOffline(arguments, [&](const control::View& view) { return control::ExplainHttp(view, question); });
  }
  std::string target = "/v1/explain/http";
  AppendPair(target, "method", question.method);
  AppendPair(target, "url", question.url);
  AppendPair(target, "from", question.from);
  AppendPair(target, "load-balancer", question.load_balancer);
  AppendPair(target, "http-version", question.http_version);
  for (const auto& [name, value] : question.headers) AppendPair(target, "header", fmt::format("{}: {}", name, value));
  // An empty name says that the client sends none.
  if (question.server_name) target += "&sni=" + PercentEncode(*question.server_name);
  for (const auto& signature : question.signatures) AppendPair(target, "signature", signature);
  return AskLive(arguments, target);
}

int ExplainRequest(const ExplainArguments& arguments) {
  if (std::ranges::find(kMethods, arguments.http.method) == kMethods.end()) {
    return Complain({fmt::format("`{}` is no HTTP method", arguments.http.method),
                     "methods are upper-case words such as GET or POST"},
                    kCommandLineWrong);
  }
  auto question = arguments.http;
  for (const auto& header : arguments.headers) {
    const auto colon = header.find(':');
    if (colon == std::string::npos) {
      return Complain({fmt::format("`{}` is no header", header), "write -H 'Name: value'"}, kCommandLineWrong);
    }
    const auto start = std::min(header.find_first_not_of(' ', colon + 1), header.size());
    question.headers.emplace_back(header.substr(0, colon), header.substr(start));
  }
  if (arguments.names_server) question.server_name = arguments.server_name;
  return AskRequest(arguments, question);
}

int ExplainQuery(const ExplainArguments& arguments) {
  const auto& question = arguments.dns;
  // Said before any file is read: a slip of the command line is one whatever the file holds.
  if (!ParseRecordType(question.type)) {
    return Complain(
        {fmt::format("`{}` is no record type", question.type), "use a mnemonic such as A or AAAA, or TYPEnnn"},
        kCommandLineWrong);
  }
  if (!question.from.empty()) {
    if (const auto block = CidrBlock::Parse(question.from); !block) return Complain(block.error(), kCommandLineWrong);
  }
  if (!arguments.live) {
    return AskOffline(arguments, [&](const control::View& view) { return control::ExplainDns(view, question); });
  }
  std::string target = "/v1/explain/dns";
  AppendPair(target, "name", question.name);
  AppendPair(target, "type", question.type);
  AppendPair(target, "from", question.from);
  return AskLive(arguments, target);
}

// ---- requests that were seen elsewhere

// Standard input, or what the word says.
Result<std::string> TextOrInput(const std::string& word) { return word == "-" ? ReadWhole(word) : word; }

int ExplainCurl(const ExplainArguments& arguments) {
  const auto text = TextOrInput(arguments.seen);
  if (!text) return Complain(text.error(), kSystemRefused);
  auto question = QuestionOfCurl(*text);
  if (!question) return Complain(question.error(), kCommandLineWrong);
  question->load_balancer = arguments.http.load_balancer;
  if (arguments.live) return AskRequest(arguments, *question);
  return AskOffline(arguments, [&](const control::View& view) -> Result<control::ExplainAnswer> {
    const auto led = LeadToListener(view, *question);
    if (!led) return std::unexpected(led.error());
    if (!led->empty() && !arguments.json) fmt::print("{}\n", *led);
    return control::ExplainHttp(view, *question);
  });
}

// The view of the file with what --unhealthy names; how the command ends, and complained of, where there is none.
std::expected<std::shared_ptr<const control::View>, int> ViewOf(const ExplainArguments& arguments) {
  if (arguments.live) {
    return std::unexpected(Complain(
        {"what was seen is compared with a file", "name it before the command, without --live"}, kCommandLineWrong));
  }
  if (arguments.file.empty()) {
    return std::unexpected(
        Complain({"no configuration file is named", "give FILE before the command"}, kCommandLineWrong));
  }
  const auto loaded = LoadOffline(arguments.file);
  if (!loaded.view) {
    return std::unexpected(PrintFindings(loaded.diagnostics));
  }
  auto view = WithUnhealthy(*loaded.view, arguments.unhealthy);
  if (!view) {
    return std::unexpected(Complain(view.error(), kCommandLineWrong));
  }
  return *view;
}

boost::json::array JsonOf(const std::vector<Difference>& differences) {
  boost::json::array out;
  for (const auto& difference : differences) {
    out.push_back(boost::json::object{
        {"what", difference.what}, {"then", Utf8(difference.expected)}, {"now", Utf8(difference.got)}});
  }
  return out;
}

// What would happen now, and what is not as it was.
Result<void> ExplainLine(const control::View& view, const logs::Entry& entry, const std::string& load_balancer,
                         bool as_json) {
  auto question = QuestionOfLog(entry);
  if (!question) return std::unexpected(question.error());
  if (!load_balancer.empty()) question->load_balancer = load_balancer;
  const auto led = LeadToListener(view, *question);
  if (!led) return std::unexpected(led.error());
  const auto found = control::FindRequestExplanation(view, *question);
  if (!found) return std::unexpected(found.error());
  const auto differences = DifferencesFromLog(entry, *found);
  if (as_json) {
    const auto answer = control::ExplainHttp(view, *question);
    if (!answer) return std::unexpected(answer.error());
    fmt::print("{}\n", boost::json::serialize(boost::json::object{{"now", boost::json::parse(answer->json)},
                                                                  {"differences", JsonOf(differences)}}));
    return {};
  }
  fmt::print("{} {}\n", question->method, TerminalText(question->url));
  if (!led->empty()) fmt::print("{}\n", *led);
  fmt::print("{}", proxy::RenderExplanation(*found));
  if (!TookARule(entry)) {
    fmt::print("then it was answered before any rule was asked: status {}\n", entry.status);
  } else if (differences.empty()) {
    fmt::print("as it was then: rule {}, status {}\n", RuleOfLog(entry), entry.status);
  } else {
    fmt::print("not as it was then:\n");
    for (const auto& difference : differences) {
      fmt::print("  {}: {} then, {} now\n", difference.what, TerminalText(difference.expected),
                 TerminalText(difference.got));
    }
  }
  return {};
}

int ExplainLog(const ExplainArguments& arguments) {
  const auto loaded = ViewOf(arguments);
  if (!loaded) return loaded.error();
  const auto& view = *loaded;
  const auto text = TextOrInput(arguments.seen);
  if (!text) return Complain(text.error(), kSystemRefused);
  logs::EntryParser parser;
  bool any = false;
  int code = kDone;
  for (std::string_view rest = *text; !rest.empty();) {
    const auto end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.empty()) continue;
    if (std::exchange(any, true) && !arguments.json) fmt::print("\n");
    const auto entry = parser.Parse(line);
    const auto said = entry ? ExplainLine(*view, *entry, arguments.http.load_balancer, arguments.json)
                            : std::unexpected(entry.error());
    if (said) continue;
    // Of many lines the others are good all the same.
    std::fflush(stdout);
    const auto hint = entry ? said.error().hint : std::string("paste a whole line of an access log");
    code = Complain({Printable(said.error().message), hint}, kInputWrong);
  }
  return any ? code : Complain({"there is no line", "paste one of an access log, or - and pipe it"}, kInputWrong);
}

// `rule 10 (beta): forward to blue or green`.
std::string OutcomeOf(const proxy::RequestExplanation& found) {
  std::string out = fmt::format("{}/{} rule {}: {}", found.load_balancer, found.port, found.matched().Title(),
                                ToString(found.action));
  std::string groups;
  for (const auto& group : found.groups) {
    if (group.weight > 0) groups += (groups.empty() ? " to " : " or ") + group.name;
  }
  out += groups;
  if (found.status) out += fmt::format(" {}", *found.status);
  if (!found.location.empty()) out += " to " + found.location;
  return out;
}

int ExplainHar(const ExplainArguments& arguments) {
  const auto loaded = ViewOf(arguments);
  if (!loaded) return loaded.error();
  const auto& view = *loaded;
  const auto text = ReadFileUpTo(arguments.seen, kHarBytesMax, "a HAR file");
  if (!text) return Complain(text.error(), kSystemRefused);
  auto questions = QuestionsOfHar(*text);
  if (!questions)
    return Complain({arguments.seen + ": " + questions.error().message, questions.error().hint}, kInputWrong);
  for (auto& question : *questions) {
    const std::string asked = fmt::format("{} {}", question.method, question.url);
    question.load_balancer = arguments.http.load_balancer;
    std::string outcome;
    std::string json = "null";
    if (const auto led = LeadToListener(*view, question); !led) {
      outcome = led.error().message;
    } else if (const auto found = control::FindRequestExplanation(*view, question); !found) {
      outcome = found.error().message;
    } else {
      outcome = OutcomeOf(*found);
      if (const auto answer = control::ExplainHttp(*view, question); answer) json = answer->json;
    }
    if (arguments.json) {
      fmt::print("{}\n", boost::json::serialize(boost::json::object{
                             {"request", Utf8(asked)}, {"outcome", outcome}, {"now", boost::json::parse(json)}}));
    } else {
      fmt::print("{}\n    {}\n", TerminalText(asked), TerminalText(outcome));
    }
  }
  return kDone;
}

int ExplainCoverage(const ExplainArguments& arguments) {
  const auto loaded = ViewOf(arguments);
  if (!loaded) return loaded.error();
  const auto& view = *loaded;
  LogCoverage coverage(view);
  const ExitCode end = EachLogEntry(arguments.logs, [&](const logs::Entry& entry) { coverage.Add(entry); });
  if (end != kDone && coverage.requests() == 0) return end;
  fmt::print("{}", arguments.json ? CoverageJson(coverage) + "\n" : CoverageText(coverage));
  return end;
}

void AddHttp(CommandSyntax explain, CommandOption admin, const std::shared_ptr<ExplainArguments>& arguments,
             Command& run) {
  auto http = explain.AddCommand("http", "Which rule a request matches, and where it goes");
  http.TakeOptionsOfParent();
  http.AddOption("METHOD", arguments->http.method, "the request's method, upper case").Required();
  http.AddOption("URL", arguments->http.url, "http://HOST[:PORT][/PATH][?QUERY]; the port names the listener")
      .Required();
  http.AddOption("-H,--header", arguments->headers, "a header field, 'Name: value'; may be repeated").OneValueEach();
  http.AddOption("--from", arguments->http.from, "the client's address; default 127.0.0.1");
  http.AddOption("--load-balancer", arguments->http.load_balancer, "when several listen on that port");
  http.AddOption("--http-version", arguments->http.http_version,
                 "of the request: 1.0, 1.1 or 2; default: 2 on HTTPS listeners that offer it, else 1.1");
  auto sni =
      http.AddOption("--sni", arguments->server_name,
                     "the name that the client of an HTTPS listener sends; '' for none; default: the URL's host");
  http.AddOption("--signature", arguments->http.signatures,
                 "what kind of certificate it verifies, ecdsa or rsa; may be repeated; default: both")
      .OneValueEach();
  http.Footer("Example:  weir explain weir.yaml http GET http://shop.example.test:8080/cart/1 -H 'X-Beta: yes'");
  http.OnChosen([arguments, &run, admin, sni] {
    arguments->names_server = sni.given();
    arguments->admin_named = admin.given();
    run = [arguments] { return ExplainRequest(*arguments); };
  });
}

void AddDns(CommandSyntax explain, CommandOption admin, const std::shared_ptr<ExplainArguments>& arguments,
            Command& run) {
  auto dns = explain.AddCommand("dns", "How a query is answered: policy, candidates, health of each, answer");
  dns.TakeOptionsOfParent();
  dns.AddOption("NAME", arguments->dns.name, "the domain name").Required();
  dns.AddOption("TYPE", arguments->dns.type, "A, AAAA, TXT, … or TYPEnnn").Required();
  dns.AddOption("--from", arguments->dns.from, "the client as address or CIDR block");
  dns.Footer("Example:  weir explain weir.yaml dns shop.example.test A --from 198.51.100.0/24");
  dns.OnChosen([arguments, &run, admin] {
    arguments->admin_named = admin.given();
    run = [arguments] { return ExplainQuery(*arguments); };
  });
}

void AddSeen(CommandSyntax explain, CommandOption admin, const std::shared_ptr<ExplainArguments>& arguments,
             Command& run) {
  const auto named = [&](CommandSyntax command) {
    command.AddOption("--load-balancer", arguments->http.load_balancer, "when several listen on that port");
  };
  auto curl = explain.AddCommand("curl", "The same of a pasted curl command");
  curl.TakeOptionsOfParent();
  curl.AddOption("COMMAND", arguments->seen, "the whole command in quotes; - reads it from the standard input")
      .Required();
  curl.Footer("Example:  weir explain weir.yaml curl \"curl -H 'X-Beta: yes' https://shop.example.test/cart/1\"");
  named(curl);
  curl.OnChosen([arguments, &run, admin] {
    arguments->admin_named = admin.given();
    run = [arguments] { return ExplainCurl(*arguments); };
  });
  auto log = explain.AddCommand("log", "What a request of an access log would do now, and whether it did so then");
  log.TakeOptionsOfParent();
  log.AddOption("LINE", arguments->seen,
                "the line in quotes, weir's or an ALB's; - reads lines from the standard input")
      .Required();
  log.Footer("Example:  tail -1 access.log | weir explain weir.yaml log -");
  named(log);
  log.OnChosen([arguments, &run] { run = [arguments] { return ExplainLog(*arguments); }; });
  auto har = explain.AddCommand("har", "Where each request goes that a browser has recorded");
  har.TakeOptionsOfParent();
  har.AddOption("FILE.har", arguments->seen, "what a browser saves of its network view").Required();
  har.Footer("Example:  weir explain weir.yaml har shop.har");
  named(har);
  har.OnChosen([arguments, &run] { run = [arguments] { return ExplainHar(*arguments); }; });
  auto coverage = explain.AddCommand("coverage", "Which rules the requests of access logs take, and which none does");
  coverage.TakeOptionsOfParent();
  coverage.AddOption("LOG", arguments->logs, "logs, plain or gzip, ALB's format or JSON; - is the standard input")
      .Required();
  coverage.Footer("Example:  weir explain weir.yaml coverage AWSLogs/*.log.gz");
  coverage.OnChosen([arguments, &run] { run = [arguments] { return ExplainCoverage(*arguments); }; });
}

}  // namespace

void AddExplainCommand(CommandSyntax root, Command& run) {
  auto arguments = std::make_shared<ExplainArguments>();
  auto command = root.AddCommand("explain", "Says why a request goes where it goes, or a query is answered as it is");
  command.AddOption("FILE", arguments->file, "the configuration file; with --live it names the appliance");
  command.AddFlag("--live", arguments->live, "ask the running appliance, health and overrides included");
  command.AddFlag("--json", arguments->json, "print the explanation as JSON");
  command
      .AddOption("--unhealthy", arguments->unhealthy,
                 "count a load balancer, target group, target or health check as unhealthy; may be repeated")
      .OneValueEach();
  const auto admin = AddAdminOption(command, arguments->admin);
  command.RequireCommand();
  command.Footer(
      "Example:  weir explain weir.yaml http GET http://shop.example.test:8080/\n"
      "          weir explain weir.yaml dns shop.example.test A --live");
  AddHttp(command, admin, arguments, run);
  AddDns(command, admin, arguments, run);
  AddSeen(command, admin, arguments, run);
}

}  // namespace weir::app
