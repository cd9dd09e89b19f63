#include "evaluation/promotion.h"

#include <gtest/gtest.h>

#include <limits>

#include "base/error.h"

namespace rebound {
namespace {

Scorecard Card(double macro_f1, double accuracy, int64_t rows = 100) {
  Scorecard card;
  card.rows = rows;
  card.macro_f1 = macro_f1;
  card.accuracy = accuracy;
  return card;
}

TEST(DecideTest, TheTruthTable) {
  struct Case {
    const char* what;
    Scorecard candidate;
    std::optional<Scorecard> incumbent;
    PromotionMode mode;
    bool promote;
  };
  const auto none = std::optional<Scorecard>();
  const Case cases[] = {
      {"no incumbent", Card(0.1, 0.1), none, PromotionMode::kAuto, true},
      {"no incumbent and nothing judged", Card(0, 0, 0), none, PromotionMode::kAuto, true},
      {"no incumbent, never", Card(0.9, 0.9), none, PromotionMode::kNever, false},
      {"better in both", Card(0.9, 0.9), Card(0.8, 0.8), PromotionMode::kAuto, true},
      {"equal", Card(0.8, 0.8), Card(0.8, 0.8), PromotionMode::kAuto, true},
      {"worse by the margin exactly", Card(0.79, 0.79), Card(0.8, 0.8), PromotionMode::kAuto, true},
      {"macro-F1 worse by more", Card(0.78, 0.9), Card(0.8, 0.8), PromotionMode::kAuto, false},
      {"accuracy worse by more", Card(0.9, 0.78), Card(0.8, 0.8), PromotionMode::kAuto, false},
      {"both worse by more", Card(0.7, 0.7), Card(0.8, 0.8), PromotionMode::kAuto, false},
      {"worse, always", Card(0.1, 0.1), Card(0.8, 0.8), PromotionMode::kAlways, true},
      {"better, never", Card(0.9, 0.9), Card(0.8, 0.8), PromotionMode::kNever, false},
      {"nothing judged", Card(0, 0, 0), Card(0, 0, 0), PromotionMode::kAuto, false},
      {"nothing judged, always", Card(0, 0, 0), Card(0, 0, 0), PromotionMode::kAlways, true},
      {"not a number", Card(std::numeric_limits<double>::quiet_NaN(), 0.9), Card(0.8, 0.8),
       PromotionMode::kAuto, false},
      {"not a number, no incumbent", Card(std::numeric_limits<double>::quiet_NaN(), 0.9), none,
       PromotionMode::kAuto, false},
  };
  for (const Case& c : cases) {
    const Verdict verdict = Decide(c.candidate, c.incumbent, {c.mode, 0.01});
    EXPECT_EQ(verdict.promote, c.promote) << c.what << ": " << verdict.reason;
    EXPECT_FALSE(verdict.reason.empty()) << c.what;
  }
}

TEST(DecideTest, ARefusalSaysTheFigures) {
  EXPECT_EQ(Decide(Card(0.7, 0.81), Card(0.8, 0.8), {PromotionMode::kAuto, 0.01}).reason,
            "macro-F1 worse by more than 0.0100: macro-F1 0.7000 against 0.8000, accuracy 0.8100 "
            "against 0.8000 of the incumbent on 100 held-out rows");
  EXPECT_EQ(Decide(Card(0.9, 0.9), std::nullopt, {}).reason,
            "no incumbent; macro-F1 0.9000, accuracy 0.9000 on 100 held-out rows");
}

TEST(DecideTest, RefusesToCompareScorecardsOverDifferentRows) {
  try {
    Decide(Card(0.9, 0.9, 100), Card(0.8, 0.8, 99), {});
    FAIL();
  } catch (const Error& e) {
    EXPECT_STREQ(e.what(), "candidate and incumbent were judged on different rows: 100 and 99");
  }
}

TEST(DecideTest, ModesHaveThreeNames) {
  EXPECT_EQ(ParsePromotionMode("auto"), PromotionMode::kAuto);
  EXPECT_EQ(ParsePromotionMode("always"), PromotionMode::kAlways);
  EXPECT_EQ(ParsePromotionMode("never"), PromotionMode::kNever);
  EXPECT_EQ(ParsePromotionMode("Auto"), std::nullopt);
}

}  // namespace
}  // namespace rebound
