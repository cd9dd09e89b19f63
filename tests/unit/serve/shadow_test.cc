// A candidate beside the incumbent: what is compared, what is counted, what reviewers get to see.
#include "serve/shadow.h"

#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <map>
#include <thread>

#include "base/file.h"
#include "base/json.h"
#include "engine/load.h"
#include "serve/drop_queue.h"
#include "tests/api/serve/served.h"
#include "tests/support/bundles.h"
#include "tests/support/metrics_page.h"

namespace rebound {
namespace {

using test::Served;

// ---- the queue ---------------------------------------------------------------------------------

TEST(DropQueueTest, GivesBackInOrderAndRefusesWhenItIsFull) {
  DropQueue<int> queue(4);
  const auto push = [&](int value) { return queue.Push([&](int* slot) { *slot = value; }); };
  int taken = 0;
  const auto pop = [&] { return queue.Pop([&](const int* slot) { taken = *slot; }); };
  EXPECT_FALSE(pop());
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 4; ++i) EXPECT_TRUE(push(10 * round + i));
    EXPECT_FALSE(push(99)) << "the fifth is dropped";
    for (int i = 0; i < 4; ++i) {
      EXPECT_TRUE(pop());
      EXPECT_EQ(taken, 10 * round + i);
    }
    EXPECT_FALSE(pop());
  }
}

TEST(DropQueueTest, ManyPushWhileOneTakesAndNothingIsLostOrTwice) {
  constexpr uint64_t kThreads = 3, kEach = 20'000;
  DropQueue<std::pair<uint64_t, std::string>> queue(64);
  std::atomic<uint64_t> pushed{0};
  std::atomic<uint64_t> working{kThreads};
  std::vector<std::thread> threads;
  for (uint64_t thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      for (uint64_t i = 0; i < kEach; ++i) {
        const uint64_t value = thread * kEach + i;
        const bool taken = queue.Push([&](std::pair<uint64_t, std::string>* slot) {
          slot->first = value;
          slot->second.assign(1 + value % 50, static_cast<char>('a' + value % 26));
        });
        if (taken) ++pushed;
      }
      --working;
    });
  }
  uint64_t popped = 0;
  std::array<uint64_t, kThreads> last{};
  for (bool more = true; more;) {
    more = working > 0;
    while (queue.Pop([&](const std::pair<uint64_t, std::string>* slot) {
      const uint64_t value = slot->first;
      EXPECT_EQ(slot->second, std::string(1 + value % 50, static_cast<char>('a' + value % 26)));
      uint64_t& before = last[value / kEach];
      EXPECT_LE(before, value % kEach + 1) << "what one thread pushes keeps its order";
      before = value % kEach + 1;
      ++popped;
    })) {
    }
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(popped, pushed);
}

// ---- counting ----------------------------------------------------------------------------------

TaskAnswer Said(size_t label, size_t model_label, float probability) {
  return {label, probability,
          label == model_label ? AnswerSource::kModel : AnswerSource::kStatusCode, model_label};
}

TEST(ShadowCountsTest, WhatUsersWouldGetIsComparedAndBesideItWhatTheModelsSay) {
  ShadowCounts counts;
  counts.Add(Said(1, 1, 0.9F), Said(1, 1, 0.8F), 0.25);
  counts.Add(Said(1, 2, 0.5F), Said(1, 3, 0.5F), 0.25);  // the status code says the same for both
  counts.Add(Said(4, 4, 0.5F), Said(5, 4, 0.25F), 0.5);  // one model, and a code for one of them
  counts.Add(Said(4, 4, 0.75F), Said(5, 5, 0.5F), 0);
  counts.Add(Said(5, 5, 0.5F), Said(4, 4, 0.5F), 0);
  EXPECT_EQ(counts.compared, 5U);
  EXPECT_EQ(counts.agreed(), 2U);
  EXPECT_EQ(counts.disagreed, 3U);
  EXPECT_EQ(counts.model_disagreed, 3U);
  EXPECT_DOUBLE_EQ(counts.candidate_seconds, 1.0);
  ASSERT_EQ(counts.by_labels.size(), 2U);
  const ShadowCounts::Disagreement& pair = counts.by_labels.at({4, 5});
  EXPECT_EQ(pair.texts, 2U);
  EXPECT_DOUBLE_EQ(pair.incumbent_probability, 1.25);
  EXPECT_DOUBLE_EQ(pair.candidate_probability, 0.75);
  EXPECT_DOUBLE_EQ(counts.IncumbentProbability(), 1.75);
  EXPECT_DOUBLE_EQ(counts.CandidateProbability(), 1.25);
}

