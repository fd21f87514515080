#include "dns/zone/values.h"

#include "config/secret_text.h"
#include "dns/wire/rdata.h"
#include "dns/wire/types.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace weir::dns {
namespace {

config::Diagnostic Finding(const config::Position& position, std::string message, std::string hint) {
  return {.severity = config::Severity::kError,
          .position = position,
          .path = {},
          .message = std::move(message),
          .hint = std::move(hint)};
}

// The whole file, or why there is none.
Result<std::string> ReadTable(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (file) text << file.rdbuf();
  const int code = errno;
  std::error_code ignored;
  if (file && !file.bad() && !std::filesystem::is_directory(path, ignored)) return std::move(text).str();
  return Failure("cannot read " + path + (code != 0 ? std::string(": ") + std::strerror(code) : ""),
                 "give a file of rows client-cidr,region,milliseconds");
}

std::unique_ptr<const LatencyTable> ReadLatency(const config::Model& model, std::vector<config::Diagnostic>& findings) {
  const config::LocatedText& table = model.latency.table;
  if (table.text.empty()) return nullptr;
  const auto text = ReadTable(table.text);
  if (!text) {
    findings.push_back(Finding(table.position, text.error().message, text.error().hint));
    return nullptr;
  }
  // What rows may name is not known.
  if (!model.complete) return nullptr;
  std::vector<std::string> regions;
  for (const auto& region : model.regions) regions.push_back(region.name);
  auto parsed = LatencyTable::Parse(*text, regions);
  if (parsed) return std::make_unique<const LatencyTable>(std::move(*parsed));
  for (auto& error : parsed.error()) {
    findings.push_back(Finding(table.position, table.text + " " + error.message, std::move(error.hint)));
  }
  return nullptr;
}

void CheckZone(const config::Zone& zone, std::vector<config::Diagnostic>& findings) {
  // A zone whose own name is wrong has records all the same.
  const auto name = Name::Parse(zone.name.empty() ? "." : zone.name);
  if (!name) return;
  std::vector<std::uint8_t> unused;
  for (const auto& record : zone.records) {
    if (record.type == 0) continue;
    for (const auto& value : record.values) {
      unused.clear();
      if (auto finding = ReadValue(record.type, value, *name, unused)) findings.push_back(std::move(*finding));
    }
  }
}

}  // namespace

std::optional<config::Diagnostic> ReadValue(std::uint16_t type, const config::LocatedText& value, const Name& zone,
                                            std::vector<std::uint8_t>& out) {
  const auto done = ParseRdata(type, value.text, zone, out);
  if (done) return std::nullopt;
  return Finding(value.position, RecordTypeName(type) + " value '" + value.text + "': " + done.error().message,
                 done.error().hint);
}

Places ReadPlaces(const config::Model& model, std::vector<config::Diagnostic>& findings) {
  Places places{.latency = ReadLatency(model, findings), .geo = nullptr};
  const config::LocatedText& geoip = model.latency.geoip;
  if (geoip.text.empty()) return places;
  auto geo = GeoDatabase::Open(geoip.text);
  if (geo) {
    places.geo = std::move(*geo);
  } else {
    findings.push_back(Finding(geoip.position, geo.error().message, geo.error().hint));
  }
  return places;
}

std::optional<CookieSecret> ReadCookieSecret(const config::Model& model, std::vector<config::Diagnostic>& findings) {
  if (!model.dns || !model.dns->cookie_secret) return std::nullopt;
  const config::Secret& given = *model.dns->cookie_secret;
  const auto text = config::ReadSecret(given, "a secret of DNS cookies");
  auto secret = text ? ParseCookieSecret(*text) : std::unexpected(text.error());
  if (secret) return *secret;
  findings.push_back(Finding(given.position, secret.error().message, secret.error().hint));
  return std::nullopt;
}

std::vector<config::Diagnostic> CheckValues(const config::Model& model) {
  std::vector<config::Diagnostic> findings;
  for (const auto& zone : model.zones) CheckZone(*zone, findings);
  static_cast<void>(ReadPlaces(model, findings));
  static_cast<void>(ReadCookieSecret(model, findings));
  return findings;
}

}  // namespace weir::dns
