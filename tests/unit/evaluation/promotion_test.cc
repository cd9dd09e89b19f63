#include "evaluation/promotion.h"

#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "base/error.h"

namespace rebound {
namespace {

Difference Between(double value, double low, double high) { return {value, {low, high}}; }

// A candidate as good as the incumbent: macro-F1, accuracy and the F1 of its two classes are 0.8;
// the first class has many rows, the second few.
PromotionCase Equal() {
  PromotionCase c;
  c.candidate.rows = 340;
  c.candidate.macro_f1 = c.candidate.accuracy = 0.8;
  c.candidate.ece = 0.02;
  c.candidate.classes = {{"MANY", 300, 300, 240, 0.8, 0.8, 0.8},
                         {"FEW", 40, 40, 32, 0.8, 0.8, 0.8}};
  c.incumbent.emplace();
  c.incumbent->scorecard = c.candidate;
  c.incumbent->differences.class_f1.resize(2);
  return c;
}

PromotionCase With(const std::function<void(PromotionCase*)>& change) {
  PromotionCase c = Equal();
  change(&c);
  return c;
}

// The candidate's F1 of a class, with the difference that it makes.
PromotionCase ClassLoses(size_t at, double f1, double low, double high) {
  return With([&](PromotionCase* c) {
    c->candidate.classes[at].f1 = f1;
    c->incumbent->differences.class_f1[at] = Between(f1 - 0.8, low, high);
  });
}

PromotionCase MacroF1(double value, double low, double high) {
  return With([&](PromotionCase* c) {
    c->candidate.macro_f1 = value;
    c->incumbent->differences.macro_f1 = Between(value - 0.8, low, high);
  });
}

PromotionCase Accuracy(double value, double low, double high) {
  return With([&](PromotionCase* c) {
    c->candidate.accuracy = value;
    c->incumbent->differences.accuracy = Between(value - 0.8, low, high);
  });
}

PromotionCase Ece(double candidate, double incumbent) {
  return With([&](PromotionCase* c) {
    c->candidate.ece = candidate;
    c->incumbent->scorecard.ece = incumbent;
  });
}

PromotionCase MustPassFails(bool first_model) {
  return With([&](PromotionCase* c) {
    c->failed_must_pass = {"must-pass 3 must get SPF and gets DKIM"};
    if (first_model) c->incumbent.reset();
  });
}

PromotionCase FirstModel(double macro_f1, int64_t rows) {
  return With([&](PromotionCase* c) {
    c->incumbent.reset();
    c->candidate.macro_f1 = macro_f1;
    c->candidate.rows = rows;
  });
}

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr auto kAuto = PromotionMode::kAuto;
constexpr auto kAlways = PromotionMode::kAlways;
constexpr auto kNever = PromotionMode::kNever;

TEST(DecideTest, TheTruthTable) {
  const PromotionCase nothing_judged =
      With([](PromotionCase* c) { c->candidate.rows = c->incumbent->scorecard.rows = 0; });
  struct Row {
    const char* what;
    PromotionCase judged;
    PromotionMode mode;
    bool promote;
  };
  const Row rows[] = {
      {"equal", Equal(), kAuto, true},
      {"first model, whatever its figures", FirstModel(0.1, 340), kAuto, true},
      {"first model and nothing judged", FirstModel(0.0, 0), kAuto, true},
      {"first model, never", FirstModel(0.9, 340), kNever, false},
      {"first model, figures not finite", FirstModel(kNan, 340), kAuto, false},
      {"better", MacroF1(0.9, 0.05, 0.15), kAuto, true},
      {"better, never", MacroF1(0.9, 0.05, 0.15), kNever, false},
      {"macro-F1 lower within chance", MacroF1(0.75, -0.11, 0.01), kAuto, true},
      {"macro-F1 lower, the interval ends at zero", MacroF1(0.75, -0.1, 0.0), kAuto, true},
      {"macro-F1 lower beyond chance", MacroF1(0.75, -0.09, -0.01), kAuto, false},
      {"macro-F1 a little lower beyond chance", MacroF1(0.798, -0.003, -0.001), kAuto, false},
      {"macro-F1 lower beyond chance, always", MacroF1(0.75, -0.09, -0.01), kAlways, true},
      {"macro-F1 not finite", MacroF1(kNan, 0, 0), kAuto, false},
      {"accuracy lower within chance", Accuracy(0.75, -0.11, 0.01), kAuto, true},
      {"accuracy lower beyond chance", Accuracy(0.75, -0.09, -0.01), kAuto, false},
      {"a large class loses the bound exactly", ClassLoses(0, 0.75, -0.1, 0.01), kAuto, true},
      {"a large class loses more, even by chance", ClassLoses(0, 0.74, -0.1, 0.01), kAuto, false},
      {"a small class loses more within chance", ClassLoses(1, 0.6, -0.5, 0.1), kAuto, true},
      {"a small class loses more beyond chance", ClassLoses(1, 0.6, -0.3, -0.1), kAuto, false},
      {"a small class loses less beyond chance", ClassLoses(1, 0.76, -0.05, -0.01), kAuto, true},
      {"calibration worse and bad", Ece(0.045, 0.02), kAuto, false},
      {"calibration worse and good", Ece(0.03, 0.005), kAuto, true},
      {"calibration bad and hardly worse", Ece(0.08, 0.07), kAuto, true},
      {"calibration not finite", Ece(kNan, 0.02), kAuto, false},
      {"must-pass fails", MustPassFails(false), kAuto, false},
      {"must-pass fails for a first model", MustPassFails(true), kAuto, false},
      {"must-pass fails, always", MustPassFails(false), kAlways, true},
      {"nothing judged beside an incumbent", nothing_judged, kAuto, false},
      {"nothing judged beside an incumbent, always", nothing_judged, kAlways, true},
  };
  for (const Row& row : rows) {
    PromotionPolicy policy;
    policy.mode = row.mode;
    const Verdict verdict = Decide(row.judged, policy);
    EXPECT_EQ(verdict.promote, row.promote) << row.what << ": " << verdict.Reason();
    ASSERT_FALSE(verdict.reasons.empty()) << row.what;
  }
}

TEST(DecideTest, AMarginForgivesALossThatIsNoChance) {
  PromotionPolicy policy;
  policy.margin = 0.05;
  EXPECT_TRUE(Decide(MacroF1(0.75, -0.09, -0.01), policy).promote) << "the margin exactly";
  EXPECT_FALSE(Decide(MacroF1(0.74, -0.09, -0.01), policy).promote);
}

TEST(DecideTest, EveryReasonIsToldWithItsFigures) {
  PromotionCase c = MacroF1(0.75, -0.09, -0.01);
  c.candidate.accuracy = 0.7;
  c.incumbent->differences.accuracy = Between(-0.1, -0.12, -0.08);
  c.candidate.classes[0].f1 = 0.7;
  c.incumbent->differences.class_f1[0] = Between(-0.1, -0.15, -0.05);
  c.candidate.ece = 0.1;
  c.failed_must_pass = {"must-pass 3 must get SPF and gets DKIM"};
  const Verdict verdict = Decide(c, {});
  EXPECT_FALSE(verdict.promote);
  EXPECT_EQ(
      verdict.reasons,
      (std::vector<std::string>{
          "macro-F1 is lower than the incumbent's by -0.0500, 95 % interval -0.0900 to "
          "-0.0100: 0.7500 against 0.8000",
          "accuracy is lower than the incumbent's by -0.1000, 95 % interval -0.1200 to "
          "-0.0800: 0.7000 against 0.8000",
          "class MANY loses more F1 than 0.0500 by -0.1000, 95 % interval -0.1500 to -0.0500: "
          "0.7000 against 0.8000 on 300 rows",
          "calibration is worse by more than 0.0100 and the error above 0.0300: ECE 0.1000 "
          "against 0.0200",
          "must-pass 3 must get SPF and gets DKIM"}));
  EXPECT_EQ(verdict.Reason().substr(0, 10), "macro-F1 i");
  EXPECT_NE(verdict.Reason().find("0.8000; accuracy"), std::string::npos);
}

TEST(DecideTest, APromotionSaysTheFiguresToo) {
  EXPECT_EQ(Decide(Equal(), {}).Reason(),
            "nothing speaks against it: macro-F1 0.8000 against 0.8000, accuracy 0.8000 against "
            "0.8000 of the incumbent on 340 held-out rows");
  EXPECT_EQ(Decide(FirstModel(0.9, 340), {}).Reason(),
            "no incumbent; macro-F1 0.9000, accuracy 0.8000 on 340 held-out rows");
}

TEST(DecideTest, WhoOverridesIsToldWhatTheyOverrode) {
  PromotionPolicy policy;
  policy.mode = kAlways;
  const Verdict verdict = Decide(MustPassFails(false), policy);
  EXPECT_EQ(verdict.reasons, (std::vector<std::string>{"told always to promote",
                                                       "must-pass 3 must get SPF and gets DKIM"}));
}

TEST(DecideTest, RefusesToCompareScorecardsOverDifferentRows) {
  const auto error_of = [](const PromotionCase& c) -> std::string {
    try {
      Decide(c, {});
    } catch (const Error& e) {
      return e.what();
    }
    return "no error";
  };
  EXPECT_EQ(error_of(With([](PromotionCase* c) { c->candidate.rows = 100; })),
            "candidate and incumbent were judged on different rows: 100 and 340");
  EXPECT_EQ(error_of(With([](PromotionCase* c) { c->candidate.classes.pop_back(); })),
            "candidate and incumbent were judged on different classes");
}

TEST(DecideTest, ModesHaveThreeNames) {
  EXPECT_EQ(ParsePromotionMode("auto"), PromotionMode::kAuto);
  EXPECT_EQ(ParsePromotionMode("always"), PromotionMode::kAlways);
  EXPECT_EQ(ParsePromotionMode("never"), PromotionMode::kNever);
  EXPECT_EQ(ParsePromotionMode("Auto"), std::nullopt);
}

}  // namespace
}  // namespace rebound
