#include "train/chosen_network.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "base/error.h"
#include "evaluation/calibration.h"
#include "models/network.h"
#include "train/ensemble.h"

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
  for (const Task other : kTasks) {
    if (other == options.task) continue;
    spec.others.push_back(static_cast<int64_t>(TaskLabels(other).size()));
  }
  spec.seed = options.seed;
  spec.device = options.device;
  spec.threads = options.threads;
  return spec;
}

// Members differ by seed alone. Leaves the network that is their mean in `*trained`.
void TrainMembers(const DataSet& train, const DataSet& calibrate, const std::string& name,
                  const Encoder& encoder, const TrainingOptions& options,
                  const EpochObserver& observer, Trained* trained) {
  NetworkSpec spec = MakeSpec(trained->kind, encoder, options);
  FitOptions fit = options.fit;
  std::vector<Weights> members;
  double seconds_by_sample = 0.0;
  for (int member = 0; member < options.members; ++member) {
    spec.seed = fit.seed = options.seed * 1000 + static_cast<uint64_t>(member);
    const std::unique_ptr<Network> network = options.make_network(spec);
    const std::string member_name =
        options.members == 1 ? name : name + ' ' + std::to_string(member + 1);
    trained->fit = Fit(network.get(), member_name, train, calibrate, LabelNames(options.task), fit,
                       observer, options.stop);
    seconds_by_sample += 1.0 / std::max(trained->fit.samples_per_second, 1e-9);
    members.push_back(network->Export());
  }
  trained->fit.samples_per_second = options.members / seconds_by_sample;
  const Weights merged = MergeMembers(spec, members);
  spec.sizes = trained->sizes = MergedSizes(spec.sizes, options.members);
  trained->network = options.make_network(spec);
  trained->network->Import(merged);
}

EpochObserver TellTo(Progress* progress) {
  return [progress](const EpochReport& report) { progress->TellEpoch(report); };
}

Trained TrainNetwork(const std::string& kind, const Sides& sides, const Encoder& encoder,
                     const TrainingOptions& options, Progress* progress) {
  const std::vector<std::string> labels = LabelNames(options.task);
  Trained trained;
  trained.kind = kind;
  TrainMembers(sides.train, sides.calibrate, kind, encoder, options, TellTo(progress), &trained);
  const std::vector<float> logits = LogitsOf(trained.network.get(), sides.calibrate, labels.size());
  const std::vector<size_t> truths(sides.calibrate.labels.begin(), sides.calibrate.labels.end());
  trained.fit.calibration =
      JudgeProbabilities(sides.calibrate, ProbabilitiesOf(logits, labels.size(), 1.0), labels);
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
  TrainMembers(sides.both, DataSet(), trained->kind + " on all rows", encoder, options,
               TellTo(progress), trained);
}

Trained TrainOn(const DataSet& train, const std::string& kind, const std::string& name,
                const Encoder& encoder, const TrainingOptions& options,
                const EpochObserver& observer) {
  Trained trained;
  trained.kind = kind;
  TrainMembers(train, DataSet(), name, encoder, options, observer, &trained);
  return trained;
}

}  // namespace rebound
