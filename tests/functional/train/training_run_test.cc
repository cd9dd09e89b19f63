// A whole training run over a store in memory: what it publishes, promotes, records and refuses.
#include "train/training_run.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <sstream>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "models/bundle_store.h"
#include "models/classifier.h"
#include "tests/functional/train/small_store.h"
#include "tests/support/bundles.h"
#include "train/child_process.h"
#include "train/out_of_fold.h"
#include "train/recorded_options.h"
#include "train/verify.h"

namespace rebound {
namespace {

class TrainingRunTest : public testing::Test {
 protected:
  TrainingRunTest() : store_(MakeMemoryLabelStore()), progress_(ProgressMode::kPlain, "test") {
    test::FillSmallStore(store_.get(), false);
    corpus_ = ReadCorpus(store_.get(), store_->MakeSnapshot().id, nullptr);
    tokenizer_ = {test::MakeTestTokenizer(), "made by the test"};
    options_.models = folder_.path() / "models";
    options_.networks = {std::string(kBagNetwork)};
    options_.sizes = {{"embedding", 16}, {"filters", 8}, {"hidden", 16}};
    options_.fit.epochs = 12;
    options_.fit.learning_rate = 1e-2F;
    options_.fit.sampling.batch_rows = 32;
    options_.make_network = MakeTorchNetwork;
  }

  TrainingOutcome TrainOnce() {
    return Train(store_.get(), corpus_, tokenizer_, options_, &progress_).at(0);
  }
  BundleStore Bundles() const { return BundleStore(options_.models); }
  std::string WeightsOf(int version) const {
    return ReadFile(Bundles().BundleFolder(Task::kBnac, version) / "weights.safetensors");
  }
  TrainingRun LastRun() { return store_->ReadRuns(1).at(0); }

