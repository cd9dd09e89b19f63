#include "train/chosen_network.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <exception>
#include <mutex>
#include <set>
#include <thread>

#include "base/error.h"
#include "models/network.h"
#include "train/ensemble.h"

namespace rebound {
namespace {

NetworkSpec MakeSpec(const std::string& kind, const Causes& causes, const Encoder& encoder,
                     const TrainingOptions& options) {
  NetworkSpec spec;
  spec.kind = kind;
  spec.sizes = options.sizes;
  spec.sizes[std::string(kVocabularySize)] = encoder.size();
  if (ConvWidths(kind).empty()) spec.sizes.erase(std::string(kFiltersSize));
  spec.outputs = static_cast<int64_t>(causes.size());
  spec.patterns = causes.patterns();
  spec.seed = options.seed;
  spec.device = options.device;
  spec.threads = options.threads;
  return spec;
}

std::vector<std::string> CauseNames(const Causes& causes) {
  std::vector<std::string> names;
  for (size_t i = 0; i < causes.size(); ++i) names.push_back(causes.Name(i));
  return names;
}

// Runs work(0) .. work(count - 1), at most `jobs` at a time, each on one thread. The first failure
// ends what has not begun and is thrown when all have ended.
void RunSideBySide(int count, int jobs, const std::function<void(int)>& work) {
  std::atomic<int> next{0};
  std::mutex mutex;
  std::exception_ptr failure;
  const auto run = [&] {
    for (int i = next++; i < count; i = next++) {
      try {
        work(i);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (failure == nullptr) failure = std::current_exception();
        next = count;
      }
    }
  };
  std::vector<std::thread> threads;
  for (int i = 1; i < std::min(count, jobs); ++i) threads.emplace_back(run);
  run();
  for (std::thread& thread : threads) thread.join();
  if (failure != nullptr) std::rethrow_exception(failure);
}

// Members differ by seed alone. Leaves the network that is their mean in `*trained`.
void TrainMembers(const DataSet& train, const DataSet& calibrate, const Causes& causes,
                  const std::string& name, const Encoder& encoder, const TrainingOptions& options,
                  const EpochObserver& observer, Trained* trained) {
  NetworkSpec spec = MakeSpec(trained->kind, causes, encoder, options);
  const std::vector<std::string> names = CauseNames(causes);
  std::vector<Weights> members(static_cast<size_t>(options.members));
  std::vector<FitResult> fits(members.size());
  std::mutex mutex;
  const EpochObserver one_at_a_time = [&](const EpochReport& report) {
    const std::lock_guard lock(mutex);
    if (observer) observer(report);
  };
  const auto start = std::chrono::steady_clock::now();
  RunSideBySide(options.members, options.jobs, [&](int member) {
    NetworkSpec own = spec;
    FitOptions fit = options.fit;
    own.seed = fit.seed = options.seed * 1000 + static_cast<uint64_t>(member);
    const std::unique_ptr<Network> network = options.make_network(own);
    const std::string member_name =
        options.members == 1 ? name : name + ' ' + std::to_string(member + 1);
    const auto at = static_cast<size_t>(member);
    fits[at] =
        Fit(network.get(), member_name, train, calibrate, names, fit, one_at_a_time, options.stop);
    members[at] = network->Export();
  });
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  trained->fit = fits.back();
  size_t shown = 0;
  for (const FitResult& fit : fits) shown += fit.samples;
  trained->fit.samples_per_second = static_cast<double>(shown) / std::max(taken.count(), 1e-9);
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
  Trained trained;
  trained.kind = kind;
  TrainMembers(sides.train, sides.calibrate, sides.causes, kind, encoder, options, TellTo(progress),
               &trained);
  const size_t causes = sides.causes.size();
  trained.calibration_logits = LogitsOf(trained.network.get(), sides.calibrate, causes);
  trained.fit.calibration =
      JudgeProbabilities(sides.calibrate, ProbabilitiesOf(trained.calibration_logits, causes, 1.0),
                         CauseNames(sides.causes));
  progress->Tell("network", {{"network", kind},
                             {"causes", std::to_string(causes)},
                             {"best_epoch", std::to_string(trained.fit.best_epoch)},
                             {"calibration_accuracy", FigureText(trained.fit.calibration.accuracy)},
                             {"calibration_macro_f1", FigureText(trained.fit.calibration.macro_f1)},
                             {"samples_per_second",
                              std::to_string(std::llround(trained.fit.samples_per_second))}});
  return trained;
}

}  // namespace

size_t CountGroups(const DataSet& data) {
  return std::set<int32_t>(data.groups.begin(), data.groups.end()).size();
}

Sides MakeSides(const Corpus& corpus, const Encoder& encoder, const TrainingOptions& options,
                Progress* progress) {
  Sides sides;
  sides.causes = FindCauses(corpus);
  sides.train = MakeDataSet(corpus, sides.causes, {Side::kTrain}, encoder, 0);
  sides.calibrate = MakeDataSet(corpus, sides.causes, {Side::kCalibrate}, encoder, kJudgedCopies);
  sides.both = MakeDataSet(corpus, sides.causes, {Side::kTrain, Side::kCalibrate}, encoder, 0);
  sides.judge = MakeDataSet(corpus, sides.causes, {Side::kJudge}, encoder, kJudgedCopies);
  progress->Tell("data", {{"snapshot", std::to_string(corpus.snapshot.id)},
                          {"train_rows", std::to_string(sides.train.rows())},
                          {"train_groups", std::to_string(CountGroups(sides.train))},
                          {"calibration_rows", std::to_string(sides.calibrate.rows())},
                          {"judging_rows", std::to_string(sides.judge.rows())},
                          {"judging_groups", std::to_string(CountGroups(sides.judge))}});
  for (const Task task : options.tasks) {
    if (SelectTask(sides.train, corpus, task).rows() > 0) continue;
    throw Error(ErrorCode::kInvalidArgument,
                "the snapshot has no training row for task " + std::string(TaskName(task)) +
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
  TrainMembers(sides.both, DataSet(), sides.causes, trained->kind + " on all rows", encoder,
               options, TellTo(progress), trained);
}

Trained TrainForBundle(const Sides& sides, const Encoder& encoder, const TrainingOptions& options,
                       Progress* progress) {
  Trained trained = TrainBest(sides, encoder, options, progress);
  if (sides.calibrate.rows() > 0) TrainOnBoth(sides, encoder, options, progress, &trained);
  return trained;
}

Trained TrainOn(const DataSet& train, const Causes& causes, const std::string& kind,
                const std::string& name, const Encoder& encoder, const TrainingOptions& options,
                const EpochObserver& observer) {
  Trained trained;
  trained.kind = kind;
  TrainMembers(train, DataSet(), causes, name, encoder, options, observer, &trained);
  return trained;
}

}  // namespace rebound
