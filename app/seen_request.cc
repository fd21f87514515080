#include "app/seen_request.h"

#include "app/admin_change.h"
#include "base/base64.h"
#include "base/text.h"
#include "control/status_report.h"
#include "logs/log_fields.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <utility>

namespace weir::app {
namespace {

namespace json = boost::json;

// `https://shop.test:443/a`, taken apart.
struct UrlParts {
  std::string_view scheme;
  std::string_view host;  // in brackets where it is IPv6
  std::string_view port;  // empty: the scheme's
  std::string_view rest;  // from the path on
};

std::optional<UrlParts> Divide(std::string_view url) {
  const auto scheme = url.find("://");
  if (scheme == std::string_view::npos) return std::nullopt;
  UrlParts out{.scheme = url.substr(0, scheme), .host = {}, .port = {}, .rest = {}};
  url.remove_prefix(scheme + 3);
  const auto end = std::min(url.find_first_of("/?#"), url.size());
  out.rest = url.substr(end);
  out.host = url.substr(0, end);
  const auto colon = out.host.rfind(':');
  if (colon != std::string_view::npos && out.host.find(']', colon) == std::string_view::npos) {
    out.port = out.host.substr(colon + 1);
    out.host = out.host.substr(0, colon);
  }
  return out;
}

bool IsDefaultPort(const UrlParts& url) {
  return url.port.empty() || url.port == (url.scheme == "https" ? "443" : "80");
}

bool HasScheme(std::string_view url) { return url.find("://") != std::string_view::npos; }

bool HasHeader(const control::HttpQuestion& question, std::string_view name) {
  return std::ranges::any_of(question.headers,
                             [name](const auto& header) { return EqualsIgnoreCase(header.first, name); });
}

// ---- shell words

// The words of a command as a POSIX shell, or bash for $'…', would take them.
class ShellWords {
 public:
  explicit ShellWords(std::string_view text) : text_(text) {}

