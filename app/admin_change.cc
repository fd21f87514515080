#include "app/admin_change.h"

#include "app/author.h"
#include "app/complain.h"
#include "app/json_text.h"
#include "control/admin_client.h"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>

#include <chrono>
#include <cstdint>

namespace weir::app {
namespace {

int ComplainOfRefusal(const control::AdminReply& reply, const boost::json::object& members) {
  Error error{TextOf(members, "error"), TextOf(members, "hint")};
  if (error.message.empty()) error.message = fmt::format("the admin API answers {}: {}", reply.status, reply.body);
  const bool named_wrongly = reply.status == 400 || reply.status == 404;
  return Complain(error, named_wrongly ? kCommandLineWrong : kSystemRefused);
}

}  // namespace

std::string PercentEncode(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '.' || c == '_' || c == '~';
    if (plain) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    }
  }
  return out;
}

int MakeAdminChange(const Endpoint& admin, const AdminChange& change, bool json) {
  std::string path = "/v1";
  for (const auto& segment : change.path) path += "/" + PercentEncode(segment);
  const auto reply = control::CallAdmin(admin, change.method, path, change.body, std::chrono::seconds(5), {}, Author());
  if (!reply) return Complain(reply.error(), kSystemRefused);
  boost::system::error_code error;
  const auto parsed = boost::json::parse(reply->body, error);
  const boost::json::object members = !error && parsed.is_object() ? parsed.get_object() : boost::json::object();
  if (reply->status != 200 || !members.contains("revision")) return ComplainOfRefusal(*reply, members);
  if (json) {
    fmt::print("{}\n", reply->body);
  } else {
    fmt::print("{}, revision {}\n", change.said, boost::json::serialize(members.at("revision")));
  }
  return kDone;
}

}  // namespace weir::app