  TempFolder folder_;
  std::unique_ptr<LabelStore> store_;
  Progress progress_;
  Corpus corpus_;
  TokenizerModel tokenizer_;
  TrainingOptions options_;
};

TEST_F(TrainingRunTest, TheFirstModelIsPublishedPromotedAndRecorded) {
  const TrainingOutcome outcome = TrainOnce();
  EXPECT_EQ(outcome.version, 1);
  EXPECT_TRUE(outcome.promoted) << outcome.reason;
  EXPECT_GT(outcome.candidate.rows, 0);
  EXPECT_GT(outcome.candidate.accuracy, 0.8);
  EXPECT_FALSE(outcome.incumbent.has_value());
  EXPECT_EQ(Bundles().Current(Task::kBnac), 1);
  const TrainingRun run = LastRun();
  EXPECT_EQ(run.status, "promoted");
  EXPECT_EQ(run.version, 1);
  EXPECT_EQ(run.snapshot_id, corpus_.snapshot.id);
  EXPECT_EQ(run.reason, outcome.reason);
  EXPECT_EQ(ParseScorecard(run.scorecard_json).rows, outcome.candidate.rows);
}

TEST_F(TrainingRunTest, TheBundleClassifiesAndSaysHowItWasMade) {
  TrainOnce();
  const auto classifier = Classifier::Load(Bundles().BundleFolder(Task::kBnac, 1));
  Classifier::Scratch scratch;
  const Prediction prediction =
      classifier->ClassifyText("550 spamhaus failure listed goodbye", &scratch);
  EXPECT_EQ(classifier->config().labels[prediction.label], "BLOCK_LIST");
  const BundleConfig& config = classifier->config();
  EXPECT_EQ(config.snapshot_digest, corpus_.snapshot.digest);
  EXPECT_EQ(config.labels.size(), 4u) << "those that the rows know";
  EXPECT_GT(config.training_samples, 0);
  EXPECT_EQ(LastRun().weights_sha256, config.sha256.at("weights.safetensors"));
  const auto folder = Bundles().BundleFolder(Task::kBnac, 1);
  EXPECT_EQ(ParseGoldens(ReadFile(folder / "golden.jsonl")).size(), kGoldens);
  EXPECT_GT(ParseScorecard(ReadFile(folder / "scorecard.json")).rows, 0);
  EXPECT_NE(ReadFile(folder / "MODEL_CARD.md").find("made by the test"), std::string::npos);
}

TEST_F(TrainingRunTest, OurInferenceEqualsLibTorchForBothNetworks) {
  for (const std::string_view kind : {kBagNetwork, kTableCnnNetwork}) {
    for (const int64_t hidden : {0, 16}) {
      options_.networks = {std::string(kind)};
      options_.sizes["hidden"] = hidden;
      options_.fit.epochs = 3;
      const TrainingOutcome outcome = TrainOnce();
      EXPECT_LE(outcome.largest_difference, 1e-5) << kind << " " << hidden;
      EXPECT_EQ(outcome.network, kind);
    }
  }
}

TEST_F(TrainingRunTest, TheSameSnapshotAndSeedGiveTheSameBytes) {
  options_.networks = {std::string(kBagNetwork), std::string(kTableCnnNetwork)};
  options_.fit.epochs = 4;
  TrainOnce();
  TrainOnce();
  EXPECT_EQ(WeightsOf(1), WeightsOf(2));
  options_.seed = 2;
  TrainOnce();
  EXPECT_NE(WeightsOf(1), WeightsOf(3));
}

TEST_F(TrainingRunTest, MembersBecomeOneNetworkThatRepeatsBitForBit) {
  options_.members = 3;
  options_.jobs = 2;
  options_.fit.sampling.split = 0.25F;
  for (const std::string_view kind : {kBagNetwork, kTableCnnNetwork}) {
    options_.networks = {std::string(kind)};
    options_.fit.epochs = 3;
    const TrainingOutcome outcome = TrainOnce();
    EXPECT_LE(outcome.largest_difference, 1e-5) << kind;
    EXPECT_EQ(WeightsOf(outcome.version), WeightsOf(TrainOnce().version)) << kind;
    const auto classifier = Classifier::Load(Bundles().BundleFolder(Task::kBnac, outcome.version));
    EXPECT_EQ(classifier->config().sizes.at("embedding"), 48);
    EXPECT_EQ(classifier->config().sizes.at("hidden"), 48);
  }
}

TEST_F(TrainingRunTest, OneNetworkTeachesAllTasksWhoseAnswersAgree) {
  store_ = MakeMemoryLabelStore();
  test::FillSmallStore(store_.get(), true);
  corpus_ = ReadCorpus(store_.get(), store_->MakeSnapshot().id, nullptr);
  // Half of the texts have a label of bnac alone, as contributions may.
  for (size_t i = 0; i < corpus_.rows.size(); i += 2) {
    if (corpus_.rows[i].side != Side::kJudge)
      corpus_.rows[i].labels = {corpus_.rows[i].labels[0], -1, -1};
  }
  options_.tasks = {kTasks.begin(), kTasks.end()};
  const auto outcomes = Train(store_.get(), corpus_, tokenizer_, options_, &progress_);
  ASSERT_EQ(outcomes.size(), 3u);
  const std::string bnac_bytes = WeightsOf(1);
  const TensorMap bnac = ParseSafetensors(bnac_bytes);
  for (const TrainingOutcome& outcome : outcomes) {
    EXPECT_TRUE(outcome.promoted) << TaskName(outcome.task) << ": " << outcome.reason;
    EXPECT_GT(outcome.candidate.accuracy, 0.8) << TaskName(outcome.task);
    const std::string bytes =
        ReadFile(Bundles().BundleFolder(outcome.task, 1) / "weights.safetensors");
    for (const auto& [name, tensor] : ParseSafetensors(bytes)) {
      EXPECT_TRUE(std::ranges::equal(tensor.values, bnac.at(name).values))
          << name << ": every cause has a label of every task, so it is the same network";
    }
  }
  EXPECT_EQ(store_->ReadRuns(3).size(), 3u);
  for (const TrainingRun& run : store_->ReadRuns(3)) EXPECT_EQ(run.status, "promoted");
}

TEST_F(TrainingRunTest, AWorseCandidateIsPublishedButDoesNotTakeOver) {
  TrainOnce();
  options_.fit.epochs = 1;
  options_.fit.learning_rate = 1e-6F;
  const TrainingOutcome outcome = TrainOnce();
  EXPECT_FALSE(outcome.promoted);
  EXPECT_EQ(outcome.version, 2);
  EXPECT_EQ(Bundles().Current(Task::kBnac), 1);
  ASSERT_TRUE(outcome.incumbent.has_value());
  EXPECT_EQ(outcome.incumbent->rows, outcome.candidate.rows);
  const TrainingRun run = LastRun();
  EXPECT_EQ(run.status, "not_promoted");
  EXPECT_EQ(run.reason.substr(0, 39), "macro-F1 is lower than the incumbent's ") << run.reason;
  EXPECT_NE(run.reason.find("; accuracy is lower than"), std::string::npos) << "every reason";
  EXPECT_NE(run.reason.find("; class GRAYLISTING loses more F1 than"), std::string::npos)
      << run.reason;
  const JsonDocument details = ParseJson(run.details_json);
  EXPECT_EQ(GetJsonInt(GetJson(details, "incumbent"), "version"), 1);
  EXPECT_LT(GetJsonDouble(GetJson(GetJson(details, "incumbent"), "macro_f1"), "high"), 0.0);
  EXPECT_FALSE(GetJsonBool(GetJson(details, "verdict"), "promote"));
  EXPECT_GE(GetJsonStrings(GetJson(details, "verdict"), "reasons").size(), 3u);
  EXPECT_FALSE(run.incumbent_scorecard_json.empty());
}

TEST_F(TrainingRunTest, ToldAlwaysAWorseCandidateTakesOver) {
  TrainOnce();
  options_.fit.epochs = 1;
  options_.fit.learning_rate = 1e-6F;
  options_.promotion.mode = PromotionMode::kAlways;
  EXPECT_TRUE(TrainOnce().promoted);
  EXPECT_EQ(Bundles().Current(Task::kBnac), 2);
}

TEST_F(TrainingRunTest, TheLearningCurveEndsWithTheModelAndStandsInTheBundle) {
  TrainOnce();
  options_.learning_least = 10;
  options_.fasttext = FindProgram("fasttext");
  ASSERT_FALSE(options_.fasttext.empty()) << "tools/bootstrap installs it";
  const TrainingOutcome outcome = TrainOnce();
  EXPECT_EQ(WeightsOf(2), WeightsOf(1)) << "the curve changes nothing of the model";
  const std::string folder = Bundles().BundleFolder(Task::kBnac, 2).string();
  const Scorecard card = ParseScorecard(ReadFile(folder + "/scorecard.json"));
  ASSERT_EQ(card.learning_curve.size(), 4u);
  for (size_t i = 1; i < card.learning_curve.size(); ++i) {
    const LearningPoint& part = card.learning_curve[i - 1];
    EXPECT_EQ(part.groups, card.learning_curve[i].groups / 2);
    EXPECT_EQ(part.texts, part.groups * 4) << "whole groups of four copies";
  }
  EXPECT_EQ(card.learning_curve.back().accuracy, outcome.candidate.accuracy);
  EXPECT_EQ(card.learning_curve.back().macro_recall, outcome.candidate.macro_recall);
  EXPECT_GT(card.learning_curve.back().accuracy, card.learning_curve.front().accuracy);
  ASSERT_EQ(card.baselines.size(), 3u);
  EXPECT_EQ(card.baselines[1].name, "status codes, which fix 0 %");
  EXPECT_EQ(card.baselines[2].name, "fastText on the same rows");
  EXPECT_GT(card.baselines[2].accuracy, card.baselines[0].accuracy);
  EXPECT_NE(ReadFile(folder + "/MODEL_CARD.md").find("## Learning curve"), std::string::npos);
  EXPECT_EQ(ParseScorecard(LastRun().scorecard_json).learning_curve.size(), 4u);
  EXPECT_EQ(WriteScorecard(TrainOnce().candidate), WriteScorecard(card)) << "it repeats";
}

TEST_F(TrainingRunTest, SimpleBaselinesNeedNoFlagAndTheCurveDoes) {
  const TrainingOutcome outcome = TrainOnce();
  EXPECT_EQ(outcome.candidate.baselines.size(), 2u);
  EXPECT_TRUE(outcome.candidate.learning_curve.empty());
}

TEST_F(TrainingRunTest, WhatCannotBeMeasuredIsLeftOutAndNamed) {
  const auto warnings_of = [&](int64_t least) {
    options_.learning_least = least;
    testing::internal::CaptureStderr();
    const TrainingOutcome outcome = TrainOnce();
    EXPECT_TRUE(outcome.candidate.learning_curve.empty());
    EXPECT_LE(outcome.candidate.baselines.size(), 2u);
    return testing::internal::GetCapturedStderr();
  };
  options_.fit.epochs = 1;
  const std::string few = warnings_of(60);
  EXPECT_NE(few.find("groups are fewer than 120, twice its smallest part"), std::string::npos);
  EXPECT_NE(few.find("no fastText baseline: the program fasttext is not in $PATH"),
            std::string::npos)
      << few;
  for (CorpusRow& row : corpus_.rows) row.side = Side::kTrain;
  EXPECT_NE(warnings_of(10).find("no learning curve: no held-out row can judge its points"),
            std::string::npos);
}

TEST_F(TrainingRunTest, WithoutPublishingTheModelsFolderStaysAsItIs) {
  TrainOnce();
  options_.publish = false;
  const TrainingOutcome outcome = TrainOnce();
  EXPECT_EQ(outcome.version, 0);
  EXPECT_FALSE(outcome.promoted);
  EXPECT_GT(outcome.report.sure.rows, 0);
  EXPECT_EQ(Bundles().Versions(Task::kBnac), std::vector<int>{1});
  const TrainingRun run = LastRun();
  EXPECT_EQ(run.status, "not_promoted");
  EXPECT_EQ(run.version, 0);
  EXPECT_EQ(run.reason, "measured only: nothing was to be published");
  EXPECT_EQ(ParseScorecard(run.scorecard_json).rows, outcome.candidate.rows);
}

TEST_F(TrainingRunTest, ACancelledRunLeavesNoBundleAndSaysSo) {
  int asked = 0;
  options_.stop = [&] { return ++asked > 20; };
  try {
    TrainOnce();
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kCancelled);
  }
  EXPECT_TRUE(Bundles().Versions(Task::kBnac).empty());
  EXPECT_FALSE(std::filesystem::exists(options_.models));
  EXPECT_EQ(LastRun().status, "failed");
  EXPECT_EQ(LastRun().reason, "cancelled");
}

TEST_F(TrainingRunTest, AnIncumbentThatCannotBeLoadedDoesNotStandInTheWay) {
  TrainOnce();
  WriteFileDurably(Bundles().BundleFolder(Task::kBnac, 1) / "weights.safetensors", "damaged");
  const TrainingOutcome outcome = TrainOnce();
  EXPECT_TRUE(outcome.promoted);
  EXPECT_EQ(outcome.reason.find("the current bundle cannot be loaded"), 0u) << outcome.reason;
  EXPECT_EQ(Bundles().Current(Task::kBnac), 2);
}

TEST_F(TrainingRunTest, ATaskWithoutLabelsSaysWhatToDo) {
  options_.tasks = {Task::kAction};
  try {
    TrainOnce();
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kInvalidArgument);
    EXPECT_STREQ(e.what(),
                 "the snapshot has no training row for task action; label more texts or seed the "
                 "store (`rebound-labels seed`)");
  }
  EXPECT_EQ(LastRun().status, "failed");
}

