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

TEST(ModelCardTest, NamesBaselinesAndThePointsOfTheLearningCurve) {
  Scorecard card;
  card.rows = 50;
  EXPECT_EQ(WriteModelCard(Config(), card, {40, 9, "x"}).find("## Learning curve"),
            std::string::npos);
  card.baselines = {{"fastText on the same rows", 0.75, 0.5, 0.25}};
  card.learning_curve = {{20, 100, 0.5, 0.25, 0.125}, {40, 200, 0.875, 0.75, 0.625}};
  const std::string text = WriteModelCard(Config(), card, {40, 9, "x"});
  for (const char* part :
       {"| fastText on the same rows | 0.7500 | 0.5000 | 0.2500 |", "## Learning curve",
        "| 20 groups, 100 texts | 0.5000 | 0.2500 | 0.1250 |\n| 40 groups, 200 texts | 0.8750"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  }
}

}  // namespace
}  // namespace rebound
