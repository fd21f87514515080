// DNS health checks and zones. Names and defaults: spec dns.md 2.

#include "config/schema/schema.h"

#include <array>

namespace weir::config {
namespace {

using enum FieldType;
using std::string_view;

constexpr std::int64_t kTtlMax = 2'147'483'647;  // RFC 2181 8
constexpr std::int64_t kProbeDayMilliseconds = 86'400'000;

constexpr auto kHealthCheckTypes =
    std::to_array<string_view>({"HTTP", "HTTPS", "HTTP_STR_MATCH", "HTTPS_STR_MATCH", "TCP", "CALCULATED"});
constexpr auto kLaterHealthCheckTypes = std::to_array<string_view>({"CLOUDWATCH_METRIC", "RECOVERY_CONTROL"});
constexpr auto kLaterSerials = std::to_array<string_view>({"auto"});
constexpr auto kFailoverRoles = std::to_array<string_view>({"PRIMARY", "SECONDARY"});

constexpr auto kHealthCheckFields = std::to_array<Field>({
    {.key = "name", .required = true, .name = true, .doc = "Unique among health checks."},
    {.key = "type", .type = kWord, .required = true, .words = kHealthCheckTypes, .later_words = kLaterHealthCheckTypes},
    {.key = "address", .type = kAddress, .doc = "What is probed; absent: `host` is resolved for every probe."},
    {.key = "host", .doc = "Name in the Host field and in SNI; resolved when there is no `address`."},
    {.key = "port",
     .type = kInteger,
     .minimum = 1,
     .maximum = 65'535,
     .doc = "Default: 80 for HTTP, 443 for HTTPS; TCP has none."},
    {.key = "path", .fallback = "/", .doc = "Path and query of the request (HTTP, HTTPS)."},
    {.key = "search-string", .doc = "STR_MATCH: text that has to stand in the first 5,120 bytes of the body."},
    {.key = "request-interval",
     .type = kDuration,
     .minimum = 100,
     .maximum = kProbeDayMilliseconds,
     .fallback = "30s",
     .doc = "From the end of one probe to the start of the next."},
    {.key = "timeout",
     .type = kDuration,
     .minimum = 10,
     .maximum = kProbeDayMilliseconds,
     .doc = "To connect; default 4s for HTTP and HTTPS, 10s for TCP."},
    {.key = "failure-threshold",
     .type = kInteger,
     .minimum = 1,
     .maximum = 1'000,
     .fallback = "3",
     .doc = "Results in a row that change the status, in both directions."},
    {.key = "inverted", .type = kBoolean, .fallback = "false", .doc = "Healthy counts as unhealthy and the reverse."},
    {.key = "disabled", .type = kBoolean, .fallback = "false", .doc = "Not probed; healthy (then `inverted` applies)."},
    {.key = "enable-sni", .type = kBoolean, .fallback = "true", .doc = "Send `host` in the TLS handshake."},
    {.key = "children", .arity = Arity::kList, .doc = "CALCULATED: the health checks that are counted."},
    {.key = "health-threshold",
     .type = kInteger,
     .maximum = 256,
     .doc = "CALCULATED: how many children have to be healthy; 0 is always healthy. Default: all of them."},
    {.key = "regions", .support = Support::kLater},
    {.key = "measure-latency", .support = Support::kLater},
    {.key = "alarm", .support = Support::kLater},
    {.key = "insufficient-data-health-status", .support = Support::kLater},
    {.key = "alarm-identifier", .support = Support::kLater},
    {.key = "routing-control-arn", .support = Support::kLater},
});

constexpr auto kSoaRecordFields = std::to_array<Field>({
    {.key = "mname", .doc = "Default: the first name server. One of the two is needed."},
    {.key = "rname", .doc = "Default: hostmaster of the zone."},
    {.key = "serial", .type = kInteger, .maximum = 4'294'967'295, .later_words = kLaterSerials, .fallback = "1"},
    {.key = "refresh", .type = kSeconds, .maximum = kTtlMax, .fallback = "2h"},
    {.key = "retry", .type = kSeconds, .maximum = kTtlMax, .fallback = "15m"},
    {.key = "expire", .type = kSeconds, .maximum = kTtlMax, .fallback = "14d"},
    {.key = "minimum",
     .type = kSeconds,
     .maximum = kTtlMax,
     .fallback = "60s",
     .doc = "How long a negative answer is kept (RFC 2308)."},
    {.key = "ttl", .type = kSeconds, .maximum = kTtlMax, .fallback = "15m"},
});
constexpr Object kSoaObject{.name = "soa", .doc = "The zone's SOA record.", .fields = kSoaRecordFields};

constexpr auto kAliasFields = std::to_array<Field>({
    {.key = "load-balancer", .doc = "Name of a load balancer: answers what it advertises. Either this or `record`."},
    {.key = "record", .doc = "A record of the same zone and type: answers what it answers."},
    {.key = "evaluate-target-health",
     .type = kBoolean,
     .fallback = "false",
     .doc = "An unhealthy target makes this record unhealthy."},
});
constexpr Object kAliasObject{.name = "alias", .doc = "Takes the answer from something else.", .fields = kAliasFields};

constexpr auto kCidrFields = std::to_array<Field>({
    {.key = "collection",
     .required = true,
     .doc = "Name of a CIDR collection; one for all records of a name and type."},
    {.key = "location", .required = true, .doc = "A location of it, or `*` for the clients that no block holds."},
});
constexpr Object kCidrObject{
    .name = "cidr", .doc = "The clients that a record answers, by their network.", .fields = kCidrFields};

constexpr auto kGeolocationFields = std::to_array<Field>({
    {.key = "continent", .doc = "`AF`, `AN`, `AS`, `EU`, `NA`, `OC` or `SA`. Either this or `country`."},
    {.key = "country", .doc = "Two letters of ISO 3166-1, or `*`: the clients that no other record answers."},
    {.key = "subdivision", .doc = "Of that country, by ISO 3166-2: `WA`. AWS has those of the US and of Ukraine."},
});
constexpr Object kGeolocationObject{
    .name = "geolocation",
    .doc =
        "The clients that a record answers, by where they are: `latency.geoip` says it. The subdivision's record "
        "comes before the country's, the continent's and `*`.",
    .fields = kGeolocationFields};

constexpr auto kCoordinatesFields = std::to_array<Field>({
    {.key = "latitude", .type = kNumber, .required = true, .minimum = -90, .maximum = 90, .doc = "Degrees."},
    {.key = "longitude", .type = kNumber, .required = true, .minimum = -180, .maximum = 180, .doc = "Degrees."},
});
constexpr Object kCoordinatesObject{
    .name = "coordinates", .doc = "A place on the earth.", .fields = kCoordinatesFields};

constexpr auto kGeoproximityFields = std::to_array<Field>({
    {.key = "region", .doc = "Name of a region: its coordinates. Either this or `coordinates`."},
    {.key = "coordinates", .type = kObject, .object = &kCoordinatesObject},
    {.key = "bias",
     .type = kInteger,
     .minimum = -99,
     .maximum = 99,
     .fallback = "0",
     .doc = "Draws clients from farther away (distance x (1 - bias/100)), or, below 0, from less far (distance / (1 + "
            "bias/100))."},
});
constexpr Object kGeoproximityObject{
    .name = "geoproximity",
    .doc = "Where a record is: the nearest one to the client answers. `latency.geoip` says where clients are.",
    .fields = kGeoproximityFields};

constexpr auto kRecordFields = std::to_array<Field>({
    {.key = "name", .required = true, .doc = "Relative to the zone unless it ends in a dot; `@` is the zone itself."},
    {.key = "type", .required = true, .doc = "`A`, `AAAA`, `CNAME`, `MX`, `TXT` ... or `TYPEnnn`."},
    {.key = "ttl",
     .type = kSeconds,
     .maximum = kTtlMax,
     .doc =
         "Required with `values`; an alias to a load balancer has 60s unless given; refused for an alias to a record."},
    {.key = "values", .arity = Arity::kList, .doc = "Record data as zone files write it."},
    {.key = "alias", .type = kObject, .object = &kAliasObject, .doc = "Instead of `values`."},
    {.key = "set",
     .name = true,
     .doc = "Identifier, unique among the records of one name and type; required with a routing policy."},
    {.key = "weight", .type = kInteger, .maximum = 255, .doc = "Weighted: the record's share."},
    {.key = "failover", .type = kWord, .words = kFailoverRoles, .doc = "Failover: the record's role."},
    {.key = "region", .doc = "Latency: name of a region."},
    {.key = "cidr", .type = kObject, .object = &kCidrObject, .doc = "CIDR: the clients that are answered."},
    {.key = "geolocation",
     .type = kObject,
     .object = &kGeolocationObject,
     .doc = "Geolocation: the clients that are answered."},
    {.key = "geoproximity",
     .type = kObject,
     .object = &kGeoproximityObject,
     .doc = "Geoproximity: the record's place."},
    {.key = "multivalue-answer",
     .type = kBoolean,
     .fallback = "false",
     .doc = "Multivalue: up to eight healthy records are answered together."},
    {.key = "health-check", .doc = "Name of a health check: an unhealthy record is not chosen."},
});
constexpr Object kRecordObject{.name = "record",
                               .doc =
                                   "A record set. `weight`, `failover`, `region`, `cidr`, `geolocation`, "
                                   "`geoproximity` and `multivalue-answer` are the routing policies; without one it "
                                   "is simple.",
                               .fields = kRecordFields};

constexpr auto kCidrLocationFields = std::to_array<Field>({
    {.key = "name", .required = true, .doc = "1 to 16 letters, digits, `-`, `_` and `*`; unique in its collection."},
    {.key = "cidrs",
     .type = kCidr,
     .arity = Arity::kList,
     .required = true,
     .doc = "Networks of clients. Blocks may nest; no two locations of a collection have the same one."},
});
constexpr Object kCidrLocationObject{
    .name = "cidr-location", .doc = "Networks under one name.", .fields = kCidrLocationFields};

constexpr auto kCidrCollectionFields = std::to_array<Field>({
    {.key = "name", .required = true, .doc = "1 to 64 letters, digits, `-` and `_`; unique among collections."},
    {.key = "locations", .type = kObject, .arity = Arity::kList, .required = true, .object = &kCidrLocationObject},
});

constexpr auto kZoneFields = std::to_array<Field>({
    {.key = "name", .required = true, .doc = "Unique; the final dot is optional."},
    {.key = "soa", .type = kObject, .object = &kSoaObject, .doc = "Default: every default below."},
    {.key = "name-servers",
     .arity = Arity::kList,
     .doc = "The NS records of the zone itself. Default: the `mname` of the soa, with a warning."},
    {.key = "ns-ttl", .type = kSeconds, .maximum = kTtlMax, .fallback = "2d", .doc = "TTL of those NS records."},
    {.key = "records", .type = kObject, .arity = Arity::kList, .object = &kRecordObject, .doc = "In any order."},
    {.key = "file",
     .type = kPath,
     .doc =
         "A zone file (RFC 1035; `$INCLUDE`, `$GENERATE`, `$TTL`) with further records. Its SOA and its NS count where "
         "`soa` and `name-servers` are not given."},
    {.key = "dnssec", .support = Support::kLater},
    {.key = "transfer", .support = Support::kLater},
    {.key = "secondary", .support = Support::kLater},
});

}  // namespace

constexpr Object kHealthCheckObject{.name = "health-check",
                                    .doc = "A check that DNS answers depend on, with Route 53's meanings.",
                                    .fields = kHealthCheckFields};
constexpr Object kCidrCollectionObject{.name = "cidr-collection",
                                       .doc =
                                           "Where clients are, for CIDR records: the longest block that holds a "
                                           "client says its location.",
                                       .fields = kCidrCollectionFields};
constexpr Object kZoneObject{.name = "zone", .doc = "A DNS zone.", .fields = kZoneFields};
constexpr std::span<const string_view> kHealthCheckTypeWords = kHealthCheckTypes;
constexpr std::span<const string_view> kFailoverWords = kFailoverRoles;

}  // namespace weir::config
