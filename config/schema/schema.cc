#include "config/schema/schema.h"

#include <array>

namespace weir::config {
namespace {

using enum FieldType;

constexpr auto kNodeFields = std::to_array<Field>({
    {.key = "name", .name = true, .doc = "Default: the host name."},
    {.key = "region", .name = true, .doc = "Name of a region."},
    {.key = "zone", .name = true, .doc = "Availability zone."},
});
constexpr Object kNodeObject{.name = "node", .doc = "Who this appliance is.", .fields = kNodeFields};

constexpr auto kRegionFields = std::to_array<Field>({
    {.key = "name", .required = true, .name = true, .doc = "Unique among regions."},
    {.key = "latitude", .type = kNumber, .required = true, .minimum = -90, .maximum = 90, .doc = "Degrees."},
    {.key = "longitude", .type = kNumber, .required = true, .minimum = -180, .maximum = 180, .doc = "Degrees."},
});
constexpr Object kRegionObject{.name = "region", .doc = "A place that latency records name.", .fields = kRegionFields};

constexpr auto kCookiesFields = std::to_array<Field>({
    {.key = "secret",
     .type = kSecret,
     .doc = "32 hexadecimal digits, for servers that share an address (RFC 9018). Default: made at the start."},
});
constexpr Object kCookiesObject{.name = "cookies", .doc = "DNS cookies.", .fields = kCookiesFields};

constexpr auto kDnsFields = std::to_array<Field>({
    {.key = "addresses", .type = kAddress, .arity = Arity::kList, .doc = "What to bind; default: both wildcards."},
    {.key = "port", .type = kInteger, .maximum = 65'535, .fallback = "53", .doc = "UDP and TCP; 0 takes a free port."},
    {.key = "tls", .support = Support::kLater},
    {.key = "https", .support = Support::kLater},
    {.key = "nsid",
     .name = true,
     .doc = "What clients that ask for it are told of this server (NSID, RFC 5001). Default: the name of the node; an "
            "empty text: nothing."},
    {.key = "cookies",
     .type = kObject,
     .object = &kCookiesObject,
     .doc = "DNS cookies (RFC 7873), which are always given."},
    {.key = "response-rate-limit", .support = Support::kLater},
    {.key = "query-log", .support = Support::kLater},
});
constexpr Object kDnsObject{.name = "dns", .doc = "Where queries are answered; absent: nowhere.", .fields = kDnsFields};

constexpr auto kLatencyFields = std::to_array<Field>({
    {.key = "table", .doc = "CSV file with rows `client-cidr,region,milliseconds`, relative to this file."},
    {.key = "geoip", .doc = "MaxMind City database, relative to this file."},
});
constexpr Object kLatencyObject{.name = "latency",
                                .doc = "Where latency, geolocation and geoproximity records get their places.",
                                .fields = kLatencyFields};

constexpr auto kAdminFields = std::to_array<Field>({
    {.key = "address", .type = kAddress, .fallback = "127.0.0.1"},
    {.key = "port", .type = kInteger, .maximum = 65'535, .fallback = "9900", .doc = "0 takes a free port."},
    {.key = "tokens", .support = Support::kLater},
    {.key = "certificate", .support = Support::kLater},
    {.key = "key", .support = Support::kLater},
});
constexpr Object kAdminObject{.name = "admin", .doc = "Status, metrics and change API.", .fields = kAdminFields};

constexpr auto kExpectFields = std::to_array<Field>({
    {.key = "rule", .doc = "Name or priority of the rule, or `default`."},
    {.key = "target-group", .doc = "Name of the group drawn; with several, any with a weight."},
    {.key = "status", .type = kInteger, .minimum = 100, .maximum = 599, .doc = "Of a fixed response or redirect."},
    {.key = "location", .doc = "Of a redirect."},
    {.key = "body", .doc = "Of a fixed response."},
    {.key = "values", .arity = Arity::kList, .doc = "The DNS answer's values, in any order."},
    {.key = "rcode", .doc = "`NOERROR`, `NXDOMAIN`, `REFUSED` ..."},
    {.key = "ttl", .type = kSeconds, .doc = "Of the DNS answer."},
});
constexpr Object kExpectObject{
    .name = "expect", .doc = "What a test expects; every key given has to hold.", .fields = kExpectFields};

constexpr auto kTestFields = std::to_array<Field>({
    {.key = "request", .doc = "`METHOD URL`. Either this or `query`."},
    {.key = "query", .doc = "`NAME TYPE`."},
    {.key = "headers", .type = kTextMap, .doc = "Header fields of the request."},
    {.key = "from", .type = kCidr, .doc = "The client's address, or a network for queries."},
    {.key = "unhealthy",
     .arity = Arity::kList,
     .doc = "Load balancers, target groups, targets (`ADDRESS:PORT`) and health checks that count as unhealthy."},
    {.key = "expect", .type = kObject, .required = true, .object = &kExpectObject},
});
constexpr Object kTestObject{
    .name = "test", .doc = "One entry of `tests`: `weir test` decides it without a socket.", .fields = kTestFields};

constexpr auto kTicketKeyFields = std::to_array<Field>({
    {.key = "file", .required = true, .doc = "32 random bytes in base64, as `openssl rand -base64 32` writes them."},
});
constexpr Object kTicketKeyObject{
    .name = "tls-ticket-key", .doc = "A key of session tickets.", .fields = kTicketKeyFields};
constexpr Object kStickinessKeyObject{
    .name = "stickiness-key", .doc = "A key of stickiness cookies.", .fields = kTicketKeyFields};

constexpr auto kStateFields = std::to_array<Field>({
    {.key = "directory",
     .type = kPath,
     .required = true,
     .doc = "Made where it is not there; for one appliance alone. `weir run --state DIR` overrides it."},
});
constexpr Object kStateObject{
    .name = "state",
    .doc = "What outlives the program: the keys of session tickets and of stickiness cookies that it made itself.",
    .fields = kStateFields};

constexpr auto kRootFields = std::to_array<Field>({
    {.key = "include",
     .arity = Arity::kList,
     .doc = "Further files, relative to this one; `*`, `?` and `[...]` match names."},
    {.key = "node", .type = kObject, .object = &kNodeObject},
    {.key = "regions", .type = kObject, .arity = Arity::kList, .object = &kRegionObject},
    {.key = "load-balancers", .type = kObject, .arity = Arity::kList, .object = &kLoadBalancerObject},
    {.key = "target-groups", .type = kObject, .arity = Arity::kList, .object = &kTargetGroupObject},
    {.key = "trust-stores", .type = kObject, .arity = Arity::kList, .object = &kTrustStoreObject},
    {.key = "dns", .type = kObject, .object = &kDnsObject},
    {.key = "health-checks", .type = kObject, .arity = Arity::kList, .object = &kHealthCheckObject},
    {.key = "cidr-collections", .type = kObject, .arity = Arity::kList, .object = &kCidrCollectionObject},
    {.key = "zones", .type = kObject, .arity = Arity::kList, .object = &kZoneObject},
    {.key = "latency", .type = kObject, .object = &kLatencyObject},
    {.key = "admin", .type = kObject, .object = &kAdminObject},
    {.key = "tests", .type = kObject, .arity = Arity::kList, .object = &kTestObject},
    {.key = "tls-ticket-keys",
     .type = kObject,
     .arity = Arity::kList,
     .object = &kTicketKeyObject,
     .doc = "The first encrypts, all decrypt. Default: keys of its own, a new one every 12 h."},
    {.key = "stickiness-keys",
     .type = kObject,
     .arity = Arity::kList,
     .object = &kStickinessKeyObject,
     .doc = "The first encrypts, all decrypt. Default: a key of its own, made at the start and kept in "
            "`state.directory`."},
    {.key = "state", .type = kObject, .object = &kStateObject, .doc = "Default: nothing outlives the program."},
    {.key = "tsig-keys", .support = Support::kLater},
    {.key = "alarms", .support = Support::kLater},
    {.key = "aws-api", .support = Support::kLater},
    {.key = "shifts", .support = Support::kLater},
    {.key = "auto-scaling-groups", .support = Support::kLater},
});
constexpr Object kRootObject{
    .name = "file",
    .doc =
        "The sections of a file; all are optional. Those whose names begin with `x-` are ignored: a place for anchors.",
    .fields = kRootFields};

}  // namespace

const Object& RootObject() { return kRootObject; }

const Field* FindField(const Object& object, std::string_view key) {
  for (const Field& field : object.fields) {
    if (field.key == key) return &field;
  }
  return nullptr;
}

}  // namespace weir::config
