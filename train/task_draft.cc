#include "train/task_draft.h"

#include <algorithm>
#include <cmath>

#include "base/code_version.h"
#include "base/error.h"
#include "base/file.h"
#include "base/utc_time.h"
#include "evaluation/calibration.h"
#include "models/network.h"
#include "models/status_code.h"
#include "tokenizer/normaliser.h"
#include "train/baselines.h"
#include "train/held_out.h"
#include "train/model_card.h"
#include "train/recorded_options.h"

namespace rebound {
namespace {

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

}  // namespace

TaskDraft::TaskDraft(Task task, const RunParts& parts, Progress* progress)
    : task_(task),
      parts_(parts),
      progress_(progress->mode(), std::string(TaskName(task))),
      labels_(LabelNames(task)),
      outputs_(parts.sides.causes, task),
      train_(SelectTask(parts.sides.both, parts.corpus, task)),
      judge_(SelectTask(parts.sides.judge, parts.corpus, task)) {
  outcome_.task = task;
  SetConfig();
  Calibrate();
  ViewWeights();
  SetGoldens();
  Prove();
  MeasureBeside();
}

void TaskDraft::SetConfig() {
  BundleConfig& config = draft_.config;
  config.task = task_;
  // Labels that no cause has cannot be answered.
  std::vector<int32_t> position(labels_.size(), -1);
  for (size_t label = 0; label < labels_.size(); ++label) {
    const bool known = std::find(outputs_.labels.begin(), outputs_.labels.end(),
                                 static_cast<int32_t>(label)) != outputs_.labels.end();
    if (!known) continue;
    position[label] = static_cast<int32_t>(config.labels.size());
    config.labels.push_back(labels_[label]);
  }
  for (const int32_t label : outputs_.labels) {
    config.outputs.push_back(position[static_cast<size_t>(label)]);
  }
  config.network = parts_.trained.kind;
  config.sizes = parts_.trained.sizes;
  config.normaliser_version = kNormaliserVersion;
  config.snapshot_id = parts_.corpus.snapshot.id;
  config.snapshot_digest = parts_.corpus.snapshot.digest;
  config.seed = parts_.options.seed;
  config.environment = parts_.options.environment;
  config.training = RecordOptions(parts_.options, parts_.tokenizer);
  config.code_version = CodeVersion();
  config.trained_at = UtcNow();
  config.training_samples = static_cast<int64_t>(parts_.sides.both.rows());
  draft_.tokenizer_model = parts_.tokenizer.bytes;
}

// On the answers of the network that had not learned from these rows.
void TaskDraft::Calibrate() {
  const DataSet& rows = parts_.sides.calibrate;
  const size_t causes = parts_.sides.causes.size();
  std::vector<float> all;   // [rows, causes]
  std::vector<float> ours;  // [rows, outputs]
  std::vector<size_t> truths;
  for (size_t row = 0; row < rows.rows(); ++row) {
    const int16_t label = parts_.corpus.rows[rows.corpus_rows[row]].labels[Index(task_)];
    if (label < 0) continue;
    truths.push_back(static_cast<size_t>(label));
    const float* logits = parts_.trained.calibration_logits.data() + row * causes;
    all.insert(all.end(), logits, logits + causes);
    for (const int32_t cause : outputs_.causes) ours.push_back(logits[cause]);
  }
  draft_.config.temperature = FitTemperature(ours, truths, outputs_.labels);
  progress_.Tell("calibration", {{"rows", std::to_string(truths.size())},
                                 {"temperature", FigureText(draft_.config.temperature)}});
  draft_.config.fallback_threshold = ChooseThreshold(
      parts_.corpus, SelectTask(rows, parts_.corpus, task_),
      TaskProbabilities(all, causes, outputs_, labels_.size(), draft_.config.temperature), task_,
      &progress_);
}

// The network's tensors, and of its output layer the rows of this task.
void TaskDraft::ViewWeights() {
  const BundleConfig& config = draft_.config;
  const auto shapes =
      NetworkTensors(config.network, config.sizes, static_cast<int64_t>(CountOutputs(config)));
  for (const auto& [name, shape] : shapes) {
    const std::vector<float>& values = parts_.weights.at(name);
    if (name != kOutputWeight && name != kOutputBias) {
      draft_.weights[name] = {shape, values};
      continue;
    }
    const size_t columns = values.size() / parts_.sides.causes.size();
    std::vector<float>& own = output_weights_[name];
    for (const int32_t cause : outputs_.causes) {
      const auto begin = values.begin() + static_cast<std::ptrdiff_t>(columns) * cause;
      own.insert(own.end(), begin, begin + static_cast<std::ptrdiff_t>(columns));
    }
    draft_.weights[name] = {shape, own};
  }
}

std::vector<float> TaskDraft::ProbabilitiesFor(const DataSet& data) const {
  const size_t causes = parts_.sides.causes.size();
  return TaskProbabilities(LogitsOf(parts_.trained.network.get(), data, causes), causes, outputs_,
                           labels_.size(), draft_.config.temperature);
}

// LibTorch's own answers at first: Prove holds ours against them.
void TaskDraft::SetGoldens() {
  const DataSet& side = judge_.rows() > 0 ? judge_ : train_;
  const std::vector<float> probabilities = ProbabilitiesFor(side);
  for (const size_t row : ChooseGoldenRows(side, probabilities, labels_.size())) {
    const float* p = probabilities.data() + row * labels_.size();
    const auto best = std::max_element(p, p + labels_.size());
    draft_.goldens.push_back({parts_.corpus.rows[side.corpus_rows[row]].text,
                              labels_[static_cast<size_t>(best - p)], *best});
  }
}

double TaskDraft::LargestDifference(const Classifier& classifier) const {
  double largest = 0.0;
  for (const DataSet* data : {&judge_, &train_}) {
    const size_t rows = std::min<size_t>(data->rows(), 1000);
    Batch batch;
    ClearBatch(&batch);
    for (size_t row = 0; row < rows; ++row) AppendRow(*data, row, &batch);
    if (rows == 0) continue;
    std::vector<float> logits;
    parts_.trained.network->Forward(batch, &logits);
    const std::vector<float> theirs =
        TaskProbabilities(logits, parts_.sides.causes.size(), outputs_, labels_.size(),
                          classifier.config().temperature);
    Classifier::Scratch scratch;
    std::vector<float> ours(classifier.config().labels.size());
    for (size_t row = 0; row < rows; ++row) {
      const auto begin = static_cast<size_t>(batch.offsets[row]);
      const auto end = static_cast<size_t>(batch.offsets[row + 1]);
      classifier.Score({batch.tokens.data() + begin, end - begin}, &scratch, ours);
      for (size_t i = 0; i < ours.size(); ++i) {
        const float expected = theirs[row * labels_.size() + classifier.task_label(i)];
        largest = std::max(largest, std::abs(static_cast<double>(ours[i]) - expected));
      }
    }
  }
  return largest;
}

// Publishes the draft into a folder of its own and loads it as a server would: a network that our
// inference computes otherwise never reaches the models folder.
void TaskDraft::Prove() {
  const TempFolder folder("rebound-train-");
  draft_.scorecard_json = "{}";
  draft_.model_card = "staged";
  BundleStore staging(folder.path());
  const auto classifier = Classifier::Load(staging.BundleFolder(task_, staging.Publish(draft_)));
  outcome_.largest_difference = LargestDifference(*classifier);
  if (!(outcome_.largest_difference <= kParityTolerance)) {
    throw Error(ErrorCode::kInternal, "our inference differs from LibTorch by " +
                                          std::to_string(outcome_.largest_difference) +
                                          " in probability");
  }
  Classifier::Scratch scratch;
  for (Golden& golden : draft_.goldens) {
    const Prediction prediction = classifier->ClassifyText(golden.text, &scratch);
    golden.label = draft_.config.labels[prediction.label];
    golden.probability = prediction.probability;
  }
  outcome_.report = JudgeHeldOut(*classifier, parts_.corpus, task_, judge_, &scored_);
  outcome_.candidate = outcome_.report.sure;
  outcome_.network = parts_.trained.kind;
  outcome_.samples_per_second = parts_.trained.fit.samples_per_second;
}

// What stands beside the model's own figures.
void TaskDraft::MeasureBeside() {
  const TrainingOptions& options = parts_.options;
  std::vector<Baseline>& baselines = outcome_.candidate.baselines;
  baselines = MeasureSimpleBaselines(parts_.corpus, task_, train_, judge_);
  if (options.learning_least == 0 || judge_.rows() == 0) return;
  std::string why_not;
  const auto fasttext = MeasureFastText(options.fasttext, parts_.corpus, task_, train_, judge_,
                                        options.seed, options.stop, &why_not);
  if (fasttext) {
    baselines.push_back(*fasttext);
  } else {
    progress_.Tell("warning", {{"message", "no fastText baseline: " + why_not}});
  }
  for (const Baseline& baseline : baselines) {
    progress_.Tell("baseline", {{"name", baseline.name},
                                {"accuracy", FigureText(baseline.accuracy)},
                                {"macro_f1", FigureText(baseline.macro_f1)},
                                {"macro_recall", FigureText(baseline.macro_recall)}});
  }
}

const BundleDraft& TaskDraft::Finish() {
  outcome_.report.run = outcome_.candidate;
  std::swap(outcome_.report.baselines, outcome_.report.run.baselines);
  outcome_.report.facts = {{"network", parts_.trained.kind},
                           {"snapshot", std::to_string(parts_.corpus.snapshot.id)},
                           {"seed", std::to_string(parts_.options.seed)},
                           {"trained on", std::to_string(parts_.sides.both.rows()) + " texts"}};
  draft_.config.validation_accuracy = outcome_.candidate.accuracy;
  draft_.scorecard_json = WriteScorecard(outcome_.candidate);
  draft_.model_card = WriteModelCard(
      draft_.config, outcome_.candidate,
      {CountGroups(parts_.sides.both), CountGroups(judge_), parts_.tokenizer.origin});
  return draft_;
}

std::optional<IncumbentComparison> TaskDraft::CompareIncumbent(const BundleStore& bundles,
                                                               IncumbentName* name,
                                                               std::string* note) const {
  const std::optional<int> version = bundles.Current(task_);
  if (!version) return std::nullopt;
  try {
    const auto incumbent = Classifier::Load(bundles.BundleFolder(task_, *version));
    *name = {*version, incumbent->config().sha256.at("weights.safetensors")};
    IncumbentComparison comparison;
    std::vector<ScoredRow> theirs;
    comparison.scorecard = JudgeHeldOut(*incumbent, parts_.corpus, task_, judge_, &theirs).sure;
    comparison.differences = MeasureDifferences(scored_, theirs, judge_.groups, labels_.size());
    return comparison;
  } catch (const Error& e) {
    if (e.code() != ErrorCode::kCorrupt && e.code() != ErrorCode::kNotFound) throw;
    // What cannot be loaded cannot serve either, so it does not stand in a successor's way.
    *note = std::string("the current bundle cannot be loaded (") + e.what() + ")";
    return std::nullopt;
  }
}

}  // namespace rebound
