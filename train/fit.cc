#include "train/fit.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "base/error.h"
#include "train/corpus.h"

namespace rebound {
namespace {

using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Rises over the first half epoch, then falls along a cosine to a fiftieth.
float RateAt(float highest, double progress, double warm_up) {
  constexpr double kPi = 3.14159265358979323846;
  const double floor = 0.02;
  const double rise = std::min(1.0, progress / std::max(warm_up, 1e-9));
  const double fall = floor + (1.0 - floor) * 0.5 * (1.0 + std::cos(kPi * progress));
  return highest * static_cast<float>(rise * fall);
}

}  // namespace

double FitScore(const Scorecard& scorecard) {
  return (scorecard.macro_f1 + scorecard.accuracy) / 2.0;
}

std::vector<float> LogitsOf(Network* network, const DataSet& data, size_t labels) {
  constexpr size_t kChunk = 512;
  std::vector<float> all;
  all.reserve(data.rows() * labels);
  std::vector<float> logits;
  Batch batch;
  for (size_t begin = 0; begin < data.rows(); begin += kChunk) {
    ClearBatch(&batch);
    for (size_t row = begin; row < std::min(begin + kChunk, data.rows()); ++row) {
      AppendRow(data, row, &batch);
    }
    network->Forward(batch, &logits);
    all.insert(all.end(), logits.begin(), logits.end());
  }
  return all;
}

std::vector<float> ProbabilitiesOf(std::vector<float> logits, size_t labels, double temperature) {
  for (size_t begin = 0; begin < logits.size(); begin += labels) {
    float* row = logits.data() + begin;
    const double highest = *std::max_element(row, row + labels);
    double sum = 0.0;
    for (size_t i = 0; i < labels; ++i) sum += std::exp((row[i] - highest) / temperature);
    for (size_t i = 0; i < labels; ++i) {
      row[i] = static_cast<float>(std::exp((row[i] - highest) / temperature) / sum);
    }
  }
  return logits;
}

Scorecard JudgeProbabilities(const DataSet& data, const std::vector<float>& probabilities,
                             const std::vector<std::string>& labels) {
  ScorecardBuilder builder(labels);
  for (size_t row = 0; row < data.rows(); ++row) {
    const std::span<const float> p(probabilities.data() + row * labels.size(), labels.size());
    const auto predicted = static_cast<size_t>(std::max_element(p.begin(), p.end()) - p.begin());
    const auto label = static_cast<size_t>(data.labels[row]);
    std::vector<size_t> right = {label};
    if (data.patterns != nullptr) {
      right.assign((*data.patterns)[label].begin(), (*data.patterns)[label].end());
      if (right.empty()) continue;
    }
    builder.Add(right, predicted, p);
  }
  return builder.Finish();
}

FitResult Fit(Network* network, const std::string& kind, const DataSet& train,
              const DataSet& calibrate, const std::vector<std::string>& labels,
              const FitOptions& options, const EpochObserver& observer,
              const std::function<bool()>& stop) {
  BatchSource source(train, options.sampling, options.seed);
  const size_t rows = source.rows_per_epoch();
  const double total = static_cast<double>(rows) * options.epochs;
  const auto start = Clock::now();
  FitResult result;
  Weights best_weights;
  double best_score = -1.0;
  double best_loss = 0.0;
  size_t done = 0;
  Batch batch;
  for (int epoch = 1; epoch <= options.epochs; ++epoch) {
    EpochReport report{kind, epoch, options.epochs, 0, rows};
    double loss_sum = 0.0;
    source.StartEpoch();
    while (source.Next(&batch)) {
      ThrowIfStopped(stop);
      const double progress = (static_cast<double>(done) + 1.0) / total;
      StepOptions step{RateAt(options.learning_rate, progress, 0.5 / options.epochs),
                       options.label_smoothing, options.dropout};
      const double loss = network->Step(batch, step);
      if (!std::isfinite(loss)) {
        throw Error(ErrorCode::kInternal, kind + ": the loss is not finite in epoch " +
                                              std::to_string(epoch) +
                                              "; train with a lower --learning-rate");
      }
      done += batch.rows();
      report.rows_done += batch.rows();
      loss_sum += loss * static_cast<double>(batch.rows());
      report.loss = loss_sum / static_cast<double>(report.rows_done);
      report.samples_per_second = static_cast<double>(done) / std::max(SecondsSince(start), 1e-9);
      report.seconds_left = (total - static_cast<double>(done)) / report.samples_per_second;
      if (observer) observer(report);
    }
    result.samples_per_second = report.samples_per_second;
    result.samples = done;
    const std::vector<float> logits = LogitsOf(network, calibrate, labels.size());
    const Scorecard card =
        JudgeProbabilities(calibrate, ProbabilitiesOf(logits, labels.size(), 1.0), labels);
    report.finished = true;
    report.judged = calibrate.rows() > 0;
    report.accuracy = card.accuracy;
    report.macro_f1 = card.macro_f1;
    if (observer) observer(report);
    const double score = FitScore(card);
    const bool better = score > best_score || (score == best_score && card.log_loss < best_loss);
    const bool keeps_best = calibrate.rows() > 0 && options.patience > 0;
    if (better || !keeps_best) {
      best_score = score;
      best_loss = card.log_loss;
      result.best_epoch = epoch;
      result.calibration = card;
      if (keeps_best) best_weights = network->Export();
    } else if (epoch - result.best_epoch >= options.patience) {
      break;
    }
  }
  if (!best_weights.empty()) network->Import(best_weights);
  return result;
}

}  // namespace rebound
