#include "train/training_run.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <ctime>

#include "base/digest.h"
#include "base/error.h"
#include "base/file.h"
#include "evaluation/calibration.h"
#include "models/bundle_store.h"
#include "models/classifier.h"
#include "models/network.h"
#include "models/status_code.h"
#include "tokenizer/normaliser.h"
#include "train/baselines.h"
#include "train/chosen_network.h"
#include "train/held_out.h"
#include "train/learning_points.h"
#include "train/model_card.h"

namespace rebound {
namespace {

std::string NowText() {
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::tm utc{};
  gmtime_r(&now, &utc);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text;
}

// What the status codes would mend on the calibration rows; says what that is.
double ChooseThreshold(const Corpus& corpus, const DataSet& data,
                       const std::vector<float>& probabilities, Task task, Progress* progress) {
  const size_t labels = TaskLabels(task).size();
  std::vector<FallbackCase> cases;
  for (size_t row = 0; row < data.rows(); ++row) {
    const float* p = probabilities.data() + row * labels;
    const auto predicted = static_cast<int32_t>(std::max_element(p, p + labels) - p);
    const StatusCodes codes = FindStatusCodes(corpus.rows[data.corpus_rows[row]].text);
    const std::optional<size_t> by_code = LabelOfStatusCodes(task, codes);
    FallbackCase c;
    c.probability = p[predicted];
    c.model_right = predicted == data.labels[row];
    c.code_known = by_code.has_value();
    c.code_right = by_code && static_cast<int32_t>(*by_code) == data.labels[row];
    cases.push_back(c);
  }
  const double threshold = ChooseFallbackThreshold(cases);
  size_t asked = 0;
  size_t mended = 0;
  size_t broken = 0;
  for (const FallbackCase& c : cases) {
    if (!c.code_known || c.probability >= threshold) continue;
    ++asked;
    mended += c.code_right && !c.model_right ? 1 : 0;
    broken += c.model_right && !c.code_right ? 1 : 0;
  }
  progress->Tell("fallback", {{"threshold", FigureText(threshold)},
                              {"calibration_rows", std::to_string(cases.size())},
                              {"asked", std::to_string(asked)},
                              {"mended", std::to_string(mended)},
                              {"broken", std::to_string(broken)}});
  return threshold;
}

// About kGoldens texts spread over the classes: for each class the surest row first, then rows
// from all over, so that both certain and doubtful answers are held.
std::vector<size_t> ChooseGoldenRows(const DataSet& data, const std::vector<float>& probabilities,
                                     size_t labels) {
  std::vector<std::vector<size_t>> by_class(labels);
  for (size_t row = 0; row < data.rows(); ++row) {
    by_class[static_cast<size_t>(data.labels[row])].push_back(row);
  }
  for (size_t label = 0; label < labels; ++label) {
    std::vector<size_t>& rows = by_class[label];
    const auto sureness = [&](size_t row) { return probabilities[row * labels + label]; };
    const auto surest = std::max_element(
        rows.begin(), rows.end(), [&](size_t a, size_t b) { return sureness(a) < sureness(b); });
    if (surest != rows.end()) std::iter_swap(rows.begin(), surest);
  }
  std::vector<size_t> chosen;
  for (size_t round = 0; chosen.size() < std::min(kGoldens, data.rows()); ++round) {
    for (const std::vector<size_t>& rows : by_class) {
      if (round < rows.size() && chosen.size() < kGoldens) chosen.push_back(rows[round]);
    }
  }
  return chosen;
}

// The run of one task, with what its steps share.
class Run {
 public:
  Run(const Corpus& corpus, const TokenizerModel& tokenizer, const TrainingOptions& options,
      Progress* progress)
      : corpus_(corpus),
        tokenizer_(tokenizer),
        options_(options),
        progress_(progress),
        labels_(LabelNames(options.task)),
        encoder_(Encoder::Parse(tokenizer.bytes)),
        sides_(MakeSides(corpus, *encoder_, options, progress)),
        parts_(MakeLearningParts(sides_.both, options)) {
    TellPlan();
  }

  // Everything up to a complete draft; the models folder is untouched.
  BundleDraft MakeDraft(TrainingOutcome* outcome);
  std::optional<Scorecard> JudgeIncumbent(const BundleStore& bundles, std::string* note) const;

