#include "engine/library/answer_handle.h"

#include <utility>

#include "base/text.h"
#include "engine/fact_fields.h"
#include "engine/library/boundary.h"
#include "engine/library/momentum_words.h"
#include "engine/thread_scratch.h"

using rebound::Answer;
using rebound::Engine;
using rebound::ModelSet;
using rebound::Prediction;
using rebound::Task;

namespace {

std::shared_ptr<const rebound::BackoffPolicy> NoPolicy() {
  // Never destroyed: threads may call while the process ends.
  static const auto* const policy =
      new std::shared_ptr<const rebound::BackoffPolicy>(new rebound::BackoffPolicy);
  return *policy;
}

// The tables' views are of literals, which end in NUL (tests hold that).
const char* Literal(std::string_view view) { return view.data(); }
const char* OrNull(const std::string& text) { return text.empty() ? nullptr : text.c_str(); }

const rebound::FoundList* ListAt(const rebound_answer* answer, size_t index) {
  if (answer == nullptr) return nullptr;
  const rebound::FoundLists& lists = answer->answer().facts.lists;
  return index < lists.count ? &lists.all[index] : nullptr;
}

const rebound::TaskAnswer* OfTask(const rebound_answer* answer, Task task) {
  return answer == nullptr ? nullptr : answer->Of(task);
}

const char* LabelOf(const rebound_answer* answer, Task task) {
  const rebound::TaskAnswer* of = OfTask(answer, task);
  return of == nullptr ? nullptr : Literal(TaskLabels(task)[of->label]);
}

double ProbabilityOf(const rebound_answer* answer, Task task) {
  const rebound::TaskAnswer* of = OfTask(answer, task);
  return of == nullptr ? 0.0 : static_cast<double>(of->probability);
}

// JSON that was asked for with too little memory is NULL.
template <class Make>
const char* JsonOrNull(const rebound_answer* answer, Make make) {
  const char* json = nullptr;
  if (answer == nullptr) return json;
  rebound::Bounded([&] { json = (answer->*make)().c_str(); });
  return json;
}

}  // namespace

rebound_answer::rebound_answer(const rebound::Moment& moment, std::string text, std::string domain,
                               rebound::BounceKind kind)
    : overrides_(moment.overrides),
      policy_(moment.policy),
      text_(std::move(text)),
      domain_(std::move(domain)) {
  // Scores are read off the outputs that the prediction left in the scratch.
  const auto predict = [this](const ModelSet& models, Task task, Engine::Scratch* scratch) {
    return Engine::Score(models, task, scratch, &scores_[Index(task)]);
  };
  answer_ = AnswerQuestion(moment.models, {moment.overrides.get(), moment.text_rules.get()},
                           {text_, domain_, kind}, {}, predict, &rebound::ScratchOfThread());
  CopyTexts();
}

rebound_answer::rebound_answer(std::string text) : policy_(NoPolicy()), text_(std::move(text)) {
  answer_.question.text = text_;
  answer_.facts = rebound::FindFacts(text_);
  CopyTexts();
}

void rebound_answer::CopyTexts() {
  texts_.smtp_code = answer_.facts.codes.reply;
  texts_.enhanced_code = answer_.facts.codes.enhanced;
  if (answer_.momentum) texts_.momentum_name = answer_.momentum->name;
  if (const auto& match = answer_.ruling.override) {
    texts_.override_rule = rebound::RepairUtf8(match.rule().pattern);
    texts_.override_source = rebound::RepairUtf8(match.list->source());
  }
}

const rebound::TaskAnswer* rebound_answer::Of(Task task) const {
  const auto& of = answer_.tasks[Index(task)];
  return of ? &of->answer : nullptr;
}

Answer rebound_answer::WithScores() const {
  Answer scored = answer_;
  for (const Task task : rebound::kTasks) {
    if (auto& of = scored.tasks[Index(task)]) of->scores = scores_[Index(task)];
  }
  return scored;
}

const std::string& rebound_answer::Json() const {
  const std::lock_guard lock(mutex_);
  if (json_.empty()) {
    std::string json;
    rebound::JsonWriter writer(&json);
    WriteAnswer(answer_, *policy_, &writer);
    json_ = std::move(json);
  }
  return json_;
}

const std::string& rebound_answer::ScoresJson() const {
  const std::lock_guard lock(mutex_);
  if (scores_json_.empty()) {
    std::string json;
    rebound::JsonWriter writer(&json);
    WriteAnswer(WithScores(), *policy_, &writer);
    scores_json_ = std::move(json);
  }
  return scores_json_;
}

const std::string& rebound_answer::PostalsysJson() const {
  const std::lock_guard lock(mutex_);
  if (postalsys_json_.empty()) {
    std::string json;
    rebound::JsonWriter writer(&json);
    if (Of(Task::kAction) != nullptr) {
      WriteLabelAnswer(WithScores(), &writer);
    } else {
      writer.StartObject();
      WriteLabelFacts(answer_.facts, &writer);
      writer.EndObject();
    }
    postalsys_json_ = std::move(json);
  }
  return postalsys_json_;
}

