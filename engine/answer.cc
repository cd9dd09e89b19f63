#include "engine/answer.h"

#include "base/text.h"
#include "engine/explain_json.h"
#include "engine/fact_fields.h"
#include "engine/vocabulary.h"
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
  if (answer.source != AnswerSource::kModel) {
    writer->Key("model_class").String(labels[answer.model_label]);
  }
}

void WriteAction(const TaskAnswer& answer, JsonWriter* writer) {
  JsonWriter& w = *writer;
  const auto labels = TaskLabels(Task::kAction);
  w.Key("label").String(labels[answer.label]);
  w.Key("confidence").Float(answer.probability);
  w.Key("label_source").String(SourceName(answer.source));
  if (answer.source != AnswerSource::kModel || answer.label != answer.model_label) {
    w.Key("model_label").String(labels[answer.model_label]);
  }
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

// Which bytes decided each task.
void Explain(const ModelSet& models, std::span<const Task> tasks, Engine::Scratch* scratch,
             Answer* answer) {
  answer->is_explained = true;
  Explainer explainer(answer->question.text, scratch);
  for (const Task task : tasks) {
    Answer::OfTask& of = *answer->tasks[Index(task)];
    if (of.answer.source == AnswerSource::kModel || of.answer.source == AnswerSource::kStatusCode) {
      of.explained = explainer.Explain(task, *models.Get(task), of.answer);
    } else if (const auto span = SpanOfRuling(answer->ruling, task, answer->question.text)) {
      of.explained = {*span};
    }
  }
}

// Fault, suppress and Momentum's code, of the answers for all tasks.
void Judge(const ModelSet& models, const RuleSources& rules, Answer* answer) {
  VerdictInput input;
  const StatusCodes& codes = answer->facts.codes;
  if (answer->ruling.override) {
    input.override_code = answer->ruling.override.rule().code;
    answer->momentum = rules.overrides->codes().Find(*input.override_code);
  }
  for (const Task task : kTasks) {
    const auto& of = answer->tasks[Index(task)];
    if (!of) return;
    const bool by_people =
        of->answer.source == AnswerSource::kOverride || of->answer.source == AnswerSource::kRule;
    input.labels[Index(task)] = of->answer.label;
    input.sure[Index(task)] = IsSureOfRecipient(
        of->answer.probability, models.Get(task)->config().fallback_threshold, by_people);
  }
  input.reply_code = codes.reply;
  input.enhanced_code = codes.enhanced;
  answer->verdict = JudgeBounce(input);
  if (input.override_code) return;
  const Cause& cause = CauseOf(input.labels);
  const int code = MomentumCodeOf(cause, ReplyClassOf(codes.reply, codes.enhanced),
                                  FindMomentumClues(cause, answer->question.text, codes));
  answer->momentum = *FindBounceCode(code);
}

void WriteOverride(const Answer& answer, JsonWriter* writer) {
  const OverrideMatch& match = answer.ruling.override;
  if (!match) return;
  const OverrideRule& rule = match.rule();
  writer->Key("override").StartObject().Key("domain").String(rule.domain);
  writer->Key("bounce_code").Int(rule.code);
  writer->Key("description").String(answer.momentum ? answer.momentum->name : "");
  writer->Key("rule").String(RepairUtf8(rule.pattern));
  writer->Key("file_or_datasource").String(RepairUtf8(match.list->source()));
  writer->EndObject();
}

void WriteExplanations(const Answer& answer, JsonWriter* writer) {
  if (!answer.is_explained) return;
  writer->Key("explain").StartObject();
  for (const Task task : kTasks) {
    const auto& of = answer.tasks[Index(task)];
    if (!of) continue;
    WriteExplained(task, answer.question.text, answer.question.offset, of->explained, writer);
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

Answer AnswerQuestion(const ModelSet& models, const RuleSources& rules, const Question& question,
                      const AnswerOptions& options, const Predictor& predict,
                      Engine::Scratch* scratch) {
  Answer whole;
  whole.question = question;
  whole.ruling = FindRuling(rules, question.kind, question.text, question.domain);
  Engine::Prepare(question.text, scratch);  // once: tasks of one tokenizer share the encoding too
  for (const Task task : options.tasks) {
    Answer::OfTask& of = whole.tasks[Index(task)].emplace();
    of.prediction = options.scores ? Engine::Score(models, task, scratch, &of.scores)
                                   : predict(models, task, scratch);
    of.answer = Engine::Decide(models, task, of.prediction, question.text, scratch, &whole.ruling);
  }
  whole.facts = FindFacts(question.text);
  if (options.explain) Explain(models, options.tasks, scratch, &whole);
  Judge(models, rules, &whole);
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
  if (answer.verdict) {
    writer->Key("fault").String(FaultName(answer.verdict->fault));
    writer->Key("suppress").String(SuppressName(answer.verdict->suppress));
  }
  WriteFacts(answer.facts, writer);
  WriteOverride(answer, writer);
  if (answer.momentum) {
    writer->Key("momentum_code").StartObject().Key("code").Int(answer.momentum->number);
    writer->Key("name").String(answer.momentum->name);
    writer->Key("category").String(BounceCategoryName(answer.momentum->category)).EndObject();
  }
  WriteExplanations(answer, writer);
}

void WriteLabelAnswer(const Answer& answer, JsonWriter* writer) {
  constexpr Task kTask = Task::kAction;
  const Answer::OfTask& of = answer.tasks[Index(kTask)].value();
  writer->StartObject().Key("label").String(TaskLabels(kTask)[of.answer.label]);
  writer->Key("confidence").Float(of.answer.probability);
  writer->Key("action").String(RecommendedAction(of.answer.label));
  const bool is_fallback =
      of.answer.source == AnswerSource::kStatusCode || of.answer.source == AnswerSource::kRule;
  if (is_fallback) writer->Key("usedFallback").Bool(true);
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
