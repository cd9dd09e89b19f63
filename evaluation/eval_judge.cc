#include "evaluation/eval_judge.h"

#include <algorithm>
#include <map>

#include "base/error.h"
#include "base/file.h"
#include "engine/engine.h"
#include "models/status_code.h"
#include "models/task.h"
#include "tokenizer/mask.h"

namespace rebound {
namespace {

bool Accepts(const std::vector<size_t>& accepted, size_t label) {
  return std::find(accepted.begin(), accepted.end(), label) != accepted.end();
}

std::vector<Slice> BySize(const std::map<std::string, Slice>& slices) {
  std::vector<Slice> ordered;
  for (const auto& [name, slice] : slices) ordered.push_back(slice);
  std::stable_sort(ordered.begin(), ordered.end(),
                   [](const Slice& a, const Slice& b) { return a.rows > b.rows; });
  return ordered;
}

// A sure row as the baselines see it.
struct SureRow {
  std::vector<size_t> accepted;
  std::optional<size_t> by_code;
  size_t by_model;
};

class Judge {
 public:
  Judge(Task task, const ModelSet& models, bool with_fallback)
      : task_(task),
        models_(models),
        with_fallback_(with_fallback),
        all_(LabelNames(task)),
        sure_(LabelNames(task)),
        probabilities_(TaskLabels(task).size()) {}

  void Add(const LabelledText& row) {
    const std::vector<size_t> accepted = FindAccepted(task_, row);
    if (accepted.empty()) return;
    const Classifier& classifier = *models_.Get(task_);
    Engine::Prepare(row.text, &scratch_);
    const Prediction prediction = Engine::Score(models_, task_, &scratch_, &probabilities_);
    const size_t by_model = classifier.task_label(prediction.label);
    size_t label = by_model;
    if (with_fallback_) {
      const TaskAnswer answer = Engine::Decide(models_, task_, prediction, row.text, &scratch_);
      label = answer.label;
      if (answer.source == AnswerSource::kStatusCode) ++report_.by_status_code;
    }
    all_.Add(accepted, label, probabilities_);
    if (row.sure) AddSure(row, accepted, label, by_model);
  }

  TaskReport Finish() {
    report_.task = TaskName(task_);
    report_.all = all_.Finish();
    report_.sure = sure_.Finish();
    report_.intervals = MeasureIntervals(sure_.scored_rows(), TaskLabels(task_).size());
    report_.sources = BySize(sources_);
    report_.languages = BySize(languages_);
    if (!rows_.empty()) AddBaselines();
    return std::move(report_);
  }

 private:
  void AddSure(const LabelledText& row, const std::vector<size_t>& accepted, size_t label,
               size_t by_model) {
    sure_.Add(accepted, label, probabilities_);
    rows_.push_back({accepted, LabelOfStatusCodes(task_, FindStatusCodes(row.text)), by_model});
    const bool right = Accepts(accepted, label);
    const auto count = [&](std::map<std::string, Slice>* slices, const std::string& name) {
      Slice& slice = (*slices)[name];
      slice.name = name;
      ++slice.rows;
      slice.right += right ? 1 : 0;
    };
    count(&sources_, SourceName(row.source));
    count(&languages_, row.language.empty() ? ScriptOf(row.text) : row.language);
    if (right) return;
    report_.mistakes.push_back({row.id, JoinAccepted(task_, row), accepted.front(), label,
                                probabilities_[label], Mask(row.text)});
  }

  template <class Answer>
  void AddBaseline(const std::string& name, Answer answer) {
    ScorecardBuilder builder(LabelNames(task_));
    std::vector<float> certain(TaskLabels(task_).size(), 0.0F);
    for (const SureRow& row : rows_) {
      const size_t label = answer(row);
      certain[label] = 1.0F;
      builder.Add(row.accepted, label, certain);
      certain[label] = 0.0F;
    }
    const Scorecard card = builder.Finish();
    report_.baselines.push_back({name, card.accuracy, card.macro_f1, card.macro_recall});
  }

  void AddBaselines() {
    std::vector<int64_t> accepting(TaskLabels(task_).size(), 0);
    int64_t coded = 0;
    for (const SureRow& row : rows_) {
      for (const size_t label : row.accepted) ++accepting[label];
      coded += row.by_code ? 1 : 0;
    }
    const auto majority = static_cast<size_t>(std::max_element(accepting.begin(), accepting.end()) -
                                              accepting.begin());
    if (with_fallback_) {
      AddBaseline("model alone", [](const SureRow& row) { return row.by_model; });
    }
    AddBaseline("status codes, which fix " +
                    std::to_string(100 * coded / static_cast<int64_t>(rows_.size())) + " %",
                [&](const SureRow& row) { return row.by_code.value_or(majority); });
    AddBaseline("majority class, " + std::string(TaskLabels(task_)[majority]),
                [&](const SureRow&) { return majority; });
  }

  Task task_;
  const ModelSet& models_;
  bool with_fallback_;
  ScorecardBuilder all_, sure_;
  TaskReport report_;
  std::vector<SureRow> rows_;
  std::map<std::string, Slice> sources_, languages_;
  Engine::Scratch scratch_;
  std::vector<float> probabilities_;  // [task's labels]
};

// What the bundle's run measured; empty for a bundle that was made without a run.
Scorecard ReadRunScorecard(const std::filesystem::path& bundle) {
  try {
    return ParseScorecard(ReadFile(bundle / "scorecard.json"));
  } catch (const Error& e) {
    if (e.code() != ErrorCode::kCorrupt) throw;
    return {};
  }
}

}  // namespace

std::vector<size_t> FindAccepted(Task task, const LabelledText& row) {
  std::vector<size_t> accepted;
  const auto names = row.classes.find(std::string(TaskKey(task)));
  if (names == row.classes.end()) return accepted;
  for (const std::string& name : names->second) {
    const std::optional<size_t> label = FindLabel(task, name);
    if (!label) {
      throw Error(ErrorCode::kInvalidArgument,
                  "row " + row.id + ": '" + name + "' is no class of " +
                      std::string(TaskName(task)) + "; its classes are in models/task.h");
    }
    accepted.push_back(*label);
  }
  return accepted;
}

std::string JoinAccepted(Task task, const LabelledText& row) {
  std::string out;
  for (const std::string& name : row.classes.at(std::string(TaskKey(task)))) {
    out.append(out.empty() ? "" : " or ").append(name);
  }
  return out;
}

TaskReport JudgeTask(Task task, const ModelSet& models, const std::filesystem::path& bundle,
                     const std::vector<LabelledText>& rows, bool with_fallback) {
  Judge judge(task, models, with_fallback);
  for (const LabelledText& row : rows) judge.Add(row);
  TaskReport report = judge.Finish();
  const Classifier& classifier = *models.Get(task);
  const BundleConfig& config = classifier.config();
  report.facts = {{"version", std::to_string(config.version)},
                  {"model", classifier.hash()},
                  {"network", config.network},
                  {"made", config.trained_at},
                  {"trained on", std::to_string(config.training_samples) + " texts"}};
  report.run = ReadRunScorecard(bundle);
  return report;
}

}  // namespace rebound
