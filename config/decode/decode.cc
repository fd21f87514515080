#include "config/decode/decode.h"

#include "base/text.h"
#include "config/check/checks.h"
#include "config/document/sources.h"
#include "config/findings.h"
#include "config/schema/schema.h"
#include "config/schema/shape.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

namespace weir::config {
namespace {

constexpr std::size_t kNsidBytesMax = 64;  // our choice: small answers stay small

std::string HostName() {
  std::array<char, 256> buffer{};
  if (::gethostname(buffer.data(), buffer.size() - 1) != 0) return "weir";
  return buffer.data();
}

NodeIdentity DecodeNode(const Fields& root, Decoding& decoding) {
  NodeIdentity out;
  if (const Node* const map = root.Map("node")) {
    const Fields fields(*map);
    out.name = fields.Text("name");
    out.zone = fields.Text("zone");
    out.region = fields.Text("region");
    const Node* const region = fields.Scalar("region");
    if (region != nullptr && !decoding.regions.empty()) (void)decoding.regions.Resolve(*region, decoding.findings);
  }
  if (out.name.empty()) out.name = HostName();
  return out;
}

std::optional<DnsListener> DecodeDns(const Fields& root, const Model& model, Findings& findings) {
  const Node* const map = root.Map("dns");
  if (map == nullptr) return std::nullopt;
  const Fields fields(*map);
  DnsListener out;
  out.position = fields.PositionOf("port");
  out.port = fields.Has("port") ? fields.Port("port").value_or(0) : out.port;
  CheckNotEmpty(fields, "addresses", findings);
  for (const Node& item : fields.List("addresses")) {
    const auto address = IpAddress::ParseZoned(item.text);
    if (!address) continue;
    if (std::ranges::find(out.addresses, *address) != out.addresses.end()) {
      findings.AddError(item.position, fmt::format("{} stands twice in `addresses`", address->ToString()));
      continue;
    }
    out.addresses.push_back(*address);
  }
  if (!fields.Has("addresses")) out.addresses = {IpAddress::AnyV4(), IpAddress::AnyV6()};
  if (const Node* const cookies = fields.Map("cookies")) {
    out.cookie_secret = DecodeSecret(Fields(*cookies), "secret", model.files);
  }
  out.nsid = fields.Has("nsid") ? fields.Text("nsid") : model.node.name;
  if (fields.Has("nsid") && out.nsid.size() > kNsidBytesMax) {
    findings.AddError(fields.PositionOf("nsid"), fmt::format("a name server identifier of {} bytes", out.nsid.size()),
                      fmt::format("at most {}", kNsidBytesMax));
  }
  return out;
}

Latency DecodeLatency(const Fields& root, const std::vector<std::string>& files) {
  Latency out;
  const Node* const map = root.Map("latency");
  if (map == nullptr) return out;
  const Fields fields(*map);
  const auto decode = [&](std::string_view key) {
    LocatedText path = fields.Located(key);
    if (!path.text.empty()) path.text = ResolvePath(path.text, FileOf(path.position, files));
    return path;
  };
  out.table = decode("table");
  out.geoip = decode("geoip");
  return out;
}

Admin DecodeAdmin(const Fields& root) {
  Admin out;
  if (const Node* const map = root.Map("admin")) {
    const Fields fields(*map);
    const bool readable = !fields.Has("address") || fields.Address("address");
    out.address = fields.Address("address").value_or(out.address);
    // Port 0 collides with nothing: an endpoint that cannot be read is not compared with others.
    if (fields.Has("port")) out.port = fields.Port("port").value_or(0);
    if (!readable) out.port = 0;
  }
  return out;
}

std::vector<Region> DecodeRegions(const Fields& root) {
  std::vector<Region> out;
  for (const Node& item : root.List("regions")) {
    const Fields fields(item);
    out.push_back({fields.Text("name"), fields.Number("latitude").value_or(0), fields.Number("longitude").value_or(0)});
  }
  return out;
}

void CheckZoneNames(const std::vector<std::shared_ptr<const Zone>>& zones, Findings& findings) {
  std::unordered_map<std::string_view, const Zone*> seen;
  for (const auto& zone : zones) {
    if (zone->name.empty()) continue;
    if (const auto [at, fresh] = seen.emplace(zone->name, zone.get()); !fresh) {
      findings.AddError(zone->position, fmt::format("a second zone named {}", Quoted(zone->name)),
                        fmt::format("the first is {}", LineText(at->second->position)));
    }
  }
}

// References go in all directions, so names come first.
void CollectNames(const Fields& root, bool complete, Decoding& decoding) {
  const auto collect = [&](std::string_view section, NameTable& names) {
    names.Add(root.List(section), decoding.findings);
    const Node* const items = root.node().Find(section);
    if (!complete || (items != nullptr && !items->is_list())) names.SetIncomplete();
  };
  collect("regions", decoding.regions);
  collect("load-balancers", decoding.load_balancers);
  collect("target-groups", decoding.target_groups);
  collect("trust-stores", decoding.trust_stores);
  collect("health-checks", decoding.health_checks);
  collect("cidr-collections", decoding.cidr_collections);
}

void Compare(NameKind kind, std::vector<std::string> names, Decoding& decoding) {
  decoding.known.Compare(kind, names);
  decoding.units.names[static_cast<std::size_t>(kind)] = std::move(names);
}

// By load balancer: its name, and what is said of the records that are aliases to it.
std::vector<std::string> LoadBalancersForZones(const Model& model, const NameTable& table) {
  std::vector<std::string> out = table.ByItem();
  for (std::size_t i = 0; i < out.size(); ++i) {
    const LoadBalancer& balancer = model.load_balancers[i];
    out[i].append(balancer.addresses.empty() ? " unread" : " bound");
    for (const IpAddress& address : balancer.advertise) out[i].append(address.is_v4() ? " 4" : " 6");
  }
  return out;
}

// By CIDR collection: its name and those of its locations, in their order.
std::vector<std::string> CollectionsForZones(const Model& model, const NameTable& table) {
  std::vector<std::string> out = table.ByItem();
  for (std::size_t i = 0; i < out.size(); ++i) {
    for (const CidrLocation& location : model.cidr_collections[i].locations) out[i].append(" ").append(location.name);
  }
  return out;
}

void CheckModel(const Fields& root, Decoding& decoding, Model& model) {
  Findings& findings = decoding.findings;
  const Node* const admin = root.Map("admin");
  const Position admin_position = admin == nullptr ? Position{0, 1, 1} : Fields(*admin).PositionOf("port");
  CheckBindings(model, admin_position, findings);
  CheckTargetGroups(decoding.target_groups, model, findings);
  CheckAvailabilityZones(model, findings);
  CheckTrustStoreUse(decoding.trust_stores, model, findings);
  CheckCalculated(model.health_checks, findings);
  CheckHealthCheckUse(decoding.health_checks, model, decoding.units.zones, findings);
  CheckCidrCollectionUse(decoding.cidr_collections, model, decoding.units.zones, findings);
  CheckDelegations(model, decoding.units.zones, findings);
  CheckReachability(model, decoding.known, decoding.units, findings);
  if (!model.complete) return;
  const auto zone = std::ranges::find_if(model.zones, [](const auto& z) { return !z->name.empty(); });
  if (zone != model.zones.end() && !root.Has("dns")) {
    findings.AddWarning((*zone)->position, "zones without a `dns` section", "nothing answers for them");
  }
  if (model.load_balancers.empty() && !root.Has("load-balancers") && !root.Has("dns")) {
    findings.AddWarning({0, 1, 1}, "neither load balancers nor dns", "nothing would be served");
  }
}

}  // namespace

const std::string& FileOf(Position position, const std::vector<std::string>& files) {
  return files[position.line == 0 ? 0 : position.file];
}

std::shared_ptr<const DecodedUnits> Decoder::Decode(const Node& document, Model& model) {
  const Node root_node = ExpandOutsideUnits(document, environment_, scratch_, findings_, replaced_);
  const std::array<const Object*, 2> units_apart = {&kZoneObject, &kRuleObject};
  CheckShape(root_node, RootObject(), findings_, {}, units_apart);
  auto units = std::make_shared<DecodedUnits>();
  const Fields root(root_node);
  Decoding decoding{.findings = findings_,
                    .files = model.files,
                    .environment = environment_,
                    .scratch = scratch_,
                    .known = std::move(known_),
                    .units = *units,
                    .replaced = replaced_};
  CollectNames(root, model.complete, decoding);
  Compare(NameKind::kRegion, decoding.regions.ByItem(), decoding);
  Compare(NameKind::kTargetGroup, decoding.target_groups.ByItem(), decoding);
  Compare(NameKind::kHealthCheck, decoding.health_checks.ByItem(), decoding);
  model.node = DecodeNode(root, decoding);
  model.regions = DecodeRegions(root);
  for (const Node& item : root.List("load-balancers")) {
    model.load_balancers.push_back(DecodeLoadBalancer(item, model.load_balancers.size(), decoding));
  }
  for (const Node& item : root.List("target-groups")) model.target_groups.push_back(DecodeTargetGroup(item, decoding));
  for (const Node& item : root.List("trust-stores")) model.trust_stores.push_back(DecodeTrustStore(item, model.files));
  model.dns = DecodeDns(root, model, findings_);
  for (const Node& item : root.List("health-checks")) model.health_checks.push_back(DecodeHealthCheck(item, decoding));
  for (const Node& item : root.List("cidr-collections"))
    model.cidr_collections.push_back(DecodeCidrCollection(item, decoding));
  Compare(NameKind::kLoadBalancer, LoadBalancersForZones(model, decoding.load_balancers), decoding);
  Compare(NameKind::kCidrCollection, CollectionsForZones(model, decoding.cidr_collections), decoding);
  for (const Node& item : root.List("zones"))
    model.zones.push_back(TakeZone(item, model.zones.size(), model, decoding));
  CheckZoneNames(model.zones, findings_);
  model.tls_ticket_keys = DecodeKeyFiles(root, "tls-ticket-keys", model.files);
  model.stickiness_keys = DecodeKeyFiles(root, "stickiness-keys", model.files);
  if (const Node* const state = root.Map("state")) {
    model.state_directory = DecodePath(Fields(*state), "directory", model.files);
  }
  model.latency = DecodeLatency(root, model.files);
  model.admin = DecodeAdmin(root);
  for (const Node& item : root.List("tests")) model.tests.push_back(DecodeTest(item, decoding));
  CheckModel(root, decoding, model);
  return units;
}

Node Decoder::ExpandWhole(const Node& root) {
  Findings reported_before;
  return ExpandReferences(root, environment_, scratch_, reported_before);
}

}  // namespace weir::config
