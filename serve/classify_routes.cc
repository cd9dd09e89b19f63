// Family 1: classification as Halon's clients call it.
#include "base/json.h"
#include "serve/api.h"
#include "serve/problem.h"
#include "serve/texts.h"
#include "tokenizer/normaliser.h"

namespace rebound {
namespace {

struct Buffers {
  Engine::Scratch engine;
  std::string key;
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
  Cache::MakeKey(task, models.Get(task)->hash(), buffers->engine.normalised, &buffers->key);
  if (const auto known = cache->Get(buffers->key)) return *known;
  const Prediction prediction = Engine::Predict(models, task, &buffers->engine);
  cache->Put(buffers->key, prediction);
  return prediction;
}

}  // namespace

// How a route's answer looks.
struct Api::Shape {
  Task task = Task::kBnac;
  TextsForm form = TextsForm::kSingleOrMany;
  bool object_for_single = false;  // else an array even for one text
  bool cached = true;
  bool probability = false;
  bool backoff_lists = false;  // fields and actions
};

Response Api::ClassifyTexts(const Call& call, const Shape& shape) const {
  const bool bypass_cache = shape.cached && BoolOf(call.target, "bypass_cache");
  const Texts read = ReadTexts(call.request, shape.form, options_.max_batch);
  const ModelSet models = engine_->Take();
  if (models.Get(shape.task) == nullptr) {
    return MakeProblem(503, "no model for task '" + std::string(TaskName(shape.task)) +
                                "' is loaded yet; /readyz tells why");
  }
  Buffers& buffers = BuffersOfThread();
  Cache* const cache = shape.cached && !bypass_cache && cache_->enabled() ? cache_ : nullptr;
  Response response;
  response.body.reserve(96 * read.texts.size());
  JsonWriter writer(&response.body);
  const bool object = shape.object_for_single && read.single;
  if (!object) writer.StartArray();
  for (const std::string_view text : read.texts) {
    const Prediction prediction = PredictionOf(models, shape.task, text, cache, &buffers);
    const TaskAnswer answer = Engine::Decide(models, shape.task, prediction, text, &buffers.engine);
    writer.StartObject().Key("class").String(TaskLabels(shape.task)[answer.label]);
    if (shape.probability) writer.Key("probability").Float(answer.probability);
    if (shape.backoff_lists) {
      writer.Key("fields").StartArray().EndArray();
      writer.Key("actions").StartArray().EndArray();
    }
    writer.EndObject();
  }
  if (!object) writer.EndArray();
  return response;
}

Response Api::BnacSingleV1(const Call& call) const {
  Shape shape;
  shape.form = TextsForm::kSingle;
  shape.object_for_single = true;
  shape.cached = false;
  return ClassifyTexts(call, shape);
}

Response Api::BnacSingleV2(const Call& call) const {
  Shape shape;
  shape.form = TextsForm::kSingle;
  shape.object_for_single = true;
  shape.cached = false;
  shape.probability = true;
  return ClassifyTexts(call, shape);
}

Response Api::BnacV1(const Call& call) const { return ClassifyTexts(call, Shape()); }

Response Api::BnacV2(const Call& call) const {
  Shape shape;
  shape.probability = true;
  return ClassifyTexts(call, shape);
}

Response Api::BnacBatch(const Call& call) const {
  Shape shape;
  shape.object_for_single = true;
  return ClassifyTexts(call, shape);
}

Response Api::Backoff(const Call& call) const {
  Shape shape;
  shape.task = Task::kBackoff;
  shape.probability = BoolOf(call.target, "return_probability");
  shape.backoff_lists = true;
  return ClassifyTexts(call, shape);
}

Response Api::NormaliseTexts(const Call& call) const {
  const Texts read = ReadTexts(call.request, TextsForm::kSingleOrMany, options_.max_batch);
  std::string& normalised = BuffersOfThread().engine.normalised;
  Response response;
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
