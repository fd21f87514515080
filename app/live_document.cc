#include "app/live_document.h"

#include "app/author.h"
#include "app/json_text.h"
#include "config/document/json_reader.h"
#include "config/findings.h"
#include "control/admin_client.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>

#include <chrono>

namespace weir::app {
namespace {

constexpr std::string_view kPath = "/v1/document";
// Large documents take their time to be read and checked.
constexpr std::chrono::seconds kTimeout{60};

std::string FindingLine(const boost::json::object& item) {
  std::string out;
  if (const auto path = TextOf(item, "path"); !path.empty()) out += path + ": ";
  out += TextOf(item, "message");
  if (const auto hint = TextOf(item, "hint"); !hint.empty()) out += "; " + hint;
  return out;
}

std::vector<std::string> FindingsOf(const control::AdminReply& reply) {
  boost::system::error_code error;
  const auto parsed = boost::json::parse(reply.body, error);
  std::vector<std::string> out;
  if (!error && parsed.is_object()) {
    const auto& members = parsed.get_object();
    if (const auto* const errors = members.if_contains("errors"); errors != nullptr && errors->is_array()) {
      for (const auto& item : errors->get_array()) {
        if (item.is_object()) out.push_back(FindingLine(item.get_object()));
      }
    }
    if (const auto message = TextOf(members, "error"); !message.empty()) {
      const auto hint = TextOf(members, "hint");
      out.push_back(hint.empty() ? message : message + "; " + hint);
    }
  }
  if (out.empty()) out.push_back(fmt::format("the admin API answers {}", reply.status));
  return out;
}

}  // namespace

Result<std::unique_ptr<LiveDocument>> ReadLiveDocument(const Endpoint& admin) {
  const auto reply = control::CallAdmin(admin, "GET", kPath, {}, kTimeout);
  if (!reply) return std::unexpected(reply.error());
  if (reply->status != 200) return Failure(FindingsOf(*reply).front());
  auto out = std::make_unique<LiveDocument>();
  config::Findings findings;
  const auto root = config::ReadJson(reply->body, 0, out->tree, findings);
  if (!root || findings.errors() > 0) return Failure(fmt::format("{} answers no document", admin.ToString()));
  out->root = *root;
  out->etag = reply->etag;
  return out;
}

Result<EditOutcome> SendPatch(const Endpoint& admin, const std::string& patch, const std::string& etag) {
  const auto reply = control::CallAdmin(admin, "PATCH", kPath, patch, kTimeout, etag, Author());
  if (!reply) return std::unexpected(reply.error());
  EditOutcome out;
  if (reply->status != 200) {
    out.kind = reply->status == 412   ? EditOutcome::Kind::kMoved
               : reply->status == 422 ? EditOutcome::Kind::kWrong
                                      : EditOutcome::Kind::kRefused;
    out.findings = FindingsOf(*reply);
    return out;
  }
  boost::system::error_code error;
  const auto parsed = boost::json::parse(reply->body, error);
  const auto* const members = error ? nullptr : parsed.if_object();
  const auto* const revision = members == nullptr ? nullptr : members->if_contains("revision");
  out.kind = EditOutcome::Kind::kDone;
  out.revision = revision == nullptr ? "?" : boost::json::serialize(*revision);
  return out;
}

}  // namespace weir::app
