// Certificates of clients: how a listener takes them, and who signs them. spec: alb.md 18.3.

#include "config/schema/schema.h"

#include <array>

namespace weir::config {
namespace {

using enum FieldType;
using std::string_view;

constexpr auto kMutualAuthenticationModes = std::to_array<string_view>({"off", "passthrough", "verify"});
constexpr auto kOnOff = std::to_array<string_view>({"off", "on"});
constexpr auto kMutualAuthenticationFields = std::to_array<Field>({
    {.key = "mode",
     .type = kWord,
     .words = kMutualAuthenticationModes,
     .fallback = "off",
     .doc = "`passthrough` tells targets the client's certificates; `verify` takes those of the trust store alone."},
    {.key = "trust-store", .doc = "Of `verify`: name of a [trust store](#trust-store)."},
    {.key = "ignore-client-certificate-expiry",
     .type = kBoolean,
     .fallback = "false",
     .doc = "Of `verify`: takes the client's certificate after its end, too."},
    {.key = "advertise-trust-store-ca-names",
     .type = kWord,
     .words = kOnOff,
     .fallback = "off",
     .doc = "Of `verify`: tells clients the subjects of the trust store, so that they can choose a certificate."},
});
constexpr auto kTrustStoreFields = std::to_array<Field>({
    {.key = "name", .required = true, .name = true, .doc = "Unique among trust stores."},
    {.key = "ca-bundle",
     .type = kPath,
     .required = true,
     .doc = "PEM: certificates of the authorities, roots or intermediates; each of them is trusted."},
    {.key = "revocations",
     .type = kPath,
     .arity = Arity::kList,
     .doc = "PEM: revocation lists (CRLs) of these authorities."},
});

}  // namespace

constexpr Object kMutualAuthenticationObject{
    .name = "mutual-authentication", .doc = "Certificates of clients.", .fields = kMutualAuthenticationFields};
constexpr Object kTrustStoreObject{
    .name = "trust-store", .doc = "Authorities that sign certificates of clients.", .fields = kTrustStoreFields};

constexpr std::span<const string_view> kMutualAuthenticationWords = kMutualAuthenticationModes;
constexpr std::span<const string_view> kOnOffWords = kOnOff;

}  // namespace weir::config
