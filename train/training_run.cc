#include "train/training_run.h"

#include <deque>

#include "base/digest.h"
#include "base/error.h"
#include "models/bundle_store.h"
#include "models/classifier.h"
#include "train/chosen_network.h"
#include "train/incumbents.h"
#include "train/learning_points.h"
#include "train/recorded_options.h"
#include "train/run_details.h"
#include "train/task_draft.h"

namespace rebound {
namespace {

// Says in the beginning how much work there will be.
void TellPlan(const Sides& sides, const std::vector<LearningPart>& parts,
              const TrainingOptions& options, Progress* progress) {
  if (options.learning_least == 0) return;
  const std::string groups = std::to_string(CountGroups(sides.both));
  if (sides.judge.rows() == 0 || parts.empty()) {
    const std::string least = std::to_string(2 * options.learning_least);
    progress->Tell("warning",
                   {{"message", sides.judge.rows() == 0
                                    ? "no learning curve: no held-out row can judge its points"
                                    : "no learning curve: " + groups + " groups are fewer than " +
                                          least + ", twice its smallest part"}});
    return;
  }
  std::string sizes;
  for (const LearningPart& part : parts) sizes += std::to_string(part.groups) + ", ";
  const size_t own = options.networks.size() + (sides.calibrate.rows() > 0 ? 1 : 0);
  progress->Tell("plan", {{"trainings_of_the_model", std::to_string(own)},
                          {"trainings_of_the_learning_curve", std::to_string(parts.size())},
                          {"groups", sizes + groups}});
}

// A run's tasks, with what their records say so far.
class Run {
 public:
  Run(LabelStore* store, const Corpus& corpus, const TokenizerModel& tokenizer,
      const TrainingOptions& options, Progress* progress)
      : store_(store),
        corpus_(corpus),
        tokenizer_(tokenizer),
        options_(options),
        progress_(progress) {
    for (const Task task : options.tasks) {
      TrainingRun record;
      record.task = task;
      record.snapshot_id = corpus.snapshot.id;
      record.seed = options.seed;
      record.status = "running";
      record.id = store->StartRun(record);
      records_.push_back(record);
    }
  }

  std::vector<TrainingOutcome> Train();
  // The error that ended the run matters more than one while recording it.
  void RecordFailure(const std::string& reason);

 private:
  void Conclude(TaskDraft* draft, TrainingRun* record);
  RunDetails MakeDetails() const;
  void Finish(const std::string& status, const std::string& reason, const RunDetails& details,
              TrainingRun* record);

