// rebound-train: one snapshot of the label store becomes one proven bundle a task.
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <sstream>
#include <thread>

#include "base/code_version.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/file.h"
#include "base/program_options.h"
#include "labelstore/model_registry.h"
#include "labelstore/snapshots.h"
#include "train/child_process.h"
#include "train/environment.h"
#include "train/incumbents.h"
#include "train/interrupt.h"
#include "train/out_of_fold.h"
#include "train/recorded_options.h"
#include "train/training_run.h"
#include "train/verify.h"

namespace po = boost::program_options;

namespace rebound {
namespace {

constexpr int kNotPromoted = 3;
constexpr int64_t kLeastPart = 100;  // groups: below, chance says more than learning

CommandLine MakeCommandLine() {
  CommandLine line;
  line.summary =
      "Trains a model from the label store, publishes it as a bundle and promotes it "
      "unless it is worse.";
  line.usage = "rebound-train --task bnac|backoff|action|all --store URI --models DIR [options]";
  line.epilogue =
      "Exit status: 0 promoted, 3 trained but not promoted (says every reason), 2 usage, 1 "
      "failed,\n"
      "130 interrupted. With --task all, 3 where any task was not promoted. --verify: 0 the same\n"
      "bytes, 1 other ones.\n"
      "One network learns from the labels of all tasks; --task says which get a bundle.\n\n"
      "How much more labelled text would help, without touching what serves:\n"
      "  rebound-train --task bnac --store URI --models DIR --learning-curve --no-publish \\\n"
      "    --report out/";
  auto add = line.options.add_options();
  add("task", po::value<std::string>()->value_name("NAME")->default_value("all"),
      "bnac, backoff, action or all");
  add("store", po::value<std::string>()->value_name("URI")->required(),
      "label store: a PostgreSQL connection string");
  add("models", po::value<std::string>()->value_name("DIR")->required(), "root of the bundles");
  add("snapshot", po::value<int64_t>()->value_name("ID"), "train on this snapshot, not a new one");
  add("seed", po::value<uint64_t>()->value_name("N")->default_value(1), "of everything random");
  add("network", po::value<std::string>()->value_name("KIND")->default_value("table_cnn"),
      "bag, table_cnn, or auto: train both and let the calibration rows choose (slower)");
  add("members", po::value<int>()->value_name("N")->default_value(TrainingOptions().members),
      "networks of each kind whose mean is the model, merged into one");
  add("promote", po::value<std::string>()->value_name("WHEN")->default_value("auto"),
      "auto (unless it loses to what serves or fails the must-pass list), always or never");
  add("margin", po::value<double>()->value_name("X")->default_value(PromotionPolicy().margin),
      "how much lower macro-F1 and accuracy may be even where that is no chance");
  add("registry", po::value<bool>()->value_name("on|off")->default_value(true),
      "keep the published bundles in the store, for servers that follow it");
  add("verify", po::value<int>()->value_name("VERSION"),
      "train this version of --task again as it records, and compare the bytes; publishes nothing");
  add("out-of-fold", po::value<std::string>()->value_name("FILE"),
      "write what models say of texts they did not learn from, as JSON Lines; publishes nothing");
  add("folds", po::value<int>()->value_name("N")->default_value(5), "of --out-of-fold");
  add("new-tokenizer", po::bool_switch(), "train a tokenizer instead of reusing the current one");
  add("tokenizer", po::value<std::string>()->value_name("FILE"), "use this .model file");
  add("vocabulary", po::value<int>()->value_name("N")->default_value(8000),
      "pieces of a new tokenizer");
  add("epochs", po::value<int>()->value_name("N")->default_value(FitOptions().epochs), "at most");
  add("patience", po::value<int>()->value_name("N")->default_value(FitOptions().patience),
      "epochs without a better calibration score before it stops; 0: never");
  add("learning-rate",
      po::value<float>()->value_name("X")->default_value(FitOptions().learning_rate, "0.005"),
      "highest, of Adam");
  add("learning-curve", po::value<int64_t>()->value_name("N")->implicit_value(kLeastPart),
      "also train on nested parts of the training groups, halved down to N groups, and fastText; "
      "about twice the time");
  add("no-publish", po::bool_switch(), "measure only: the models folder stays as it is");
  add("report", po::value<std::string>()->value_name("DIR"),
      "write what the run measured into DIR, TASK.html (with plots) and TASK.json");
  add("device", po::value<std::string>()->value_name("NAME")->default_value("cpu"), "cpu or cuda");
  add("threads", po::value<int>()->value_name("N")->default_value(1), "of one network");
  add("jobs", po::value<int>()->value_name("N"),
      "networks trained at the same time (default: one a core); changes no bit of them");
  add("json-log", po::bool_switch(), "one JSON object a line on standard output");
  add("no-bar", po::bool_switch(), "plain lines even on a terminal");
  return line;
}

template <class T>
T Get(const po::variables_map& options, const char* name) {
  return options[name].as<T>();
}

[[noreturn]] void ThrowOption(const std::string& what) {
  throw Error(ErrorCode::kInvalidArgument, what + " (see --help)");
}

std::filesystem::path BesideThisProgram(const std::string& name) {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path() / name;
}

std::vector<Task> AskTasks(const po::variables_map& options) {
  const auto name = Get<std::string>(options, "task");
  if (name == "all") return {kTasks.begin(), kTasks.end()};
  const auto task = ParseTask(name);
  if (!task) ThrowOption("--task: '" + name + "' is none of bnac, backoff, action, all");
  return {*task};
}

// What the run measures and where that goes.
void ReadMeasuring(const po::variables_map& options, TrainingOptions* training) {
  training->publish = !Get<bool>(options, "no-publish");
  if (!training->publish && training->promotion.mode == PromotionMode::kAlways) {
    ThrowOption("--no-publish: nothing would be there for --promote always");
  }
  if (options.count("learning-curve") != 0) {
    training->learning_least = Get<int64_t>(options, "learning-curve");
    if (training->learning_least < 1) ThrowOption("--learning-curve: at least 1 group");
    training->fasttext = FindProgram("fasttext");
  }
}

// What config.json records of where the run takes place.
void SetEnvironment(const Environment& pinned, TrainingOptions* training) {
  training->environment = pinned;
  training->environment.merge(LoadedLibraries());
  training->environment["device"] = training->device == Device::kCuda ? "cuda" : "cpu";
  training->environment["threads"] = std::to_string(training->threads);
}

TrainingOptions MakeOptions(const po::variables_map& options) {
  TrainingOptions training;
  training.tasks = AskTasks(options);
  training.models = Get<std::string>(options, "models");
  const auto network = Get<std::string>(options, "network");
  if (network == "auto") {
    training.networks = {std::string(kBagNetwork), std::string(kTableCnnNetwork)};
  } else if (network == kBagNetwork || network == kTableCnnNetwork) {
    training.networks = {network};
  } else {
    ThrowOption("--network: '" + network + "' is none of auto, bag, table_cnn");
  }
  const auto mode = ParsePromotionMode(Get<std::string>(options, "promote"));
  if (!mode) ThrowOption("--promote: say auto, always or never");
  training.promotion.mode = *mode;
  training.promotion.margin = Get<double>(options, "margin");
  training.seed = Get<uint64_t>(options, "seed");
  training.members = Get<int>(options, "members");
  training.fit.epochs = Get<int>(options, "epochs");
  training.fit.patience = Get<int>(options, "patience");
  training.fit.learning_rate = Get<float>(options, "learning-rate");
  training.threads = Get<int>(options, "threads");
  if (training.fit.epochs < 1) ThrowOption("--epochs: at least 1");
  if (training.members < 1 || training.members > 64) ThrowOption("--members: 1 to 64");
  if (training.threads < 1) ThrowOption("--threads: at least 1");
  if (Get<int>(options, "folds") < 2) ThrowOption("--folds: at least 2");
  const auto cores = static_cast<int>(std::thread::hardware_concurrency());
  training.jobs = options.count("jobs") != 0 ? Get<int>(options, "jobs")
                                             : std::max(1, cores / training.threads);
  if (training.jobs < 1) ThrowOption("--jobs: at least 1");
  const auto device = Get<std::string>(options, "device");
  if (device != "cpu" && device != "cuda") ThrowOption("--device: say cpu or cuda");
  training.device = device == "cuda" ? Device::kCuda : Device::kCpu;
  SetEnvironment(PinnedEnvironment(training.threads), &training);
  ReadMeasuring(options, &training);
  training.make_network = MakeTorchNetwork;
  training.stop = IsInterrupted;
  return training;
}

// The snapshot of --snapshot, or a new one.
int64_t ChooseSnapshot(const po::variables_map& options, LabelStore* store) {
  if (options.count("snapshot") != 0) return Get<int64_t>(options, "snapshot");
  return store->MakeSnapshot().id;
}

TokenizerModel NewTokenizer(const po::variables_map& options, const Corpus& corpus,
                            Progress* progress) {
  progress->Tell("tokenizer", {{"training", std::to_string(Get<int>(options, "vocabulary"))}});
  return TrainTokenizer(corpus, BesideThisProgram("rebound-tokenizer"),
                        Get<int>(options, "vocabulary"), IsInterrupted);
}

TokenizerModel ChooseTokenizer(const po::variables_map& options, const Corpus& corpus,
                               const TrainingOptions& training, Progress* progress) {
  if (options.count("tokenizer") != 0) {
    const std::string bytes = ReadFile(Get<std::string>(options, "tokenizer"));
    return {bytes, "given to the run, sha256 `" + Sha256Hex(bytes) + "`"};
  }
  if (!Get<bool>(options, "new-tokenizer")) {
    const Task task = training.tasks.front();
    const BundleStore models(training.models);
    const BundleStore fleet(training.fleet);
    auto current = FindCurrentTokenizer(IncumbentsOf(task, models, fleet), task);
    if (!current) current = FindCurrentTokenizer(models, task);
    if (current) {
      progress->Tell("tokenizer", {{"reused", current->origin}});
      return *current;
    }
  }
  return NewTokenizer(options, corpus, progress);
}

// Made before the training: a folder that cannot be made is told at once.
void MakeReportFolder(const po::variables_map& options) {
  if (options.count("report") == 0) return;
  const std::filesystem::path folder = Get<std::string>(options, "report");
  std::error_code failure;
  std::filesystem::create_directories(folder, failure);
  if (failure) {
    throw Error(ErrorCode::kUnavailable,
                "--report: cannot make " + folder.string() + ": " + failure.message());
  }
}

void WriteReport(const po::variables_map& options, const Corpus& corpus,
                 const TrainingOutcome& outcome) {
  if (options.count("report") == 0) return;
  const std::filesystem::path folder = Get<std::string>(options, "report");
  Report report;
  report.data = "held-out texts of snapshot " + std::to_string(corpus.snapshot.id);
  report.data_sha256 = corpus.snapshot.digest;
  report.rows = report.sure_rows = outcome.candidate.rows;
  report.tasks.push_back(outcome.report);
  const std::string& task = outcome.report.task;
  WriteFileDurably(folder / (task + ".html"), WriteHtmlReport(report));
  WriteFileDurably(folder / (task + ".json"), WriteJsonReport(report));
}

void TellOutcome(const TrainingOutcome& outcome, Progress* progress) {
  progress->Tell("result", {{"version", std::to_string(outcome.version)},
                            {"network", outcome.network},
                            {"accuracy", FigureText(outcome.candidate.accuracy)},
                            {"macro_f1", FigureText(outcome.candidate.macro_f1)},
                            {"promoted", outcome.promoted ? "true" : "false"},
                            {"reason", outcome.reason}});
  if (outcome.candidate.learning_curve.empty()) return;
  progress->TellTable(
      "on " + CountText(static_cast<double>(outcome.candidate.rows)) + " held-out texts",
      WriteRunTable(outcome.candidate));
}

ProgressMode AskProgressMode(const po::variables_map& options) {
  const ProgressMode mode = ChooseProgressMode(Get<bool>(options, "json-log"));
  const bool plain = mode == ProgressMode::kBar && Get<bool>(options, "no-bar");
  return plain ? ProgressMode::kPlain : mode;
}

// --- --verify ------------------------------------------------------------------------------------

// The rows of the snapshot that a bundle names, by whatever id it has in this store.
Corpus FindCorpus(const std::string& uri, const BundleConfig& config) {
  PostgresConnection connection(uri);
  int64_t id = 0;
  try {
    id = SnapshotCatalog(&connection).Find(config.snapshot_digest).info.id;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kNotFound) throw;
    throw Error(ErrorCode::kNotFound, "the snapshot " + config.snapshot_digest +
                                          " that the bundle was trained on is not in this store: "
                                          "rebound-labels snapshot import brings it here");
  }
  return ReadCorpus(OpenLabelStore(uri).get(), id, IsInterrupted);
}

int Verify(const po::variables_map& options, char** argv) {
  TrainingOptions training = MakeOptions(options);
  if (training.tasks.size() != 1) ThrowOption("--verify: name one --task");
  const BundleStore bundles(training.models);
  const auto folder = bundles.BundleFolder(training.tasks.front(), Get<int>(options, "verify"));
  const BundleConfig config = ParseBundleConfig(ReadFile(folder / "config.json"));
  RequireVerifiable(config);
  const RecordedTokenizer source = ApplyRecordedOptions(config.training, &training);
  training.seed = config.seed;
  const auto device = config.environment.find("device");
  if (device != config.environment.end()) {
    training.device = device->second == "cuda" ? Device::kCuda : Device::kCpu;
  }
  const auto threads = config.environment.find("threads");
  if (threads != config.environment.end()) training.threads = std::stoi(threads->second);
  const Environment pinned = PinnedLike(config.environment, training.threads);
  ExecutePinned(argv, pinned);
  CatchInterrupts();
  SetEnvironment(pinned, &training);
  Progress progress(AskProgressMode(options), std::string(TaskName(config.task)));
  std::vector<std::string> differences =
      CompareEnvironments(config.environment, training.environment);
  if (config.code_version != CodeVersion()) {
    differences.push_back("code version was " + config.code_version + " and is " +
                          std::string(CodeVersion()));
  }
  for (const std::string& difference : differences) {
    progress.Tell("warning",
                  {{"message", "the environment is not that of the run: " + difference}});
  }
  const Corpus corpus = FindCorpus(Get<std::string>(options, "store"), config);
  const TokenizerModel tokenizer =
      source.source == "trained"
          ? TrainTokenizer(corpus, BesideThisProgram("rebound-tokenizer"), source.vocabulary,
                           IsInterrupted)
          : TokenizerModel{ReadFile(folder / "tokenizer.model"), "of the bundle", source.source};
  bool same = true;
  for (const FileComparison& file : VerifyBundle(folder, corpus, tokenizer, training, &progress)) {
    const bool taken = file.name == "tokenizer.model" && source.source != "trained";
    progress.Tell("verify", {{"file", file.name},
                             {"same", file.same ? "true" : "false"},
                             {"what", taken ? "taken as it is: the run had it " + source.source
                                            : file.what}});
    same = same && file.same;
  }
  if (!same && !differences.empty()) {
    progress.Tell("warning", {{"message", "the bytes differ, and so does the environment (" +
                                              std::to_string(differences.size()) +
                                              " differences above): repeat it where the run took "
                                              "place before you doubt the bundle"}});
  }
  return same ? 0 : 1;
}

// --- the run -------------------------------------------------------------------------------------

int MeasureOutOfFold(const po::variables_map& options, const Corpus& corpus,
                     const TokenizerModel& tokenizer, const TrainingOptions& training,
                     Progress* progress) {
  std::ostringstream lines;
  WriteOutOfFold(corpus, tokenizer, training, Get<int>(options, "folds"), progress, lines);
  WriteFileDurably(Get<std::string>(options, "out-of-fold"), lines.str());
  return 0;
}

// What the registry promoted, where that is not what CURRENT of --models names, into `folder`.
void FindIncumbents(ModelRegistry* registry, const std::filesystem::path& folder,
                    TrainingOptions* training, Progress* progress) {
  BundleStore fleet(folder);
  for (const FleetIncumbent& each :
       FetchIncumbents(registry, BundleStore(training->models), &fleet)) {
    const std::string name =
        std::string(TaskName(each.task)) + " version " + std::to_string(each.version);
    if (each.problem.empty()) {
      progress->Tell("incumbent", {{"promoted in the registry", name}});
    } else {
      progress->Tell("warning", {{"message", name +
                                                 " is promoted in the registry, but cannot be "
                                                 "compared with: " +
                                                 each.problem}});
    }
  }
  training->fleet = folder;
}

int Run(int argc, char** argv) {
  const auto parsed = ParseOptions(argc, argv, MakeCommandLine());
  if (!parsed) return 0;
  const po::variables_map& options = *parsed;
  if (options.count("verify") != 0) return Verify(options, argv);
  TrainingOptions training = MakeOptions(options);
  ExecutePinned(argv, PinnedEnvironment(training.threads));
  CatchInterrupts();
  const ProgressMode mode = AskProgressMode(options);
  Progress progress(mode, Get<std::string>(options, "task"));
  MakeReportFolder(options);
  const auto uri = Get<std::string>(options, "store");
  const auto store = OpenLabelStore(uri);
  const Corpus corpus =
      ReadCorpus(store.get(), ChooseSnapshot(options, store.get()), IsInterrupted);
  ModelRegistry registry(uri);
  const TempFolder fleet("rebound-train-fleet-");
  if (Get<bool>(options, "registry")) {
    FindIncumbents(&registry, fleet.path(), &training, &progress);
  }
  const TokenizerModel tokenizer = ChooseTokenizer(options, corpus, training, &progress);
  if (options.count("out-of-fold") != 0) {
    return MeasureOutOfFold(options, corpus, tokenizer, training, &progress);
  }
  PostgresConnection connection(uri);
  training.must_pass = MustPassList(&connection).Read();
  if (Get<bool>(options, "registry")) {
    training.upload = [&](const std::filesystem::path& folder) {
      const Task task = registry.Upload(folder).task;
      registry.Adopt(task, BundleStore(training.models));
    };
  }
  int status = 0;
  for (const TrainingOutcome& outcome :
       Train(store.get(), corpus, tokenizer, training, &progress)) {
    Progress task_progress(mode, std::string(TaskName(outcome.task)));
    TellOutcome(outcome, &task_progress);
    WriteReport(options, corpus, outcome);
    if (!outcome.promoted) status = kNotPromoted;
  }
  return status;
}

}  // namespace
}  // namespace rebound

int main(int argc, char** argv) {
  return rebound::RunMain("rebound-train", [&] { return rebound::Run(argc, argv); });
}