  // Fails where a quote does not end.
  Result<std::vector<std::string>> Read() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
        EndWord();
        ++at_;
      } else if (!TakePiece()) {
        return Failure("a quote of the command does not end",
                       "paste it whole, in quotes of the other kind, or pipe it");
      }
    }
    EndWord();
    return std::move(words_);
  }

 private:
  void EndWord() {
    if (std::exchange(in_word_, false)) words_.push_back(std::exchange(word_, {}));
  }

  bool TakePiece() {
    const char c = text_[at_];
    if (c == '\\') {
      // A line that goes on.
      if (text_.substr(at_).starts_with("\\\n")) return at_ += 2, true;
      if (text_.substr(at_).starts_with("\\\r\n")) return at_ += 3, true;
    }
    in_word_ = true;
    if (c == '\'') return TakeQuoted('\'', false);
    if (c == '"') return TakeQuoted('"', true);
    if (text_.substr(at_).starts_with("$'")) return ++at_, TakeAnsi();
    if (c == '\\' && at_ + 1 < text_.size()) ++at_;
    word_ += text_[at_++];
    return true;
  }

  bool TakeQuoted(char quote, bool escapes) {
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == quote) return ++at_, true;
      if (escapes && text_[at_] == '\\' && at_ + 1 < text_.size()) {
        const char next = text_[at_ + 1];
        if (next == '\n') {
          ++at_;
          continue;
        }
        if (next == '"' || next == '\\' || next == '$' || next == '`') ++at_;
      }
      word_ += text_[at_];
    }
    return false;
  }

  bool TakeAnsi() {
    for (++at_; at_ < text_.size(); ++at_) {
      char c = text_[at_];
      if (c == '\'') return ++at_, true;
      if (c == '\\' && at_ + 1 < text_.size()) {
        c = text_[++at_];
        constexpr std::string_view kLetters = "nrtabfve";
        constexpr std::string_view kMeant = "\n\r\t\a\b\f\v\x1b";
        const auto letter = kLetters.find(c);
        if (letter != std::string_view::npos) {
          c = kMeant[letter];
        } else if (c == 'x' || c == 'u') {
          TakeCode(c == 'x' ? 2 : 4);
          continue;
        }
      }
      word_ += c;
    }
    return false;
  }

  // \xHH is a byte, \uHHHH a character.
  void TakeCode(std::size_t digits) {
    std::uint32_t code = 0;
    for (std::size_t i = 0; i < digits && at_ + 1 < text_.size(); ++i) {
      constexpr std::string_view kDigits = "0123456789abcdef";
      const auto value = kDigits.find(ToLowerAscii(text_[at_ + 1]));
      if (value == std::string_view::npos) break;
      code = code * 16 + static_cast<std::uint32_t>(value);
      ++at_;
    }
    if (code < 0x80 || digits == 2) {
      word_ += static_cast<char>(code);
    } else if (code < 0x800) {
      word_ += static_cast<char>(0xC0 | code >> 6);
      word_ += static_cast<char>(0x80 | (code & 0x3F));
    } else {
      word_ += static_cast<char>(0xE0 | code >> 12);
      word_ += static_cast<char>(0x80 | (code >> 6 & 0x3F));
      word_ += static_cast<char>(0x80 | (code & 0x3F));
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string word_;
  bool in_word_ = false;
  std::vector<std::string> words_;
};

// ---- curl

// Its options with a value that says nothing of the request; of one letter, and long.
constexpr std::string_view kPassedOverLetters = "omwxyYzCcDEKPQrtTU";
constexpr auto kPassedOver = std::to_array<std::string_view>({"--output",
                                                              "--output-dir",
                                                              "--max-time",
                                                              "--write-out",
                                                              "--proxy",
                                                              "--proxy-user",
                                                              "--proxy-header",
                                                              "--connect-timeout",
                                                              "--resolve",
                                                              "--connect-to",
                                                              "--cacert",
                                                              "--capath",
                                                              "--cert",
                                                              "--key",
                                                              "--cert-type",
                                                              "--key-type",
                                                              "--pass",
                                                              "--interface",
                                                              "--retry",
                                                              "--retry-delay",
                                                              "--retry-max-time",
                                                              "--ciphers",
                                                              "--tls13-ciphers",
                                                              "--curves",
                                                              "--config",
                                                              "--dump-header",
                                                              "--cookie-jar",
                                                              "--max-redirs",
                                                              "--max-filesize",
                                                              "--limit-rate",
                                                              "--rate",
                                                              "--upload-file",
                                                              "--trace",
                                                              "--trace-ascii",
                                                              "--stderr",
                                                              "--tls-max",
                                                              "--proto",
                                                              "--proto-default",
                                                              "--proto-redir",
                                                              "--unix-socket",
                                                              "--abstract-unix-socket",
                                                              "--socks4",
                                                              "--socks4a",
                                                              "--socks5",
                                                              "--socks5-hostname",
                                                              "--preproxy",
                                                              "--noproxy",
                                                              "--dns-servers",
                                                              "--doh-url",
                                                              "--keepalive-time",
                                                              "--speed-limit",
                                                              "--speed-time",
                                                              "--time-cond",
                                                              "--continue-at",
                                                              "--range",
                                                              "--crlfile",
                                                              "--pinnedpubkey",
                                                              "--netrc-file",
                                                              "--local-port",
                                                              "--happy-eyeballs-timeout-ms",
                                                              "--expect100-timeout",
                                                              "--aws-sigv4",
                                                              "--create-file-mode",
                                                              "--engine",
                                                              "--hostpubmd5",
                                                              "--libcurl",
                                                              "--login-options",
                                                              "--parallel-max",
                                                              "--quote",
                                                              "--url-query",
                                                              "--variable",
                                                              "--ech",
                                                              "--alt-svc",
                                                              "--hsts"});
constexpr auto kData = std::to_array<std::string_view>({"-d", "--data", "--data-raw", "--data-ascii", "--data-binary",
                                                        "--data-urlencode", "--json", "--form", "--form-string"});

// What a curl command would send.
class CurlReader {
 public:
  explicit CurlReader(std::vector<std::string> words) : words_(std::move(words)) {}

  Result<control::HttpQuestion> Read() {
    if (words_.empty() || !(words_[0] == "curl" || words_[0].ends_with("/curl") || words_[0].ends_with("curl.exe"))) {
      return Failure("that is no curl command", "it begins with `curl`");
    }
    for (at_ = 1; at_ < words_.size(); ++at_) {
      if (auto taken = TakeWord(); !taken) return std::unexpected(taken.error());
    }
    if (question_.url.empty()) return Failure("the curl command names no URL", "paste it whole");
    if (!HasScheme(question_.url)) question_.url = "http://" + question_.url;
    if (appends_data_ && !data_.empty()) {
      question_.url += (question_.url.find('?') == std::string::npos ? "?" : "&") + data_;
      has_data_ = false;
    }
    if (question_.method.empty()) question_.method = is_head_ ? "HEAD" : uploads_ ? "PUT" : has_data_ ? "POST" : "GET";
    Default("User-Agent", "curl");
    Default("Accept", is_json_ ? "application/json" : "*/*");
    if (is_compressed_) Default("Accept-Encoding", "deflate, gzip, br, zstd");
    if (has_data_) {
      Default("Content-Type", is_json_   ? "application/json"
                              : is_form_ ? "multipart/form-data"
                                         : "application/x-www-form-urlencoded");
    }
    MoveUser();
    std::erase_if(question_.headers, [](const auto& header) { return header.second.empty(); });
    return std::move(question_);
  }

 private:
  void Default(std::string_view name, std::string_view value) {
    if (!HasHeader(question_, name)) question_.headers.emplace_back(name, value);
  }

  // `http://me:secret@host/` is `http://host/` and a header.
  void MoveUser() {
    const auto begin = question_.url.find("://") + 3;
    const auto end = std::min(question_.url.find_first_of("/?#", begin), question_.url.size());
    const auto at = question_.url.rfind('@', end);
    if (at == std::string::npos || at < begin || at >= end) return;
    Default("Authorization", "Basic " + EncodeBase64(question_.url.substr(begin, at - begin)));
    question_.url.erase(begin, at + 1 - begin);
  }

  // `name=text` and `text`: the text is encoded.
  static std::string UrlEncoded(const std::string& value) {
    const auto equals = value.find('=');
    const std::size_t begin = equals == std::string::npos ? 0 : equals + 1;
    return (begin > 1 ? value.substr(0, begin) : std::string()) + PercentEncode(value.substr(begin));
  }

  Result<std::string> Value(std::string_view option) {
    if (at_ + 1 >= words_.size()) return Failure(fmt::format("`{}` of the curl command has no value", option));
    return words_[++at_];
  }

  Result<void> TakeWord() {
    const std::string word = words_[at_];
    if (word.starts_with("--")) return TakeOption(word);
    if (word.size() < 2 || word[0] != '-') {
      // The value of an option that is not known here looks like a URL too.
      if (question_.url.empty() || (!HasScheme(question_.url) && HasScheme(word))) question_.url = word;
      return {};
    }
    // Letters may stand together, the last one's value behind it.
    for (std::size_t i = 1; i < word.size(); ++i) {
      const char letter = word[i];
      constexpr std::string_view kWithValue = "XHdAbeuF";
      const bool passed_over = kPassedOverLetters.find(letter) != std::string_view::npos;
      if (!passed_over && kWithValue.find(letter) == std::string_view::npos) {
        TakeFlag(letter);
        continue;
      }
      std::string value = word.substr(i + 1);
      if (value.empty()) {
        auto next = Value("-" + std::string(1, letter));
        if (!next) return std::unexpected(next.error());
        value = std::move(*next);
      }
      if (letter == 'T') uploads_ = true;
      return passed_over ? Result<void>() : TakeValue(std::string("-") + letter, std::move(value));
    }
    return {};
  }

  void TakeFlag(char letter) {
    if (letter == 'I') is_head_ = true;
    if (letter == 'G') appends_data_ = true;
    if (letter == '0') question_.http_version = "1.0";
  }

  Result<void> TakeOption(const std::string& word) {
    const auto equals = word.find('=');
    const std::string name = word.substr(0, equals);
    if (name == "--head") TakeFlag('I');
    if (name == "--get") TakeFlag('G');
    if (name == "--http1.0") question_.http_version = "1.0";
    if (name == "--http1.1") question_.http_version = "1.1";
    if (name == "--http2" || name == "--http2-prior-knowledge") question_.http_version = "2";
    if (name == "--compressed") is_compressed_ = true;
    const bool passed_over = std::ranges::find(kPassedOver, name) != kPassedOver.end();
    constexpr std::array<std::string_view, 7> kOthers = {"--request", "--header", "--user-agent", "--cookie",
                                                         "--referer", "--user",   "--url"};
    const bool takes_value = passed_over || std::ranges::find(kData, name) != kData.end() ||
                             std::ranges::find(kOthers, name) != kOthers.end();
    if (!takes_value) return {};
    auto value = equals == std::string::npos ? Value(name) : Result<std::string>(word.substr(equals + 1));
    if (!value) return std::unexpected(value.error());
    if (name == "--upload-file") uploads_ = true;
    return passed_over ? Result<void>() : TakeValue(name, std::move(*value));
  }

  Result<void> TakeValue(const std::string& name, std::string value) {
    if (name == "-X" || name == "--request") {
      question_.method = std::move(value);
    } else if (name == "-H" || name == "--header") {
      const auto colon = value.find(':');
      if (colon == std::string::npos) return {};  // `Name;`, an empty field
      const auto start = std::min(value.find_first_not_of(' ', colon + 1), value.size());
      question_.headers.emplace_back(value.substr(0, colon), value.substr(start));
    } else if (name == "-A" || name == "--user-agent") {
      question_.headers.emplace_back("User-Agent", std::move(value));
    } else if (name == "-b" || name == "--cookie") {
      if (value.find('=') != std::string::npos) question_.headers.emplace_back("Cookie", std::move(value));
    } else if (name == "-e" || name == "--referer") {
      question_.headers.emplace_back("Referer", std::move(value));
    } else if (name == "-u" || name == "--user") {
      question_.headers.emplace_back("Authorization", "Basic " + EncodeBase64(value));
    } else if (name == "--url") {
      question_.url = std::move(value);
    } else {
      has_data_ = true;
      is_json_ = is_json_ || name == "--json";
      is_form_ = is_form_ || name == "-F" || name.starts_with("--form");
      if (name == "--data-urlencode") value = UrlEncoded(value);
      (data_ += data_.empty() ? "" : "&") += value;
    }
    return {};
  }

  std::vector<std::string> words_;
  std::size_t at_ = 0;
  control::HttpQuestion question_;
  std::string data_;
  bool has_data_ = false;
  bool is_json_ = false;
  bool is_form_ = false;
  bool is_compressed_ = false;
  bool is_head_ = false;
  bool uploads_ = false;
  bool appends_data_ = false;
};

// Who asked for what stands in it call by call.
constexpr std::size_t kHarDepthMax = 10'000;

std::string TextMember(const json::object& from, std::string_view key) {
  const auto* const value = from.if_contains(key);
  const auto* const text = value == nullptr ? nullptr : value->if_string();
  return text == nullptr ? std::string() : std::string(*text);
}

// `app/shop/0123456789abcdef` names the load balancer shop; empty for anything else.
std::string LoadBalancerOf(std::string_view elb) {
  if (!elb.starts_with("app/")) return {};
  elb.remove_prefix(4);
  return std::string(elb.substr(0, elb.find('/')));
}

std::string_view LastWord(std::string_view list) { return list.substr(list.rfind(',') + 1); }

}  // namespace