  LabelStore* const store_;
  const Corpus& corpus_;
  const TokenizerModel& tokenizer_;
  const TrainingOptions& options_;
  Progress* const progress_;
  std::vector<TrainingRun> records_;  // [options.tasks]
};

std::vector<TrainingOutcome> Run::Train() {
  const auto encoder = Encoder::Parse(tokenizer_.bytes);
  const Sides sides = MakeSides(corpus_, *encoder, options_, progress_);
  const std::vector<LearningPart> parts = MakeLearningParts(sides.both, options_);
  TellPlan(sides, parts, options_, progress_);
  const Trained trained = TrainForBundle(sides, *encoder, options_, progress_);
  const Weights weights = trained.network->Export();
  const RunParts shared{corpus_, tokenizer_, options_, *encoder, sides, trained, weights};
  std::deque<TaskDraft> drafts;
  std::vector<LearningTask> learning;
  for (const Task task : options_.tasks) {
    TaskDraft& draft = drafts.emplace_back(task, shared, progress_);
    learning.push_back({task, &draft.outcome().candidate, draft.progress()});
  }
  if (!parts.empty() && sides.judge.rows() > 0) {
    MeasureLearning(parts, sides, corpus_, *encoder, options_, trained, learning, progress_);
  }
  ThrowIfStopped(options_.stop);
  std::vector<TrainingOutcome> outcomes;
  for (size_t i = 0; i < drafts.size(); ++i) {
    Conclude(&drafts[i], &records_[i]);
    outcomes.push_back(drafts[i].outcome());
  }
  return outcomes;
}

// Publishes, decides and records.
void Run::Conclude(TaskDraft* draft, TrainingRun* record) {
  const BundleDraft& bundle = draft->Finish();
  TrainingOutcome& outcome = draft->outcome();
  BundleStore bundles(options_.models);
  std::string note;
  RunDetails details = MakeDetails();
  PromotionCase judged;
  judged.candidate = outcome.candidate;
  judged.incumbent = draft->CompareIncumbent(
      IncumbentsOf(outcome.task, bundles, BundleStore(options_.fleet)), &details.incumbent, &note);
  record->scorecard_json = bundle.scorecard_json;
  if (judged.incumbent) {
    outcome.incumbent = judged.incumbent->scorecard;
    details.differences = judged.incumbent->differences;
    record->incumbent_scorecard_json = WriteScorecard(*outcome.incumbent);
  }
  if (!options_.publish) {
    outcome.reason = "measured only: nothing was to be published";
    Finish("not_promoted", outcome.reason, details, record);
    return;
  }
  const Task task = outcome.task;
  outcome.version = bundles.Publish(bundle, store_->LastVersion(task));
  const auto published = Classifier::Load(bundles.BundleFolder(task, outcome.version));
  record->version = outcome.version;
  record->weights_sha256 = published->config().sha256.at("weights.safetensors");
  store_->RegisterModel(record->task, record->version, record->weights_sha256, record->id);
  if (options_.upload) options_.upload(bundles.BundleFolder(task, outcome.version));
  details.must_pass = CheckMustPass(*published, options_.must_pass);
  for (const MustPassResult& result : details.must_pass) {
    if (!result.passed) judged.failed_must_pass.push_back(Describe(result));
  }
  details.verdict = outcome.verdict = Decide(judged, options_.promotion);
  outcome.promoted = outcome.verdict.promote;
  outcome.reason = (note.empty() ? "" : note + "; ") + outcome.verdict.Reason();
  if (outcome.promoted) {
    // The registry first: a server that follows it would put an earlier CURRENT back.
    store_->RecordPromotion(task, outcome.version);
    bundles.Promote(task, outcome.version);
  }
  Finish(outcome.promoted ? "promoted" : "not_promoted", outcome.reason, details, record);
}

RunDetails Run::MakeDetails() const {
  RunDetails details;
  details.options = RecordOptions(options_, tokenizer_);
  details.environment = options_.environment;
  details.tokenizer_sha256 = Sha256Hex(tokenizer_.bytes);
  details.tokenizer_origin = tokenizer_.origin;
  details.mode = options_.promotion.mode;
  return details;
}

void Run::Finish(const std::string& status, const std::string& reason, const RunDetails& details,
                 TrainingRun* record) {
  record->status = status;
  record->reason = reason;
  record->details_json = WriteRunDetails(details);
  store_->FinishRun(*record);
}

void Run::RecordFailure(const std::string& reason) {
  for (TrainingRun& record : records_) {
    if (record.status != "running") continue;
    try {
      Finish("failed", reason, MakeDetails(), &record);
    } catch (const Error& e) {
      progress_->Tell(
          "warning",
          {{"message", std::string("the failed run could not be recorded: ") + e.what()}});
    }
  }
}

}  // namespace

std::vector<TrainingOutcome> Train(LabelStore* store, const Corpus& corpus,
                                   const TokenizerModel& tokenizer, const TrainingOptions& options,
                                   Progress* progress) {
  Run run(store, corpus, tokenizer, options, progress);
  try {
    return run.Train();
  } catch (const Error& e) {
    run.RecordFailure(e.what());
    throw;
  } catch (const std::exception& e) {
    // LibTorch's exceptions end here.
    const std::string what = std::string("LibTorch: ") + e.what();
    run.RecordFailure(what);
    throw Error(ErrorCode::kInternal, what);
  }
}

}  // namespace rebound