extern "C" {

void rebound_answer_free(rebound_answer* answer) { delete answer; }

const char* rebound_answer_json(const rebound_answer* answer) {
  return JsonOrNull(answer, &rebound_answer::Json);
}
const char* rebound_answer_scores_json(const rebound_answer* answer) {
  return JsonOrNull(answer, &rebound_answer::ScoresJson);
}
const char* rebound_answer_postalsys_json(const rebound_answer* answer) {
  return JsonOrNull(answer, &rebound_answer::PostalsysJson);
}

const char* rebound_answer_label(const rebound_answer* answer) {
  return LabelOf(answer, Task::kAction);
}
double rebound_answer_confidence(const rebound_answer* answer) {
  return ProbabilityOf(answer, Task::kAction);
}
const char* rebound_answer_action(const rebound_answer* answer) {
  const rebound::TaskAnswer* of = OfTask(answer, Task::kAction);
  return of == nullptr ? nullptr : Literal(rebound::RecommendedAction(of->label));
}
const char* rebound_answer_label_source(const rebound_answer* answer) {
  const rebound::TaskAnswer* of = OfTask(answer, Task::kAction);
  return of == nullptr ? nullptr : Literal(rebound::SourceName(of->source));
}
const char* rebound_answer_bnac_class(const rebound_answer* answer) {
  return LabelOf(answer, Task::kBnac);
}
double rebound_answer_bnac_probability(const rebound_answer* answer) {
  return ProbabilityOf(answer, Task::kBnac);
}
const char* rebound_answer_backoff_class(const rebound_answer* answer) {
  return LabelOf(answer, Task::kBackoff);
}
double rebound_answer_backoff_probability(const rebound_answer* answer) {
  return ProbabilityOf(answer, Task::kBackoff);
}

const char* rebound_answer_fault(const rebound_answer* answer) {
  if (answer == nullptr || !answer->answer().verdict) return nullptr;
  return Literal(FaultName(answer->answer().verdict->fault));
}
const char* rebound_answer_suppress(const rebound_answer* answer) {
  if (answer == nullptr || !answer->answer().verdict) return nullptr;
  return Literal(SuppressName(answer->answer().verdict->suppress));
}

int rebound_answer_momentum_code(const rebound_answer* answer) {
  if (answer == nullptr || !answer->answer().momentum) return 0;
  return answer->answer().momentum->number;
}
const char* rebound_answer_momentum_name(const rebound_answer* answer) {
  return answer == nullptr ? nullptr : OrNull(answer->texts().momentum_name);
}
const char* rebound_answer_momentum_category(const rebound_answer* answer) {
  if (answer == nullptr || !answer->answer().momentum) return nullptr;
  return Literal(BounceCategoryName(answer->answer().momentum->category));
}
const char* rebound_answer_momentum_description(const rebound_answer* answer) {
  const int code = rebound_answer_momentum_code(answer);
  return code == 0 ? nullptr : rebound::MomentumDescription(code);
}

const char* rebound_answer_override_rule(const rebound_answer* answer) {
  return answer == nullptr ? nullptr : OrNull(answer->texts().override_rule);
}
const char* rebound_answer_override_source(const rebound_answer* answer) {
  return answer == nullptr ? nullptr : OrNull(answer->texts().override_source);
}

const char* rebound_answer_smtp_code(const rebound_answer* answer) {
  return answer == nullptr ? nullptr : OrNull(answer->texts().smtp_code);
}
const char* rebound_answer_enhanced_code(const rebound_answer* answer) {
  return answer == nullptr ? nullptr : OrNull(answer->texts().enhanced_code);
}
long rebound_answer_retry_after(const rebound_answer* answer) {
  if (answer == nullptr || !answer->answer().facts.retry_after) return 0;
  return static_cast<long>(answer->answer().facts.retry_after->count());
}
size_t rebound_answer_blocklist_count(const rebound_answer* answer) {
  return answer == nullptr ? 0 : answer->answer().facts.lists.count;
}
const char* rebound_answer_blocklist_name(const rebound_answer* answer, size_t index) {
  const rebound::FoundList* found = ListAt(answer, index);
  return found == nullptr ? nullptr : Literal(found->list->name);
}
const char* rebound_answer_blocklist_type(const rebound_answer* answer, size_t index) {
  const rebound::FoundList* found = ListAt(answer, index);
  return found == nullptr ? nullptr : Literal(ListedKindName(found->list->kind));
}
int rebound_answer_blocklist_host(const rebound_answer* answer, size_t index) {
  const rebound::FoundList* found = ListAt(answer, index);
  return found != nullptr && found->host ? 1 : 0;
}

}  // extern "C"
