#include "train/tokenizer_source.h"

#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "tokenizer/normaliser.h"
#include "train/child_process.h"

namespace rebound {
namespace {

std::optional<TokenizerModel> CurrentTokenizerOf(const BundleStore& store, Task task) {
  try {
    const std::optional<int> version = store.Current(task);
    if (!version) return std::nullopt;
    const std::filesystem::path folder = store.BundleFolder(task, *version);
    const BundleConfig config = ParseBundleConfig(ReadFile(folder / "config.json"));
    if (config.normaliser_version != kNormaliserVersion) return std::nullopt;
    return TokenizerModel{ReadFile(folder / "tokenizer.model"),
                          std::string(TaskName(task)) + " version " + std::to_string(*version),
                          "reused"};
  } catch (const Error& e) {
    // A damaged incumbent must not keep its successor from being trained.
    if (e.code() == ErrorCode::kCorrupt || e.code() == ErrorCode::kNotFound) return std::nullopt;
    throw;
  }
}

}  // namespace

std::optional<TokenizerModel> FindCurrentTokenizer(const BundleStore& store, Task task) {
  if (auto own = CurrentTokenizerOf(store, task)) return own;
  for (const Task other : kTasks) {
    if (other == task) continue;
    if (auto shared = CurrentTokenizerOf(store, other)) return shared;
  }
  return std::nullopt;
}

TokenizerModel TrainTokenizer(const Corpus& corpus, const std::filesystem::path& program,
                              int vocabulary, const std::function<bool()>& stop) {
  std::vector<size_t> taken(static_cast<size_t>(corpus.groups), 0);
  std::string lines;
  size_t count = 0;
  for (const CorpusRow& row : corpus.rows) {
    if (row.side == Side::kJudge || row.normalised.empty()) continue;
    if (taken[static_cast<size_t>(row.group)]++ >= kTokenizerCopies) continue;
    lines += row.normalised;
    lines += '\n';
    ++count;
  }
  if (count == 0) {
    throw Error(ErrorCode::kInvalidArgument,
                "the snapshot has no text to train a tokenizer on: every group is held out");
  }
  const TempFolder folder("rebound-train-");
  WriteFileDurably(folder.path() / "texts.txt", lines);
  const std::filesystem::path model = folder.path() / "tokenizer.model";
  const std::vector<std::string> command = {program.string(),
                                            "--input",
                                            (folder.path() / "texts.txt").string(),
                                            "--output",
                                            model.string(),
                                            "--vocabulary",
                                            std::to_string(vocabulary)};
  const int status = RunCommands({command}, {}, 1, stop).front();
  ThrowIfStopped(stop);
  if (status != 0) {
    throw Error(ErrorCode::kInternal, program.string() + " failed with status " +
                                          std::to_string(status) + "; it said why above");
  }
  return {ReadFile(model), "trained on " + std::to_string(count) + " texts", "trained", vocabulary};
}

}  // namespace rebound
