// Additions: weights of targets, and the algorithms that go with them. The algorithms of AWS: algorithms_test.cc.

#include "proxy/balancing/weights.h"

#include "proxy/balancing/consistent_hash.h"
#include "proxy/balancing/hash_key.h"
#include "proxy/balancing/selector.h"
#include "tests/proxy/routing/routing_models.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace weir::proxy {
namespace {

using namespace weir::proxy::testing;

constexpr WallTime kWeightsNow{std::chrono::hours(1'000)};

// 10.0.0.1 and so on, which all take requests; with a weight for each where there are any.
health::GroupStatus WeightedTargets(std::size_t count, const std::vector<std::uint16_t>& weights = {}) {
  health::GroupStatus status;
  std::uint32_t sum = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    health::TargetStatus& target = status.targets.emplace_back();
    target.endpoint = {IpAddress::V4({10, 0, static_cast<std::uint8_t>(i >> 8U), static_cast<std::uint8_t>(i + 1)}),
                       80};
    target.observations = std::make_shared<health::TargetObservations>(1);
    status.routable.push_back(i);
    if (weights.empty()) continue;
    target.weight = weights[i];
    status.weight_sums.push_back(sum += weights[i]);
  }
  return status;
}

void SetActive(const health::GroupStatus& status, std::uint32_t target, std::uint64_t count) {
  (*status.targets[target].observations)[0].active_requests.Add(count);
}

class AdditionsTest : public ::testing::Test {
 protected:
  AdditionsTest() { selector_.Reset(*BuildTable(MakeModel({})), 5); }

  std::map<std::uint32_t, int> Choose(const health::GroupStatus& status, config::BalancingAlgorithm algorithm,
                                      int count) {
    settings_.algorithm = algorithm;
    std::map<std::uint32_t, int> taken;
    for (int i = 0; i < count; ++i) ++taken[selector_.SelectTarget(settings_, 0, status, kWeightsNow).value()];
    return taken;
  }

  Selector selector_;
  config::TargetGroup settings_;
};

TEST_F(AdditionsTest, InTurnSharesByWeightAreExact) {
  const auto status = WeightedTargets(3, {1, 2, 7});
  auto taken = Choose(status, config::BalancingAlgorithm::kRoundRobin, 10'000);
  EXPECT_NEAR(taken[0], 1'000, 5);
  EXPECT_NEAR(taken[1], 2'000, 5);
  EXPECT_NEAR(taken[2], 7'000, 5);
  taken = Choose(status, config::BalancingAlgorithm::kRoundRobin, 100);
  EXPECT_NEAR(taken[0], 10, 3);
  EXPECT_NEAR(taken[2], 70, 3);
}

TEST_F(AdditionsTest, TurnsOfALightTargetAreSpread) {
  const auto status = WeightedTargets(2, {9, 1});
  int longest = 0;
  int without = 0;
  for (int i = 0; i < 10'000; ++i) {
    without = selector_.SelectTarget(settings_, 0, status, kWeightsNow) == 1U ? 0 : without + 1;
    longest = std::max(longest, without);
  }
  EXPECT_LE(longest, 13);
}

TEST_F(AdditionsTest, ChanceObeysWeights) {
  auto taken = Choose(WeightedTargets(3, {1, 2, 7}), config::BalancingAlgorithm::kWeightedRandom, 10'000);
  EXPECT_NEAR(taken[0], 1'000, 120);
  EXPECT_NEAR(taken[2], 7'000, 180);
}

TEST_F(AdditionsTest, RequestsUnderWayCountForTheWeight) {
  const auto status = WeightedTargets(2, {1, 3});
  SetActive(status, 0, 2);
  SetActive(status, 1, 5);
  EXPECT_EQ(Choose(status, config::BalancingAlgorithm::kLeastOutstandingRequests, 50)[1], 50)
      << "5/3 are fewer than 2/1";
  EXPECT_EQ(Choose(status, config::BalancingAlgorithm::kPowerOfTwoChoices, 50)[1], 50);
  SetActive(status, 1, 2);
  EXPECT_EQ(Choose(status, config::BalancingAlgorithm::kLeastOutstandingRequests, 50)[0], 50);
}

TEST_F(AdditionsTest, IdleTargetsTakeTheirWeights) {
  const auto status = WeightedTargets(3, {1, 2, 7});
  EXPECT_NEAR(Choose(status, config::BalancingAlgorithm::kLeastOutstandingRequests, 10'000)[2], 7'000, 180);
}

TEST_F(AdditionsTest, OfTwoTheLessBusyOneIsTaken) {
  const auto status = WeightedTargets(10);
  SetActive(status, 4, 8);
  auto taken = Choose(status, config::BalancingAlgorithm::kPowerOfTwoChoices, 9'000);
  EXPECT_EQ(taken[4], 0) << "whatever it is drawn with is less busy";
  for (const std::uint32_t other : {0U, 3U, 5U, 9U}) EXPECT_NEAR(taken[other], 1'000, 150);
  EXPECT_EQ(Choose(WeightedTargets(1), config::BalancingAlgorithm::kPowerOfTwoChoices, 5)[0], 5);
}

// ---- consistent hash

std::uint64_t Key(std::uint64_t number) { return MixHash(number + 1); }

std::vector<std::uint32_t> Owners(const health::GroupStatus& status, std::uint64_t keys) {
  std::vector<std::uint32_t> owners;
  for (std::uint64_t i = 0; i < keys; ++i) owners.push_back(status.routable[ChooseByHash(status, Key(i)).position]);
  return owners;
}

constexpr std::uint64_t kKeys = 100'000;

TEST(ConsistentHashTest, RemovingOneOf100TargetsMovesAtMost2PercentOfTheKeys) {
  auto status = WeightedTargets(100);
  const auto before = Owners(status, kKeys);
  status.routable.erase(status.routable.begin() + 37);
  const auto after = Owners(status, kKeys);
  std::uint64_t moved = 0;
  for (std::uint64_t i = 0; i < kKeys; ++i) {
    if (before[i] == after[i]) continue;
    ++moved;
    EXPECT_EQ(before[i], 37U) << "nobody else's keys move";
  }
  EXPECT_LE(moved, kKeys * 2 / 100);
  EXPECT_GE(moved, kKeys / 200);
}

TEST(ConsistentHashTest, NoTargetHasMoreThan125PercentOfTheMean) {
  std::map<std::uint32_t, std::uint64_t> taken;
  for (const std::uint32_t owner : Owners(WeightedTargets(100), kKeys)) ++taken[owner];
  ASSERT_EQ(taken.size(), 100U);
  for (const auto& [target, count] : taken) EXPECT_LE(count, kKeys / 100 * 125 / 100) << target;
}

TEST(ConsistentHashTest, NoTargetHasMoreThan125PercentOfTheLoadWhateverTheKeys) {
  // All requests stay under way, and half of them ask for the same.
  const auto status = WeightedTargets(100);
  for (std::uint64_t i = 0; i < 10'000; ++i) {
    const auto choice = ChooseByHash(status, Key(i % 2 == 0 ? 7 : i));
    SetActive(status, status.routable[choice.position], 1);
  }
  EXPECT_EQ(ChooseByHash(status, Key(7)).preferred, ChooseByHash(WeightedTargets(100), Key(7)).position);
  for (const auto& target : status.targets) {
    EXPECT_LE((*target.observations)[0].active_requests.value(), 125U) << target.endpoint.ToString();
  }
}

TEST(ConsistentHashTest, AFewRequestsSideBySideAreNoLoad) {
  const auto status = WeightedTargets(100);
  const auto first = ChooseByHash(status, Key(7));
  SetActive(status, status.routable[first.position], 3);
  EXPECT_EQ(ChooseByHash(status, Key(7)).position, first.position);
  SetActive(status, status.routable[first.position], 1);
  const auto next = ChooseByHash(status, Key(7));
  EXPECT_NE(next.position, first.position);
  EXPECT_EQ(next.preferred, first.position);
}

TEST(ConsistentHashTest, WhereTargetsStandInTheFileDoesNotMatter) {
  auto status = WeightedTargets(10);
  const auto of = [&](std::uint64_t key) {
    return status.targets[status.routable[ChooseByHash(status, Key(key)).position]].endpoint;
  };
  std::vector<Endpoint> before;
  for (std::uint64_t i = 0; i < 200; ++i) before.push_back(of(i));
  std::ranges::reverse(status.targets);
  for (std::uint64_t i = 0; i < 200; ++i) EXPECT_EQ(of(i), before[i]);
}

TEST(ConsistentHashTest, PartsFollowTheWeights) {
  std::map<std::uint32_t, int> taken;
  for (const std::uint32_t owner : Owners(WeightedTargets(3, {1, 2, 7}), 10'000)) ++taken[owner];
  EXPECT_NEAR(taken[0], 1'000, 120);
  EXPECT_NEAR(taken[1], 2'000, 150);
  EXPECT_NEAR(taken[2], 7'000, 180);
}

TEST_F(AdditionsTest, ARequestWithoutTheKeyIsServedInTurn) {
  auto taken = Choose(WeightedTargets(4), config::BalancingAlgorithm::kConsistentHash, 400);
  for (std::uint32_t i = 0; i < 4; ++i) EXPECT_EQ(taken[i], 100);
}

TEST_F(AdditionsTest, ARequestWithTheKeyGoesToItsTarget) {
  const auto status = WeightedTargets(4);
  settings_.algorithm = config::BalancingAlgorithm::kConsistentHash;
  const std::uint32_t owner = status.routable[ChooseByHash(status, Key(3)).position];
  for (int i = 0; i < 20; ++i) EXPECT_EQ(selector_.SelectTarget(settings_, 0, status, kWeightsNow, Key(3)), owner);
}

TEST(HashKeyTest, IsOfWhatTheGroupNames) {
  using enum config::HashSource;
  const IpAddress client = IpAddress::Parse("192.0.2.7").value();
  const IpAddress other = IpAddress::Parse("192.0.2.8").value();
  const std::vector<http::Field> fields = {{"x-user", "anna"}, {"Cookie", "a=1; sid=42"}, {"Cookie", "sid=43"}};
  const auto key = [&](config::HashSource source, const char* name, const IpAddress& from = IpAddress::AnyV4(),
                       std::string_view path = "/", std::string_view query = {}) {
    return HashKeyOf({.source = source, .name = name},
                     {.fields = fields, .client = from, .path = path, .query = query});
  };
  EXPECT_EQ(key(kClientAddress, "", client), key(kClientAddress, "", client, "/other"));
  EXPECT_NE(key(kClientAddress, "", client), key(kClientAddress, "", other));
  EXPECT_EQ(key(kClientAddress, "", client), key(kClientAddress, "", IpAddress::Parse("::ffff:192.0.2.7").value()));
  EXPECT_EQ(key(kHeader, "X-User"), key(kHeader, "x-user", other));
  EXPECT_TRUE(key(kHeader, "X-User"));
  EXPECT_FALSE(key(kHeader, "X-Other"));
  EXPECT_TRUE(key(kCookie, "sid"));
  EXPECT_NE(key(kCookie, "sid"), key(kCookie, "a"));
  EXPECT_FALSE(key(kCookie, "SID")) << "names of cookies have their case";
  EXPECT_EQ(key(kUri, "", client, "/a", "b"), key(kUri, "", other, "/a", "b"));
  EXPECT_NE(key(kUri, "", client, "/a", "b"), key(kUri, "", client, "/a", "c"));
}

}  // namespace
}  // namespace weir::proxy
