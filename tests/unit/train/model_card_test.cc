#include "train/model_card.h"

#include <gtest/gtest.h>

namespace rebound {
namespace {

BundleConfig Config() {
  BundleConfig config;
  config.task = Task::kBackoff;
  config.labels = {"A", "B"};
  config.network = "bag";
  config.sizes = {{"embedding", 64}};
  config.snapshot_id = 12;
  config.snapshot_digest = "abc";
  config.seed = 7;
  config.training_samples = 1000;
  return config;
}

TEST(ModelCardTest, SaysDataFiguresAndLimits) {
  Scorecard card;
  card.rows = 50;
  card.accuracy = 0.875;
  card.classes.push_back({"A", 30, 31, 29, 0.9, 0.8, 0.85});
  const std::string text = WriteModelCard(Config(), card, {40, 9, "trained on 900 texts"});
  for (const char* part :
       {"# Rebound model: backoff", "| network | bag, embedding 64 |", "| seed | 7 |",
        "1000 masked texts of 40 groups", "snapshot 12", "Tokenizer: trained on 900 texts.",
        "On 50 held-out rows of 9 groups", "| accuracy | 0.8750 |",
        "| A | 0.9000 | 0.8000 | 0.8500 | 30 |", "## Use and limits"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  }
}

TEST(ModelCardTest, SaysWhereNothingJudgedTheModel) {
  const std::string text = WriteModelCard(Config(), Scorecard(), {1, 0, "x"});
  EXPECT_NE(text.find("nothing judged this model"), std::string::npos);
}

}  // namespace
}  // namespace rebound
