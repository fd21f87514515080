// What follows from edits, one by one, each taking over what it does not touch, is what follows from the document that
// they come to, read from nothing: the model, what is found, where requests go, what queries are answered.

#include "config/load.h"
#include "dns/answer.h"
#include "dns/explain_message.h"
#include "dns/wire/name.h"
#include "dns/zone/zone_set.h"
#include "health/status.h"
#include "proxy/routing/routing_table.h"
#include "tests/app/model_dump.h"
#include "tests/app/random_document.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace weir::app::testing {
namespace {

constexpr const char* kOrigin = "api: PATCH /v1/document";

config::LoadOptions Options() {
  config::LoadOptions options;
  options.hide_environment = true;
  options.environment = RandomDocument::Variable;
  return options;
}

std::string Findings(const config::Diagnostics& diagnostics) {
  std::string out;
  for (const auto& item : diagnostics.items) {
    out += fmt::format("{} {}:{} {} [{}]\n", item.position.file, item.position.line, item.position.column,
                       diagnostics.Format(item), item.path);
  }
  return out;
}

// What is found, wherever it stands: hints name lines, and what was copied has the place of where it came from.
std::multiset<std::string> Messages(const config::Diagnostics& diagnostics) {
  std::multiset<std::string> out;
  for (const auto& item : diagnostics.items) out.insert(item.message);
  return out;
}

// What one revision serves.
struct Serving {
  std::shared_ptr<const config::Document> document;
  std::shared_ptr<const config::Model> model;
  std::shared_ptr<const proxy::RoutingTable> routing;
  std::shared_ptr<const dns::ZoneSet> zones;
};

struct Registries {
  proxy::CounterRegistry proxy{1};
  dns::CounterRegistry dns{1};
};

// Compiles what was loaded; `before` may be null. What only compiling finds is in `refused`.
std::optional<Serving> Compile(const config::LoadResult& loaded, const Serving* before, Registries& registries,
                               std::string& refused) {
  auto zones = dns::ZoneSet::Build(loaded.model, registries.dns, before == nullptr ? nullptr : before->zones.get());
  auto routing = proxy::RoutingTable::Build(loaded.model, 1, {}, registries.proxy, nullptr,
                                            before == nullptr ? nullptr : before->routing.get());
  if (!zones) {
    for (const auto& item : zones.error()) refused += loaded.diagnostics.Format(item) + "\n";
  }
  if (!routing) {
    for (const auto& item : routing.error()) refused += loaded.diagnostics.Format(item) + "\n";
  }
  if (!zones || !routing) return std::nullopt;
  return Serving{loaded.document, (*zones)->shared_model(), *routing, *zones};
}

// The rule that each of many requests matches.
std::string Decisions(const Serving& serving) {
  std::string out;
  const std::vector<http::Field> fields = {{"X-Kind", "k1"}};
  for (const auto& listener : serving.routing->listeners()) {
    for (const char* const host : {"h0.test", "h1.test", "h2.test", "h3.test", "other.test"}) {
      for (const char* const path : {"/", "/p0", "/p1/x", "/p2", "/p3/y", "/p4", "/p5/z"}) {
        for (const char* const query : {"", "q=v1"}) {
          const proxy::RequestFacts facts{.method = "GET",
                                          .host = host,
                                          .path = path,
                                          .query = query,
                                          .fields = &fields,
                                          .client = IpAddress::V4({192, 0, 1, 7})};
          out += fmt::format("{} ", listener->Match(facts).priority);
        }
      }
    }
    out += '\n';
  }
  return out;
}

// The message that answers each of many queries.
std::string Answers(const Serving& serving) {
  dns::Answerer answerer(7);
  answerer.set_deterministic();
  auto status = std::make_shared<health::StatusTable>();
  for (const auto& check : serving.model->health_checks) {
    status->checks.emplace_back().healthy = check.port % 2 == 0;
  }
  status->load_balancers.resize(serving.model->load_balancers.size());
  answerer.SetView(serving.zones, status);
  std::set<std::string> names = {"nowhere.test.", "z0.test.", "no.z0.test.", "below.z0.test."};
  for (const auto& zone : serving.model->zones) {
    names.insert(zone->name);
    for (const char* const name : {"w0", "w1", "l", "p101", "x", "none", "deep.er"}) {
      names.insert(std::string(name) + "." + zone->name);
    }
    for (const auto& record : zone->records) names.insert(record.name);
  }
  std::string out;
  std::vector<std::uint8_t> buffer(65'535);
  for (const std::string& name : names) {
    const auto parsed = dns::Name::Parse(name);
    if (!parsed) continue;
    for (const std::uint16_t type : {rr::kA, rr::kTxt, rr::kNs}) {
      const auto query = dns::EncodeQuestion(*parsed, type, CidrBlock::Parse("10.7.1.0/24").value());
      const auto report = answerer.Answer(
          {.message = query, .client = IpAddress::V4({10, 0, 0, 1}), .transport = dns::Transport::kTcp}, buffer);
      out += fmt::format("{} {} {:02x}\n", name, type, fmt::join(std::span(buffer).first(report.size), ""));
    }
  }
  return out;
}

class ReuseTest : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(ReuseTest, EditsOneByOneComeToWhatTheirDocumentIs) {
  RandomDocument random(GetParam());
  std::string text;
  config::LoadResult loaded;
  // Some say two records of one region, for example.
  while (!loaded.model) {
    text = random.Make();
    loaded = config::LoadText(text, "conf/t.yaml", Options());
  }
  Registries registries;
  std::string refused;
  auto serving = Compile(loaded, nullptr, registries, refused);
  ASSERT_TRUE(serving) << refused << text;
  std::size_t accepted = 0;
  for (int edit = 0; edit < 40; ++edit) {
    const std::string patch = random.Edit(*serving->document);
    SCOPED_TRACE("edit " + std::to_string(edit) + ": " + patch);
    const auto reused = config::LoadPatched(*serving->document, serving->model.get(), patch, kOrigin, Options());
    const auto whole = config::LoadPatched(*serving->document, nullptr, patch, kOrigin, Options());
    ASSERT_EQ(Findings(reused.diagnostics), Findings(whole.diagnostics));
    ASSERT_EQ(reused.model == nullptr, whole.model == nullptr);
    if (!reused.model) continue;
    std::string refused_reused;
    std::string refused_whole;
    Registries other;
    auto next = Compile(reused, &*serving, registries, refused_reused);
    const auto anew = Compile(whole, nullptr, other, refused_whole);
    ASSERT_EQ(refused_reused, refused_whole);
    if (!next) continue;
    ++accepted;
    ASSERT_EQ(DumpModel(*next->model, Places::kShown), DumpModel(*anew->model, Places::kShown));
    ASSERT_EQ(Decisions(*next), Decisions(*anew));
    ASSERT_EQ(Answers(*next), Answers(*anew));
    // The document as a file, where everything has another place.
    const auto file = config::LoadText(config::DocumentJson(*next->document), "conf/t.yaml", Options());
    ASSERT_TRUE(file.model) << file.diagnostics.FormatAll();
    ASSERT_EQ(Messages(file.diagnostics), Messages(reused.diagnostics));
    auto third = Compile(file, nullptr, other, refused);
    ASSERT_TRUE(third) << refused;
    // A priority, an address: all that is told apart by its place alone.
    ASSERT_EQ(DumpModel(*next->model, Places::kLeftOut), DumpModel(*third->model, Places::kLeftOut));
    serving = std::move(next);
  }
  EXPECT_GT(accepted, 4U) << "the edits are hardly ever right";
  EXPECT_LT(accepted, 39U) << "the edits are hardly ever wrong";
}

// AddressSanitizer takes four times as long for each.
#ifdef __SANITIZE_ADDRESS__
constexpr std::uint64_t kSeeds = 40;
#else
constexpr std::uint64_t kSeeds = 120;
#endif
INSTANTIATE_TEST_SUITE_P(Seeds, ReuseTest, ::testing::Range<std::uint64_t>(1, kSeeds + 1));

}  // namespace
}  // namespace weir::app::testing
