#include "proxy/generated_response.h"

#include "http/writer.h"

namespace weir::proxy {
namespace {

// ALB's pages carry the older phrases of these codes.
std::string_view Phrase(std::uint16_t status) {
  switch (status) {
    case 408:
      return "Request Time-out";
    case 414:
      return "Request-URI Too Large";
    case 503:
      return "Service Temporarily Unavailable";
    case 504:
      return "Gateway Time-out";
    default:
      return http::ReasonPhrase(status);
  }
}

std::string Page(std::uint16_t status, std::string_view phrase) {
  std::string title = std::to_string(status);
  if (!phrase.empty()) (title += ' ') += phrase;
  return "<html>\r\n<head><title>" + title + "</title></head>\r\n<body>\r\n<center><h1>" + title +
         "</h1></center>\r\n</body>\r\n</html>\r\n";
}

void AppendOwnFields(FieldBlock& out, std::string_view date, std::string_view content_type,
                     const config::ListenerAttributes& attributes) {
  if (attributes.server_header_enabled) http::AppendField(out, "Server", "awselb/2.0");
  http::AppendField(out, "Date", date);
  if (!content_type.empty()) http::AppendField(out, "Content-Type", content_type);
  for (const auto& [name, value] : attributes.response_fields) http::AppendField(out, name, value);
}

}  // namespace

GeneratedResponse MakeErrorResponse(std::uint16_t status, std::string_view date,
                                    const config::ListenerAttributes& attributes) {
  GeneratedResponse response{.status = status, .reason = Phrase(status), .fields = {}, .body = {}};
  response.body = Page(status, response.reason);
  AppendOwnFields(response.fields, date, "text/html", attributes);
  // RFC 9110 section 15.5.6 asks for Allow; every method but TRACE and CONNECT is forwarded.
  if (status == 405) http::AppendField(response.fields, "Allow", "GET, HEAD, POST, PUT, DELETE, OPTIONS, PATCH");
  return response;
}

GeneratedResponse MakeRedirectResponse(std::uint16_t status, std::string_view location, std::string_view date,
                                       const config::ListenerAttributes& attributes) {
  GeneratedResponse response{.status = status, .reason = Phrase(status), .fields = {}, .body = {}};
  response.body = Page(status, response.reason);
  AppendOwnFields(response.fields, date, "text/html", attributes);
  http::AppendField(response.fields, "Location", location);
  return response;
}

GeneratedResponse MakeFixedResponse(const FixedResponse& action, std::string_view date,
                                    const config::ListenerAttributes& attributes) {
  GeneratedResponse response{
      .status = action.status, .reason = Phrase(action.status), .fields = {}, .body = action.body};
  const std::string_view type =
      action.content_type.empty() && !action.body.empty() ? std::string_view("text/plain") : action.content_type;
  AppendOwnFields(response.fields, date, type, attributes);
  return response;
}

}  // namespace weir::proxy