// ---- what goes to review -----------------------------------------------------------------------

TEST(HourlyRateTest, SpreadsAnHourAndGivesASixthAtOnce) {
  const ShadowClock::time_point start{std::chrono::hours(5)};
  HourlyRate rate(60);
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(rate.Take(start)) << i;
  EXPECT_FALSE(rate.Take(start));
  EXPECT_FALSE(rate.Take(start + std::chrono::seconds(59)));
  EXPECT_TRUE(rate.Take(start + std::chrono::seconds(61)));
  EXPECT_FALSE(rate.Take(start + std::chrono::seconds(62)));
  EXPECT_FALSE(rate.Take(start)) << "a clock that goes back gives nothing";
  int later = 0;
  while (rate.Take(start + std::chrono::hours(9))) ++later;
  EXPECT_EQ(later, 10) << "what was not used is not saved up";
}

TEST(HourlyRateTest, GivesOneOfAFewAndNothingOfNone) {
  const ShadowClock::time_point start{std::chrono::hours(5)};
  HourlyRate few(2);
  EXPECT_TRUE(few.Take(start));
  EXPECT_FALSE(few.Take(start + std::chrono::minutes(29)));
  EXPECT_TRUE(few.Take(start + std::chrono::minutes(31)));
  HourlyRate none(0);
  EXPECT_FALSE(none.Take(start + std::chrono::hours(100)));
}

TEST(SentTemplatesTest, KnowsNearCopiesOfWhatWasSentAndNothingElse) {
  const std::string text =
      "__num__ __email__ recipient address rejected user unknown in local recipient table";
  SentTemplates sent;
  EXPECT_FALSE(sent.HasNearCopy(text));
  sent.Add(text);
  EXPECT_TRUE(sent.HasNearCopy(text));
  EXPECT_TRUE(sent.HasNearCopy(text + " table"));
  EXPECT_FALSE(sent.HasNearCopy("__num__ __email__ greylisted come back in an hour or two"));
  sent.Clear();
  EXPECT_FALSE(sent.HasNearCopy(text));
}

TEST(SentTemplatesTest, BeginsAnewRatherThanGrow) {
  SentTemplates sent;
  for (size_t i = 0; i < SentTemplates::kMost; ++i) sent.Add("word" + std::to_string(i));
  EXPECT_TRUE(sent.HasNearCopy("word0"));
  sent.Add("last");
  EXPECT_FALSE(sent.HasNearCopy("word0"));
  EXPECT_TRUE(sent.HasNearCopy("last"));
}

// ---- a shadow of its own -----------------------------------------------------------------------

class ShadowTest : public testing::Test {
 protected:
  ShadowTest() { Serve(Publish("SPF")); }

  int Publish(std::string always, double fallback_threshold = 0) {
    test::TestBundle bundle;
    bundle.always = std::move(always);
    bundle.fallback_threshold = fallback_threshold;
    const auto current = store_.Current(Task::kBnac);
    const int version = test::PublishTestBundle(&store_, bundle);
    if (current) store_.Promote(Task::kBnac, *current);
    return version;
  }
  void Serve(int version) {
    store_.Promote(Task::kBnac, version);
    engine_.Swap(Task::kBnac, LoadVersion(store_, Task::kBnac, version));
  }
  Shadow& Start(ShadowOptions options = {1, 60}) {
    shadow_.emplace(options, store_, std::vector<Task>{Task::kBnac, Task::kBackoff}, &engine_,
                    [this](Proposal proposal) {
                      if (takes_) reviews_.push_back(std::move(proposal));
                      return takes_;
                    });
    shadow_->Start();
    shadow_->Look(true);
    return *shadow_;
  }
  void Answer(std::string_view text) {
    const ModelSet models = engine_.Take();
    Engine::Prepare(text, &scratch_);
    const Prediction prediction = Engine::Predict(models, Task::kBnac, &scratch_);
    const Ruling nothing;
    const TaskAnswer answer =
        Engine::Decide(models, Task::kBnac, prediction, text, &scratch_, &nothing);
    OfferToShadow(&*shadow_, models, text, nothing, Task::kBnac, answer);
  }
  ShadowStatus Status() {
    shadow_->Settle();
    const auto statuses = shadow_->Statuses();
    EXPECT_EQ(statuses.size(), 1U);
    return statuses.empty() ? ShadowStatus() : statuses.front();
  }

