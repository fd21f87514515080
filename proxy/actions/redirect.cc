#include "proxy/actions/redirect.h"

#include "base/text.h"
#include "proxy/downstream/connection_facts.h"
#include "proxy/routing/explain.h"
#include "proxy/worker_state.h"

#include <array>
#include <charconv>
#include <span>
#include <utility>

namespace weir::proxy {

namespace {

struct Keyword {
  std::string_view name;  // `#{host}`
  std::string_view value;
};

// Appends with a bound: what does not fit makes the whole text too long instead of cutting it.
class LocationWriter {
 public:
  explicit LocationWriter(std::string& text) : text_(text) { text_.clear(); }

  void Append(std::string_view text) {
    for (const char c : text) AppendByte(c);
  }

  // Replaces the keywords given; any other text stays as it is.
  void AppendTemplate(std::string_view text, std::span<const Keyword> keywords) {
    while (!text.empty()) {
      const Keyword* keyword = nullptr;
      for (const Keyword& candidate : keywords) {
        if (text.starts_with(candidate.name)) keyword = &candidate;
      }
      if (keyword == nullptr) {
        AppendByte(text.front());
        text.remove_prefix(1);
      } else {
        Append(keyword->value);
        text.remove_prefix(keyword->name.size());
      }
    }
  }

  [[nodiscard]] std::size_t size() const { return text_.size(); }
  void Truncate(std::size_t size) { text_.resize(size); }
  [[nodiscard]] bool fits() const { return text_.size() <= kLocationBytesMax; }

 private:
  void AppendByte(char c) {
    if (text_.size() > kLocationBytesMax) return;
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    if (c > 0x20 && c <= 0x7E) {
      text_ += c;
      return;
    }
    const auto byte = static_cast<unsigned char>(c);
    text_ += '%';
    text_ += kDigits[byte >> 4];
    text_ += kDigits[byte & 0x0F];
  }

  std::string& text_;
};

}  // namespace

RequestTargetParts MakeTargetParts(const http::RequestHead& head, std::string_view scheme, std::uint16_t port,
                                   std::string_view fallback_host) {
  const auto host = head.authority.host;
  return {.scheme = scheme,
          .host = host.empty() ? fallback_host : host,
          .port = port,
          .path = head.parts.path,
          .query = head.parts.query};
}

std::optional<std::string> BuildLocation(const config::RedirectAction& redirect, const RequestTargetParts& parts) {
  std::string location;
  if (!BuildLocation(redirect, parts, location)) return std::nullopt;
  return location;
}

bool BuildLocation(const config::RedirectAction& redirect, const RequestTargetParts& parts, std::string& out) {
  std::array<char, 8> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), parts.port).ptr;
  std::string bracketed;
  std::string_view host = parts.host;
  if (host.contains(':') && !host.starts_with('[')) {
    bracketed.append("[").append(host).append("]");
    host = bracketed;
  }
  // In the order of their use: a field takes the first ones it may hold (spec: alb.md 5.2).
  const std::array<Keyword, 5> keywords = {
      Keyword{"#{host}", host}, Keyword{"#{port}", std::string_view(digits.data(), end)},
      Keyword{"#{path}", parts.path.starts_with('/') ? parts.path.substr(1) : parts.path},
      Keyword{"#{query}", parts.query}, Keyword{"#{protocol}", parts.scheme}};
  const std::span<const Keyword> all(keywords);

  LocationWriter location(out);
  location.Append(redirect.protocol == "#{protocol}" ? std::string(parts.scheme) : ToLowerAscii(redirect.protocol));
  location.Append("://");
  location.AppendTemplate(redirect.host, all.first(1));
  location.Append(":");
  location.AppendTemplate(redirect.port, all.subspan(1, 1));
  location.AppendTemplate(redirect.path, all.first(3));
  const auto without_query = location.size();
  location.Append("?");
  const auto before_query = location.size();
  location.AppendTemplate(redirect.query, all);
  if (location.size() == before_query) location.Truncate(without_query);
  return location.fits();
}

ActionOutcome Redirect::Run(const ActionRequest& request) const {
  const DownstreamConnectionFacts& connection = request.connection;
  WorkerState& worker = request.worker;
  std::string local_host;
  if (request.head.authority.host.empty()) local_host = connection.local().address.ToString();
  const auto parts = MakeTargetParts(request.head, connection.scheme, connection.slot->bound.port, local_host);
  if (!BuildLocation(*templates, parts, worker.generated.location)) {
    return ActionOutcome::Fail(ErrorCode::kRedirectTooLong);
  }
  BuildRedirectResponse(templates->status_code, worker.date.At(worker.loop.wall_now()),
                        request.listener.listener_config->attributes, worker.generated);
  return ActionOutcome::Respond();
}

void Redirect::Explain(const ExplainedRequest& request, RequestExplanation& explanation) const {
  if (auto location = BuildLocation(*templates, request.parts)) {
    explanation.status = templates->status_code;
    explanation.location = std::move(*location);
  } else {
    explanation.status = 507;
  }
}

Redirect BuildAction(const config::RedirectAction& action, std::uint32_t& /*draws*/) { return {.templates = &action}; }

}  // namespace weir::proxy
