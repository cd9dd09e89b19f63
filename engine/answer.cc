#include "engine/answer.h"

#include "base/text.h"
#include "engine/explain_json.h"
#include "engine/fact_fields.h"
#include "tokenizer/normaliser.h"

namespace rebound {
namespace {

void WriteWords(std::string_view key, std::span<const std::string_view> words, JsonWriter* writer) {
  writer->Key(key).StartArray();
  for (const std::string_view word : words) writer->String(word);
  writer->EndArray();
}

// Class, probability, source, and the model's own class where it was overruled.
void WriteClass(Task task, const TaskAnswer& answer, JsonWriter* writer) {
  const auto labels = TaskLabels(task);
  writer->Key("class").String(labels[answer.label]);
  writer->Key("probability").Float(answer.probability);
  writer->Key("source").String(SourceName(answer.source));
  if (answer.label != answer.model_label) {
    writer->Key("model_class").String(labels[answer.model_label]);
  }
}

void WriteAction(const TaskAnswer& answer, JsonWriter* writer) {
  JsonWriter& w = *writer;
  const auto labels = TaskLabels(Task::kAction);
  w.Key("label").String(labels[answer.label]);
  w.Key("confidence").Float(answer.probability);
  w.Key("label_source").String(SourceName(answer.source));
  if (answer.label != answer.model_label) w.Key("model_label").String(labels[answer.model_label]);
  w.Key("action").String(RecommendedAction(answer.label));
}

void WriteTask(Task task, const Answer::OfTask& of, const BackoffPolicy& policy,
               JsonWriter* writer) {
  JsonWriter& w = *writer;
  if (task == Task::kAction) {
    WriteAction(of.answer, writer);
    if (!of.scores.empty()) WriteScores(task, of.scores, writer);
    return;
  }
  w.Key(TaskName(task)).StartObject();
  WriteClass(task, of.answer, writer);
  if (task == Task::kBnac) {
    const BnacAdvice& advice = AdviceOf(of.answer.label);
    w.Key("severity").Int(advice.severity);
    WriteWords("scope", advice.scope, writer);
    w.Key("suggested_action").String(advice.suggested_action);
  } else {
    WriteWords("fields", policy.Of(of.answer.label).fields, writer);
    WriteWords("actions", policy.Of(of.answer.label).actions, writer);
  }
  if (!of.scores.empty()) WriteScores(task, of.scores, writer);
  w.EndObject();
}

void WriteExplain(const Answer& answer, JsonWriter* writer) {
  writer->Key("explain").StartObject();
  for (const Task task : kTasks) {
    const auto& of = answer.tasks[Index(task)];
    if (!of) continue;
    WriteExplained(task, answer.explained->text, answer.explained->offset, of->explained, writer);
  }
  writer->EndObject();
}

}  // namespace

std::string ReadableText(std::string_view bytes) {
  std::string repaired;
  if (!IsValidUtf8(bytes)) {
    repaired = RepairUtf8(bytes);
    bytes = repaired;
  }
  return std::string(CutUtf8(Trim(bytes), kMaxTextBytes));
}

Answer AnswerQuestion(const ModelSet& models, const Question& question,
                      const AnswerOptions& options, const Predictor& predict,
                      Engine::Scratch* scratch) {
  Answer whole;
  Engine::Prepare(question.text, scratch);  // once: tasks of one tokenizer share the encoding too
  for (const Task task : options.tasks) {
    Answer::OfTask& of = whole.tasks[Index(task)].emplace();
    of.prediction = options.scores ? Engine::Score(models, task, scratch, &of.scores)
                                   : predict(models, task, scratch);
    of.answer = Engine::Decide(models, task, of.prediction, question.text, scratch);
  }
  if (options.explain) {
    whole.explained = question;
    Explainer explainer(question.text, scratch);
    for (const Task task : options.tasks) {
      Answer::OfTask& of = *whole.tasks[Index(task)];
      of.explained = explainer.Explain(task, *models.Get(task), of.answer);
    }
  }
  whole.facts = FindFacts(question.text);
  return whole;
}

void WriteAnswer(const Answer& answer, const BackoffPolicy& policy, JsonWriter* writer) {
  writer->StartObject();
  WriteAnswerFields(answer, policy, writer);
  writer->EndObject();
}

void WriteAnswerFields(const Answer& answer, const BackoffPolicy& policy, JsonWriter* writer) {
  for (const Task task : kTasks) {
    const auto& of = answer.tasks[Index(task)];
    if (of) WriteTask(task, *of, policy, writer);
  }
  WriteFacts(answer.facts, writer);
  if (answer.explained) WriteExplain(answer, writer);
}

void WriteLabelAnswer(const Answer& answer, JsonWriter* writer) {
  constexpr Task kTask = Task::kAction;
  const Answer::OfTask& of = answer.tasks[Index(kTask)].value();
  writer->StartObject().Key("label").String(TaskLabels(kTask)[of.answer.label]);
  writer->Key("confidence").Float(of.answer.probability);
  writer->Key("action").String(RecommendedAction(of.answer.label));
  if (of.answer.source == AnswerSource::kStatusCode) writer->Key("usedFallback").Bool(true);
  if (!of.scores.empty()) WriteScores(kTask, of.scores, writer);
  WriteLabelFacts(answer.facts, writer);
  writer->EndObject();
}

void WriteModels(const ModelSet& models, std::span<const Task> tasks, JsonWriter* writer) {
  writer->StartObject();
  for (const Task task : tasks) {
    const Classifier& model = *models.Get(task);
    writer->Key(TaskName(task)).StartObject().Key("version").Int(model.config().version);
    writer->Key("hash").String(model.hash());
    writer->Key("trained_at").String(model.config().trained_at).EndObject();
  }
  writer->EndObject();
}

void WriteScores(Task task, std::span<const float> by_label, JsonWriter* writer) {
  writer->Key("scores").StartObject();
  for (size_t i = 0; i < by_label.size(); ++i) {
    writer->Key(TaskLabels(task)[i]).Float(by_label[i]);
  }
  writer->EndObject();
}

}  // namespace rebound