Result<control::HttpQuestion> QuestionOfLog(const logs::Entry& entry) {
  using enum logs::RequestField;
  if (entry.kind != logs::EntryKind::kRequest) return Failure("that is a line of a connection log: it asks nothing");
  const auto line = entry.request_line();
  if (line.method.empty() || line.host.empty()) {
    return Failure("the log has no request in this line: it was not understood then");
  }
  std::string_view scheme = line.scheme;
  if (scheme == "ws" || scheme == "h2c") scheme = "http";
  if (scheme == "wss" || scheme == "h2") scheme = "https";
  control::HttpQuestion out{.method = std::string(line.method),
                            .url = fmt::format("{}://{}{}", scheme, line.host, logs::Unescape(line.target)),
                            .headers = {},
                            .from = {},
                            .load_balancer = LoadBalancerOf(entry[kElb])};
  const std::string_view client = entry[kClient];
  out.from = client.substr(0, client.rfind(':'));
  if (out.from.starts_with('[') && out.from.ends_with(']')) out.from = out.from.substr(1, out.from.size() - 2);
  if (entry[kUserAgent] != "-") out.headers.emplace_back("User-Agent", logs::Unescape(entry[kUserAgent]));
  if (entry[kType] == "grpcs" || entry[kType] == "grpc") out.headers.emplace_back("Content-Type", "application/grpc");
  if (line.version == "HTTP/1.0") out.http_version = "1.0";
  if (line.version == "HTTP/1.1") out.http_version = "1.1";
  return out;
}

