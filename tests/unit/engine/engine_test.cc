#include "engine/engine.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "base/file.h"
#include "models/bundle_store.h"
#include "tests/support/bundles.h"

namespace rebound {
namespace {

using test::TestBundle;

class Bundles {
 public:
  Bundles() : store_(folder_.path()) {}
  std::shared_ptr<const Classifier> Load(const TestBundle& bundle) {
    const int version = test::PublishTestBundle(&store_, bundle);
    return Classifier::Load(store_.BundleFolder(bundle.task, version));
  }

 private:
  TempFolder folder_;
  BundleStore store_;
};

TestBundle Of(Task task, double threshold = 0.0) {
  TestBundle bundle;
  bundle.task = task;
  bundle.fallback_threshold = threshold;
  return bundle;
}

TaskAnswer Answer(const ModelSet& models, Task task, std::string_view text,
                  Engine::Scratch* scratch) {
  Engine::Prepare(text, scratch);
  const Prediction prediction = Engine::Predict(models, task, scratch);
  return Engine::Decide(models, task, prediction, text, scratch);
}

std::string_view LabelOf(Task task, const TaskAnswer& answer) {
  return TaskLabels(task)[answer.label];
}

TEST(Engine, HasNoModelsAtFirst) {
  const Engine engine;
  for (const Task task : kTasks) EXPECT_EQ(engine.Take().Get(task), nullptr);
}

TEST(Engine, AnswersEachTaskByItsOwnModel) {
  Bundles bundles;
  Engine engine;
  for (const Task task : kTasks) engine.Swap(task, bundles.Load(Of(task)));
  const ModelSet models = engine.Take();
  Engine::Scratch scratch;
  constexpr std::string_view kText = "552 5.2.2 mailbox over quota";
  EXPECT_EQ(LabelOf(Task::kBnac, Answer(models, Task::kBnac, kText, &scratch)), "RECIPIENT_ERROR");
  EXPECT_EQ(LabelOf(Task::kBackoff, Answer(models, Task::kBackoff, kText, &scratch)),
            "MAILBOX_FULL");
  EXPECT_EQ(LabelOf(Task::kAction, Answer(models, Task::kAction, kText, &scratch)), "mailbox_full");
}

TEST(Engine, EncodesOnceForModelsOfOneTokenizerAndAnewForAnother) {
  Bundles bundles;
  Engine engine;
  engine.Swap(Task::kBnac, bundles.Load(Of(Task::kBnac)));
  engine.Swap(Task::kBackoff, bundles.Load(Of(Task::kBackoff)));
  TestBundle other = Of(Task::kAction);
  other.extra_word = "zebra";  // shifts the ids of all pieces behind it
  engine.Swap(Task::kAction, bundles.Load(other));
  const ModelSet models = engine.Take();
  ASSERT_EQ(models.Get(Task::kBnac)->tokenizer_sha256(),
            models.Get(Task::kBackoff)->tokenizer_sha256());
  ASSERT_NE(models.Get(Task::kBnac)->tokenizer_sha256(),
            models.Get(Task::kAction)->tokenizer_sha256());

  Engine::Scratch scratch;
  Engine::Prepare("550 5.1.1 xyzzy zebra unknown", &scratch);
  EXPECT_EQ(scratch.normalised, "550 5_1_1 xyzzy zebra unknown");
  EXPECT_EQ(scratch.ids_tokenizer, "");
  Engine::Predict(models, Task::kBnac, &scratch);
  EXPECT_EQ(scratch.ids_tokenizer, models.Get(Task::kBnac)->tokenizer_sha256());
  // Ids that the other model of this tokenizer must use as they are.
  const std::vector<int32_t> ids = scratch.ids;
  scratch.ids.clear();
  Engine::Predict(models, Task::kBackoff, &scratch);
  EXPECT_TRUE(scratch.ids.empty());
  Engine::Predict(models, Task::kAction, &scratch);
  EXPECT_EQ(scratch.ids_tokenizer, models.Get(Task::kAction)->tokenizer_sha256());
  EXPECT_NE(scratch.ids, ids);
  EXPECT_FALSE(scratch.ids.empty());
}

TEST(Engine, RunsANetworkThatTasksShareOnceATextAndAnewForTheNext) {
  Bundles bundles;
  Engine engine;
  engine.Swap(Task::kBnac, bundles.Load(Of(Task::kBnac)));
  const auto twin = bundles.Load(Of(Task::kBnac));  // another bundle of the same weights
  ASSERT_EQ(engine.Take().Get(Task::kBnac)->network(), twin->network());
  engine.Swap(Task::kAction, bundles.Load(Of(Task::kAction)));
  const ModelSet models = engine.Take();
  ASSERT_NE(models.Get(Task::kAction)->network(), twin->network());

  Engine::Scratch scratch;
  Engine::Prepare("a virus", &scratch);
  EXPECT_EQ(scratch.run, nullptr);
  Engine::Predict(models, Task::kBnac, &scratch);
  EXPECT_EQ(scratch.run, twin->network());
  Engine::Predict(models, Task::kAction, &scratch);
  EXPECT_EQ(scratch.run, models.Get(Task::kAction)->network());
  Engine::Prepare("bad dkim", &scratch);
  EXPECT_EQ(scratch.run, nullptr);
  EXPECT_EQ(LabelOf(Task::kBnac, Answer(models, Task::kBnac, "bad dkim", &scratch)), "DKIM");
}

TEST(Engine, ForgetsTheIdsOfTheTextBefore) {
  Bundles bundles;
  Engine engine;
  engine.Swap(Task::kBnac, bundles.Load(Of(Task::kBnac)));
  Engine::Scratch scratch;
  EXPECT_EQ(LabelOf(Task::kBnac, Answer(engine.Take(), Task::kBnac, "a virus", &scratch)), "VIRUS");
  EXPECT_EQ(LabelOf(Task::kBnac, Answer(engine.Take(), Task::kBnac, "bad dkim", &scratch)), "DKIM");
}

struct DecideCase {
  const char* name;
  std::string text;
  double threshold;
  std::string label;
  AnswerSource source;
};

TEST(EngineDecide, LetsTheCodeDecideOnlyWhereTheModelIsNotSureAndTheCodeSaysElse) {
  // "xyzzy" is no keyword: the model says BLOCKED below 0.5; "dkim" is one, above 0.9.
  const std::vector<DecideCase> cases = {
      {"a sure model", "550 5.1.1 dkim", 0.5, "DKIM", AnswerSource::kModel},
      {"an unsure model, a code", "550 5.1.1 xyzzy", 0.5, "RECIPIENT_NOT_FOUND",
       AnswerSource::kStatusCode},
      {"an unsure model, no code", "xyzzy", 0.5, "BLOCKED", AnswerSource::kModel},
      {"an unsure model, a code that fixes nothing", "550 5.7.1 xyzzy", 0.5, "BLOCKED",
       AnswerSource::kModel},
      {"an unsure model, a code that agrees", "550 5.1.8 xyzzy", 0.5, "BLOCKED",
       AnswerSource::kModel},
      {"no threshold", "550 5.1.1 xyzzy", 0.0, "BLOCKED", AnswerSource::kModel},
      {"a threshold beyond any model", "550 5.1.1 dkim", 1.0, "RECIPIENT_NOT_FOUND",
       AnswerSource::kStatusCode},
  };
  Bundles bundles;
  for (const DecideCase& row : cases) {
    Engine engine;
    engine.Swap(Task::kBnac, bundles.Load(Of(Task::kBnac, row.threshold)));
    Engine::Scratch scratch;
    const TaskAnswer answer = Answer(engine.Take(), Task::kBnac, row.text, &scratch);
    EXPECT_EQ(LabelOf(Task::kBnac, answer), row.label) << row.name;
    EXPECT_EQ(answer.source, row.source) << row.name;
  }
}

TEST(EngineDecide, AnswersUnknownRatherThanGuessAnAction) {
  // Of so many labels the model gives none of "xyzzy" a quarter.
  Bundles bundles;
  TestBundle bundle = Of(Task::kAction, 0.5);
  bundle.labels = {"spam_blocked", "policy_blocked", "user_unknown", "virus_detected",
                   "greylisting",  "mailbox_full",   "server_error", "rate_limited"};
  Engine engine;
  engine.Swap(Task::kAction, bundles.Load(bundle));
  const ModelSet models = engine.Take();
  Engine::Scratch scratch;
  const TaskAnswer guess = Answer(models, Task::kAction, "xyzzy", &scratch);
  EXPECT_EQ(LabelOf(Task::kAction, guess), "unknown");
  EXPECT_EQ(guess.source, AnswerSource::kModel);
  EXPECT_NE(guess.model_label, guess.label);
  EXPECT_LE(guess.probability, kActionGuess);

  const TaskAnswer by_code = Answer(models, Task::kAction, "550 5.1.1 xyzzy", &scratch);
  EXPECT_EQ(LabelOf(Task::kAction, by_code), "user_unknown") << "a code that fixes it is no guess";
  EXPECT_EQ(LabelOf(Task::kAction, Answer(models, Task::kAction, "a virus", &scratch)),
            "virus_detected");
}

TEST(EngineDecide, TellsTheModelsOwnLabelAndItsProbabilityOfTheAnswer) {
  Bundles bundles;
  Engine engine;
  engine.Swap(Task::kBnac, bundles.Load(Of(Task::kBnac, 1.0)));
  const ModelSet models = engine.Take();
  Engine::Scratch scratch;
  constexpr std::string_view kText = "550 5.1.1 dkim";
  const TaskAnswer answer = Answer(models, Task::kBnac, kText, &scratch);
  EXPECT_EQ(TaskLabels(Task::kBnac)[answer.model_label], "DKIM");

  const Classifier& classifier = *models.Get(Task::kBnac);
  std::vector<float> probabilities(classifier.config().labels.size());
  classifier.Score(scratch.ids, &scratch.classifier, probabilities);
  EXPECT_EQ(answer.probability, probabilities[answer.label]);
  EXPECT_LT(answer.probability, 0.1F);
}

TEST(EngineDecide, NeedsNoEncodingWhereTheCacheHadThePrediction) {
  Bundles bundles;
  Engine engine;
  engine.Swap(Task::kBnac, bundles.Load(Of(Task::kBnac, 1.0)));
  const ModelSet models = engine.Take();
  Engine::Scratch scratch;
  constexpr std::string_view kText = "550 5.1.1 dkim";
  Engine::Prepare(kText, &scratch);
  const Prediction prediction = Engine::Predict(models, Task::kBnac, &scratch);
  const TaskAnswer computed = Engine::Decide(models, Task::kBnac, prediction, kText, &scratch);

  Answer(models, Task::kBnac, "another text", &scratch);
  Engine::Prepare(kText, &scratch);
  const TaskAnswer cached = Engine::Decide(models, Task::kBnac, prediction, kText, &scratch);
  EXPECT_EQ(cached.label, computed.label);
  EXPECT_EQ(cached.probability, computed.probability);
}

TEST(EngineDecide, GivesALabelThatTheBundleLacksProbabilityZero) {
  Bundles bundles;
  TestBundle bundle = Of(Task::kBnac, 1.0);
  bundle.labels = {"SPF", "DKIM"};
  Engine engine;
  engine.Swap(Task::kBnac, bundles.Load(bundle));
  Engine::Scratch scratch;
  const TaskAnswer answer = Answer(engine.Take(), Task::kBnac, "550 5.1.1 dkim", &scratch);
  EXPECT_EQ(LabelOf(Task::kBnac, answer), "RECIPIENT_NOT_FOUND");
  EXPECT_EQ(answer.probability, 0.0F);
  EXPECT_EQ(TaskLabels(Task::kBnac)[answer.model_label], "DKIM");
}

TEST(Engine, KeepsAModelAsLongAsARequestHoldsItAndNoLonger) {
  Bundles bundles;
  Engine engine;
  engine.Swap(Task::kBnac, bundles.Load(Of(Task::kBnac)));
  ModelSet taken = engine.Take();
  const std::weak_ptr<const Classifier> old = taken.by_task[Index(Task::kBnac)];
  engine.Swap(Task::kBnac, bundles.Load(Of(Task::kBnac)));
  EXPECT_FALSE(old.expired());
  EXPECT_NE(engine.Take().Get(Task::kBnac), taken.Get(Task::kBnac));
  taken = {};
  EXPECT_TRUE(old.expired());
  engine.Swap(Task::kBnac, nullptr);
  EXPECT_EQ(engine.Take().Get(Task::kBnac), nullptr);
}

// Two generations of models, each of which gives one label of its own to every text. Threads that
// answer while they are swapped must see a label of the very model that they took.
TEST(Engine, NeverMixesTwoModelsWhileTheyAreSwapped) {
  Bundles bundles;
  std::array<std::array<std::shared_ptr<const Classifier>, 2>, kTaskCount> generations;
  for (const Task task : kTasks) {
    for (size_t g = 0; g < 2; ++g) {
      TestBundle bundle = Of(task);
      bundle.always = TaskLabels(task)[g];
      bundle.variant = g;
      if (g == 1) bundle.extra_word = "zebra";
      if (g == 1) bundle.network = kTableCnnNetwork;
      generations[Index(task)][g] = bundles.Load(bundle);
    }
  }
  Engine engine;
  for (const Task task : kTasks) engine.Swap(task, generations[Index(task)][0]);

  constexpr int kReaders = 4;
  constexpr int kSwaps = 2000;
  std::atomic<bool> done{false};
  std::atomic<int> wrong{0};
  std::atomic<int> answers{0};
  std::vector<std::thread> readers;
  for (int r = 0; r < kReaders; ++r) {
    readers.emplace_back([&] {
      Engine::Scratch scratch;
      do {
        const ModelSet models = engine.Take();
        Engine::Prepare("550 5.7.1 zebra unknown", &scratch);
        for (const Task task : kTasks) {
          const Classifier* const model = models.Get(task);
          const size_t expected = model == generations[Index(task)][0].get() ? 0 : 1;
          const Prediction prediction = Engine::Predict(models, task, &scratch);
          if (Engine::Decide(models, task, prediction, "", &scratch).label != expected) ++wrong;
          ++answers;
        }
      } while (!done);
    });
  }
  for (int i = 1; i <= kSwaps; ++i) {
    for (const Task task : kTasks) {
      engine.Swap(task, generations[Index(task)][static_cast<size_t>(i % 2)]);
    }
  }
  done = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_GE(answers, kReaders * static_cast<int>(kTaskCount));
}

}  // namespace
}  // namespace rebound
