#include "serve/label_routes.h"

#include <string_view>
#include <vector>

#include "base/json.h"
#include "engine/answer.h"
#include "serve/answer_log.h"
#include "serve/metrics.h"
#include "serve/prediction.h"
#include "serve/shadow.h"
#include "serve/texts.h"

namespace rebound {

void LabelRoutes::AddTo(Router* router) const {
  router->Add({kPost, "/api/classify", Scope::kClassify,
               [this](const Call& call) { return Classify(call); }});
  router->Add({kGet, "/api/labels", Scope::kClassify, [this](const Call&) { return Labels(); }});
  // Open, as the documentation is: who contributes or reviews needs it, with keys of either scope.
  router->Add(
      {kGet, "/api/labels/definitions", Scope::kOpen, [](const Call&) { return Definitions(); }});
  router->Add(
      {kGet, "/api/model/info", Scope::kClassify, [this](const Call&) { return ModelInfo(); }});
}

// Every answer holds all scores, so there is nothing that the cache could save.
Response LabelRoutes::Classify(const Call& call) const {
  static constexpr Task kTask = Task::kAction;
  const Texts read = ReadTexts(call.request, TextsForm::kSingleOrMany, max_batch_);
  const ModelSet models = engine_->Take();
  if (models.Get(kTask) == nullptr) return NoModelYet(kTask);
  AnswerOptions options;
  options.tasks = {&kTask, 1};
  options.scores = true;
  Response response;
  response.texts = read.texts.size();
  response.body.reserve(512 * read.texts.size());
  JsonWriter writer(&response.body);
  if (!read.single) writer.StartArray();
  for (const std::string_view text : read.texts) {
    const Answer answer =
        AnswerQuestion(models, rules_, {text}, options, Engine::Predict, &ScratchOfThread());
    const Answer::OfTask& of = *answer.tasks[Index(kTask)];
    CountAnswer(call.metrics, models, kTask, of.prediction, of.answer);
    LogAnswer(answer);
    OfferToShadow(call.shadow, models, answer);
    WriteLabelAnswer(answer, &writer);
  }
  if (!read.single) writer.EndArray();
  return response;
}

Response LabelRoutes::Labels() const {
  Response response;
  JsonWriter writer(&response.body);
  writer.StartArray();
  for (const std::string_view label : TaskLabels(Task::kAction)) writer.String(label);
  writer.EndArray();
  return response;
}

Response LabelRoutes::Definitions() {
  Response response;
  JsonWriter writer(&response.body);
  writer.StartObject();
  for (const Task task : {Task::kAction, Task::kBnac, Task::kBackoff}) {
    writer.Key(TaskKey(task)).StartArray();
    for (size_t label = 0; label < TaskLabels(task).size(); ++label) {
      writer.StartObject().Key("name").String(TaskLabels(task)[label]);
      writer.Key("meaning").String(LabelDescription(task, label));
      if (task == Task::kAction) writer.Key("action").String(RecommendedAction(label));
      if (task == Task::kBnac) {
        writer.Key("suggested_action").String(AdviceOf(label).suggested_action);
      }
      writer.EndObject();
    }
    writer.EndArray();
  }
  writer.EndObject();
  return response;
}

Response LabelRoutes::ModelInfo() const {
  const ModelSet models = engine_->Take();
  const Classifier* model = models.Get(Task::kAction);
  Response response;
  JsonWriter writer(&response.body);
  writer.StartObject();
  if (model != nullptr) {
    const BundleConfig& config = model->config();
    writer.Key("modelHash").String(model->hash()).Key("trainedAt").String(config.trained_at);
    writer.Key("trainingSamples").Int(config.training_samples);
    writer.Key("validationAccuracy").Double(config.validation_accuracy);
  }
  writer.Key("initialized").Bool(model != nullptr).EndObject();
  return response;
}

}  // namespace rebound