TEST_F(TrainingRunTest, AStoreTooSmallToJudgeStillMakesAModelAndSaysSo) {
  for (CorpusRow& row : corpus_.rows) row.side = Side::kTrain;
  const TrainingOutcome first = TrainOnce();
  EXPECT_TRUE(first.promoted) << "nothing serves yet";
  EXPECT_EQ(first.candidate.rows, 0);
  const TrainingOutcome second = TrainOnce();
  EXPECT_FALSE(second.promoted);
  EXPECT_EQ(second.reason,
            "no held-out row compares it with the incumbent; --promote always overrides");
}

TEST_F(TrainingRunTest, ANetworkThatOurInferenceComputesOtherwiseIsNeverPublished) {
  // Gives away other weights than those it computes with.
  struct Liar : Network {
    explicit Liar(std::unique_ptr<Network> inner) : inner(std::move(inner)) {}
    double Step(const Batch& batch, const StepOptions& o) override { return inner->Step(batch, o); }
    void Forward(const Batch& batch, std::vector<float>* logits) override {
      inner->Forward(batch, logits);
    }
    Weights Export() const override {
      Weights weights = inner->Export();
      for (float& weight : weights.at("output.weight")) weight *= 0.1F;
      return weights;
    }
    void Import(const Weights&) override {}
    std::unique_ptr<Network> inner;
  };
  options_.make_network = [](const NetworkSpec& spec) {
    return std::make_unique<Liar>(MakeTorchNetwork(spec));
  };
  EXPECT_THROW(TrainOnce(), Error);
  EXPECT_TRUE(Bundles().Versions(Task::kBnac).empty());
  EXPECT_EQ(LastRun().status, "failed");
}

