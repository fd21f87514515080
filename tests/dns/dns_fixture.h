#pragma once

// What the tests of dns/ share: models written in a few words, queries, and responses read back.

#include "base/ip_address.h"
#include "config/model.h"
#include "dns/answer.h"
#include "dns/wire/types.h"
#include "dns/zone/zone_set.h"
#include "health/status.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::dns::testing {

struct RecordOptions {
  std::vector<std::string> values = {};
  std::uint32_t ttl = 300;
  config::RoutingPolicy policy = config::RoutingPolicy::kSimple;
  std::string set = {};
  std::uint32_t weight = 0;
  config::FailoverRole failover = config::FailoverRole::kPrimary;
  std::uint32_t region = 0;
  std::optional<config::CidrRoute> cidr = {};
  std::optional<config::GeoLocation> geolocation = {};
  std::optional<config::GeoProximity> geoproximity = {};
  std::optional<std::uint32_t> check = {};
  std::string alias = {};                      // an absolute name
  std::optional<std::uint32_t> balancer = {};  // or a load balancer
  bool evaluate = false;
  std::optional<std::uint32_t> alias_ttl = {};
};

// A record set at `name` (absolute) with a position of its own: line 100 and up.
[[nodiscard]] config::RecordSet MakeRecord(const std::string& name, std::uint16_t type, RecordOptions options);

// A zone with ns1 and ns2 as servers.
[[nodiscard]] std::shared_ptr<config::Zone> MakeZone(const std::string& name, std::vector<config::RecordSet> records);

// The first zone of a model, to be changed: a copy of its own.
[[nodiscard]] config::Zone& ChangeZone(config::Model& model);

// Adds `count` TCP health checks, check0 and so on.
void AddChecks(config::Model& model, std::size_t count);
// Adds a CIDR collection; each location is its name and its blocks.
void AddCollection(config::Model& model, const std::string& name,
                   const std::vector<std::pair<std::string, std::vector<std::string>>>& locations);
void AddBalancer(config::Model& model, const std::string& name, const std::vector<std::string>& advertise);

// The zone set; fails the test and returns null when it does not build.
[[nodiscard]] std::shared_ptr<const ZoneSet> BuildZones(config::Model model);
// The messages of a model that does not build, one a line: `LINE: MESSAGE; HINT`.
[[nodiscard]] std::string BuildErrors(config::Model model);

// A table with `checks` healthy checks and `balancers` healthy load balancers.
[[nodiscard]] health::StatusTable MakeStatus(std::size_t checks, std::size_t balancers = 0);

struct QueryOptions {
  std::uint16_t id = 0x1234;
  std::uint16_t flags = 0x0100;  // RD
  std::uint16_t record_class = 1;
  bool edns = false;
  std::uint16_t payload = 1232;
  std::uint32_t edns_ttl = 0;              // extended rcode, version, flags
  std::vector<std::uint8_t> options = {};  // raw EDNS options
};
[[nodiscard]] std::vector<std::uint8_t> EncodeName(std::string_view name);  // case kept
[[nodiscard]] std::vector<std::uint8_t> EncodeQuery(std::string_view name, std::uint16_t type,
                                                    const QueryOptions& options = {});
// The EDNS Client Subnet option of a block.
[[nodiscard]] std::vector<std::uint8_t> SubnetOption(std::string_view block);

struct ResponseRecord {
  std::string owner;  // case kept
  std::uint16_t type = 0;
  std::uint16_t record_class = 0;
  std::uint32_t ttl = 0;
  std::string value;  // presentation form; raw bytes for OPT
  std::vector<std::uint8_t> rdata;
};
struct Response {
  bool parsed = false;
  std::size_t size = 0;
  std::uint16_t id = 0;
  std::uint16_t flags = 0;
  std::string question;  // case kept, final dot
  std::uint16_t question_type = 0;
  std::vector<ResponseRecord> answer, authority, additional;
  const ResponseRecord* opt = nullptr;

  [[nodiscard]] Rcode rcode() const;  // with the extended bits
  [[nodiscard]] bool flag(std::uint16_t mask) const { return (flags & mask) != 0; }
  // The answers' values, sorted.
  [[nodiscard]] std::vector<std::string> values() const;
  // The value of an EDNS option; absent when there is none.
  [[nodiscard]] std::optional<std::vector<std::uint8_t>> option(std::uint16_t code) const;
};
// Reads strictly: every byte belongs to a record, pointers lead backwards. `parsed` is false otherwise.
[[nodiscard]] std::unique_ptr<Response> ParseResponse(std::span<const std::uint8_t> message);

// An Answerer with zones and health, and its queries.
class Server {
 public:
  explicit Server(config::Model model, std::size_t checks = 0, std::size_t balancers = 0, std::uint64_t seed = 1);

  health::StatusTable status;  // takes effect with the next Publish
  void Publish();
  [[nodiscard]] std::unique_ptr<Response> Ask(std::string_view name, std::uint16_t type,
                                              const QueryOptions& options = {}, Transport transport = Transport::kUdp,
                                              std::string_view client = "192.0.2.53");
  [[nodiscard]] AnswerReport Send(std::span<const std::uint8_t> message, Transport transport = Transport::kUdp,
                                  std::string_view client = "192.0.2.53");
  [[nodiscard]] std::unique_ptr<Response> last() const;
  [[nodiscard]] const std::shared_ptr<const ZoneSet>& zones() const { return zones_; }
  Answerer answerer;

 private:
  std::shared_ptr<const ZoneSet> zones_;
  std::vector<std::uint8_t> out_;
  std::size_t size_ = 0;
};

}  // namespace weir::dns::testing
