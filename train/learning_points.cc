#include "train/learning_points.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <unordered_set>

#include "evaluation/learning_curve.h"

namespace rebound {
namespace {

LearningPoint MakePoint(int64_t groups, size_t texts, const Scorecard& card) {
  return {groups, static_cast<int64_t>(texts), card.accuracy, card.macro_f1, card.macro_recall};
}

void TellPoint(const LearningPoint& point, double seconds_left, Progress* progress) {
  progress->Tell("learning_point", {{"groups", std::to_string(point.groups)},
                                    {"texts", std::to_string(point.texts)},
                                    {"accuracy", FigureText(point.accuracy)},
                                    {"macro_f1", FigureText(point.macro_f1)},
                                    {"macro_recall", FigureText(point.macro_recall)},
                                    {"seconds_left", std::to_string(std::llround(seconds_left))}});
}

}  // namespace

int LearningEpochs(int epochs, int64_t part, int64_t all) {
  constexpr double kMost = 16.0;
  const double share = static_cast<double>(all) / static_cast<double>(part);
  return static_cast<int>(std::ceil(epochs * std::min(std::sqrt(share), kMost)));
}

std::vector<LearningPart> MakeLearningParts(const DataSet& all, const TrainingOptions& options) {
  if (options.learning_least == 0) return {};
  const std::set<int32_t> distinct(all.groups.begin(), all.groups.end());
  const std::vector<int32_t> groups(distinct.begin(), distinct.end());
  const auto count = static_cast<int64_t>(groups.size());
  const std::vector<int32_t> order =
      LearningOrder(static_cast<int32_t>(groups.size()), options.seed);
  std::vector<LearningPart> parts;
  for (const int64_t size : LearningSizes(count, options.learning_least)) {
    if (size == count) break;
    std::unordered_set<int32_t> chosen;
    for (int64_t i = 0; i < size; ++i) {
      chosen.insert(groups[static_cast<size_t>(order[static_cast<size_t>(i)])]);
    }
    LearningPart part{size, SelectGroups(all, chosen), 0, 0};
    part.epochs = LearningEpochs(options.fit.epochs, size, count);
    part.rows_shown = BatchSource(part.rows, options.fit.sampling, options.seed).rows_per_epoch() *
                      static_cast<size_t>(part.epochs);
    parts.push_back(std::move(part));
  }
  return parts;
}

void MeasureLearning(const std::vector<LearningPart>& parts, const Sides& sides,
                     const Corpus& corpus, const Encoder& encoder, const TrainingOptions& options,
                     const Trained& trained, const std::vector<LearningTask>& tasks,
                     Progress* progress) {
  const auto seconds_for = [&](size_t rows) {
    return static_cast<double>(rows) * options.members /
           std::max(trained.fit.samples_per_second, 1e-9);
  };
  size_t left = 0;  // rows to be shown
  for (const LearningPart& part : parts) left += part.rows_shown;
  progress->Tell("learning_curve",
                 {{"trainings", std::to_string(parts.size())},
                  {"about_seconds", std::to_string(std::llround(seconds_for(left)))}});
  const auto add = [](const LearningTask& task, const LearningPoint& point, double seconds_left) {
    task.whole->learning_curve.push_back(point);
    TellPoint(point, seconds_left, task.progress);
  };
  for (const LearningPart& part : parts) {
    TrainingOptions part_options = options;
    part_options.fit.epochs = part.epochs;
    // A line for each epoch of each part would drown the points: on a terminal the bar moves.
    const Trained learned = TrainOn(part.rows, sides.causes, trained.kind,
                                    trained.kind + " on " + std::to_string(part.groups) + " groups",
                                    encoder, part_options, [&](const EpochReport& report) {
                                      if (!report.finished) progress->TellEpoch(report);
                                    });
    left -= part.rows_shown;
    for (const LearningTask& task : tasks) {
      const DataSet judge = SelectTask(sides.judge, corpus, task.task);
      const std::vector<std::string> labels = LabelNames(task.task);
      const std::vector<float> probabilities = TaskProbabilities(
          LogitsOf(learned.network.get(), judge, sides.causes.size()), sides.causes.size(),
          TaskOutputs(sides.causes, task.task), labels.size(), 1.0);
      add(task,
          MakePoint(part.groups, part.rows.rows(),
                    JudgeProbabilities(judge, probabilities, labels)),
          seconds_for(left));
    }
  }
  const auto groups = static_cast<int64_t>(CountGroups(sides.both));
  for (const LearningTask& task : tasks) {
    add(task, MakePoint(groups, sides.both.rows(), *task.whole), 0.0);
  }
}

}  // namespace rebound
