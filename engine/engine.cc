#include "engine/engine.h"

#include <algorithm>
#include <utility>

#include "engine/ruling.h"
#include "models/status_code.h"
#include "tokenizer/normaliser.h"

namespace rebound {
namespace {

// The ids of the prepared text, encoded anew only where the tokenizer is another one.
std::span<const int32_t> IdsFor(const Classifier& classifier, Engine::Scratch* scratch) {
  if (scratch->ids_tokenizer != classifier.tokenizer_sha256()) {
    scratch->ids_tokenizer.clear();  // stays so if encoding throws
    scratch->run = nullptr;
    classifier.encoder().Encode(scratch->normalised, &scratch->encoder, &scratch->ids);
    scratch->ids_tokenizer = classifier.tokenizer_sha256();
  }
  return scratch->ids;
}

// Runs the network over the prepared text, unless the last classifier had the same one.
void RunFor(const Classifier& classifier, Engine::Scratch* scratch) {
  const std::span<const int32_t> ids = IdsFor(classifier, scratch);
  if (scratch->run == classifier.network()) return;
  scratch->run = nullptr;
  classifier.Run(ids, &scratch->classifier);
  scratch->run = classifier.network();
}

// The model's probability of a label of the task; 0 where the bundle does not know the label.
float ProbabilityOf(const Classifier& classifier, size_t task_label, Engine::Scratch* scratch) {
  const size_t labels = classifier.config().labels.size();
  for (size_t i = 0; i < labels; ++i) {
    if (classifier.task_label(i) != task_label) continue;
    scratch->probabilities.resize(labels);
    RunFor(classifier, scratch);
    classifier.Read(&scratch->classifier, scratch->probabilities);
    return scratch->probabilities[i];
  }
  return 0.0F;
}

}  // namespace

std::string_view SourceName(AnswerSource source) {
  switch (source) {
    case AnswerSource::kStatusCode:
      return "status_code";
    case AnswerSource::kRule:
      return "rule";
    case AnswerSource::kOverride:
      return "override";
    case AnswerSource::kModel:
      break;
  }
  return "model";
}

ModelSet Engine::Take() const {
  const std::lock_guard lock(mutex_);
  return models_;
}

void Engine::Swap(Task task, std::shared_ptr<const Classifier> classifier) {
  {
    const std::lock_guard lock(mutex_);
    models_.by_task[Index(task)].swap(classifier);
  }
  // The old model goes here, outside the lock, if no request holds it.
}

void Engine::Prepare(std::string_view text, Scratch* scratch) {
  scratch->ids_tokenizer.clear();
  scratch->run = nullptr;
  Normalise(text, &scratch->normalised);
}

Prediction Engine::Predict(const ModelSet& models, Task task, Scratch* scratch) {
  const Classifier& classifier = *models.Get(task);
  RunFor(classifier, scratch);
  return classifier.Read(&scratch->classifier);
}

Prediction Engine::Score(const ModelSet& models, Task task, Scratch* scratch,
                         std::vector<float>* by_label) {
  const Classifier& classifier = *models.Get(task);
  scratch->probabilities.resize(classifier.config().labels.size());
  RunFor(classifier, scratch);
  classifier.Read(&scratch->classifier, scratch->probabilities);
  by_label->assign(TaskLabels(task).size(), 0.0F);
  for (size_t i = 0; i < scratch->probabilities.size(); ++i) {
    (*by_label)[classifier.task_label(i)] = scratch->probabilities[i];
  }
  const auto best = std::max_element(scratch->probabilities.begin(), scratch->probabilities.end());
  return {static_cast<size_t>(best - scratch->probabilities.begin()), *best};
}

TaskAnswer Engine::Decide(const ModelSet& models, Task task, const Prediction& prediction,
                          std::string_view text, Scratch* scratch, const Ruling* ruling) {
  const Classifier& classifier = *models.Get(task);
  const size_t model_label = classifier.task_label(prediction.label);
  TaskAnswer answer{model_label, prediction.probability, AnswerSource::kModel, model_label};
  if (ruling != nullptr) {
    if (const auto ruled = LabelOfRuling(*ruling, task, model_label)) {
      answer.label = ruled->label;
      answer.source = ruled->source;
      if (answer.source == AnswerSource::kOverride) {
        answer.probability = 1.0F;
      } else if (answer.label != model_label) {
        answer.probability = ProbabilityOf(classifier, answer.label, scratch);
      }
      return answer;
    }
  }
  std::optional<size_t> by_code;
  if (prediction.probability < classifier.config().fallback_threshold) {
    by_code = LabelOfStatusCodes(task, FindStatusCodes(text));
  }
  if (by_code && *by_code != model_label) {
    answer.label = *by_code;
    answer.source = AnswerSource::kStatusCode;
  } else if (!by_code && task == Task::kAction && prediction.probability < kActionGuess) {
    static const size_t kUnknown = FindLabel(Task::kAction, "unknown").value();
    answer.label = kUnknown;
  }
  if (answer.label != model_label) {
    answer.probability = ProbabilityOf(classifier, answer.label, scratch);
  }
  return answer;
}

}  // namespace rebound
