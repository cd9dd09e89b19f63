#include "evaluation/scorecard.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/error.h"
#include "base/json.h"

namespace rebound {
namespace {

double Ratio(int64_t part, int64_t whole) {
  return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
}

// Per-class figures and the macro average of F1, from the confusion matrix.
void FillClasses(const std::vector<std::string>& labels, Scorecard* card) {
  int64_t classes_with_rows = 0;
  for (size_t i = 0; i < labels.size(); ++i) {
    ClassScore score;
    score.label = labels[i];
    for (size_t j = 0; j < labels.size(); ++j) {
      score.support += card->confusion[i][j];
      score.predicted += card->confusion[j][i];
    }
    score.correct = card->confusion[i][i];
    score.precision = Ratio(score.correct, score.predicted);
    score.recall = Ratio(score.correct, score.support);
    score.f1 = Ratio(2 * score.correct, score.support + score.predicted);
    if (score.support > 0) {
      ++classes_with_rows;
      card->macro_f1 += score.f1;
    }
    card->classes.push_back(std::move(score));
  }
  if (classes_with_rows > 0) card->macro_f1 /= static_cast<double>(classes_with_rows);
}

}  // namespace

size_t BinOf(double confidence) {
  const double at = std::clamp(confidence, 0.0, 1.0) * static_cast<double>(kReliabilityBins);
  return std::min(static_cast<size_t>(at), kReliabilityBins - 1);
}

ScorecardBuilder::ScorecardBuilder(std::vector<std::string> labels) : labels_(std::move(labels)) {}

void ScorecardBuilder::Add(std::span<const size_t> accepted, size_t predicted,
                           std::span<const float> probabilities) {
  if (accepted.empty()) {
    throw Error(ErrorCode::kInvalidArgument, "scorecard: a row accepts no class");
  }
  const size_t largest = std::max(predicted, *std::max_element(accepted.begin(), accepted.end()));
  if (largest >= labels_.size()) {
    throw Error(ErrorCode::kInvalidArgument, "scorecard: class " + std::to_string(largest) +
                                                 " of " + std::to_string(labels_.size()));
  }
  if (probabilities.size() != labels_.size()) {
    throw Error(ErrorCode::kInvalidArgument, "scorecard: " + std::to_string(probabilities.size()) +
                                                 " probabilities for " +
                                                 std::to_string(labels_.size()) + " classes");
  }
  const bool right = std::find(accepted.begin(), accepted.end(), predicted) != accepted.end();
  const size_t truth = right ? predicted : accepted.front();
  scored_rows_.push_back({truth, predicted, accepted.size() == 1, probabilities[predicted]});
  for (size_t i = 0; i < probabilities.size(); ++i) {
    const double distance = static_cast<double>(probabilities[i]) - (i == truth ? 1.0 : 0.0);
    brier_ += distance * distance;
  }
  log_loss_ -= std::log(std::max(static_cast<double>(probabilities[truth]), 1e-12));
}

Scorecard ScorecardBuilder::Finish() const {
  Scorecard card;
  card.rows = static_cast<int64_t>(scored_rows_.size());
  card.confusion.assign(labels_.size(), std::vector<int64_t>(labels_.size(), 0));
  card.bins.resize(kReliabilityBins);
  std::vector<int64_t> single_rows(labels_.size(), 0);
  std::vector<int64_t> single_right(labels_.size(), 0);
  int64_t right = 0;
  for (const ScoredRow& row : scored_rows_) {
    const int64_t is_right = row.truth == row.predicted ? 1 : 0;
    right += is_right;
    ++card.confusion[row.truth][row.predicted];
    if (row.single) {
      ++single_rows[row.truth];
      single_right[row.truth] += is_right;
    }
    // Sums first; means once all rows are in.
    ReliabilityBin& bin = card.bins[BinOf(row.confidence)];
    ++bin.rows;
    bin.confidence += row.confidence;
    bin.accuracy += static_cast<double>(is_right);
  }
  FillClasses(labels_, &card);
  card.accuracy = Ratio(right, card.rows);
  int64_t single_classes = 0;
  for (size_t i = 0; i < labels_.size(); ++i) {
    if (single_rows[i] == 0) continue;
    ++single_classes;
    card.macro_recall += Ratio(single_right[i], single_rows[i]);
  }
  if (single_classes > 0) card.macro_recall /= static_cast<double>(single_classes);
  for (ReliabilityBin& bin : card.bins) {
    if (bin.rows == 0) continue;
    bin.confidence /= static_cast<double>(bin.rows);
    bin.accuracy /= static_cast<double>(bin.rows);
    card.ece += Ratio(bin.rows, card.rows) * std::abs(bin.accuracy - bin.confidence);
  }
  if (card.rows > 0) {
    card.brier = brier_ / static_cast<double>(card.rows);
    card.log_loss = log_loss_ / static_cast<double>(card.rows);
  }
  return card;
}

std::vector<Confusion> WorstConfusions(const Scorecard& scorecard, size_t limit) {
  std::vector<Confusion> mistakes;
  for (size_t i = 0; i < scorecard.confusion.size(); ++i) {
    for (size_t j = 0; j < scorecard.confusion[i].size(); ++j) {
      const int64_t rows = scorecard.confusion[i][j];
      if (i != j && rows > 0) mistakes.push_back({i, j, rows});
    }
  }
  std::stable_sort(mistakes.begin(), mistakes.end(),
                   [](const Confusion& a, const Confusion& b) { return a.rows > b.rows; });
  if (mistakes.size() > limit) mistakes.resize(limit);
  return mistakes;
}

namespace {

void WriteFigures(double accuracy, double macro_f1, double macro_recall, JsonWriter& w) {
  w.Key("accuracy").Double(accuracy);
  w.Key("macro_f1").Double(macro_f1);
  w.Key("macro_recall").Double(macro_recall);
}

void WriteRunsFigures(const Scorecard& scorecard, JsonWriter& w) {
  if (!scorecard.learning_curve.empty()) {
    w.Key("learning_curve").Array([&](JsonWriter& a) {
      for (const LearningPoint& point : scorecard.learning_curve) {
        a.Object([&](JsonWriter& o) {
          o.Key("groups").Int(point.groups);
          o.Key("texts").Int(point.texts);
          WriteFigures(point.accuracy, point.macro_f1, point.macro_recall, o);
        });
      }
    });
  }
  if (scorecard.baselines.empty()) return;
  w.Key("baselines").Array([&](JsonWriter& a) {
    for (const Baseline& baseline : scorecard.baselines) {
      a.Object([&](JsonWriter& o) {
        o.Key("name").String(baseline.name);
        WriteFigures(baseline.accuracy, baseline.macro_f1, baseline.macro_recall, o);
      });
    }
  });
}

}  // namespace

std::string WriteScorecard(const Scorecard& scorecard) {
  std::string out;
  JsonWriter writer(&out);
  writer.Object([&](JsonWriter& w) {
    w.Key("rows").Int(scorecard.rows);
    w.Key("accuracy").Double(scorecard.accuracy);
    w.Key("macro_f1").Double(scorecard.macro_f1);
    w.Key("macro_recall").Double(scorecard.macro_recall);
    w.Key("ece").Double(scorecard.ece);
    w.Key("brier").Double(scorecard.brier);
    w.Key("log_loss").Double(scorecard.log_loss);
    w.Key("classes").Array([&](JsonWriter& a) {
      for (const ClassScore& score : scorecard.classes) {
        a.Object([&](JsonWriter& o) {
          o.Key("label").String(score.label);
          o.Key("support").Int(score.support);
          o.Key("predicted").Int(score.predicted);
          o.Key("correct").Int(score.correct);
          o.Key("precision").Double(score.precision);
          o.Key("recall").Double(score.recall);
          o.Key("f1").Double(score.f1);
        });
      }
    });
    w.Key("confusion").Array([&](JsonWriter& a) {
      for (const std::vector<int64_t>& row : scorecard.confusion) {
        a.Array([&](JsonWriter& r) {
          for (const int64_t count : row) r.Int(count);
        });
      }
    });
    w.Key("bins").Array([&](JsonWriter& a) {
      for (const ReliabilityBin& bin : scorecard.bins) {
        a.Object([&](JsonWriter& o) {
          o.Key("rows").Int(bin.rows);
          o.Key("confidence").Double(bin.confidence);
          o.Key("accuracy").Double(bin.accuracy);
        });
      }
    });
    WriteRunsFigures(scorecard, w);
  });
  return out;
}

namespace {

const JsonValue& GetArray(const JsonValue& object, std::string_view key) {
  const JsonValue& value = GetJson(object, key);
  if (!value.IsArray()) {
    throw Error(ErrorCode::kInvalidArgument, "key '" + std::string(key) + "' is not an array");
  }
  return value;
}

Scorecard ReadScorecard(const JsonValue& json) {
  Scorecard card;
  card.rows = GetJsonInt(json, "rows");
  card.accuracy = GetJsonDouble(json, "accuracy");
  card.macro_f1 = GetJsonDouble(json, "macro_f1");
  card.macro_recall = GetJsonDouble(json, "macro_recall");
  card.ece = GetJsonDouble(json, "ece");
  card.brier = GetJsonDouble(json, "brier");
  card.log_loss = GetJsonDouble(json, "log_loss");
  for (const JsonValue& item : GetArray(json, "classes").GetArray()) {
    card.classes.push_back({std::string(GetJsonString(item, "label")), GetJsonInt(item, "support"),
                            GetJsonInt(item, "predicted"), GetJsonInt(item, "correct"),
                            GetJsonDouble(item, "precision"), GetJsonDouble(item, "recall"),
                            GetJsonDouble(item, "f1")});
  }
  for (const JsonValue& row : GetArray(json, "confusion").GetArray()) {
    std::vector<int64_t> counts;
    if (!row.IsArray()) throw Error(ErrorCode::kInvalidArgument, "key 'confusion' is no matrix");
    for (const JsonValue& count : row.GetArray()) {
      if (!count.IsInt64()) {
        throw Error(ErrorCode::kInvalidArgument, "key 'confusion' holds no integer");
      }
      counts.push_back(count.GetInt64());
    }
    if (counts.size() != card.classes.size()) {
      throw Error(ErrorCode::kInvalidArgument, "key 'confusion' is not square");
    }
    card.confusion.push_back(std::move(counts));
  }
  if (card.confusion.size() != card.classes.size()) {
    throw Error(ErrorCode::kInvalidArgument, "key 'confusion' is not square");
  }
  for (const JsonValue& item : GetArray(json, "bins").GetArray()) {
    card.bins.push_back({GetJsonInt(item, "rows"), GetJsonDouble(item, "confidence"),
                         GetJsonDouble(item, "accuracy")});
  }
  if (FindJson(json, "learning_curve") != nullptr) {
    for (const JsonValue& item : GetArray(json, "learning_curve").GetArray()) {
      card.learning_curve.push_back(
          {GetJsonInt(item, "groups"), GetJsonInt(item, "texts"), GetJsonDouble(item, "accuracy"),
           GetJsonDouble(item, "macro_f1"), GetJsonDouble(item, "macro_recall")});
    }
  }
  if (FindJson(json, "baselines") != nullptr) {
    for (const JsonValue& item : GetArray(json, "baselines").GetArray()) {
      card.baselines.push_back({std::string(GetJsonString(item, "name")),
                                GetJsonDouble(item, "accuracy"), GetJsonDouble(item, "macro_f1"),
                                GetJsonDouble(item, "macro_recall")});
    }
  }
  return card;
}

}  // namespace

Scorecard ParseScorecard(std::string_view json) {
  try {
    return ReadScorecard(ParseJson(json));
  } catch (const Error& e) {
    throw Error(ErrorCode::kCorrupt, std::string("scorecard: ") + e.what());
  }
}

}  // namespace rebound