Result<control::HttpQuestion> QuestionOfCurl(std::string_view command) {
  auto words = ShellWords(command).Read();
  if (!words) return std::unexpected(words.error());
  return CurlReader(std::move(*words)).Read();
}

Result<std::vector<control::HttpQuestion>> QuestionsOfHar(std::string_view text) {
  boost::system::error_code error;
  json::parse_options options;
  options.max_depth = kHarDepthMax;
  const json::value parsed = json::parse(text, error, {}, options);
  if (error)
    return Failure("that is no JSON: " + error.message(), "a HAR file is what a browser saves of its network view");
  const auto* const whole = parsed.if_object();
  const auto* const log = whole == nullptr ? nullptr : whole->if_contains("log");
  const auto* const entries = log == nullptr || !log->is_object() ? nullptr : log->get_object().if_contains("entries");
  if (entries == nullptr || !entries->is_array()) return Failure("that is no HAR file: it has no `log.entries`");
  std::vector<control::HttpQuestion> out;
  for (const json::value& entry : entries->get_array()) {
    const auto* const request = entry.is_object() ? entry.get_object().if_contains("request") : nullptr;
    if (request == nullptr || !request->is_object()) return Failure("an entry of the HAR file has no `request`");
    control::HttpQuestion question;
    question.method = TextMember(request->get_object(), "method");
    question.url = TextMember(request->get_object(), "url");
    if (question.method.empty() || question.url.empty()) {
      return Failure("a request of the HAR file has no `method` or no `url`");
    }
    if (question.url.starts_with("ws")) question.url.replace(0, 2, "http");
    if (!question.url.starts_with("http")) continue;  // `data:`, `blob:`: nothing was sent
    const auto* const headers = request->get_object().if_contains("headers");
    for (const json::value& header : headers != nullptr && headers->is_array() ? headers->get_array() : json::array()) {
      if (!header.is_object()) continue;
      const std::string name = TextMember(header.get_object(), "name");
      // Pseudo-fields of HTTP/2: the URL says it all.
      if (name.empty() || name[0] == ':') continue;
      question.headers.emplace_back(name, TextMember(header.get_object(), "value"));
    }
    out.push_back(std::move(question));
  }
  return out;
}

