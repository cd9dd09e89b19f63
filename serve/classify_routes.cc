#include "serve/classify_routes.h"

#include "base/json.h"
#include "serve/metrics.h"
#include "serve/prediction.h"
#include "serve/texts.h"
#include "tokenizer/normaliser.h"

namespace rebound {
namespace {

void WriteWords(std::string_view key, const std::vector<std::string_view>& words,
                JsonWriter* writer) {
  writer->Key(key).StartArray();
  for (const std::string_view word : words) writer->String(word);
  writer->EndArray();
}

}  // namespace

// How a route's answer looks.
struct ClassifyRoutes::Shape {
  Task task = Task::kBnac;
  TextsForm form = TextsForm::kSingleOrMany;
  bool object_for_single = false;  // else an array even for one text
  bool cached = true;
  bool probability = false;
  bool backoff_lists = false;  // fields and actions
};

Response ClassifyRoutes::Classify(const Call& call, const Shape& shape) const {
  const bool probability =
      shape.backoff_lists ? QueryBool(call.target, "return_probability") : shape.probability;
  const bool bypass_cache = shape.cached && QueryBool(call.target, "bypass_cache");
  const Texts read = ReadTexts(call.request, shape.form, max_batch_);
  const ModelSet models = engine_->Take();
  if (models.Get(shape.task) == nullptr) {
    return NoModelYet(shape.task);
  }
  const auto policy = shape.backoff_lists ? policy_->Current() : nullptr;
  Engine::Scratch& scratch = ScratchOfThread();
  Cache* const cache = shape.cached && !bypass_cache && cache_->enabled() ? cache_ : nullptr;
  Response response;
  response.texts = read.texts.size();
  response.body.reserve(96 * read.texts.size());
  JsonWriter writer(&response.body);
  const bool object = shape.object_for_single && read.single;
  if (!object) writer.StartArray();
  for (const std::string_view text : read.texts) {
    Engine::Prepare(text, &scratch);
    const Prediction prediction = PredictionOf(models, shape.task, cache, &scratch);
    const Ruling ruling = FindRuling(rules_, BounceKind::kSmtp, text, "");
    const TaskAnswer answer =
        Engine::Decide(models, shape.task, prediction, text, &scratch, &ruling);
    CountAnswer(call.metrics, models, shape.task, prediction, answer);
    writer.StartObject().Key("class").String(TaskLabels(shape.task)[answer.label]);
    if (probability) writer.Key("probability").Float(answer.probability);
    if (policy != nullptr) {
      WriteWords("fields", policy->Of(answer.label).fields, &writer);
      WriteWords("actions", policy->Of(answer.label).actions, &writer);
    }
    writer.EndObject();
  }
  if (!object) writer.EndArray();
  return response;
}

void ClassifyRoutes::AddTo(Router* router) const {
  const auto add = [&](std::string_view path, const Shape& shape) {
    router->Add({kPost, path, Scope::kClassify,
                 [this, shape](const Call& call) { return Classify(call, shape); }});
  };
  Shape single;
  single.form = TextsForm::kSingle;
  single.object_for_single = true;
  single.cached = false;
  add("/v1/bnac/single", single);
  single.probability = true;
  add("/v2/bnac/single", single);
  Shape many;
  add("/v1/bnac", many);
  many.probability = true;
  add("/v2/bnac", many);
  Shape batch;
  batch.object_for_single = true;
  add("/v1/bnac/batch", batch);
  Shape backoff;
  backoff.task = Task::kBackoff;
  backoff.backoff_lists = true;
  add("/v1/backoff", backoff);
  for (const std::string_view path : {"/normalise", "/normalize"}) {
    router->Add(
        {kPost, path, Scope::kClassify, [this](const Call& call) { return NormaliseTexts(call); }});
  }
}

Response ClassifyRoutes::NormaliseTexts(const Call& call) const {
  const Texts read = ReadTexts(call.request, TextsForm::kSingleOrMany, max_batch_);
  std::string& normalised = ScratchOfThread().normalised;
  Response response;
  response.texts = read.texts.size();
  response.headers.emplace_back("X-Normaliser-Version", std::to_string(kNormaliserVersion));
  JsonWriter writer(&response.body);
  if (!read.single) writer.StartArray();
  for (const std::string_view text : read.texts) {
    Normalise(text, &normalised);
    writer.StartObject().Key("message").String(normalised).EndObject();
  }
  if (!read.single) writer.EndArray();
  return response;
}

}  // namespace rebound
