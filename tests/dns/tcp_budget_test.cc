#include "dns/tcp_budget.h"

#include <gtest/gtest.h>

#include <chrono>

namespace weir::dns {
namespace {

using std::chrono::milliseconds;

constexpr TcpBudgetLimits kSmall{.turn_answers = 10, .turn_bytes = 1'000, .visit_answers = 4, .visit_bytes = 300};

TEST(TcpBudgetTest, AVisitEndsWithItsAnswersOrItsBytes) {
  TcpBudget budget(kSmall);
  ASSERT_TRUE(budget.HasTurn(SteadyTime(milliseconds(1))));
  EXPECT_FALSE(budget.HasVisit()) << "no visit has begun";
  budget.BeginVisit();
  for (int i = 0; i < 4; ++i) {
    EXPECT_TRUE(budget.HasVisit()) << i;
    budget.Spend(1, 1);
  }
  EXPECT_FALSE(budget.HasVisit());
  budget.BeginVisit();
  budget.Spend(1, 299);
  EXPECT_TRUE(budget.HasVisit());
  budget.Spend(1, 50'000);
  EXPECT_FALSE(budget.HasVisit());
}

TEST(TcpBudgetTest, ManyConnectionsShareWhatATurnHas) {
  TcpBudget budget(kSmall);
  const SteadyTime turn(milliseconds(1));
  int visits = 0;
  for (; budget.HasTurn(turn) && visits < 100; ++visits) {
    budget.BeginVisit();
    budget.Spend(1, 1);
  }
  EXPECT_EQ(visits, 5) << "a visit costs as much as an answer";
  EXPECT_FALSE(budget.HasTurn(turn));
  EXPECT_TRUE(budget.HasTurn(turn + milliseconds(1))) << "the next turn has its own";
}

TEST(TcpBudgetTest, ALargeAnswerTakesFromTheTurnWhatItIs) {
  TcpBudget budget(kSmall);
  const SteadyTime turn(milliseconds(1));
  ASSERT_TRUE(budget.HasTurn(turn));
  budget.BeginVisit();
  budget.Spend(1, 700);
  ASSERT_TRUE(budget.HasTurn(turn));
  budget.BeginVisit();
  budget.Spend(0, 300);  // older answers that are sent count, too
  EXPECT_FALSE(budget.HasVisit());
  EXPECT_FALSE(budget.HasTurn(turn));
}

TEST(TcpBudgetTest, AVisitNeverHasMoreThanTheTurnHasLeft) {
  TcpBudget budget(kSmall);
  const SteadyTime turn(milliseconds(1));
  ASSERT_TRUE(budget.HasTurn(turn));
  budget.BeginVisit();
  budget.Spend(1, 950);
  ASSERT_TRUE(budget.HasTurn(turn));
  budget.BeginVisit();
  budget.Spend(1, 50);
  EXPECT_FALSE(budget.HasVisit());
}

}  // namespace
}  // namespace weir::dns
