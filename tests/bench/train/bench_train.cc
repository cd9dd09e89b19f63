// Our training against `fasttext supervised`, on the same rows of the same seed corpus in one run:
// samples/s of both, and accuracy on held-out templates, checked before anything is timed against.
#include <chrono>
#include <cmath>
#include <cstdio>
#include <iostream>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "base/program_options.h"
#include "base/text.h"
#include "labelstore/generator.h"
#include "models/bundle.h"
#include "models/folded_network.h"
#include "models/network.h"
#include "train/child_process.h"
#include "train/ensemble.h"
#include "train/environment.h"
#include "train/training_run.h"

namespace po = boost::program_options;

namespace rebound {
namespace {

using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

std::filesystem::path BesideThisProgram(const std::string& name) {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path() / name;
}

// The seed corpus in a store in memory.
Corpus MakeCorpus(size_t texts) {
  const std::filesystem::path folder = FindSeedFolder();
  const std::vector<Template> templates = LoadSeedCorpus(folder / "templates");
  const SlotLists lists = LoadSlotLists(folder / "slots");
  const auto store = MakeMemoryLabelStore();
  std::vector<Submission> submissions;
  Generator(templates, lists, 1).Expand(texts, [&](const GeneratedText& text) {
    Submission submission;
    submission.text = text.text;
    for (size_t i = 0; i < kTaskCount; ++i) submission.labels[i] = text.origin->labels[i];
    submission.origin = LabelOrigin::kSeed;
    submission.contributor = "seed";
    submission.group = text.origin->group;
    submissions.push_back(std::move(submission));
  });
  store->Submit(submissions);
  return ReadCorpus(store.get(), store->MakeSnapshot().id, nullptr);
}

struct Figures {
  double accuracy = 0.0;
  double macro_f1 = 0.0;
};

struct Measured {
  std::string name;
  double seconds = 0.0;
  double samples = 0.0;  // rows times epochs
  std::map<Task, Figures> tasks;
  double microseconds = 0.0;  // of our inference for one message, tokens to logits
  double megabytes = 0.0;     // of the weights in the bundle
};

void Print(const Measured& m) {
  std::printf("%-28s %8.2f s %10.0f samples/s   held-out accuracy, macro-F1:", m.name.c_str(),
              m.seconds, m.samples / m.seconds);
  double mean = 0.0;
  for (const auto& [task, figures] : m.tasks) {
    std::printf("  %s %.4f %.4f", std::string(TaskName(task)).c_str(), figures.accuracy,
                figures.macro_f1);
    mean += (figures.accuracy + figures.macro_f1) / 2.0 / static_cast<double>(m.tasks.size());
  }
  std::printf("  mean %.4f\n", mean);
  if (m.megabytes > 0.0) {
    std::printf("%-28s %8.2f us a message, %.1f MB of weights\n", "", m.microseconds, m.megabytes);
  }
  std::fflush(stdout);
}

// A model that says one class for everything is no competitor: the figures would mean nothing.
void CheckAnswers(const Measured& m) {
  for (const auto& [task, figures] : m.tasks) {
    if (figures.accuracy > 0.3) continue;
    throw Error(ErrorCode::kInternal, m.name + " learned nothing (accuracy " +
                                          std::to_string(figures.accuracy) +
                                          "); its speed is no result");
  }
}

struct Rows {
  Causes causes;
  DataSet train;
  DataSet calibrate;
  DataSet judge;
};

FitOptions MakeFit(const po::variables_map& options) {
  FitOptions fit;
  fit.epochs = options["epochs"].as<int>();
  fit.patience = options["patience"].as<int>();
  fit.learning_rate = options["learning-rate"].as<float>();
  fit.dropout = options["dropout"].as<float>();
  fit.label_smoothing = options["smoothing"].as<float>();
  fit.sampling.word_dropout = options["word-dropout"].as<float>();
  fit.sampling.crop = options["crop"].as<float>();
  fit.sampling.split = options["split"].as<float>();
  fit.sampling.code_dropout = options["code-dropout"].as<float>();
  fit.sampling.copies_per_epoch = options["copies"].as<size_t>();
  fit.sampling.batch_rows = options["batch"].as<size_t>();
  fit.sampling.group_power = options["group-power"].as<float>();
  fit.sampling.class_power = options["class-power"].as<float>();
  return fit;
}

// Times our inference on the judging rows; the sum of all logits keeps the work from vanishing.
void MeasureInference(const NetworkSpec& spec, const Weights& weights, const DataSet& data,
                      Measured* measured) {
  BundleConfig config;
  config.network = spec.kind;
  config.sizes = spec.sizes;
  config.labels.assign(static_cast<size_t>(spec.outputs), "any");
  TensorMap tensors;
  for (const auto& [name, shape] : NetworkTensors(spec.kind, spec.sizes, spec.outputs)) {
    tensors[name] = {shape, weights.at(name)};
    measured->megabytes += static_cast<double>(weights.at(name).size()) * sizeof(float) / 1e6;
  }
  const FoldedNetwork network(config, tensors);
  FoldedNetwork::Scratch scratch;
  double sum = 0.0;
  const auto start = Clock::now();
  for (size_t row = 0; row < data.rows(); ++row) {
    const size_t begin = data.offsets[row];
    sum +=
        network.Forward({data.tokens.data() + begin, data.offsets[row + 1] - begin}, &scratch)[0];
  }
  measured->microseconds = SecondsSince(start) * 1e6 / static_cast<double>(data.rows());
  if (!std::isfinite(sum)) throw Error(ErrorCode::kInternal, "the logits are not finite");
}

// The mean of `members` networks of one kind, one after the other, judged for each of `tasks`.
Measured MeasureOurs(const po::variables_map& options, const std::string& kind,
                     const std::vector<Task>& tasks, const Rows& rows, const Corpus& corpus,
                     const Encoder& encoder, uint64_t seed) {
  const size_t causes = rows.causes.size();
  const std::vector<std::string> names(causes, "any");
  NetworkSpec spec;
  spec.kind = kind;
  spec.sizes["embedding"] = options["embedding"].as<int>();
  spec.sizes["filters"] = options["filters"].as<int>();
  spec.sizes["hidden"] = options["hidden"].as<int>();
  spec.sizes[std::string(kVocabularySize)] = encoder.size();
  if (ConvWidths(kind).empty()) spec.sizes.erase(std::string(kFiltersSize));
  spec.outputs = static_cast<int64_t>(causes);
  spec.patterns = rows.causes.patterns();
  FitOptions fit = MakeFit(options);
  Measured measured;
  measured.name = kind;
  const int members = options["members"].as<int>();
  std::vector<Weights> weights;
  const auto start = Clock::now();
  for (int member = 0; member < members; ++member) {
    spec.seed = fit.seed = seed * 1000 + static_cast<uint64_t>(member);
    const auto network = MakeTorchNetwork(spec);
    Fit(
        network.get(), kind, rows.train, rows.calibrate, names, fit,
        [&](const EpochReport& report) {
          if (!report.finished) return;
          measured.samples += static_cast<double>(report.rows_done);
          if (options["verbose"].as<bool>()) {
            std::printf("  epoch %d loss %.4f calibration accuracy %.4f macro-F1 %.4f\n",
                        report.epoch, report.loss, report.accuracy, report.macro_f1);
            std::fflush(stdout);
          }
        },
        nullptr);
    weights.push_back(network->Export());
  }
  measured.seconds = SecondsSince(start);
  NetworkSpec merged = spec;
  merged.sizes = MergedSizes(spec.sizes, members);
  const auto network = MakeTorchNetwork(merged);
  const Weights merged_weights = MergeMembers(spec, weights);
  network->Import(merged_weights);
  MeasureInference(merged, merged_weights, rows.judge, &measured);
  for (const Task task : tasks) {
    const DataSet judge = SelectTask(rows.judge, corpus, task);
    const std::vector<std::string> labels = LabelNames(task);
    const Scorecard card =
        JudgeProbabilities(judge,
                           TaskProbabilities(LogitsOf(network.get(), judge, causes), causes,
                                             TaskOutputs(rows.causes, task), labels.size(), 1.0),
                           labels);
    measured.tasks[task] = {card.accuracy, card.macro_f1};
  }
  return measured;
}

std::string FastTextLines(const Corpus& corpus, const DataSet& data) {
  std::string lines;
  for (size_t row = 0; row < data.rows(); ++row) {
    lines += "__label__" + std::to_string(data.labels[row]) + " " +
             corpus.rows[data.corpus_rows[row]].normalised + "\n";
  }
  return lines;
}

Measured MeasureFastText(const Corpus& corpus, Task task, const Rows& all, int ngrams, int epochs) {
  Rows rows;
  rows.train = SelectTask(all.train, corpus, task);
  rows.judge = SelectTask(all.judge, corpus, task);
  const TempFolder folder("rebound-bench-");
  const std::string train = (folder.path() / "train.txt").string();
  const std::string judge = (folder.path() / "judge.txt").string();
  const std::string model = (folder.path() / "model").string();
  const std::string answers = (folder.path() / "answers.txt").string();
  WriteFileDurably(train, FastTextLines(corpus, rows.train));
  WriteFileDurably(judge, FastTextLines(corpus, rows.judge));
  const auto run = [](const std::string& command) {
    if (RunCommands({{"/bin/sh", "-c", command}}, {}, 1, nullptr).front() != 0) {
      throw Error(ErrorCode::kInternal, "failed: " + command);
    }
  };
  Measured measured;
  measured.name = "fasttext, n-grams " + std::to_string(ngrams);
  const auto start = Clock::now();
  run("fasttext supervised -input " + train + " -output " + model + " -dim 64 -lr 0.5 -epoch " +
      std::to_string(epochs) + " -thread 1 -verbose 0 -wordNgrams " + std::to_string(ngrams));
  measured.seconds = SecondsSince(start);
  measured.samples = static_cast<double>(rows.train.rows()) * epochs;
  run("fasttext predict " + model + ".bin " + judge + " > " + answers);
  const std::vector<std::string> labels = LabelNames(task);
  ScorecardBuilder builder(labels);
  std::vector<float> probabilities(labels.size(), 0.0F);
  size_t row = 0;
  const std::string text = ReadFile(answers);
  for (const std::string_view line : Split(text, '\n')) {
    if (line.empty()) continue;
    const size_t truth[] = {static_cast<size_t>(rows.judge.labels[row++])};
    builder.Add(truth, static_cast<size_t>(std::stoi(std::string(line.substr(9)))), probabilities);
  }
  if (row != rows.judge.rows()) throw Error(ErrorCode::kInternal, "fasttext left rows out");
  const Scorecard card = builder.Finish();
  measured.tasks[task] = {card.accuracy, card.macro_f1};
  return measured;
}

std::vector<std::string> WantedKinds(const po::variables_map& options) {
  const auto network = options["network"].as<std::string>();
  std::vector<std::string> kinds;
  for (const std::string_view kind : {kBagNetwork, kTableCnnNetwork}) {
    if (network == "both" || network == kind) kinds.emplace_back(kind);
  }
  return kinds;
}

// Settings are compared on tenths of the groups that are not held out, so that the held-out rows
// judge only what was chosen. Nothing stops a run early.
void CompareByFolds(const po::variables_map& options, const std::vector<Task>& tasks,
                    const Encoder& encoder, Corpus* corpus) {
  const int folds = options["folds"].as<int>();
  std::vector<Side> sides;
  for (const CorpusRow& row : corpus->rows) sides.push_back(row.side);
  std::map<std::string, Measured> sums;
  for (int fold = 0; fold < folds; ++fold) {
    for (size_t i = 0; i < sides.size(); ++i) {
      CorpusRow& row = corpus->rows[i];
      const auto group = static_cast<uint64_t>(row.group) * 0x9E3779B97F4A7C15ULL;
      const bool judges = (group >> 32) % 10 == static_cast<uint64_t>(fold);
      row.side = sides[i] == Side::kJudge ? Side::kCalibrate : judges ? Side::kJudge : Side::kTrain;
    }
    Rows rows;
    rows.causes = FindCauses(*corpus);
    rows.train = MakeDataSet(*corpus, rows.causes, {Side::kTrain}, encoder, 0);
    rows.judge = MakeDataSet(*corpus, rows.causes, {Side::kJudge}, encoder, kJudgedCopies);
    for (const std::string& kind : WantedKinds(options)) {
      const Measured m = MeasureOurs(options, kind, tasks, rows, *corpus, encoder,
                                     options["seed"].as<uint64_t>() + static_cast<uint64_t>(fold));
      CheckAnswers(m);
      Measured& sum = sums[kind];
      sum.name = m.name;
      sum.seconds += m.seconds;
      sum.samples += m.samples;
      for (const auto& [task, figures] : m.tasks) {
        sum.tasks[task].accuracy += figures.accuracy / folds;
        sum.tasks[task].macro_f1 += figures.macro_f1 / folds;
      }
      sum.microseconds += m.microseconds / folds;
      sum.megabytes = m.megabytes;
    }
  }
  for (size_t i = 0; i < sides.size(); ++i) corpus->rows[i].side = sides[i];
  for (const auto& [kind, sum] : sums) Print(sum);
}

void CompareOnHeldOut(const po::variables_map& options, const std::vector<Task>& tasks,
                      const Encoder& encoder, const Corpus& corpus) {
  Rows rows;
  rows.causes = FindCauses(corpus);
  rows.train = MakeDataSet(corpus, rows.causes, {Side::kTrain}, encoder, 0);
  rows.calibrate = MakeDataSet(corpus, rows.causes, {Side::kCalibrate}, encoder, kJudgedCopies);
  rows.judge = MakeDataSet(corpus, rows.causes, {Side::kJudge}, encoder, kJudgedCopies);
  std::printf(
      "%zu training, %zu calibration, %zu judging rows; %.1f tokens a row\n", rows.train.rows(),
      rows.calibrate.rows(), rows.judge.rows(),
      static_cast<double>(rows.train.tokens.size()) / static_cast<double>(rows.train.rows()));
  std::fflush(stdout);
  std::vector<Measured> results;
  for (const std::string& kind : WantedKinds(options)) {
    results.push_back(
        MeasureOurs(options, kind, tasks, rows, corpus, encoder, options["seed"].as<uint64_t>()));
  }
  const int fasttext_epochs = options["fasttext-epochs"].as<int>();
  if (fasttext_epochs > 0) {
    for (const Task task : tasks) {
      for (const int ngrams : {1, 3}) {
        results.push_back(MeasureFastText(corpus, task, rows, ngrams, fasttext_epochs));
      }
    }
  }
  for (const Measured& measured : results) CheckAnswers(measured);
  for (const Measured& measured : results) Print(measured);
}

int Run(int argc, char** argv) {
  CommandLine line;
  line.summary = "Times our training and fastText's on the same rows.";
  line.usage = "bench_train [options]";
  auto add = line.options.add_options();
  const FitOptions fit;
  const auto size = [](const char* name) {
    return po::value<int>()->default_value(static_cast<int>(TrainingOptions().sizes.at(name)));
  };
  add("texts", po::value<size_t>()->default_value(100000), "texts of the seed corpus");
  add("task", po::value<std::string>()->default_value("all"), "judged: one task, or all");
  add("network", po::value<std::string>()->default_value("both"), "bag, table_cnn, both, none");
  add("tokenizer", po::value<std::string>(), "a .model to use instead of training one");
  add("vocabulary", po::value<int>()->default_value(8000), "");
  add("seed", po::value<uint64_t>()->default_value(1), "");
  add("epochs", po::value<int>()->default_value(fit.epochs), "ours, at most");
  add("patience", po::value<int>()->default_value(fit.patience), "");
  add("learning-rate", po::value<float>()->default_value(fit.learning_rate), "");
  add("dropout", po::value<float>()->default_value(fit.dropout), "");
  add("smoothing", po::value<float>()->default_value(fit.label_smoothing), "");
  add("word-dropout", po::value<float>()->default_value(fit.sampling.word_dropout), "");
  add("split", po::value<float>()->default_value(fit.sampling.split), "");
  add("code-dropout", po::value<float>()->default_value(fit.sampling.code_dropout), "");
  add("members", po::value<int>()->default_value(TrainingOptions().members),
      "networks merged into one");
  add("folds", po::value<int>()->default_value(0),
      "0: judge by the held-out rows; N: by N tenths of the others, a seed each, and print means");
  add("crop", po::value<float>()->default_value(fit.sampling.crop), "");
  add("copies", po::value<size_t>()->default_value(fit.sampling.copies_per_epoch), "");
  add("batch", po::value<size_t>()->default_value(fit.sampling.batch_rows), "");
  add("group-power", po::value<float>()->default_value(fit.sampling.group_power), "");
  add("class-power", po::value<float>()->default_value(fit.sampling.class_power), "");
  add("embedding", size("embedding"), "");
  add("filters", size("filters"), "");
  add("hidden", size("hidden"), "");
  add("fasttext-epochs", po::value<int>()->default_value(5), "0: leave fastText out");
  add("alone", po::bool_switch(), "learn from the first task's labels, not from those of all");
  add("verbose", po::bool_switch(), "every epoch");
  const auto options = ParseOptions(argc, argv, line);
  if (!options) return 0;
  ExecutePinned(argv, PinnedEnvironment(1));
  auto start = Clock::now();
  Corpus corpus = MakeCorpus((*options)["texts"].as<size_t>());
  std::printf("%zu texts of %d groups made in %.1f s\n", corpus.rows.size(), corpus.groups,
              SecondsSince(start));
  std::fflush(stdout);
  start = Clock::now();
  const std::string model = options->count("tokenizer") != 0
                                ? ReadFile((*options)["tokenizer"].as<std::string>())
                                : TrainTokenizer(corpus, BesideThisProgram("rebound-tokenizer"),
                                                 (*options)["vocabulary"].as<int>(), nullptr)
                                      .bytes;
  std::printf("tokenizer in %.1f s\n", SecondsSince(start));
  const auto encoder = Encoder::Parse(model);
  const auto wanted = (*options)["task"].as<std::string>();
  std::vector<Task> tasks;
  for (const Task task : kTasks) {
    if (wanted == "all" || wanted == TaskName(task)) tasks.push_back(task);
  }
  if (tasks.empty()) throw Error(ErrorCode::kInvalidArgument, "--task: no such task");
  if ((*options)["alone"].as<bool>()) {
    for (CorpusRow& row : corpus.rows) {
      for (const Task task : kTasks) {
        if (task != tasks.front()) row.labels[Index(task)] = -1;
      }
    }
    tasks.resize(1);
  }
  if ((*options)["folds"].as<int>() > 0) {
    CompareByFolds(*options, tasks, *encoder, &corpus);
  } else {
    CompareOnHeldOut(*options, tasks, *encoder, corpus);
  }
  return 0;
}

}  // namespace
}  // namespace rebound

int main(int argc, char** argv) {
  return rebound::RunMain("bench_train", [&] { return rebound::Run(argc, argv); });
}
