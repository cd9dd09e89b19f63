#include "train/baselines.h"

#include <algorithm>
#include <charconv>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "models/status_code.h"
#include "train/child_process.h"

namespace rebound {
namespace {

constexpr std::string_view kPrefix = "__label__";

size_t MajorityOf(const DataSet& train, size_t labels) {
  std::vector<size_t> rows(labels, 0);
  for (const int32_t label : train.labels) ++rows[static_cast<size_t>(label)];
  return static_cast<size_t>(std::max_element(rows.begin(), rows.end()) - rows.begin());
}

// `answers`: [rows of `judge`] positions in TaskLabels.
Baseline JudgeAnswers(std::string name, Task task, const DataSet& judge,
                      const std::vector<size_t>& answers) {
  const auto labels = TaskLabels(task);
  ScorecardBuilder builder({labels.begin(), labels.end()});
  std::vector<float> certain(labels.size(), 0.0F);
  for (size_t row = 0; row < judge.rows(); ++row) {
    const size_t truth[] = {static_cast<size_t>(judge.labels[row])};
    certain[answers[row]] = 1.0F;
    builder.Add(truth, answers[row], certain);
    certain[answers[row]] = 0.0F;
  }
  const Scorecard card = builder.Finish();
  return {std::move(name), card.accuracy, card.macro_f1, card.macro_recall};
}

}  // namespace

std::vector<Baseline> MeasureSimpleBaselines(const Corpus& corpus, Task task, const DataSet& train,
                                             const DataSet& judge) {
  if (judge.rows() == 0) return {};
  const size_t majority = MajorityOf(train, TaskLabels(task).size());
  std::vector<size_t> by_code;
  size_t fixed = 0;
  for (const size_t row : judge.corpus_rows) {
    const auto label = LabelOfStatusCodes(task, FindStatusCodes(corpus.rows[row].text));
    fixed += label ? 1 : 0;
    by_code.push_back(label.value_or(majority));
  }
  const std::string share = std::to_string(100 * fixed / judge.rows());
  return {JudgeAnswers("majority class, " + std::string(TaskLabels(task)[majority]), task, judge,
                       std::vector<size_t>(judge.rows(), majority)),
          JudgeAnswers("status codes, which fix " + share + " %", task, judge, by_code)};
}

std::vector<std::string> FastTextCommand(const std::filesystem::path& program,
                                         const std::filesystem::path& input,
                                         const std::filesystem::path& output, uint64_t seed) {
  // Its seed is an int.
  return {program.string(), "supervised",
          "-input",         input.string(),
          "-output",        output.string(),
          "-wordNgrams",    "2",
          "-dim",           "64",
          "-bucket",        "200000",
          "-epoch",         "25",
          "-thread",        "1",
          "-seed",          std::to_string(seed % 0x7fffffff),
          "-verbose",       "0"};
}

std::string WriteFastTextRows(const Corpus& corpus, const DataSet& data, bool labelled) {
  std::string lines;
  for (size_t row = 0; row < data.rows(); ++row) {
    if (labelled) lines.append(kPrefix).append(std::to_string(data.labels[row])) += ' ';
    lines.append(corpus.rows[data.corpus_rows[row]].normalised) += '\n';
  }
  return lines;
}

std::optional<std::vector<int32_t>> ParseFastTextLabels(std::string_view printed, size_t rows,
                                                        size_t labels) {
  std::vector<std::string_view> lines = Split(printed, '\n');
  if (!lines.empty() && lines.back().empty()) lines.pop_back();
  if (lines.size() != rows) return std::nullopt;
  std::vector<int32_t> answers(rows, -1);
  for (size_t row = 0; row < rows; ++row) {
    if (lines[row].substr(0, kPrefix.size()) != kPrefix) continue;
    const std::string_view digits = lines[row].substr(kPrefix.size());
    int32_t label = -1;
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), label);
    const bool whole = read.ec == std::errc() && read.ptr == digits.data() + digits.size();
    if (whole && label >= 0 && static_cast<size_t>(label) < labels) answers[row] = label;
  }
  return answers;
}

std::optional<Baseline> MeasureFastText(const std::filesystem::path& program, const Corpus& corpus,
                                        Task task, const DataSet& train, const DataSet& judge,
                                        uint64_t seed, const std::function<bool()>& stop,
                                        std::string* why_not) {
  if (program.empty()) {
    *why_not = "the program fasttext is not in $PATH (Debian's package fasttext has it)";
    return std::nullopt;
  }
  try {
    const TempFolder folder("rebound-fasttext-");
    const std::filesystem::path learn = folder.path() / "learn.txt";
    const std::filesystem::path ask = folder.path() / "ask.txt";
    const std::filesystem::path printed = folder.path() / "printed.txt";
    WriteFileDurably(learn, WriteFastTextRows(corpus, train, true));
    WriteFileDurably(ask, WriteFastTextRows(corpus, judge, false));
    const std::filesystem::path model = folder.path() / "model";
    const std::vector<std::vector<std::string>> commands = {
        FastTextCommand(program, learn, model, seed),
        {program.string(), "predict", model.string() + ".bin", ask.string()}};
    for (const std::vector<std::string>& command : commands) {
      const int status = RunCommandInto(printed, command, stop);
      ThrowIfStopped(stop);
      if (status == 0) continue;
      *why_not =
          program.string() + " " + command[1] + " ended with status " + std::to_string(status);
      return std::nullopt;
    }
    const size_t labels = TaskLabels(task).size();
    const auto said = ParseFastTextLabels(ReadFile(printed), judge.rows(), labels);
    if (!said) {
      *why_not = program.string() + " predict did not print one line a text";
      return std::nullopt;
    }
    std::vector<size_t> answers(said->size(), MajorityOf(train, labels));
    for (size_t row = 0; row < answers.size(); ++row) {
      if ((*said)[row] >= 0) answers[row] = static_cast<size_t>((*said)[row]);
    }
    return JudgeAnswers("fastText on the same rows", task, judge, answers);
  } catch (const Error& e) {
    if (e.code() == ErrorCode::kCancelled) throw;
    *why_not = e.what();
    return std::nullopt;
  }
}

}  // namespace rebound