  TempFolder folder_;
  BundleStore store_{folder_.path()};
  Engine engine_;
  Engine::Scratch scratch_;
  bool takes_ = true;
  std::vector<Proposal> reviews_;  // the shadow's thread, until Settle
  std::optional<Shadow> shadow_;
};

TEST_F(ShadowTest, WithoutACandidateNobodyIsWantedAndNothingIsTold) {
  Start();
  EXPECT_FALSE(shadow_->IsWanted());
  Answer("550 anything");
  shadow_->Settle();
  EXPECT_TRUE(shadow_->Statuses().empty());
}

TEST_F(ShadowTest, ACandidateIsComparedWithWhatUsersGot) {
  store_.SetShadow(Task::kBnac, Publish("DKIM"));
  Start();
  EXPECT_TRUE(shadow_->IsWanted());
  Answer("550 one thing");
  Answer("421 quite another matter altogether");
  const ShadowStatus status = Status();
  EXPECT_EQ(status.task, Task::kBnac);
  EXPECT_TRUE(status.running);
  EXPECT_EQ(status.version, 2);
  EXPECT_EQ(status.incumbent, 1);
  EXPECT_EQ(status.incumbent_hash, engine_.Take().Get(Task::kBnac)->hash());
  EXPECT_NE(status.hash, status.incumbent_hash);
  EXPECT_EQ(status.counts.compared, 2U);
  EXPECT_EQ(status.counts.disagreed, 2U);
  const std::pair<size_t, size_t> labels = {FindLabel(Task::kBnac, "SPF").value(),
                                            FindLabel(Task::kBnac, "DKIM").value()};
  EXPECT_EQ(status.counts.by_labels.at(labels).texts, 2U);
  EXPECT_GT(status.counts.candidate_seconds, 0);
}

TEST_F(ShadowTest, AnotherThresholdIsADisagreementAlsoWhereTheModelsAgree) {
  Serve(Publish(""));
  store_.SetShadow(Task::kBnac, Publish("", 0.9));
  Start();
  Answer("450 4.2.2 zebra");    // no word that the model knows: the code decides, for one of them
  Answer("550 5.1.1 unknown");  // sure of it
  const ShadowCounts counts = Status().counts;
  EXPECT_EQ(counts.compared, 2U);
  EXPECT_EQ(counts.disagreed, 1U);
  EXPECT_EQ(counts.model_disagreed, 0U);
}

TEST_F(ShadowTest, WhatARuleDecidesIsTheSameForBoth) {
  WriteFileDurably(folder_.path() / "rules.txt", "bnac:VIRUS zebra\n");
  store_.SetShadow(Task::kBnac, Publish("DKIM"));
  Start();
  const ModelSet models = engine_.Take();
  const TextRuleFile rules(folder_.path() / "rules.txt", false);
  const Ruling ruling = FindRuling({nullptr, &rules}, BounceKind::kSmtp, "550 zebra", "");
  ASSERT_FALSE(ruling.empty());
  Engine::Prepare("550 zebra", &scratch_);
  const Prediction prediction = Engine::Predict(models, Task::kBnac, &scratch_);
  const TaskAnswer answer =
      Engine::Decide(models, Task::kBnac, prediction, "550 zebra", &scratch_, &ruling);
  EXPECT_EQ(answer.source, AnswerSource::kRule);
  OfferToShadow(&*shadow_, models, "550 zebra", ruling, Task::kBnac, answer);
  const ShadowCounts counts = Status().counts;
  EXPECT_EQ(counts.compared, 1U);
  EXPECT_EQ(counts.agreed(), 1U);
  EXPECT_EQ(counts.model_disagreed, 1U);
}

TEST_F(ShadowTest, WhenTheQueueIsFullTextsAreDroppedAndCounted) {
  store_.SetShadow(Task::kBnac, Publish("SPF"));
  Start();
  shadow_->Stop();  // nobody takes any more
  for (int i = 0; i < 1030; ++i) Answer("550 no");
  EXPECT_EQ(shadow_->dropped(), 6U);
}

