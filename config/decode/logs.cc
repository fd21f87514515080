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
constexpr LogKind kHealthChecks{"health-check-log", "health_check_logs.s3.enabled", "health checks",
                                "health-checks.log"};

constexpr std::uint64_t kMegabyte = 1'000'000;

std::optional<LogRotation> DecodeRotation(const Fields& log, Findings& findings) {
  const Node* const node = log.Map("rotate");
  if (node == nullptr) return std::nullopt;
  const Fields fields(*node);
  LogRotation out;
  out.bytes = static_cast<std::uint64_t>(fields.Integer("size-mb").value_or(0)) * kMegabyte;
  out.interval = std::chrono::seconds(fields.Seconds("interval").value_or(0));
  out.keep = static_cast<std::uint32_t>(fields.Integer("keep").value_or(0));
  out.compress = fields.Boolean("compress", false);
  if (out.bytes == 0 && out.interval.count() == 0) {
    findings.AddError(log.PositionOf("rotate"), "`rotate` without `size-mb` and `interval`", "one of them, or both");
  }
  if (log.Text("path") == "-") {
    findings.AddError(log.PositionOf("rotate"), "standard output cannot be put aside", "a file, or no `rotate`");
  }
  return out;
}

std::optional<LogFile> DecodeLog(const Fields& fields, const LogKind& kind, Decoding& decoding) {
  std::optional<LogFile> out = DecodeLogFile(fields, kind.key, decoding);
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

std::optional<LogFile> DecodeLogFile(const Fields& fields, std::string_view key, Decoding& decoding) {
  const Node* const log = fields.Map(key);
  if (log == nullptr) return std::nullopt;
  const Fields log_fields(*log);
  const std::string path = log_fields.Text("path");
  const std::string& file = FileOf(log_fields.PositionOf("path"), decoding.files);
  return LogFile{.path = path == "-" ? path : ResolvePath(path, file),
                 .format = log_fields.Choice("format", kLogFormatWords, LogFormat::kAlb),
                 .rotation = DecodeRotation(log_fields, decoding.findings),
                 .position = log_fields.PositionOf("path")};
}

void DecodeLogs(const Fields& fields, Decoding& decoding, LoadBalancer& out) {
  out.access_log = DecodeLog(fields, kRequests, decoding);
  out.connection_log = DecodeLog(fields, kConnections, decoding);
  out.health_check_log = DecodeLog(fields, kHealthChecks, decoding);
  const auto differs = [&](const std::optional<LogFile>& log, const std::optional<LogFile>& other,
                           std::string_view noun) {
    if (!log || !other || log->path != other->path || log->path == "-") return;
    decoding.findings.AddError(log->position, fmt::format("the {} is written to the same file", noun),
                               "a file of its own");
  };
  differs(out.connection_log, out.access_log, "access log");
  differs(out.health_check_log, out.access_log, "access log");
  differs(out.health_check_log, out.connection_log, "connection log");
}

}  // namespace weir::config