Result<std::string> LeadToListener(const control::View& view, control::HttpQuestion& question) {
  const auto url = Divide(question.url);
  if (!url) return std::string();  // said by whoever reads the URL
  const bool is_tls = url->scheme == "https";
  const std::uint64_t port = PortOf(question.url);
  const auto& listeners = view.routing->listeners();
  const bool names_one = std::ranges::any_of(
      listeners, [&](const auto& listener) { return listener->load_balancer == question.load_balancer; });
  if (!names_one) question.load_balancer.clear();  // that of production
  const proxy::Listener* found = nullptr;
  std::size_t count = 0;
  std::size_t with_port = 0;
  for (const auto& listener : listeners) {
    if (names_one && listener->load_balancer != question.load_balancer) continue;
    if (listener->port == port) ++with_port;
    if ((listener->tls != nullptr) != is_tls) continue;
    found = listener.get();
    ++count;
  }
  if (with_port == 1) return std::string();
  if (with_port > 1) {
    return Failure(fmt::format("several load balancers listen on port {}", port), "--load-balancer names one");
  }
  if (count != 1) {
    return Failure(fmt::format("no listener has port {}, and {} speak{} {}", port, count == 0 ? "none" : "several",
                               count == 0 ? "s" : "", is_tls ? "HTTPS" : "HTTP"),
                   "put the port of one into the URL, or name one with --load-balancer");
  }
  if (!HasHeader(question, "Host")) {
    question.headers.emplace_back(
        "Host", std::string(url->host) + (IsDefaultPort(*url) ? std::string() : ":" + std::string(url->port)));
  }
  question.load_balancer = found->load_balancer;
  question.url = fmt::format("{}://{}:{}{}", url->scheme, url->host, found->port, url->rest);
  return fmt::format("port {} is {}/{} here: the only listener of {}", port, found->load_balancer, found->port,
                     is_tls ? "HTTPS" : "HTTP");
}