 private:
  BundleConfig MakeConfig(const Trained& trained) const;
  TensorMap ViewWeights(const BundleConfig& config) const;
  std::shared_ptr<const Classifier> Stage(const BundleDraft& draft,
                                          const std::filesystem::path& folder) const;
  Scorecard Judge(const Classifier& classifier) const;
  void TellPlan() const;
  void MeasureBeside(const Trained& trained, Scorecard* card) const;
  double LargestDifference(const Classifier& classifier, Network* network) const;
  const DataSet& GoldenSide() const {
    return sides_.judge.rows() > 0 ? sides_.judge : sides_.train;
  }

  const Corpus& corpus_;
  const TokenizerModel& tokenizer_;
  const TrainingOptions& options_;
  Progress* progress_;
  std::vector<std::string> labels_;
  std::shared_ptr<const Encoder> encoder_;
  Sides sides_;
  std::vector<LearningPart> parts_;  // of the learning curve
  Weights weights_;                  // of the chosen network; the draft views them
};

BundleConfig Run::MakeConfig(const Trained& trained) const {
  BundleConfig config;
  config.task = options_.task;
  config.labels = labels_;
  config.network = trained.kind;
  config.sizes = trained.sizes;
  config.normaliser_version = kNormaliserVersion;
  config.temperature = trained.temperature;
  config.snapshot_id = corpus_.snapshot.id;
  config.snapshot_digest = corpus_.snapshot.digest;
  config.seed = options_.seed;
  config.environment = options_.environment;
  config.code_version = REBOUND_VERSION;
  config.trained_at = NowText();
  config.training_samples = static_cast<int64_t>(sides_.both.rows());
  return config;
}

TensorMap Run::ViewWeights(const BundleConfig& config) const {
  TensorMap tensors;
  const auto shapes =
      NetworkTensors(config.network, config.sizes, static_cast<int64_t>(labels_.size()));
  for (const auto& [name, shape] : shapes) tensors[name] = {shape, weights_.at(name)};
  return tensors;
}

// Publishes the draft into a folder of its own and loads it as a server would.
std::shared_ptr<const Classifier> Run::Stage(const BundleDraft& draft,
                                             const std::filesystem::path& folder) const {
  BundleStore staging(folder);
  const int version = staging.Publish(draft);
  return Classifier::Load(staging.BundleFolder(options_.task, version));
}

Scorecard Run::Judge(const Classifier& classifier) const {
  return JudgeHeldOut(classifier, corpus_, options_.task, sides_.judge).sure;
}

// Says in the beginning how much work there will be.
void Run::TellPlan() const {
  if (options_.learning_least == 0) return;
  if (sides_.judge.rows() == 0 || parts_.empty()) {
    const std::string groups = std::to_string(CountGroups(sides_.both));
    const std::string least = std::to_string(2 * options_.learning_least);
    progress_->Tell("warning",
                    {{"message", sides_.judge.rows() == 0
                                     ? "no learning curve: no held-out row can judge its points"
                                     : "no learning curve: " + groups + " groups are fewer than " +
                                           least + ", twice its smallest part"}});
    return;
  }
  std::string sizes;
  for (const LearningPart& part : parts_) sizes += std::to_string(part.groups) + ", ";
  const size_t own = options_.networks.size() + (sides_.calibrate.rows() > 0 ? 1 : 0);
  progress_->Tell("plan", {{"trainings_of_the_model", std::to_string(own)},
                           {"trainings_of_the_learning_curve", std::to_string(parts_.size())},
                           {"groups", sizes + std::to_string(CountGroups(sides_.both))}});
}

// What stands beside the model's own figures.
void Run::MeasureBeside(const Trained& trained, Scorecard* card) const {
  card->baselines = MeasureSimpleBaselines(corpus_, options_.task, sides_.both, sides_.judge);
  if (options_.learning_least == 0 || sides_.judge.rows() == 0) return;
  std::string why_not;
  const auto fasttext = MeasureFastText(options_.fasttext, corpus_, options_.task, sides_.both,
                                        sides_.judge, options_.seed, options_.stop, &why_not);
  if (fasttext) {
    card->baselines.push_back(*fasttext);
  } else {
    progress_->Tell("warning", {{"message", "no fastText baseline: " + why_not}});
  }
  for (const Baseline& baseline : card->baselines) {
    progress_->Tell("baseline", {{"name", baseline.name},
                                 {"accuracy", FigureText(baseline.accuracy)},
                                 {"macro_f1", FigureText(baseline.macro_f1)},
                                 {"macro_recall", FigureText(baseline.macro_recall)}});
  }
  if (parts_.empty()) return;
  card->learning_curve =
      MeasureLearning(parts_, sides_, *encoder_, options_, trained, *card, progress_);
}

std::optional<Scorecard> Run::JudgeIncumbent(const BundleStore& bundles, std::string* note) const {
  const std::optional<int> version = bundles.Current(options_.task);
  if (!version) return std::nullopt;
  try {
    return Judge(*Classifier::Load(bundles.BundleFolder(options_.task, *version)));
  } catch (const Error& e) {
    if (e.code() != ErrorCode::kCorrupt && e.code() != ErrorCode::kNotFound) throw;
    // What cannot be loaded cannot serve either, so it does not stand in a successor's way.
    *note = std::string("the current bundle cannot be loaded (") + e.what() + ")";
    return std::nullopt;
  }
}

double Run::LargestDifference(const Classifier& classifier, Network* network) const {
  double largest = 0.0;
  for (const DataSet* data : {&sides_.judge, &sides_.calibrate, &sides_.train}) {
    Batch batch;
    ClearBatch(&batch);
    for (size_t row = 0; row < std::min<size_t>(data->rows(), 1000); ++row) {
      AppendRow(*data, row, &batch);
    }
    if (batch.rows() == 0) continue;
    std::vector<float> logits;
    network->Forward(batch, &logits);
    const std::vector<float> theirs =
        ProbabilitiesOf(std::move(logits), labels_.size(), classifier.config().temperature);
    Classifier::Scratch scratch;
    std::vector<float> ours(labels_.size());
    for (size_t row = 0; row < batch.rows(); ++row) {
      const auto begin = static_cast<size_t>(batch.offsets[row]);
      const auto end = static_cast<size_t>(batch.offsets[row + 1]);
      classifier.Score({batch.tokens.data() + begin, end - begin}, &scratch, ours);
      for (size_t i = 0; i < ours.size(); ++i) {
        const double difference = std::abs(ours[i] - theirs[row * ours.size() + i]);
        largest = std::max(largest, difference);
      }
    }
  }
  return largest;
}

BundleDraft Run::MakeDraft(TrainingOutcome* outcome) {
  Trained trained = TrainBest(sides_, *encoder_, options_, progress_);
  const std::vector<float> calibration =
      ProbabilitiesOf(LogitsOf(trained.network.get(), sides_.calibrate, labels_.size()),
                      labels_.size(), trained.temperature);
  if (sides_.calibrate.rows() > 0) {
    TrainOnBoth(sides_, *encoder_, options_, progress_, &trained);
  }
  weights_ = trained.network->Export();
  BundleDraft draft;
  draft.config = MakeConfig(trained);
  draft.config.fallback_threshold =
      ChooseThreshold(corpus_, sides_.calibrate, calibration, options_.task, progress_);
  draft.weights = ViewWeights(draft.config);
  draft.tokenizer_model = tokenizer_.bytes;

  // Staged first with LibTorch's own answers as goldens, then with ours: a network that our
  // inference computes otherwise never reaches the models folder.
  const DataSet& side = GoldenSide();
  const std::vector<float> probabilities = ProbabilitiesOf(
      LogitsOf(trained.network.get(), side, labels_.size()), labels_.size(), trained.temperature);
  const std::vector<size_t> rows = ChooseGoldenRows(side, probabilities, labels_.size());
  for (const size_t row : rows) {
    const float* p = probabilities.data() + row * labels_.size();
    const auto best = std::max_element(p, p + labels_.size());
    draft.goldens.push_back(
        {corpus_.rows[side.corpus_rows[row]].text, labels_[static_cast<size_t>(best - p)], *best});
  }
  const TempFolder staging("rebound-train-");
  draft.scorecard_json = "{}";
  draft.model_card = "staged";
  const std::shared_ptr<const Classifier> classifier = Stage(draft, staging.path());
  outcome->largest_difference = LargestDifference(*classifier, trained.network.get());
  if (!(outcome->largest_difference <= kParityTolerance)) {
    throw Error(ErrorCode::kInternal, "our inference differs from LibTorch by " +
                                          std::to_string(outcome->largest_difference) +
                                          " in probability");
  }
  Classifier::Scratch scratch;
  for (Golden& golden : draft.goldens) {
    const Prediction prediction = classifier->ClassifyText(golden.text, &scratch);
    golden.label = labels_[prediction.label];
    golden.probability = prediction.probability;
  }
  outcome->report = JudgeHeldOut(*classifier, corpus_, options_.task, sides_.judge);
  outcome->candidate = outcome->report.sure;
  MeasureBeside(trained, &outcome->candidate);
  outcome->report.run = outcome->candidate;
  std::swap(outcome->report.baselines, outcome->report.run.baselines);
  outcome->report.facts = {{"network", trained.kind},
                           {"snapshot", std::to_string(corpus_.snapshot.id)},
                           {"seed", std::to_string(options_.seed)},
                           {"trained on", std::to_string(sides_.both.rows()) + " texts"}};
  outcome->network = trained.kind;
  outcome->samples_per_second = trained.fit.samples_per_second;
  draft.config.validation_accuracy = outcome->candidate.accuracy;
  draft.scorecard_json = WriteScorecard(outcome->candidate);
  draft.model_card =
      WriteModelCard(draft.config, outcome->candidate,
                     {CountGroups(sides_.both), CountGroups(sides_.judge), tokenizer_.origin});
  return draft;
}

TrainingOutcome TrainRecorded(LabelStore* store, const Corpus& corpus,
                              const TokenizerModel& tokenizer, const TrainingOptions& options,
                              Progress* progress, TrainingRun* record) {
  TrainingOutcome outcome;
  Run run(corpus, tokenizer, options, progress);
  const BundleDraft draft = run.MakeDraft(&outcome);
  BundleStore bundles(options.models);
  std::string note;
  outcome.incumbent = run.JudgeIncumbent(bundles, &note);
  record->scorecard_json = draft.scorecard_json;
  if (outcome.incumbent) record->incumbent_scorecard_json = WriteScorecard(*outcome.incumbent);
  ThrowIfStopped(options.stop);
  if (!options.publish) {
    record->status = "not_promoted";
    record->reason = outcome.reason = "measured only: nothing was to be published";
    store->FinishRun(*record);
    return outcome;
  }
  outcome.version = bundles.Publish(draft, store->LastVersion(options.task));
  const auto published = Classifier::Load(bundles.BundleFolder(options.task, outcome.version));
  record->version = outcome.version;
  record->weights_sha256 = published->config().sha256.at("weights.safetensors");
  store->RegisterModel(record->task, record->version, record->weights_sha256, record->id);
  const Verdict verdict = Decide(outcome.candidate, outcome.incumbent, options.promotion);
  outcome.promoted = verdict.promote;
  outcome.reason = note.empty() ? verdict.reason : note + "; " + verdict.reason;
  if (outcome.promoted) {
    bundles.Promote(options.task, outcome.version);
    store->RecordPromotion(options.task, outcome.version);
  }
  record->status = outcome.promoted ? "promoted" : "not_promoted";
  record->reason = outcome.reason;
  store->FinishRun(*record);
  return outcome;
}

// The error that ended the run matters more than one while recording it.
void RecordFailure(LabelStore* store, TrainingRun* record, const std::string& reason,
                   Progress* progress) {
  record->status = "failed";
  record->reason = reason;
  try {
    store->FinishRun(*record);
  } catch (const Error& e) {
    progress->Tell("warning",
                   {{"message", std::string("the failed run could not be recorded: ") + e.what()}});
  }
}

}  // namespace

TrainingOutcome Train(LabelStore* store, const Corpus& corpus, const TokenizerModel& tokenizer,
                      const TrainingOptions& options, Progress* progress) {
  TrainingRun record;
  record.task = options.task;
  record.snapshot_id = corpus.snapshot.id;
  record.seed = options.seed;
  record.status = "running";
  record.id = store->StartRun(record);
  try {
    return TrainRecorded(store, corpus, tokenizer, options, progress, &record);
  } catch (const Error& e) {
    RecordFailure(store, &record, e.what(), progress);
    throw;
  } catch (const std::exception& e) {
    // LibTorch's exceptions end here.
    const std::string what = std::string("LibTorch: ") + e.what();
    RecordFailure(store, &record, what, progress);
    throw Error(ErrorCode::kInternal, what);
  }
}

}  // namespace rebound
