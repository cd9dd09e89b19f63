#include "labelstore/trust.h"

#include <gtest/gtest.h>

#include "tokenizer/normaliser.h"

namespace rebound {
namespace {

size_t Action(std::string_view name) { return FindLabel(Task::kAction, name).value(); }

ProposalScores Score(std::string_view text, std::string_view label, std::string_view model = "",
                     float probability = 0.9f) {
  LabelChoice labels;
  labels[Index(Task::kAction)] = Action(label);
  ModelAnswers answers;
  if (!model.empty()) answers[Index(Task::kAction)] = ModelAnswer{Action(model), probability, 1};
  return ScoreProposal(Normalise(text), labels, answers);
}

TEST(CostOfMistake, RemovingALivingAddressIsTheDearest) {
  const auto cost = [](std::string_view label, std::string_view other) {
    return CostOfMistake(Task::kAction, Action(label), Action(other));
  };
  EXPECT_EQ(cost("user_unknown", "user_unknown"), 0);
  EXPECT_EQ(cost("user_unknown", "invalid_address"), 1);
  EXPECT_EQ(cost("user_unknown", "ip_blacklisted"), 10);
  EXPECT_EQ(cost("ip_blacklisted", "user_unknown"), 4);
  EXPECT_EQ(cost("greylisting", "ip_blacklisted"), 5);
}

TEST(CostOfMistake, IsKnownForEveryPairOfEveryTask) {
  for (const Task task : kTasks) {
    for (size_t a = 0; a < TaskLabels(task).size(); ++a) {
      for (size_t b = 0; b < TaskLabels(task).size(); ++b) {
        const double cost = CostOfMistake(task, a, b);
        EXPECT_EQ(cost == 0, a == b);
        EXPECT_LE(cost, 10);
      }
    }
  }
}

TEST(NamesABlockList, KnowsListsByNameAndByWord) {
  for (const char* text :
       {"blocked using zen.spamhaus.org", "listed in our RBL", "your IP is blacklisted",
        "on the block list of our site", "dnsbl hit", "is Black listed"}) {
    EXPECT_TRUE(NamesABlockList(Normalise(text))) << text;
  }
  for (const char* text : {"550 user unknown", "list of recipients too long", "blocked by policy",
                           "members of the list only"}) {
    EXPECT_FALSE(NamesABlockList(Normalise(text))) << text;
  }
}

TEST(ScoreProposal, DisagreementIsHowSureTheModelIsOfAnother) {
  EXPECT_FLOAT_EQ(static_cast<float>(Score("550 no", "unknown", "spam_blocked", 0.7f).disagreement),
                  0.7f);
  EXPECT_EQ(Score("550 no", "unknown", "unknown", 0.7f).disagreement, 0);
  EXPECT_FLOAT_EQ(static_cast<float>(Score("550 no", "unknown", "unknown", 0.7f).uncertainty),
                  0.3f);
  EXPECT_EQ(Score("550 no", "unknown").uncertainty, 0);
}

TEST(ScoreProposal, AnUnknownUserOnABlockListTextIsPoisonUnlessTheModelSaysSoToo) {
  const char* text = "550 blocked using zen.spamhaus.org";
  EXPECT_EQ(Score(text, "user_unknown", "ip_blacklisted").cost, kPoisonCost);
  EXPECT_EQ(Score(text, "user_unknown").cost, kPoisonCost);
  EXPECT_EQ(Score(text, "user_unknown", "user_unknown").cost, 10);
  EXPECT_EQ(Score(text, "ip_blacklisted", "user_unknown").cost, 4);
  EXPECT_EQ(Score("550 refused", "user_unknown", "ip_blacklisted").cost, 10);
}

TEST(ContributorWeight, IsTheMeanOfABetaPosterior) {
  EXPECT_DOUBLE_EQ(ContributorWeight(0, 0), 0.8);
  EXPECT_DOUBLE_EQ(ContributorWeight(95, 0), 0.99);
  EXPECT_DOUBLE_EQ(ContributorWeight(0, 3), 0.5);
  EXPECT_LT(ContributorWeight(0, 4), kLeastTrust);
}

std::string Rule(const ContributorActivity& activity) {
  const auto hit = Quarantine(activity, {});
  return hit ? hit->rule : "";
}

TEST(Quarantine, IsATruthTable) {
  struct Case {
    ContributorActivity activity;
    const char* rule;
  };
  const Case cases[] = {
      {{.last_hour = 100, .last_day = 100}, ""},
      // Rate and share both count.
      {{.last_hour = 4, .last_day = 4, .poison_last_day = 4}, ""},
      {{.last_hour = 5, .last_day = 5, .poison_last_day = 5}, "poisoning"},
      {{.last_hour = 25, .last_day = 25, .poison_last_day = 5}, "poisoning"},
      {{.last_hour = 26, .last_day = 26, .poison_last_day = 5}, ""},
      // A record is no licence to poison.
      {{.last_hour = 5, .last_day = 5, .poison_last_day = 5, .agreed = 1000}, "poisoning"},
      {{.last_hour = 20'000, .last_day = 20'000}, "flood"},
      {{.last_hour = 20'000, .last_day = 20'000, .agreed = 49}, "flood"},
      {{.last_hour = 20'000, .last_day = 20'000, .agreed = 50}, ""},
      {{.last_hour = 20'000, .last_day = 20'000, .agreed = 50, .disagreed = 30}, "flood"},
      {{.last_hour = 1, .last_day = 1, .agreed = 5, .disagreed = 14}, ""},
      {{.last_hour = 1, .last_day = 1, .agreed = 5, .disagreed = 15}, "mistrust"},
      {{.last_hour = 1, .last_day = 1, .agreed = 15, .disagreed = 15}, ""},
  };
  for (const Case& each : cases) {
    EXPECT_EQ(Rule(each.activity), each.rule)
        << each.activity.last_hour << " " << each.activity.poison_last_day;
  }
}

TEST(Quarantine, TellsTheNumbers) {
  EXPECT_EQ(Quarantine({.last_hour = 1, .last_day = 1, .agreed = 5, .disagreed = 15}, {})->detail,
            "reviewers refused 15 of 20 labels");
  EXPECT_EQ(Quarantine({.last_hour = 20'000, .agreed = 3}, {})->detail,
            "20000 proposals within an hour, and only 3 labels that reviewers confirmed");
}

}  // namespace
}  // namespace rebound