TEST_F(ShadowTest, TheSampleIsAboutAsLargeAsAsked) {
  store_.SetShadow(Task::kBnac, Publish("SPF"));
  Start({0.25, 0});
  for (int i = 0; i < 2000; ++i) {
    Answer("550 no");
    if (i % 500 == 0) shadow_->Settle();
  }
  const uint64_t compared = Status().counts.compared + shadow_->dropped();
  EXPECT_GT(compared, 380U);
  EXPECT_LT(compared, 620U);
  Start({0, 0});
  EXPECT_FALSE(shadow_->IsWanted());
}

TEST_F(ShadowTest, OfATemplateOneGoesToReviewWithBothAnswers) {
  store_.SetShadow(Task::kBnac, Publish("DKIM"));
  Start();
  for (int i = 0; i < 5; ++i) {
    Answer("550 5.7.1 <user" + std::to_string(i) + "@example.org> is not welcome in this house");
  }
  Answer("421 something quite different for once");
  const ShadowCounts counts = Status().counts;
  EXPECT_EQ(counts.sent, 2U);
  EXPECT_EQ(counts.repeated, 4U);
  ASSERT_EQ(reviews_.size(), 2U);
  const Proposal& first = reviews_[0];
  EXPECT_EQ(first.text, "550 5.7.1 <user0@example.org> is not welcome in this house");
  EXPECT_EQ(first.contributor, "shadow:bnac:2");
  EXPECT_EQ(first.source, ProposalSource::kShadow);
  EXPECT_EQ(first.labels[Index(Task::kBnac)], FindLabel(Task::kBnac, "DKIM"));
  EXPECT_FALSE(first.labels[Index(Task::kAction)].has_value());
  ASSERT_TRUE(first.model[Index(Task::kBnac)].has_value());
  EXPECT_EQ(first.model[Index(Task::kBnac)]->label, FindLabel(Task::kBnac, "SPF"));
  EXPECT_EQ(first.model[Index(Task::kBnac)]->version, 1);
  EXPECT_GT(first.suspicion, 0.5) << "how sure the candidate is";
}

TEST_F(ShadowTest, NoMoreGoToReviewThanAnHourMayHave) {
  store_.SetShadow(Task::kBnac, Publish("DKIM"));
  Start({1, 12});
  for (const char* text : {"alpha beta", "gamma delta", "epsilon zeta", "eta theta"}) Answer(text);
  const ShadowCounts counts = Status().counts;
  EXPECT_EQ(counts.sent, 2U);
  EXPECT_EQ(counts.over_rate, 2U);
  EXPECT_EQ(counts.disagreed, 4U);
}

TEST_F(ShadowTest, WhatNobodyTakesIsCountedAndMayComeAgain) {
  store_.SetShadow(Task::kBnac, Publish("DKIM"));
  takes_ = false;
  Start();
  Answer("550 no");
  EXPECT_EQ(Status().counts.refused, 1U);
  takes_ = true;
  Answer("550 no");
  EXPECT_EQ(Status().counts.sent, 1U);
}

TEST_F(ShadowTest, ABrokenCandidateIsToldTriedAgainAndNobodyIsAsked) {
  const int bad = Publish("DKIM");
  const auto tokenizer = store_.BundleFolder(Task::kBnac, bad) / "tokenizer.model";
  const std::string whole = ReadFile(tokenizer);
  WriteFileDurably(tokenizer, whole + "x");
  store_.SetShadow(Task::kBnac, bad);
  Start();
  ShadowStatus status = Status();
  EXPECT_FALSE(shadow_->IsWanted());
  EXPECT_FALSE(status.running);
  EXPECT_EQ(status.version, bad);
  EXPECT_NE(status.problem.find("tokenizer.model"), std::string::npos) << status.problem;
  WriteFileDurably(tokenizer, whole);
  shadow_->Look(false);
  EXPECT_FALSE(Status().running) << "the pause is not over";
  shadow_->Look(true);
  status = Status();
  EXPECT_TRUE(status.running);
  EXPECT_EQ(status.problem, "");
  WriteFileDurably(store_.TaskFolder(Task::kBnac) / "SHADOW", "nonsense");
  shadow_->Look(false);
  EXPECT_NE(Status().problem.find("holds no version number"), std::string::npos);
}

