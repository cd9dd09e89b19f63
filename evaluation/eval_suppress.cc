#include "evaluation/eval_suppress.h"

#include <set>

#include "engine/engine.h"
#include "engine/verdict.h"
#include "evaluation/eval_judge.h"
#include "tokenizer/mask.h"

namespace rebound {
namespace {

static_assert(kSuppressAnswers.size() == kSuppressCount);

struct Wanted {
  std::set<Suppress> suppress;
  std::set<Fault> faults;
};

Wanted WantedOf(const std::array<std::vector<size_t>, kTaskCount>& accepted,
                const StatusCodes& codes) {
  Wanted wanted;
  VerdictInput input;
  input.sure = {true, true, true};
  input.reply_code = codes.reply;
  input.enhanced_code = codes.enhanced;
  for (const size_t bnac : accepted[0]) {
    for (const size_t backoff : accepted[1]) {
      for (const size_t action : accepted[2]) {
        input.labels = {bnac, backoff, action};
        const Verdict verdict = JudgeBounce(input);
        wanted.suppress.insert(verdict.suppress);
        wanted.faults.insert(verdict.fault);
      }
    }
  }
  return wanted;
}

Verdict AnswerOf(const ModelSet& models, const LabelledText& row, const StatusCodes& codes,
                 bool with_fallback, Engine::Scratch* scratch) {
  VerdictInput input;
  input.reply_code = codes.reply;
  input.enhanced_code = codes.enhanced;
  Engine::Prepare(row.text, scratch);
  for (const Task task : kTasks) {
    const Classifier& classifier = *models.Get(task);
    const Prediction prediction = Engine::Predict(models, task, scratch);
    size_t label = classifier.task_label(prediction.label);
    float probability = prediction.probability;
    if (with_fallback) {
      const TaskAnswer answer = Engine::Decide(models, task, prediction, row.text, scratch);
      label = answer.label;
      probability = answer.probability;
    }
    input.labels[Index(task)] = label;
    input.sure[Index(task)] =
        IsSureOfRecipient(probability, classifier.config().fallback_threshold, false);
  }
  return JudgeBounce(input);
}

std::string JoinAll(const LabelledText& row) {
  std::string all;
  for (const Task task : kTasks) all += (all.empty() ? "" : ", ") + JoinAccepted(task, row);
  return all;
}

}  // namespace

std::optional<SuppressReport> MeasureSuppression(const ModelSet& models,
                                                 const std::vector<LabelledText>& rows,
                                                 bool with_fallback) {
  for (const Task task : kTasks) {
    if (models.Get(task) == nullptr) return std::nullopt;
  }
  SuppressReport report;
  Engine::Scratch scratch;
  for (const LabelledText& row : rows) {
    if (!row.sure) continue;
    std::array<std::vector<size_t>, kTaskCount> accepted;
    bool complete = true;
    for (const Task task : kTasks) {
      accepted[Index(task)] = FindAccepted(task, row);
      complete = complete && !accepted[Index(task)].empty();
    }
    if (!complete) continue;
    const StatusCodes codes = FindStatusCodes(row.text);
    const Wanted wanted = WantedOf(accepted, codes);
    const Verdict answer = AnswerOf(models, row, codes, with_fallback, &scratch);
    if (wanted.faults.size() == 1) {
      ++report.fault_rows;
      report.fault_right += wanted.faults.contains(answer.fault) ? 1 : 0;
    }
    if (wanted.suppress.size() != 1) {
      ++report.open;
      continue;
    }
    const Suppress right = *wanted.suppress.begin();
    ++report.counts[static_cast<size_t>(right)][static_cast<size_t>(answer.suppress)];
    if (answer.suppress == Suppress::kYes && right != Suppress::kYes) {
      report.wrong.push_back({row.id, JoinAll(row), Mask(row.text)});
    }
  }
  if (report.Rows() + report.open == 0) return std::nullopt;
  return report;
}

}  // namespace rebound