MustPass Says(const std::string& text, std::string_view label, bool must) {
  MustPass entry{1,     Task::kBnac, FindLabel(Task::kBnac, label).value(), must, text, "anna",
                 "why", ""};
  return entry;
}

TEST_F(TrainingRunTest, AModelThatFailsTheMustPassListDoesNotServeNotEvenAsTheFirst) {
  options_.must_pass = {Says("550 please spamhaus host listed", "BLOCK_LIST", true),
                        Says("550 please spamhaus host listed", "SPF", false)};
  EXPECT_TRUE(TrainOnce().promoted);
  options_.must_pass.push_back(Says("550 please spamhaus host listed", "GRAYLISTING", true));
  options_.models = folder_.path() / "other";
  const TrainingOutcome outcome = TrainOnce();
  EXPECT_FALSE(outcome.promoted);
  EXPECT_EQ(outcome.reason.substr(0, 51), "must-pass 1 must get GRAYLISTING and gets BLOCK_LIS")
      << outcome.reason;
  EXPECT_EQ(Bundles().Current(Task::kBnac), std::nullopt);
  EXPECT_EQ(LastRun().reason, outcome.reason);
  const JsonDocument details = ParseJson(LastRun().details_json);
  EXPECT_EQ(GetJsonInt(GetJson(details, "must_pass"), "checked"), 3);
  EXPECT_EQ(GetJson(GetJson(details, "must_pass"), "failed").Size(), 1u);
}