TEST_F(ShadowTest, CountsBeginAnewWithAnotherCandidateOrAnotherIncumbent) {
  const int second = Publish("DKIM"), third = Publish("TLS");
  store_.SetShadow(Task::kBnac, second);
  Start();
  Answer("550 no");
  EXPECT_EQ(Status().counts.compared, 1U);
  shadow_->Look(true);
  EXPECT_EQ(Status().counts.compared, 1U) << "nothing changed";
  store_.SetShadow(Task::kBnac, third);
  shadow_->Look(false);
  EXPECT_EQ(Status().version, third);
  EXPECT_EQ(Status().counts.compared, 0U);
  Answer("550 no");
  const ModelSet before = engine_.Take();
  Serve(second);
  Answer("550 said by the new one before anybody looked");
  EXPECT_EQ(Status().counts.compared, 1U) << "it belongs to other counts";
  shadow_->Look(false);
  EXPECT_EQ(Status().counts.compared, 0U);
  EXPECT_EQ(Status().incumbent, second);
  Answer("550 no");
  EXPECT_EQ(Status().counts.compared, 1U);
}

TEST_F(ShadowTest, WhatIsPromotedEndsBeingTheShadow) {
  const int next = Publish("DKIM");
  store_.SetShadow(Task::kBnac, next);
  Start();
  EXPECT_TRUE(shadow_->IsWanted());
  Serve(next);
  shadow_->Look(false);
  EXPECT_FALSE(shadow_->IsWanted());
  EXPECT_TRUE(shadow_->Statuses().empty());
  Serve(1);
  shadow_->Look(false);
  EXPECT_TRUE(shadow_->Statuses().empty()) << "also after a roll-back";
}

// ---- behind the API ----------------------------------------------------------------------------

class ShadowRoutesTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const Task task : kTasks) {
      test::TestBundle bundle;
      bundle.task = task;
      ASSERT_EQ(test::PublishTestBundle(&store_, bundle), 1);
      bundle.always = TaskLabels(task)[3];
      ASSERT_EQ(test::PublishTestBundle(&store_, bundle), 2);
      store_.Promote(task, 1);
    }
    Start();
  }
  void Start() {
    Served::Options options;
    options.models = folder_.path();
    options.api.shadow.sample = 1;
    served_.emplace(options);
  }
  Response Set(const std::string& task, int version) {
    return served_->Ask("POST", "/v3/models/" + task + "/shadow",
                        R"({"version":)" + std::to_string(version) + "}");
  }
  JsonDocument Report(const std::string& task) {
    served_->api().shadow().Settle();
    const Response response = served_->Ask("GET", "/v3/models/" + task + "/shadow");
    EXPECT_EQ(response.status, 200) << response.body;
    return ParseJson(response.body);
  }

  TempFolder folder_;
  BundleStore store_{folder_.path()};
  std::optional<Served> served_;
};

TEST_F(ShadowRoutesTest, EveryWayToClassifyIsComparedAskedOrCached) {
  for (const char* task : {"bnac", "backoff", "action"}) EXPECT_EQ(Set(task, 2).status, 200);
  const std::string body = R"({"message":"550 5.1.1 user unknown"})";
  for (const char* path : {"/v1/bnac/single", "/v2/bnac", "/v2/bnac", "/v1/backoff", "/v3/classify",
                           "/v3/classify", "/api/classify"}) {
    EXPECT_EQ(served_->Ask("POST", path, body).status, 200);
  }
  const JsonDocument bnac = Report("bnac");
  EXPECT_EQ(GetJsonInt(bnac, "compared"), 5);
  EXPECT_EQ(GetJsonInt(bnac, "disagreed"), 5);
  EXPECT_EQ(GetJsonDouble(bnac, "disagreement_rate"), 1.0);
  const JsonValue& pair = GetJson(bnac, "disagreements")[0];
  EXPECT_EQ(GetJsonString(pair, "incumbent"), "RECIPIENT_NOT_FOUND");
  EXPECT_EQ(GetJsonString(pair, "candidate"), TaskLabels(Task::kBnac)[3]);
  EXPECT_EQ(GetJsonInt(pair, "texts"), 5);
  EXPECT_EQ(GetJsonInt(Report("backoff"), "compared"), 3);
  EXPECT_EQ(GetJsonInt(Report("action"), "compared"), 3);
  const auto page = test::ReadMetricsPage(served_->Ask("GET", "/metrics").body);
  EXPECT_EQ(page.Value("rebound_shadow_compared_total", {{"task", "bnac"}}), 5);
  EXPECT_EQ(page.Value("rebound_shadow_disagreements_total",
                       {{"task", "bnac"},
                        {"incumbent", "RECIPIENT_NOT_FOUND"},
                        {"candidate", std::string(TaskLabels(Task::kBnac)[3])}}),
            5);
  EXPECT_EQ(page.Value("rebound_shadow_running",
                       {{"task", "bnac"}, {"version", "2"}, {"incumbent", "1"}}),
            1);
  EXPECT_EQ(page.Value("rebound_shadow_dropped_total", {}), 0);
}

