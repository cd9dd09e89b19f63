#include "train/chosen_network.h"

#include <cmath>
#include <set>

#include "base/error.h"
#include "evaluation/calibration.h"
#include "models/network.h"

namespace rebound {
namespace {

NetworkSpec MakeSpec(const std::string& kind, const Encoder& encoder,
                     const TrainingOptions& options) {
  NetworkSpec spec;
  spec.kind = kind;
  spec.sizes = options.sizes;
  spec.sizes[std::string(kVocabularySize)] = encoder.size();
  if (ConvWidths(kind).empty()) spec.sizes.erase(std::string(kFiltersSize));
  spec.labels = static_cast<int64_t>(TaskLabels(options.task).size());
  spec.seed = options.seed;
  spec.device = options.device;
  spec.threads = options.threads;
  return spec;
}

FitOptions MakeFit(const TrainingOptions& options) {
  FitOptions fit = options.fit;
  fit.seed = options.seed;
  return fit;
}

Trained TrainNetwork(const std::string& kind, const Sides& sides, const Encoder& encoder,
                     const TrainingOptions& options, Progress* progress) {
  const std::vector<std::string> labels = LabelNames(options.task);
  Trained trained;
  trained.kind = kind;
  trained.network = options.make_network(MakeSpec(kind, encoder, options));
  trained.fit = Fit(
      trained.network.get(), kind, sides.train, sides.calibrate, labels, MakeFit(options),
      [&](const EpochReport& report) { progress->TellEpoch(report); }, options.stop);
  const std::vector<float> logits = LogitsOf(trained.network.get(), sides.calibrate, labels.size());
  const std::vector<size_t> truths(sides.calibrate.labels.begin(), sides.calibrate.labels.end());
  trained.temperature = FitTemperature(logits, truths, labels.size());
  progress->Tell("network", {{"network", kind},
                             {"best_epoch", std::to_string(trained.fit.best_epoch)},
                             {"calibration_accuracy", FigureText(trained.fit.calibration.accuracy)},
                             {"calibration_macro_f1", FigureText(trained.fit.calibration.macro_f1)},
                             {"temperature", FigureText(trained.temperature)},
                             {"samples_per_second",
                              std::to_string(std::llround(trained.fit.samples_per_second))}});
  return trained;
}

}  // namespace

std::vector<std::string> LabelNames(Task task) {
  const auto labels = TaskLabels(task);
  return {labels.begin(), labels.end()};
}

size_t CountGroups(const DataSet& data) {
  return std::set<int32_t>(data.groups.begin(), data.groups.end()).size();
}

Sides MakeSides(const Corpus& corpus, const Encoder& encoder, const TrainingOptions& options,
                Progress* progress) {
  Sides sides{MakeDataSet(corpus, options.task, {Side::kTrain}, encoder, 0),
              MakeDataSet(corpus, options.task, {Side::kCalibrate}, encoder, kJudgedCopies),
              MakeDataSet(corpus, options.task, {Side::kTrain, Side::kCalibrate}, encoder, 0),
              MakeDataSet(corpus, options.task, {Side::kJudge}, encoder, kJudgedCopies)};
  progress->Tell("data", {{"snapshot", std::to_string(corpus.snapshot.id)},
                          {"train_rows", std::to_string(sides.train.rows())},
                          {"train_groups", std::to_string(CountGroups(sides.train))},
                          {"calibration_rows", std::to_string(sides.calibrate.rows())},
                          {"judging_rows", std::to_string(sides.judge.rows())},
                          {"judging_groups", std::to_string(CountGroups(sides.judge))}});
  const std::string task(TaskName(options.task));
  if (sides.train.rows() == 0) {
    throw Error(ErrorCode::kInvalidArgument,
                "the snapshot has no training row for task " + task +
                    "; label more texts or seed the store (`rebound-labels seed`)");
  }
  if (sides.calibrate.rows() == 0) {
    progress->Tell("warning", {{"message",
                                "no calibration row: every epoch is trained, temperature is 1 and "
                                "the first network is taken"}});
  }
  if (sides.judge.rows() == 0) {
    progress->Tell("warning", {{"message", "no held-out row: nothing can judge this model"}});
  }
  return sides;
}

Trained TrainBest(const Sides& sides, const Encoder& encoder, const TrainingOptions& options,
                  Progress* progress) {
  Trained best;
  for (const std::string& kind : options.networks) {
    Trained next = TrainNetwork(kind, sides, encoder, options, progress);
    const bool better =
        best.network == nullptr || FitScore(next.fit.calibration) > FitScore(best.fit.calibration);
    if (better) best = std::move(next);
  }
  return best;
}

void TrainOnBoth(const Sides& sides, const Encoder& encoder, const TrainingOptions& options,
                 Progress* progress, Trained* trained) {
  trained->network = options.make_network(MakeSpec(trained->kind, encoder, options));
  trained->fit = Fit(
      trained->network.get(), trained->kind + " on all rows", sides.both, DataSet(),
      LabelNames(options.task), MakeFit(options),
      [&](const EpochReport& report) { progress->TellEpoch(report); }, options.stop);
}

}  // namespace rebound