TEST_F(TrainingRunTest, APublishedBundleIsUploadedBeforeItServes) {
  options_.upload = [&](const std::filesystem::path& folder) {
    EXPECT_EQ(folder, Bundles().BundleFolder(Task::kBnac, 1));
    EXPECT_EQ(Bundles().Current(Task::kBnac), std::nullopt);
    throw Error(ErrorCode::kUnavailable, "the registry is away");
  };
  EXPECT_THROW(TrainOnce(), Error);
  EXPECT_EQ(Bundles().Current(Task::kBnac), std::nullopt);
  EXPECT_EQ(LastRun().reason, "the registry is away");
  EXPECT_EQ(GetJsonString(GetJson(ParseJson(LastRun().details_json), "options"), "epochs"), "12")
      << "also a run that failed says what it was";
}

TEST_F(TrainingRunTest, ABundleIsTrainedAgainToTheSameBytesFromWhatItRecords) {
  options_.networks = {std::string(kTableCnnNetwork)};
  options_.fit.epochs = 3;
  options_.fit.dropout = 0.15F;
  options_.fit.sampling.split = 0.125F;
  options_.seed = 5;
  TrainOnce();
  const auto folder = Bundles().BundleFolder(Task::kBnac, 1);
  const BundleConfig config = ParseBundleConfig(ReadFile(folder / "config.json"));
  RequireVerifiable(config);
  TrainingOptions again;
  again.make_network = MakeTorchNetwork;
  again.seed = config.seed;
  EXPECT_EQ(ApplyRecordedOptions(config.training, &again).source, "given");
  const auto compare = [&] { return VerifyBundle(folder, corpus_, tokenizer_, again, &progress_); };
  for (const FileComparison& file : compare()) EXPECT_TRUE(file.same) << file.name << file.what;
  again.fit.dropout = 0.2F;
  const auto other = compare();
  EXPECT_TRUE(other[0].same) << "the tokenizer";
  EXPECT_FALSE(other[1].same);
  EXPECT_EQ(other[1].what.substr(0, 22), "differs first at byte ");
  EXPECT_EQ(store_->ReadRuns(9).size(), 1u) << "a verification is no run";
  EXPECT_EQ(Bundles().Versions(Task::kBnac), std::vector<int>{1});
}

