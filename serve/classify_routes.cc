#include "serve/classify_routes.h"

#include "base/error.h"
#include "base/json.h"
#include "serve/problem.h"
#include "serve/texts.h"
#include "tokenizer/normaliser.h"

namespace rebound {
namespace {

struct Buffers {
  Engine::Scratch engine;
};

Buffers& BuffersOfThread() {
  thread_local Buffers buffers;
  return buffers;
}

bool BoolOf(const Target& target, std::string_view name) {
  try {
    return FindBool(target, name).value_or(false);
  } catch (const Error& e) {
    throw Refusal{MakeProblem(400, e.what())};
  }
}

// What the model alone says, from the cache where it may be asked (`cache` is not null).
Prediction PredictionOf(const ModelSet& models, Task task, std::string_view text, Cache* cache,
                        Buffers* buffers) {
  Engine::Prepare(text, &buffers->engine);
  if (cache == nullptr) return Engine::Predict(models, task, &buffers->engine);
  const Classifier& model = *models.Get(task);
  const CacheKey key = cache->MakeKey(task, model.hash(), buffers->engine.normalised);
  // What comes from a snapshot's file is not believed blindly.
  if (const auto known = cache->Get(key); known && known->label < model.config().labels.size()) {
    return *known;
  }
  const Prediction prediction = Engine::Predict(models, task, &buffers->engine);
  cache->Put(key, prediction);
  return prediction;
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
      shape.backoff_lists ? BoolOf(call.target, "return_probability") : shape.probability;
  const bool bypass_cache = shape.cached && BoolOf(call.target, "bypass_cache");
  const Texts read = ReadTexts(call.request, shape.form, max_batch_);
  const ModelSet models = engine_->Take();
  if (models.Get(shape.task) == nullptr) {
    return MakeProblem(503, "no model for task '" + std::string(TaskName(shape.task)) +
                                "' is loaded yet; /readyz tells why");
  }
  Buffers& buffers = BuffersOfThread();
  Cache* const cache = shape.cached && !bypass_cache && cache_->enabled() ? cache_ : nullptr;
  Response response;
  response.texts = read.texts.size();
  response.body.reserve(96 * read.texts.size());
  JsonWriter writer(&response.body);
  const bool object = shape.object_for_single && read.single;
  if (!object) writer.StartArray();
  for (const std::string_view text : read.texts) {
    const Prediction prediction = PredictionOf(models, shape.task, text, cache, &buffers);
    const TaskAnswer answer = Engine::Decide(models, shape.task, prediction, text, &buffers.engine);
    writer.StartObject().Key("class").String(TaskLabels(shape.task)[answer.label]);
    if (probability) writer.Key("probability").Float(answer.probability);
    if (shape.backoff_lists) {
      writer.Key("fields").StartArray().EndArray();
      writer.Key("actions").StartArray().EndArray();
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
  std::string& normalised = BuffersOfThread().engine.normalised;
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
