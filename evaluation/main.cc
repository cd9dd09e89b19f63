// rebound-eval: measures any bundle on any labelled file, exactly as a server would answer.
#include <filesystem>
#include <iostream>

#include "base/digest.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/program_options.h"
#include "engine/engine.h"
#include "evaluation/eval_judge.h"
#include "evaluation/eval_split.h"
#include "evaluation/eval_suppress.h"
#include "evaluation/labelled_text.h"
#include "evaluation/report.h"
#include "models/bundle_store.h"
#include "models/classifier.h"
#include "models/task.h"

namespace po = boost::program_options;

namespace rebound {
namespace {

struct Loaded {
  ModelSet models;
  std::array<std::filesystem::path, kTaskCount> folders;
};

Loaded LoadModels(const po::variables_map& options) {
  Loaded loaded;
  if (options.count("bundle") != 0) {
    const std::filesystem::path folder = options["bundle"].as<std::string>();
    auto classifier = Classifier::Load(folder);
    loaded.folders[Index(classifier->config().task)] = folder;
    loaded.models.by_task[Index(classifier->config().task)] = classifier;
    return loaded;
  }
  const BundleStore store(options["models"].as<std::string>());
  for (const Task task : kTasks) {
    const std::optional<int> version = store.Current(task);
    if (!version) continue;
    loaded.folders[Index(task)] = store.BundleFolder(task, *version);
    loaded.models.by_task[Index(task)] = Classifier::Load(loaded.folders[Index(task)]);
  }
  return loaded;
}

std::vector<LabelledText> ParseRows(const std::string& bytes) {
  std::vector<std::string> keys;
  for (const Task task : kTasks) keys.emplace_back(TaskKey(task));
  return ParseLabelledTexts(bytes, keys);
}

Report Measure(const std::string& path, const Loaded& loaded, bool with_fallback) {
  const std::string bytes = ReadFile(path);
  const std::vector<LabelledText> rows = ParseRows(bytes);
  Report report;
  report.data = std::filesystem::path(path).filename().string();
  report.data_sha256 = Sha256Hex(bytes);
  report.rows = static_cast<int64_t>(rows.size());
  for (const LabelledText& row : rows) report.sure_rows += row.sure ? 1 : 0;
  for (const Task task : kTasks) {
    if (loaded.models.Get(task) == nullptr) continue;
    TaskReport judged =
        JudgeTask(task, loaded.models, loaded.folders[Index(task)], rows, with_fallback);
    if (judged.all.rows > 0) report.tasks.push_back(std::move(judged));
  }
  report.suppress = MeasureSuppression(loaded.models, rows, with_fallback);
  if (report.tasks.empty()) {
    throw Error(ErrorCode::kNotFound,
                path + ": no row is labelled for a task whose bundle was loaded");
  }
  return report;
}

void MakeFolder(const char* option, const std::filesystem::path& folder) {
  std::error_code failure;
  std::filesystem::create_directories(folder, failure);
  if (failure) {
    throw Error(ErrorCode::kUnavailable, std::string(option) + ": cannot make " + folder.string() +
                                             ": " + failure.message());
  }
}

void WriteReports(const std::filesystem::path& folder, const Report& report) {
  MakeFolder("--report", folder);
  WriteFileDurably(folder / "report.html", WriteHtmlReport(report));
  WriteFileDurably(folder / "report.json", WriteJsonReport(report));
}

void PrintText(const Report& report, size_t errors) {
  for (const TaskReport& task : report.tasks) {
    std::cout << WriteTextReport(task);
    if (errors > 0 && !task.mistakes.empty()) std::cout << "\n  misclassified texts\n";
    for (size_t i = 0; i < std::min(errors, task.mistakes.size()); ++i) {
      const Mistake& mistake = task.mistakes[i];
      std::cout << "  " << mistake.id << ": " << mistake.accepted << " -> "
                << task.sure.classes[mistake.predicted].label << " (" << mistake.probability
                << ")\n    " << mistake.text << "\n";
    }
    std::cout << "\n";
  }
  if (report.suppress) {
    std::cout << WriteSuppressText(*report.suppress);
    const std::vector<WrongSuppression>& wrong = report.suppress->wrong;
    if (errors > 0 && !wrong.empty()) std::cout << "\n  removed without need\n";
    for (size_t i = 0; i < std::min(errors, wrong.size()); ++i) {
      std::cout << "  " << wrong[i].id << ": " << wrong[i].accepted << "\n    " << wrong[i].text
                << "\n";
    }
  }
}

// The scorecards alone; report.json has the rest.
void PrintJson(const Report& report) {
  std::string out;
  JsonWriter(&out).Object([&](JsonWriter& w) {
    for (const TaskReport& task : report.tasks) {
      w.Key(task.task).Object([&](JsonWriter& o) {
        o.Key("by_status_code").Int(task.by_status_code);
        o.Key("sure").Raw(WriteScorecard(task.sure));
        o.Key("all").Raw(WriteScorecard(task.all));
      });
    }
    if (!report.suppress) return;
    w.Key("suppress").Object([&](JsonWriter& o) { WriteSuppressJson(*report.suppress, o); });
  });
  std::cout << out << "\n";
}

int SplitData(const std::string& path, const std::filesystem::path& folder) {
  const std::string bytes = ReadFile(path);
  const std::vector<LabelledText> rows = ParseRows(bytes);
  MakeFolder("--split", folder);
  const SplitFiles files = WriteSplit(bytes, rows, folder);
  std::cout << files.learn << " texts to learn from in " << (folder / "learn.jsonl").string()
            << "\n"
            << files.measure << " texts to measure with in " << (folder / "measure.jsonl").string()
            << "\n";
  return 0;
}

CommandLine MakeCommandLine() {
  CommandLine line;
  line.summary = "Measures bundles on a labelled file, answering as the server does.";
  line.usage =
      "rebound-eval (--bundle DIR | --models DIR) --data FILE.jsonl [options]\n"
      "       rebound-eval --split DIR --data FILE.jsonl";
  line.epilogue =
      "A line of FILE is {\"id\",\"text\",\"bnac\":[..],\"backoff\":[..],\"label\":[..],\"sure\":"
      "bool,\n\"source\",\"lang\"}; a class list may be one string, and a row without a task's key "
      "is skipped\nfor it. docs/evaluation.md has the figures and how to read the report.";
  line.options.add_options()("bundle", po::value<std::string>()->value_name("DIR"), "one bundle")(
      "models", po::value<std::string>()->value_name("DIR"),
      "a tree of bundles: the CURRENT one of each task")(
      "data", po::value<std::string>()->value_name("FILE")->required(), "labelled texts")(
      "no-fallback", po::bool_switch(), "the model alone, without status codes")(
      "json", po::bool_switch(), "print one JSON object")(
      "report", po::value<std::string>()->value_name("DIR"),
      "write report.html (self-contained, with plots) and report.json into DIR")(
      "split", po::value<std::string>()->value_name("DIR"),
      "measure nothing: write two halves of FILE without near copies between them into DIR, "
      "learn.jsonl for rebound-labels import and measure.jsonl")(
      "errors", po::value<size_t>()->value_name("N")->default_value(0),
      "list the first N misclassified texts of each task, masked");
  return line;
}

int Run(int argc, const char* const* argv) {
  const auto options = ParseOptions(argc, argv, MakeCommandLine());
  if (!options) return 0;
  if (options->count("split") != 0) {
    return SplitData((*options)["data"].as<std::string>(), (*options)["split"].as<std::string>());
  }
  if (options->count("bundle") + options->count("models") != 1) {
    throw Error(ErrorCode::kInvalidArgument, "say --bundle DIR or --models DIR (see --help)");
  }
  const Report report = Measure((*options)["data"].as<std::string>(), LoadModels(*options),
                                !(*options)["no-fallback"].as<bool>());
  if (options->count("report") != 0) WriteReports((*options)["report"].as<std::string>(), report);
  if ((*options)["json"].as<bool>()) {
    PrintJson(report);
  } else {
    PrintText(report, (*options)["errors"].as<size_t>());
  }
  return 0;
}

}  // namespace
}  // namespace rebound

int main(int argc, char** argv) {
  return rebound::RunMain("rebound-eval", [&] { return rebound::Run(argc, argv); });
}