std::uint64_t PortOf(std::string_view text) {
  const auto url = Divide(text);
  if (!url) return 0;
  if (url->port.empty()) return url->scheme == "https" ? 443 : 80;
  return ParseDecimal(url->port).value_or(0);
}

std::string WithPort(std::string_view text, std::uint64_t from, std::uint64_t to) {
  const auto url = Divide(text);
  if (!url || url->port.empty() || PortOf(text) != from) return std::string(text);
  return fmt::format("{}://{}:{}{}", url->scheme, url->host, to, url->rest);
}

bool TookARule(const logs::Entry& entry) {
  const std::string_view priority = entry[logs::RequestField::kRulePriority];
  return priority != "-" && priority != "-1";
}

bool TookRule(const logs::Entry& entry, std::uint32_t priority, std::string_view name) {
  if (!entry.rule_name.empty() && !name.empty()) return entry.rule_name == name;
  return ParseDecimal(entry[logs::RequestField::kRulePriority]) == std::optional<std::uint64_t>(priority);
}

std::string RuleOfLog(const logs::Entry& entry) {
  const std::string_view priority = entry[logs::RequestField::kRulePriority];
  const std::string title = priority == "0" ? "default" : std::string(priority);
  return entry.rule_name.empty() ? title : fmt::format("{} ({})", title, entry.rule_name);
}

std::vector<Difference> DifferencesFromLog(const logs::Entry& then, const proxy::RequestExplanation& now) {
  // A redirect writes the port that was asked, which a rehearsal has elsewhere.
  const std::string_view host = then.request_line().host;
  const auto colon = host.rfind(':');
  const std::uint64_t led_port = colon == std::string_view::npos ? 0 : ParseDecimal(host.substr(colon + 1)).value_or(0);
  using enum logs::RequestField;
  std::vector<Difference> out;
  if (!TookARule(then)) return out;
  const auto& rule = now.matched();
  if (!TookRule(then, rule.priority, rule.name)) out.push_back({"rule", RuleOfLog(then), rule.Title()});
  // What ended before its last action, at a login or a token, says nothing of that one.
  const std::string_view action = LastWord(then[kActions]);
  if (action != "forward" && action != "redirect" && action != "fixed-response") return out;
  if (action != ToString(now.action)) {
    out.push_back({"action", std::string(action), std::string(ToString(now.action))});
    return out;
  }
  if (now.action == proxy::ActionKind::kForward) {
    const std::string_view group = then.target_group();
    const bool there = std::ranges::any_of(
        now.groups, [group](const auto& candidate) { return candidate.name == group && candidate.weight > 0; });
    std::string names;
    for (const auto& candidate : now.groups) {
      if (candidate.weight > 0) names += (names.empty() ? "" : " or ") + candidate.name;
    }
    if (!group.empty() && !there) out.push_back({"target-group", std::string(group), names});
  } else if (now.status && *now.status != then.status) {
    out.push_back({"status", std::to_string(then.status), std::to_string(*now.status)});
  }
  const std::string_view location = then[kRedirectUrl];
  const std::string led = led_port == 0 ? now.location : WithPort(now.location, now.port, led_port);
  if (now.action == proxy::ActionKind::kRedirect && location != "-" && logs::Unescape(location) != led) {
    out.push_back({"location", logs::Unescape(location), led});
  }
  return out;
}

}  // namespace weir::app
