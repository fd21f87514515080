#include "app/admin_change.h"
#include "app/admin_option.h"
#include "app/commands.h"
#include "app/complain.h"
#include "app/configuration.h"
#include "app/json_text.h"
#include "app/offline_view.h"
#include "base/record_type.h"
#include "control/admin_client.h"
#include "control/explain.h"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::app {
namespace {

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
  if (!arguments.live) {
    return AskOffline(arguments, [&](const control::View& view) { return control::ExplainHttp(view, question); });
  }
  std::string target = "/v1/explain/http";
  AppendPair(target, "method", question.method);
  AppendPair(target, "url", question.url);
  AppendPair(target, "from", question.from);
  AppendPair(target, "load-balancer", question.load_balancer);
  AppendPair(target, "http-version", question.http_version);
  for (const auto& header : arguments.headers) AppendPair(target, "header", header);
  // An empty name says that the client sends none.
  if (question.server_name) target += "&sni=" + PercentEncode(*question.server_name);
  for (const auto& signature : question.signatures) AppendPair(target, "signature", signature);
  return AskLive(arguments, target);
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
}

}  // namespace weir::app
