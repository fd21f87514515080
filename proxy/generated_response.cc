#include "proxy/generated_response.h"

#include "base/text.h"
#include "http/writer.h"
#include "proxy/actions/fixed_response.h"

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

void AppendTitle(std::uint16_t status, std::string_view phrase, std::string& out) {
  AppendDecimal(out, status);
  if (!phrase.empty()) (out += ' ') += phrase;
}

void BuildPage(GeneratedResponse& out) {
  out.body = "<html>\r\n<head><title>";
  AppendTitle(out.status, out.reason, out.body);
  out.body += "</title></head>\r\n<body>\r\n<center><h1>";
  AppendTitle(out.status, out.reason, out.body);
  out.body += "</h1></center>\r\n</body>\r\n</html>\r\n";
}

void Begin(std::uint16_t status, GeneratedResponse& out) {
  out.status = status;
  out.reason = Phrase(status);
  out.fields.clear();
}

void AppendOwnFields(FieldBlock& out, std::string_view date, std::string_view content_type,
                     const config::ListenerAttributes& attributes) {
  if (attributes.server_header_enabled) http::AppendField(out, "Server", "awselb/2.0");
  http::AppendField(out, "Date", date);
  if (!content_type.empty()) http::AppendField(out, "Content-Type", content_type);
  for (const auto& [name, value] : attributes.response_fields) http::AppendField(out, name, value);
}

}  // namespace

void BuildErrorResponse(std::uint16_t status, std::string_view date, const config::ListenerAttributes& attributes,
                        GeneratedResponse& out) {
  Begin(status, out);
  out.location.clear();
  BuildPage(out);
  AppendOwnFields(out.fields, date, "text/html", attributes);
  // RFC 9110 section 15.5.6 asks for Allow; every method but TRACE and CONNECT is forwarded.
  if (status == 405) http::AppendField(out.fields, "Allow", "GET, HEAD, POST, PUT, DELETE, OPTIONS, PATCH");
}

void BuildRedirectResponse(std::uint16_t status, std::string_view date, const config::ListenerAttributes& attributes,
                           GeneratedResponse& out) {
  Begin(status, out);
  BuildPage(out);
  AppendOwnFields(out.fields, date, "text/html", attributes);
  http::AppendField(out.fields, "Location", out.location);
}

void BuildFixedResponse(const FixedResponse& action, std::string_view date,
                        const config::ListenerAttributes& attributes, GeneratedResponse& out) {
  Begin(action.status, out);
  out.location.clear();
  out.body = action.body;
  const std::string_view type =
      action.content_type.empty() && !action.body.empty() ? std::string_view("text/plain") : action.content_type;
  AppendOwnFields(out.fields, date, type, attributes);
}

}  // namespace weir::proxy
