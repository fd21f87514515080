// Where a load balancer logs; spec: alb.md 2, 16.

#include "config/decode/decode.h"
#include "config/document/sources.h"
#include "config/findings.h"
#include "config/schema/schema.h"

#include <fmt/format.h>

namespace weir::config {
namespace {

// One kind of log: our key for it, AWS's attribute that leads it to S3, and the file that stands for the bucket where
// our key is absent.
struct LogKind {
  std::string_view key;
  std::string_view attribute;
  std::string_view noun;
  std::string_view file;
};
constexpr LogKind kRequests{"access-log", "access_logs.s3.enabled", "requests", "access.log"};
constexpr LogKind kConnections{"connection-log", "connection_logs.s3.enabled", "connections", "connections.log"};

std::optional<LogFile> DecodeLog(const Fields& fields, const LogKind& kind, Decoding& decoding) {
  std::optional<LogFile> out = DecodeLogFile(fields, kind.key, decoding.files);
  const Node* const attributes = fields.Map("attributes");
  if (attributes == nullptr || !Fields(*attributes).Boolean(kind.attribute, false)) return out;
  const Position position = Fields(*attributes).PositionOf(kind.attribute);
  const bool is_given = out.has_value();
  if (!is_given) {
    out = LogFile{.path = ResolvePath(kind.file, FileOf(position, decoding.files)), .position = position};
  }
  const std::string place = out->path == "-" ? "standard output" : Quoted(out->path);
  decoding.findings.AddWarning(
      position, fmt::format("`{}`: there is no S3 here; {} are logged to {}", kind.attribute, kind.noun, place),
      is_given ? std::string() : fmt::format("`{}: {{path: ...}}` says where", kind.key));
  return out;
}

}  // namespace

std::optional<LogFile> DecodeLogFile(const Fields& fields, std::string_view key,
                                     const std::vector<std::string>& files) {
  const Node* const log = fields.Map(key);
  if (log == nullptr) return std::nullopt;
  const Fields log_fields(*log);
  const std::string path = log_fields.Text("path");
  const std::string& file = FileOf(log_fields.PositionOf("path"), files);
  return LogFile{.path = path == "-" ? path : ResolvePath(path, file),
                 .format = log_fields.Choice("format", kLogFormatWords, LogFormat::kAlb),
                 .position = log_fields.PositionOf("path")};
}

void DecodeLogs(const Fields& fields, Decoding& decoding, LoadBalancer& out) {
  out.access_log = DecodeLog(fields, kRequests, decoding);
  out.connection_log = DecodeLog(fields, kConnections, decoding);
  const bool share = out.access_log && out.connection_log && out.access_log->path == out.connection_log->path;
  if (share && out.access_log->path != "-") {
    decoding.findings.AddError(out.connection_log->position, "the access log is written to the same file",
                               "a file of its own");
  }
}

}  // namespace weir::config
