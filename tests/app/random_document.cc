#include "tests/app/random_document.h"

#include "config/document/edit.h"
#include "config/model.h"

#include <fmt/format.h>

#include <array>
#include <utility>

namespace weir::app::testing {
namespace {

// Lists that edits add to and take from, by kind of item.
enum Kind : std::size_t { kRule, kRecord, kZone, kGroup, kCheck, kRegion, kTarget, kCollection, kListener, kKinds };

constexpr std::size_t kGroups = 5;
constexpr std::size_t kChecks = 4;
constexpr std::size_t kRegions = 3;
constexpr std::size_t kBalancers = 2;
constexpr std::size_t kCollections = 2;

}  // namespace

std::optional<std::string> RandomDocument::Variable(const std::string& name) {
  if (name == "GREETING") return "good morning";
  if (name == "HOST") return "h1.test";
  if (name == "ADDRESS") return "192.0.2.77";
  if (name == "WORDS") return "two words";
  return std::nullopt;
}

template <class MakeItem>
std::string RandomDocument::List(std::size_t count, MakeItem make) {
  std::string out = "[";
  for (std::size_t i = 0; i < count; ++i) out += (i == 0 ? "" : ",") + make(i);
  return out + "]";
}

std::string RandomDocument::Condition() {
  using enum config::ConditionKind;
  switch (static_cast<config::ConditionKind>(Below(config::kConditionKinds))) {
    case kHostHeader:
      return fmt::format(R"({{"host-header":["{}"]}})", Chance(20) ? "${HOST}" : Name('h', 4) + ".test");
    case kPathPattern:
      return fmt::format(R"({{"path-pattern":["/{}{}"]}})", Name('p', 6), Chance(50) ? "/*" : "");
    case kHttpHeader:
      return fmt::format(R"({{"http-header":{{"name":"X-Kind","regex-values":["^{}$"]}}}})", Name('k', 4));
    case kQueryString:
      return fmt::format(R"({{"query-string":[{{"key":"q","value":"{}"}}]}})", Name('v', 4));
    case kSourceIp:
      return fmt::format(R"({{"source-ip":["192.0.{}.0/24"]}})", Below(4));
    case kRequestMethod:
      return fmt::format(R"({{"http-request-method":["{}"]}})", Chance(50) ? "GET" : "POST");
  }
  std::unreachable();
}

std::string RandomDocument::Action() {
  switch (Below(4)) {
    case 0:
      return fmt::format(R"([{{"fixed-response":{{"status-code":200,"message-body":"{}"}}}}])",
                         Chance(30) ? "${GREETING}" : Name('m', 9));
    case 1:
      return fmt::format(R"([{{"redirect":{{"path":"/{}","status-code":"HTTP_302"}}}}])", Name('r', 9));
    case 2: {
      const std::size_t first = Below(kGroups);
      const std::string canary = Chance(30) ? fmt::format(R"(,"canary":{{"target-group":"g{}"}})", first) : "";
      return fmt::format(
          R"([{{"forward":{{"target-groups":[{{"name":"g{}","weight":{}}},{{"name":"g{}","weight":{}}}]{}}}}}])", first,
          Below(5), (first + 1) % kGroups, Below(5), canary);
    }
    default:
      return fmt::format(R"([{{"forward":{{"target-group":"{}"}}}}])", Name('g', kGroups));
  }
}

std::string RandomDocument::Rule() {
  const std::string name = Chance(30) ? fmt::format(R"("name":"{}",)", Fresh("rule")) : "";
  return fmt::format(R"({{{}"priority":{},"conditions":{},"actions":{}}})", name, 1 + next_++ * 7919 % 40'000,
                     List(1 + Below(2), [this](std::size_t) { return Condition(); }), Action());
}

std::string RandomDocument::Listener() {
  return fmt::format(R"({{"port":{},"rules":{},"default-actions":{}}})", 1'000 + next_++,
                     List(Below(6), [this](std::size_t) { return Rule(); }), Action());
}

std::string RandomDocument::LoadBalancer(const std::string& name) {
  const std::string advertise =
      Chance(70) ? fmt::format(R"("advertise":["192.0.2.{}"{}],)", Below(200), Chance(50) ? R"(,"2001:db8::1")" : "")
                 : "";
  return fmt::format(R"({{"name":"{}",{}"listeners":{}}})", name, advertise,
                     List(1 + Below(2), [this](std::size_t) { return Listener(); }));
}

std::string RandomDocument::TargetGroup(const std::string& name) {
  return fmt::format(R"({{"name":"{}","targets":{}}})", name,
                     List(Below(3), [this](std::size_t) { return Item(kTarget); }));
}

std::string RandomDocument::HealthCheck(const std::string& name) {
  return fmt::format(R"({{"name":"{}","type":"TCP","address":"192.0.2.{}","port":{}}})", name, 1 + Below(200),
                     1 + Below(9'000));
}

std::string RandomDocument::Collection(const std::string& name) {
  return fmt::format(
      R"({{"name":"{}","locations":[{{"name":"near","cidrs":["10.{}.0.0/16"]}},{{"name":"far","cidrs":["172.16.{}.0/24"]}}]}})",
      name, Below(200), Below(200));
}

std::string RandomDocument::Record() {
  const auto record = [](const std::string& name, const std::string& type, const std::string& rest) {
    return fmt::format(R"({{"name":"{}","type":"{}",{}}})", name, type, rest);
  };
  const std::string check = Chance(40) ? fmt::format(R"(,"health-check":"{}")", Name('c', kChecks)) : "";
  const std::string values = fmt::format(R"("ttl":"{}s","values":["192.0.2.{}"])", 1 + Below(90), Below(250));
  switch (Below(11)) {
    case 0:
      return record(Fresh("p"), "AAAA", fmt::format(R"("ttl":"5s","values":["2001:db8::{}"])", Below(999)));
    case 1:
      return record(Fresh("t"), "TXT", R"("ttl":"5s","values":["${WORDS}"])");
    case 2:
      return record(Fresh("d"), "NS", R"("ttl":"1h","values":["ns1.elsewhere.test."])");
    case 3:
      return record(Fresh("x"), "CNAME", fmt::format(R"("ttl":"9s","values":["{}"])", Name('w', 2)));
    case 4:
    case 5:
      return record(Name('w', 2), "A",
                    fmt::format(R"({},"weight":{},"set":"{}"{})", values, Below(9), Fresh("s"), check));
    case 6:
      return record(Fresh("f"), "A", fmt::format(R"({},"failover":"PRIMARY","set":"one"{})", values, check));
    case 7:
      return record("l", "A", fmt::format(R"({},"region":"{}","set":"{}")", values, Name('r', kRegions), Fresh("s")));
    case 8:
      return record(Fresh("k"), "A",
                    fmt::format(R"({},"cidr":{{"collection":"{}","location":"{}"}},"set":"one")", values,
                                Name('k', kCollections), Chance(50) ? "near" : "far"));
    case 9:
      if (Chance(50)) return record(Fresh("a"), "A", R"("alias":{"record":"w0","evaluate-target-health":true})");
      return record(Fresh("b"), "A", fmt::format(R"("alias":{{"load-balancer":"{}"}})", Name('b', kBalancers)));
    default:
      return record(Fresh("p"), "A", Chance(20) ? R"("ttl":"5s","values":["${ADDRESS}"])" : values);
  }
}

std::string RandomDocument::Zone(const std::string& name) {
  const std::string first = R"({"name":"w0","type":"A","ttl":"5s","values":["192.0.2.1"],"weight":1,"set":"first"})";
  return fmt::format(R"({{"name":"{}","name-servers":["ns1.elsewhere.test."],"records":{}}})", name,
                     List(1 + Below(12), [&](std::size_t i) { return i == 0 ? first : Record(); }));
}

std::string RandomDocument::Item(std::size_t kind) {
  switch (kind) {
    case kRule:
      return Rule();
    case kRecord:
      return Record();
    case kZone:
      return Zone(Fresh("zone") + (Chance(30) ? ".z0.test" : ".test"));
    case kGroup:
      return TargetGroup(Fresh("g"));
    case kCheck:
      return HealthCheck(Fresh("c"));
    case kRegion:
      return fmt::format(R"({{"name":"{}","latitude":{},"longitude":{}}})", Fresh("r"), Below(80), Below(170));
    case kTarget:
      return fmt::format(R"({{"address":"10.0.{}.{}","port":{}}})", Below(250), Below(250), 1 + Below(9'000));
    case kCollection:
      return Collection(Fresh("k"));
    default:
      return Listener();
  }
}

std::string RandomDocument::Make() {
  const auto named = [this](char letter, auto make) {
    return [this, letter, make](std::size_t i) { return (this->*make)(letter + std::to_string(i)); };
  };
  const auto regions = List(kRegions, [this](std::size_t i) {
    return fmt::format(R"({{"name":"r{}","latitude":{},"longitude":{}}})", i, Below(80), Below(170));
  });
  const auto zones = List(1 + Below(4), [this](std::size_t i) {
    return Zone(i == 3 ? std::string("below.z0.test") : fmt::format("z{}.test", i));
  });
  return fmt::format(
      R"({{"dns":{{"port":5353}},"regions":{},"load-balancers":{},"target-groups":{},"health-checks":{},"cidr-collections":{},"zones":{}}})",
      regions, List(kBalancers, named('b', &RandomDocument::LoadBalancer)),
      List(kGroups, named('g', &RandomDocument::TargetGroup)), List(kChecks, named('c', &RandomDocument::HealthCheck)),
      List(kCollections, named('k', &RandomDocument::Collection)), zones);
}

RandomDocument::Items RandomDocument::FindItems(const config::Document& document, std::size_t kind) {
  static constexpr std::array<const char*, kKinds> kSections = {
      "load-balancers",   "zones",         "zones", "target-groups", "health-checks", "regions", "target-groups",
      "cidr-collections", "load-balancers"};
  const config::Node* list = document.root.Find(kSections[kind]);
  std::string path = fmt::format("/{}", kSections[kind]);
  const auto descend = [&](const char* key) {
    if (list == nullptr || list->children.empty()) return;
    const std::size_t at = Below(list->children.size());
    path += fmt::format("/{}/{}", at, key);
    list = list->children[at].Find(key);
  };
  if (kind == kRule || kind == kListener) descend("listeners");
  if (kind == kRule) descend("rules");
  if (kind == kRecord) descend("records");
  if (kind == kTarget) descend("targets");
  return {.path = std::move(path), .count = list == nullptr || !list->is_list() ? 0 : list->children.size()};
}

std::string RandomDocument::AnyPath(const config::Document& document) {
  const config::Node* node = &document.root;
  config::StructuralPath path;
  while ((node->is_map() || node->is_list()) && !node->children.empty() && (path.empty() || !Chance(15))) {
    const std::size_t at = Below(node->is_map() ? node->entries() : node->children.size());
    path.push_back(node->is_map() ? std::string(node->key(at).text) : std::to_string(at));
    node = node->is_map() ? &node->value(at) : &node->children[at];
  }
  return config::PointerText(path);
}

std::string RandomDocument::Step(const config::Document& document) {
  const std::size_t kind = Chance(60) ? Below(2) : Below(kKinds);
  const auto [path, count] = FindItems(document, kind);
  const auto at = [&, path = path, count = count](std::size_t end) {
    return fmt::format("{}/{}", path, count == 0 ? 0 : Below(end));
  };
  const std::size_t what = Below(100);
  if (what < 30) {
    const std::string place = Chance(50) ? path + "/-" : at(count + 1);
    return fmt::format(R"({{"op":"add","path":"{}","value":{}}})", place, Item(kind));
  }
  if (what < 55) return fmt::format(R"({{"op":"replace","path":"{}","value":{}}})", at(count), Item(kind));
  if (what < 70) return fmt::format(R"({{"op":"remove","path":"{}"}})", at(count));
  if (what < 80) return fmt::format(R"({{"op":"move","from":"{}","path":"{}"}})", at(count), at(count));
  if (what < 85) return fmt::format(R"({{"op":"copy","from":"{}","path":"{}"}})", AnyPath(document), AnyPath(document));
  if (what < 92) return fmt::format(R"({{"op":"remove","path":"{}"}})", AnyPath(document));
  static constexpr std::array<const char*, 8> kValues = {"1",    "\"g1\"",         "\"w1\"", "\"${HOST}\"",
                                                         "true", "\"${NOT_SET}\"", "[]",     "\"192.0.2.9\""};
  return fmt::format(R"({{"op":"replace","path":"{}","value":{}}})", AnyPath(document), kValues[Below(kValues.size())]);
}

std::string RandomDocument::Edit(const config::Document& document) {
  const std::size_t steps = Chance(70) ? 1 : 1 + Below(3);
  return List(steps, [&](std::size_t) { return Step(document); });
}

}  // namespace weir::app::testing
