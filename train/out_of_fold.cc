#include "train/out_of_fold.h"

#include <algorithm>
#include <unordered_set>

#include "base/digest.h"
#include "base/error.h"
#include "base/json.h"
#include "evaluation/calibration.h"
#include "train/chosen_network.h"

namespace rebound {
namespace {

// [corpus.groups] the fold of each; -1 where nothing of it may train.
std::vector<int> DealGroups(const Corpus& corpus, int folds) {
  std::vector<int> fold(static_cast<size_t>(corpus.groups), -1);
  for (const CorpusRow& row : corpus.rows) {
    if (row.side == Side::kJudge) continue;
    fold[static_cast<size_t>(row.group)] =
        FoldOf(corpus.group_names[static_cast<size_t>(row.group)], folds);
  }
  return fold;
}

std::unordered_set<int32_t> GroupsWhere(const std::vector<int>& fold, int which, bool equal) {
  std::unordered_set<int32_t> groups;
  for (size_t group = 0; group < fold.size(); ++group) {
    if (fold[group] >= 0 && (fold[group] == which) == equal) {
      groups.insert(static_cast<int32_t>(group));
    }
  }
  return groups;
}

// [all.rows(), causes] logits of each row by the model that did not learn from it.
std::vector<float> LogitsOutOfFold(const DataSet& all, const std::vector<int>& fold,
                                   const Causes& causes, const Encoder& encoder,
                                   const TrainingOptions& options, int folds, Progress* progress) {
  std::vector<float> logits(all.rows() * causes.size());
  for (int which = 0; which < folds; ++which) {
    const std::string name = "fold " + std::to_string(which + 1);
    const DataSet learn = SelectGroups(all, GroupsWhere(fold, which, false));
    const DataSet ask = SelectGroups(all, GroupsWhere(fold, which, true));
    if (learn.rows() == 0 || ask.rows() == 0) {
      throw Error(ErrorCode::kInvalidArgument,
                  "--out-of-fold: " + name + " of " + std::to_string(folds) +
                      " is empty: use fewer folds, or label more texts");
    }
    const Trained trained =
        TrainOn(learn, causes, options.networks.front(), name, encoder, options,
                [&](const EpochReport& report) { progress->TellEpoch(report); });
    const std::vector<float> asked = LogitsOf(trained.network.get(), ask, causes.size());
    size_t from = 0;
    for (size_t row = 0; row < all.rows(); ++row) {
      if (fold[static_cast<size_t>(all.groups[row])] != which) continue;
      std::copy_n(asked.begin() + static_cast<std::ptrdiff_t>(from * causes.size()), causes.size(),
                  logits.begin() + static_cast<std::ptrdiff_t>(row * causes.size()));
      ++from;
    }
    progress->Tell("fold", {{"fold", std::to_string(which + 1)},
                            {"folds", std::to_string(folds)},
                            {"learned_from", std::to_string(learn.rows())},
                            {"asked", std::to_string(ask.rows())}});
  }
  return logits;
}

// [all.rows(), TaskLabels] of one task.
std::vector<float> TaskAnswers(const Corpus& corpus, const DataSet& all,
                               const std::vector<float>& logits, const Causes& causes, Task task) {
  const TaskOutputs outputs(causes, task);
  std::vector<float> ours;
  std::vector<size_t> truths;
  for (size_t row = 0; row < all.rows(); ++row) {
    const int16_t label = corpus.rows[all.corpus_rows[row]].labels[Index(task)];
    if (label < 0) continue;
    truths.push_back(static_cast<size_t>(label));
    for (const int32_t cause : outputs.causes) {
      ours.push_back(logits[row * causes.size() + static_cast<size_t>(cause)]);
    }
  }
  const double temperature = FitTemperature(ours, truths, outputs.labels);
  return TaskProbabilities(logits, causes.size(), outputs, TaskLabels(task).size(), temperature);
}

}  // namespace

int FoldOf(std::string_view group, int folds) {
  return static_cast<int>(StableHash("fold:" + std::string(group)) % static_cast<uint64_t>(folds));
}

void WriteOutOfFold(const Corpus& corpus, const TokenizerModel& tokenizer,
                    const TrainingOptions& options, int folds, Progress* progress,
                    std::ostream& out) {
  const auto encoder = Encoder::Parse(tokenizer.bytes);
  const Causes causes = FindCauses(corpus);
  const DataSet all = MakeDataSet(corpus, causes, {Side::kTrain, Side::kCalibrate}, *encoder, 0);
  const std::vector<int> fold = DealGroups(corpus, folds);
  const std::vector<float> logits =
      LogitsOutOfFold(all, fold, causes, *encoder, options, folds, progress);
  std::array<std::vector<float>, kTaskCount> answers;
  for (const Task task : options.tasks) {
    answers[Index(task)] = TaskAnswers(corpus, all, logits, causes, task);
  }
  for (size_t row = 0; row < all.rows(); ++row) {
    const CorpusRow& text = corpus.rows[all.corpus_rows[row]];
    std::string line;
    JsonWriter(&line).Object([&](JsonWriter& w) {
      w.Key("id").Int(text.message_id);
      w.Key("fold").Int(fold[static_cast<size_t>(all.groups[row])]);
      for (const Task task : options.tasks) {
        const auto labels = TaskLabels(task);
        const int16_t given = text.labels[Index(task)];
        w.Key(TaskKey(task)).Object([&](JsonWriter& o) {
          o.Key("given");
          given < 0 ? o.Null() : o.String(labels[static_cast<size_t>(given)]);
          o.Key("probabilities").Object([&](JsonWriter& p) {
            for (size_t i = 0; i < labels.size(); ++i) {
              p.Key(labels[i]).Float(answers[Index(task)][row * labels.size() + i]);
            }
          });
        });
      }
    });
    out << line << '\n';
  }
}

}  // namespace rebound
