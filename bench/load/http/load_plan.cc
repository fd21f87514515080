#include "bench/load/http/load_plan.h"

#include "base/text.h"
#include "bench/load/http/websocket_frames.h"
#include "http/scan.h"
#include "http/writer.h"

#include <algorithm>
#include <array>
#include <utility>

namespace weir::bench {
namespace {

constexpr std::string_view kUserAgent = "weir-bench";
constexpr std::uint32_t kMask = 0x5a17c3e9;
// Fields of the framing and of the connection (RFC 9110 sections 7.6.1 and 8.6): the generator writes them itself.
constexpr std::array<std::string_view, 8> kOwnFields = {"Connection", "Content-Length",    "Expect",  "Keep-Alive",
                                                        "TE",         "Transfer-Encoding", "Trailer", "Upgrade"};

bool IsBadValueByte(char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f; }

const HeaderField* Find(const std::vector<HeaderField>& fields, std::string_view name) {
  const auto found =
      std::ranges::find_if(fields, [&](const auto& field) { return EqualsIgnoreCase(field.name, name); });
  return found == fields.end() ? nullptr : &*found;
}

bool MayHaveContent(std::string_view method) { return method == "POST" || method == "PUT" || method == "PATCH"; }

}  // namespace

Result<HeaderField> ParseHeader(std::string_view text) {
  const std::size_t colon = text.find(':');
  const std::string_view name = text.substr(0, colon);
  if (colon == std::string_view::npos || !http::IsToken(name)) {
    return Failure("`" + std::string(text) + "` is no header", "write 'Name: value'");
  }
  const std::string_view value = http::TrimSpace(text.substr(colon + 1));
  if (std::ranges::any_of(value, IsBadValueByte)) {
    return Failure("the value of the header " + std::string(name) + " has a control character");
  }
  const auto is_name = [&](std::string_view own) { return EqualsIgnoreCase(own, name); };
  if (std::ranges::any_of(kOwnFields, is_name)) {
    return Failure("the header " + std::string(name) + " is written by the generator itself",
                   EqualsIgnoreCase(name, "Connection") ? "use --connection-per-request" : "");
  }
  return HeaderField{.name = std::string(name), .value = std::string(value)};
}

LoadPlan::LoadPlan(RequestShape shape) {
  // The mask protects from scripts in browsers (RFC 6455 section 10.3), of which there are none: one does for all.
  if (shape.websocket) shape.content = ClientMessage(shape.content, kMask);
  shape_ = std::make_unique<const RequestShape>(std::move(shape));
}

std::uint32_t LoadPlan::OriginOf(const Url& url) {
  const auto found = std::ranges::find_if(origins_, [&](const Origin& origin) {
    return origin.tls == url.tls && origin.port == url.port && EqualsIgnoreCase(origin.host, url.host);
  });
  if (found != origins_.end()) return static_cast<std::uint32_t>(found - origins_.begin());
  origins_.push_back({.tls = url.tls, .host = url.host, .port = url.port, .endpoints = {}});
  return static_cast<std::uint32_t>(origins_.size() - 1);
}

std::uint32_t LoadPlan::Add(const Url& url) {
  const Line line{
      .method = shape_->method, .authority = url.authority, .target = url.target, .user_agent = {}, .is_logged = false};
  requests_.push_back(Prepare(line, OriginOf(url)));
  return static_cast<std::uint32_t>(requests_.size() - 1);
}

std::uint32_t LoadPlan::Add(const LoggedRequest& logged, const Url& to) {
  const Line line{.method = logged.method,
                  .authority = logged.authority,
                  .target = logged.target,
                  .user_agent = logged.user_agent,
                  .is_logged = true};
  const std::string key = line.method + '\n' + line.authority + '\n' + line.target + '\n' + line.user_agent;
  const auto [place, is_new] = logged_.try_emplace(key, static_cast<std::uint32_t>(requests_.size()));
  if (is_new) requests_.push_back(Prepare(line, OriginOf(to)));
  return place->second;
}

// The fields after Host: ours unless the user gave them, then the user's.
std::vector<HeaderField> LoadPlan::Fields(const Line& line) const {
  std::vector<HeaderField> fields;
  if (Find(shape_->headers, "User-Agent") == nullptr) {
    fields.push_back({"User-Agent", line.user_agent.empty() ? std::string(kUserAgent) : line.user_agent});
  }
  for (const auto& header : shape_->headers) {
    if (!EqualsIgnoreCase(header.name, "Host")) fields.push_back(header);
  }
  return fields;
}

PreparedRequest LoadPlan::Prepare(const Line& line, std::uint32_t origin) const {
  const HeaderField* host = Find(shape_->headers, "Host");
  const std::string& authority = host != nullptr ? host->value : line.authority;
  // A logged GET is sent without the content that a logged POST gets.
  const bool has_content =
      shape_->has_content && !shape_->websocket && (!line.is_logged || MayHaveContent(line.method));
  PreparedRequest request{.origin = origin, .method = line.method, .head = {}, .fields = {}, .content = {}};
  if (has_content) request.content = shape_->content;
  auto fields = Fields(line);
  if (has_content || MayHaveContent(line.method)) {
    fields.push_back({"Content-Length", std::to_string(request.content.size())});
  }
  if (shape_->http2) {
    const bool tls = origins_[origin].tls;
    request.fields = {{":method", line.method},
                      {":scheme", tls ? "https" : "http"},
                      {":authority", authority},
                      {":path", line.target}};
    // Every gRPC call says so, as proxies may ask for it.
    const HeaderField* type = Find(fields, "Content-Type");
    const bool is_call = type != nullptr && type->value.starts_with("application/grpc");
    for (auto& field : fields) request.fields.push_back({ToLowerAscii(field.name), std::move(field.value)});
    if (is_call) request.fields.push_back({"te", "trailers"});
    return request;
  }
  http::AppendRequestLine(request.head, line.method, line.target);
  http::AppendField(request.head, "Host", authority);
  for (const auto& field : fields) http::AppendField(request.head, field.name, field.value);
  if (shape_->closes) http::AppendField(request.head, "Connection", "close");
  if (shape_->websocket) {
    request.content = shape_->content;
    http::AppendField(request.head, "Connection", "Upgrade");
    http::AppendField(request.head, "Upgrade", "websocket");
    http::AppendField(request.head, "Sec-WebSocket-Version", "13");
    http::AppendField(request.head, "Sec-WebSocket-Key", "d2VpciBiZW5jaCBsb2FkIQ==");
  }
  request.head += "\r\n";
  return request;
}

}  // namespace weir::bench