TEST_F(ShadowRoutesTest, AnswersAreTheSameToTheByte) {
  const std::string body = R"({"messages":["550 5.1.1 unknown","451 greylisting","zebra"]})";
  std::map<std::string, std::string> before;
  for (const char* path : {"/v2/bnac", "/v1/backoff", "/v3/classify", "/api/classify"}) {
    before[path] = served_->Ask("POST", path, body).body;
  }
  Set("bnac", 2);
  Set("backoff", 2);
  Set("action", 2);
  for (const auto& [path, answer] : before) {
    EXPECT_EQ(served_->Ask("POST", path, body).body, answer) << path;
  }
}

TEST_F(ShadowRoutesTest, AShadowOutlivesARestartAndIsListedBesideWhatServes) {
  EXPECT_EQ(Set("bnac", 2).status, 200);
  EXPECT_EQ(ReadFile(folder_.path() / "bnac/SHADOW"), "000002\n");
  Start();
  const JsonDocument listed = ParseJson(served_->Ask("GET", "/v3/models").body);
  const JsonValue& models = GetJson(listed, "models");
  EXPECT_EQ(GetJsonInt(models[0], "version"), 1);
  EXPECT_EQ(GetJsonInt(GetJson(models[0], "shadow"), "version"), 2);
  EXPECT_EQ(GetJsonInt(GetJson(models[0], "shadow"), "compared"), 0);
  EXPECT_EQ(FindJson(models[1], "shadow"), nullptr);
}

TEST_F(ShadowRoutesTest, PromotingTheCandidateEndsItAndDeletingTellsTheLastCounts) {
  Set("bnac", 2);
  Set("backoff", 2);
  served_->Ask("POST", "/v1/backoff", R"({"message":"550 unknown"})");
  Report("backoff");
  const Response ended = served_->Ask("DELETE", "/v3/models/backoff/shadow");
  EXPECT_EQ(ended.status, 200);
  EXPECT_EQ(GetJsonInt(ParseJson(ended.body), "compared"), 1);
  EXPECT_EQ(served_->Ask("DELETE", "/v3/models/backoff/shadow").status, 404);
  EXPECT_FALSE(std::filesystem::exists(folder_.path() / "backoff/SHADOW"));
  EXPECT_EQ(served_->Ask("POST", "/v3/models/bnac/promote", R"({"version":2})").status, 200);
  EXPECT_EQ(served_->Ask("GET", "/v3/models/bnac/shadow").status, 404);
  EXPECT_FALSE(std::filesystem::exists(folder_.path() / "bnac/SHADOW"));
}

TEST_F(ShadowRoutesTest, ACandidateThatDoesNotVerifyIsRefusedWithoutTellingAPath) {
  std::ofstream(store_.BundleFolder(Task::kBnac, 2) / "tokenizer.model", std::ios::app) << "x";
  const Response refused = Set("bnac", 2);
  EXPECT_EQ(refused.status, 422);
  EXPECT_NE(refused.body.find("version 2 of task 'bnac' does not verify: "), std::string::npos);
  EXPECT_NE(refused.body.find("tokenizer.model"), std::string::npos) << refused.body;
  EXPECT_EQ(refused.body.find(folder_.path().string()), std::string::npos) << refused.body;
  EXPECT_EQ(store_.Shadow(Task::kBnac), std::nullopt);
  // Somebody names it by hand all the same: it is told.
  WriteFileDurably(folder_.path() / "bnac/SHADOW", "2");
  EXPECT_EQ(served_->Ask("POST", "/v3/models/reload").status, 200);
  const Response report = served_->Ask("GET", "/v3/models/bnac/shadow");
  EXPECT_EQ(report.status, 200);
  EXPECT_FALSE(GetJsonBool(ParseJson(report.body), "running"));
  EXPECT_EQ(report.body.find(folder_.path().string()), std::string::npos) << report.body;
}

}  // namespace
}  // namespace rebound
