#include "train/model_card.h"

#include <cstdio>

namespace rebound {
namespace {

std::string Row(const std::string& name, const std::string& value) {
  return "| " + name + " | " + value + " |\n";
}

std::string Figure(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4f", value);
  return text;
}

std::string SizesText(const BundleConfig& config) {
  std::string text = config.network;
  for (const auto& [name, size] : config.sizes) text += ", " + name + " " + std::to_string(size);
  return text;
}

std::string DataPart(const BundleConfig& config, const CardFacts& facts) {
  return "## Data\n\nTrained on " + std::to_string(config.training_samples) + " masked texts of " +
         std::to_string(facts.training_groups) + " groups (templates or skeletons) from snapshot " +
         std::to_string(config.snapshot_id) + " of the label store (sha256 `" +
         config.snapshot_digest +
         "`). Personal data is masked before it is stored. Tokenizer: " + facts.tokenizer_origin +
         ".\n\n";
}

std::string FiguresPart(const Scorecard& scorecard, const CardFacts& facts) {
  std::string text = "## Figures\n\n";
  if (scorecard.rows == 0) {
    return text + "No row of the snapshot is held out, so nothing judged this model.\n\n";
  }
  text += "On " + std::to_string(scorecard.rows) + " held-out rows of " +
          std::to_string(facts.judging_groups) +
          " groups that no training run ever learns from.\n\n| figure | value |\n| --- | --- |\n";
  text += Row("accuracy", Figure(scorecard.accuracy)) +
          Row("macro-F1", Figure(scorecard.macro_f1)) +
          Row("macro recall", Figure(scorecard.macro_recall)) +
          Row("expected calibration error", Figure(scorecard.ece)) +
          Row("Brier score", Figure(scorecard.brier)) + Row("log loss", Figure(scorecard.log_loss));
  text += "\n| class | precision | recall | F1 | rows |\n| --- | --- | --- | --- | --- |\n";
  for (const ClassScore& score : scorecard.classes) {
    text += "| " + score.label + " | " + Figure(score.precision) + " | " + Figure(score.recall) +
            " | " + Figure(score.f1) + " | " + std::to_string(score.support) + " |\n";
  }
  return text + "\n";
}

std::string RunPart(const Scorecard& scorecard) {
  std::string text;
  const auto row = [&](const std::string& name, double accuracy, double f1, double recall) {
    text += "| " + name + " | " + Figure(accuracy) + " | " + Figure(f1) + " | " + Figure(recall) +
            " |\n";
  };
  if (!scorecard.baselines.empty()) {
    text +=
        "## Baselines\n\nOn the same rows.\n\n"
        "| baseline | accuracy | macro-F1 | macro recall |\n| --- | --- | --- | --- |\n";
    for (const Baseline& each : scorecard.baselines) {
      row(each.name, each.accuracy, each.macro_f1, each.macro_recall);
    }
    text += "\n";
  }
  if (!scorecard.learning_curve.empty()) {
    text +=
        "## Learning curve\n\nThe same network trained on nested parts of the groups, judged by "
        "the same rows; the last line is this model.\n\n"
        "| learned from | accuracy | macro-F1 | macro recall |\n| --- | --- | --- | --- |\n";
    for (const LearningPoint& point : scorecard.learning_curve) {
      row(std::to_string(point.groups) + " groups, " + std::to_string(point.texts) + " texts",
          point.accuracy, point.macro_f1, point.macro_recall);
    }
    text += "\n";
  }
  return text;
}

}  // namespace

std::string WriteModelCard(const BundleConfig& config, const Scorecard& scorecard,
                           const CardFacts& facts) {
  std::string text = "# Rebound model: " + std::string(TaskName(config.task)) +
                     "\n\nClassifies SMTP bounce texts into the " +
                     std::to_string(config.labels.size()) + " classes of the task `" +
                     std::string(TaskName(config.task)) + "`.\n\n| | |\n| --- | --- |\n";
  text += Row("network", SizesText(config)) + Row("trained", config.trained_at) +
          Row("code", "rebound " + config.code_version) + Row("seed", std::to_string(config.seed)) +
          Row("temperature", Figure(config.temperature)) +
          Row("status code decides below", Figure(config.fallback_threshold)) + "\n";
  text += DataPart(config, facts) + FiguresPart(scorecard, facts) + RunPart(scorecard);
  text +=
      "## Use and limits\n\nMeant for the reply texts of mail servers and the diagnostic lines of "
      "delivery reports, for deciding how a sending system should act. It is not meant for "
      "judging people, and not for whole mails. Classes with few rows above are less certain; a "
      "text in a language or of a server that the data lacks may be answered with too much "
      "confidence. Wrong answers can be submitted to the label store and are learned from by the "
      "next run.\n";
  return text;
}

}  // namespace rebound
