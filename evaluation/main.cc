// rebound-eval: measures any bundle on any labelled file, exactly as a server would answer.
#include <filesystem>
#include <iostream>
#include <numeric>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/program_options.h"
#include "engine/engine.h"
#include "evaluation/labelled_text.h"
#include "evaluation/report.h"
#include "evaluation/scorecard.h"
#include "models/bundle_store.h"
#include "models/classifier.h"
#include "models/task.h"

namespace po = boost::program_options;

namespace rebound {
namespace {

struct Mistake {
  std::string id;
  std::string accepted;
  std::string predicted;
  float probability;
  std::string_view text;
};

struct TaskResult {
  Task task;
  ReportSection section;
  std::vector<Mistake> mistakes;
  int64_t by_status_code = 0;
};

ModelSet LoadModels(const po::variables_map& options) {
  ModelSet models;
  if (options.count("bundle") != 0) {
    auto classifier = Classifier::Load(options["bundle"].as<std::string>());
    models.by_task[Index(classifier->config().task)] = classifier;
    return models;
  }
  const BundleStore store(options["models"].as<std::string>());
  for (const Task task : kTasks) {
    const std::optional<int> version = store.Current(task);
    if (!version) continue;
    models.by_task[Index(task)] = Classifier::Load(store.BundleFolder(task, *version));
  }
  return models;
}

std::vector<std::string> LabelNames(Task task) {
  const auto labels = TaskLabels(task);
  return {labels.begin(), labels.end()};
}

std::vector<size_t> FindAccepted(Task task, const LabelledText& row) {
  std::vector<size_t> accepted;
  for (const std::string& name : row.classes.at(std::string(TaskKey(task)))) {
    const std::optional<size_t> label = FindLabel(task, name);
    if (!label) {
      throw Error(ErrorCode::kInvalidArgument,
                  "row " + row.id + ": '" + name + "' is no class of " +
                      std::string(TaskName(task)) + "; its classes are in models/task.h");
    }
    accepted.push_back(*label);
  }
  return accepted;
}

std::string Join(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : " or ") + word;
  return out;
}

TaskResult Judge(Task task, const ModelSet& models, const std::vector<LabelledText>& rows,
                 bool with_fallback) {
  const Classifier& classifier = *models.Get(task);
  ScorecardBuilder all(LabelNames(task));
  ScorecardBuilder sure(LabelNames(task));
  TaskResult result{task, {}, {}, 0};
  Engine::Scratch scratch;
  std::vector<float> scores(classifier.config().labels.size());
  std::vector<float> probabilities(TaskLabels(task).size());
  for (const LabelledText& row : rows) {
    if (row.classes.count(std::string(TaskKey(task))) == 0) continue;
    const std::vector<size_t> accepted = FindAccepted(task, row);
    Engine::Prepare(row.text, &scratch);
    const Prediction prediction = Engine::Predict(models, task, &scratch);
    classifier.Score(scratch.ids, &scratch.classifier, scores);
    std::fill(probabilities.begin(), probabilities.end(), 0.0F);
    for (size_t i = 0; i < scores.size(); ++i) probabilities[classifier.task_label(i)] = scores[i];
    size_t label = classifier.task_label(prediction.label);
    if (with_fallback) {
      const TaskAnswer answer = Engine::Decide(models, task, prediction, row.text, &scratch);
      label = answer.label;
      if (answer.source == AnswerSource::kStatusCode) ++result.by_status_code;
    }
    all.Add(accepted, label, probabilities);
    if (row.sure) sure.Add(accepted, label, probabilities);
    if (row.sure && std::find(accepted.begin(), accepted.end(), label) == accepted.end()) {
      result.mistakes.push_back({row.id, Join(row.classes.at(std::string(TaskKey(task)))),
                                 std::string(TaskLabels(task)[label]), probabilities[label],
                                 row.text});
    }
  }
  result.section = {
      std::string(TaskName(task)) + ", version " + std::to_string(classifier.config().version), "",
      all.Finish(), sure.Finish()};
  result.section.subtitle =
      std::to_string(result.section.all.rows) + " rows, " +
      std::to_string(result.section.sure.rows) + " sure, " +
      (with_fallback ? std::to_string(result.by_status_code) + " answered by the status code"
                     : std::string("model alone"));
  return result;
}

void PrintJson(const std::vector<TaskResult>& results) {
  std::string out;
  JsonWriter(&out).Object([&](JsonWriter& w) {
    for (const TaskResult& result : results) {
      w.Key(TaskName(result.task)).Object([&](JsonWriter& o) {
        o.Key("title").String(result.section.title);
        o.Key("by_status_code").Int(result.by_status_code);
        o.Key("sure").Raw(WriteScorecard(result.section.sure));
        o.Key("all").Raw(WriteScorecard(result.section.all));
      });
    }
  });
  std::cout << out << "\n";
}

void WriteReport(const std::filesystem::path& folder, const std::vector<TaskResult>& results) {
  std::error_code failure;
  std::filesystem::create_directories(folder, failure);
  if (failure) {
    throw Error(ErrorCode::kUnavailable,
                "--report: cannot make " + folder.string() + ": " + failure.message());
  }
  std::vector<ReportSection> sections;
  for (const TaskResult& result : results) {
    sections.push_back(result.section);
    const std::string name(TaskName(result.task));
    WriteFileDurably(folder / (name + "-reliability.svg"), ReliabilitySvg(result.section.sure));
    WriteFileDurably(folder / (name + "-confusion.svg"), ConfusionSvg(result.section.sure));
  }
  WriteFileDurably(folder / "report.html", WriteHtmlReport(sections));
  WriteFileDurably(folder / "report.md", WriteMarkdownReport(sections));
}

void PrintText(const std::vector<TaskResult>& results, size_t errors) {
  for (const TaskResult& result : results) {
    std::cout << WriteTextReport(result.section);
    if (errors > 0 && !result.mistakes.empty()) std::cout << "\n  misclassified texts\n";
    for (size_t i = 0; i < std::min(errors, result.mistakes.size()); ++i) {
      const Mistake& mistake = result.mistakes[i];
      std::cout << "  " << mistake.id << ": " << mistake.accepted << " -> " << mistake.predicted
                << " (" << mistake.probability << ")\n    " << mistake.text << "\n";
    }
    std::cout << "\n";
  }
}

int Run(int argc, const char* const* argv) {
  CommandLine line;
  line.summary = "Measures bundles on a labelled file, answering as the server does.";
  line.usage = "rebound-eval (--bundle DIR | --models DIR) --data FILE.jsonl [options]";
  line.epilogue =
      "A line of FILE is {\"id\",\"text\",\"bnac\":[..],\"backoff\":[..],\"label\":[..],\"sure\":"
      "bool};\na class list may be one string, and a row without a task's key is skipped for it.";
  line.options.add_options()("bundle", po::value<std::string>()->value_name("DIR"), "one bundle")(
      "models", po::value<std::string>()->value_name("DIR"),
      "a tree of bundles: the CURRENT one of each task")(
      "data", po::value<std::string>()->value_name("FILE")->required(), "labelled texts")(
      "no-fallback", po::bool_switch(), "the model alone, without status codes")(
      "json", po::bool_switch(), "print one JSON object")(
      "report", po::value<std::string>()->value_name("DIR"),
      "write report.html, report.md and plots into DIR")(
      "errors", po::value<size_t>()->value_name("N")->default_value(0),
      "list the first N misclassified texts of each task");
  const auto options = ParseOptions(argc, argv, line);
  if (!options) return 0;
  if (options->count("bundle") + options->count("models") != 1) {
    throw Error(ErrorCode::kInvalidArgument, "say --bundle DIR or --models DIR (see --help)");
  }
  const ModelSet models = LoadModels(*options);
  std::vector<std::string> keys;
  for (const Task task : kTasks) keys.emplace_back(TaskKey(task));
  const std::string path = (*options)["data"].as<std::string>();
  const std::vector<LabelledText> rows = ParseLabelledTexts(ReadFile(path), keys);
  std::vector<TaskResult> results;
  for (const Task task : kTasks) {
    if (models.Get(task) == nullptr) continue;
    TaskResult result = Judge(task, models, rows, !(*options)["no-fallback"].as<bool>());
    if (result.section.all.rows > 0) results.push_back(std::move(result));
  }
  if (results.empty()) {
    throw Error(ErrorCode::kNotFound,
                path + ": no row is labelled for a task whose bundle was loaded");
  }
  if (options->count("report") != 0) WriteReport((*options)["report"].as<std::string>(), results);
  if ((*options)["json"].as<bool>()) {
    PrintJson(results);
  } else {
    PrintText(results, (*options)["errors"].as<size_t>());
  }
  return 0;
}

}  // namespace
}  // namespace rebound

int main(int argc, char** argv) {
  return rebound::RunMain("rebound-eval", [&] { return rebound::Run(argc, argv); });
}
