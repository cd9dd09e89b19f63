#include "serve/whole_answers.h"

#include <array>
#include <string_view>

#include "serve/answer_log.h"
#include "serve/prediction.h"
#include "serve/shadow.h"
#include "serve/texts.h"

namespace rebound {
namespace {

constexpr std::array<std::string_view, 3> kQuery = {"scores", "explain", "bypass_cache"};

}  // namespace

WholeAnswers::Moment WholeAnswers::Asked(const Call& call) const {
  CheckQuery(call.target, kQuery);
  Moment moment;
  moment.options = {tasks_, QueryBool(call.target, "scores"), QueryBool(call.target, "explain")};
  moment.metrics = call.metrics;
  moment.shadow = call.shadow;
  if (!QueryBool(call.target, "bypass_cache") && cache_->enabled()) moment.cache = cache_;
  return moment;
}

void WholeAnswers::TakeModels(Moment* moment) const {
  moment->models = engine_->Take();
  moment->policy = policy_->Current();
  moment->rules = rules_.Take();
  for (const Task task : tasks_) {
    if (moment->models.Get(task) == nullptr) throw Refusal{NoModelYet(task)};
  }
}

void WholeAnswers::Write(const Moment& moment, const Question& question, JsonWriter* writer) const {
  Engine::Scratch& scratch = ScratchOfThread();
  const Answer answer = AnswerQuestion(
      moment.models, moment.rules, question, moment.options,
      [&](const ModelSet& models, Task task, Engine::Scratch* of_thread) {
        return PredictionOf(models, task, moment.cache, of_thread);
      },
      &scratch);
  for (const Task task : tasks_) {
    const Answer::OfTask& of = *answer.tasks[Index(task)];
    CountAnswer(moment.metrics, moment.models, task, of.prediction, of.answer);
  }
  LogAnswer(answer);
  OfferToShadow(moment.shadow, moment.models, answer);
  WriteAnswer(answer, *moment.policy, writer);
}

void WholeAnswers::WriteModels(const Moment& moment, JsonWriter* writer) const {
  rebound::WriteModels(moment.models, tasks_, writer);
}

}  // namespace rebound