TEST_F(TrainingRunTest, OutOfFoldEveryTrainingTextIsAskedOfAModelThatDidNotLearnIt) {
  options_.fit.epochs = 6;
  std::ostringstream out;
  WriteOutOfFold(corpus_, tokenizer_, options_, 3, &progress_, out);
  std::istringstream lines(out.str());
  std::string line;
  size_t rows = 0, right = 0;
  std::map<int64_t, int64_t> fold_of;
  while (std::getline(lines, line)) {
    const JsonDocument json = ParseJson(line);
    ++rows;
    fold_of[GetJsonInt(json, "id")] = GetJsonInt(json, "fold");
    const JsonValue& bnac = GetJson(json, "bnac");
    double sum = 0.0;
    std::pair<double, std::string> best;
    for (const auto& member : GetJson(bnac, "probabilities").GetObject()) {
      sum += member.value.GetDouble();
      best = std::max(best, {member.value.GetDouble(), std::string(JsonText(member.name))});
    }
    EXPECT_NEAR(sum, 1.0, 1e-5);
    right += best.second == GetJsonString(bnac, "given") ? 1 : 0;
  }
  std::map<int32_t, std::set<int64_t>> folds;
  size_t expected = 0;
  for (const CorpusRow& row : corpus_.rows) {
    if (row.side == Side::kJudge) {
      EXPECT_FALSE(fold_of.contains(row.message_id)) << "what judges takes no part";
      continue;
    }
    ++expected;
    folds[row.group].insert(fold_of.at(row.message_id));
  }
  EXPECT_EQ(rows, expected);
  for (const auto& [group, in] : folds) EXPECT_EQ(in.size(), 1u) << "whole groups";
  EXPECT_GT(static_cast<double>(right) / static_cast<double>(rows), 0.6);
  std::ostringstream again;
  WriteOutOfFold(corpus_, tokenizer_, options_, 3, &progress_, again);
  EXPECT_EQ(again.str(), out.str()) << "it repeats";
}

TEST_F(TrainingRunTest, TheCurrentTokenizerIsFoundInAnyTasksBundle) {
  EXPECT_FALSE(FindCurrentTokenizer(Bundles(), Task::kAction).has_value());
  TrainOnce();
  const auto shared = FindCurrentTokenizer(Bundles(), Task::kAction);
  ASSERT_TRUE(shared.has_value());
  EXPECT_EQ(shared->bytes, tokenizer_.bytes);
  EXPECT_EQ(shared->origin, "bnac version 1");
  WriteFileDurably(Bundles().BundleFolder(Task::kBnac, 1) / "config.json", "{}");
  EXPECT_FALSE(FindCurrentTokenizer(Bundles(), Task::kAction).has_value());
}

}  // namespace
}  // namespace rebound
