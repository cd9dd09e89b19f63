#include "serve/classify_routes.h"

#include <charconv>
#include <cmath>

#include "base/json.h"
#include "serve/answer_log.h"
#include "serve/metrics.h"
#include "serve/prediction.h"
#include "serve/shadow.h"
#include "serve/texts.h"
#include "tokenizer/normaliser.h"

namespace rebound {
namespace {

// `,"key":["word",…]`
void AppendWords(std::string_view key, const std::vector<std::string_view>& words,
                 std::string* out) {
  out->append(",\"").append(key).append("\":");
  JsonWriter writer(out);
  writer.StartArray();
  for (const std::string_view word : words) writer.String(word);
  writer.EndArray();
}

// `,"probability":0.5`: the shortest text that reads back; null for what is no number.
void AppendProbability(float probability, std::string* out) {
  if (!std::isfinite(probability)) {
    out->append(",\"probability\":null");
    return;
  }
  char text[40];
  const char* const end = std::to_chars(text, text + sizeof text, probability).ptr;
  out->append(",\"probability\":").append(text, static_cast<size_t>(end - text));
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
  const RuleSources rules = rules_.Take();
  const auto policy = shape.backoff_lists ? policy_->Current() : nullptr;
  Engine::Scratch& scratch = ScratchOfThread();
  Cache* const cache = shape.cached && !bypass_cache && cache_->enabled() ? cache_ : nullptr;
  Response response;
  response.texts = read.texts.size();
  response.body.reserve(96 * read.texts.size());
  // Without a JsonWriter, which takes three times as long: a class is a word of our own.
  std::string& body = response.body;
  const bool object = shape.object_for_single && read.single;
  if (!object) body += '[';
  for (const std::string_view text : read.texts) {
    Engine::Prepare(text, &scratch);
    const Prediction prediction = PredictionOf(models, shape.task, cache, &scratch);
    const Ruling ruling = FindRuling(rules, BounceKind::kSmtp, text, "");
    const TaskAnswer answer =
        Engine::Decide(models, shape.task, prediction, text, &scratch, &ruling);
    CountAnswer(call.metrics, models, shape.task, prediction, answer);
    LogAnswer(text, shape.task, answer, ruling);
    OfferToShadow(call.shadow, models, text, ruling, shape.task, answer);
    if (body.size() > 1) body += ',';
    body.append("{\"class\":\"").append(TaskLabels(shape.task)[answer.label]).append("\"");
    if (probability) AppendProbability(answer.probability, &body);
    if (policy != nullptr) {
      AppendWords("fields", policy->Of(answer.label).fields, &body);
      AppendWords("actions", policy->Of(answer.label).actions, &body);
    }
    body += '}';
  }
  if (!object) body += ']';
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
