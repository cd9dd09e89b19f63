#include "train/verify.h"

#include <algorithm>
#include <cstdio>

#include "base/error.h"
#include "base/file.h"
#include "models/bundle_store.h"
#include "tokenizer/normaliser.h"
#include "train/chosen_network.h"
#include "train/task_draft.h"

namespace rebound {
namespace {

std::string Hex(char byte) {
  char text[8];
  std::snprintf(text, sizeof text, "0x%02x",
                static_cast<unsigned>(static_cast<unsigned char>(byte)));
  return text;
}

}  // namespace

FileComparison CompareFiles(const std::string& name, std::string_view then, std::string_view now) {
  if (then == now) return {name, true, "the same " + std::to_string(now.size()) + " bytes"};
  const size_t shared = std::min(then.size(), now.size());
  const auto at = static_cast<size_t>(
      std::mismatch(then.begin(), then.begin() + static_cast<std::ptrdiff_t>(shared), now.begin())
          .first -
      then.begin());
  std::string what = "differs first at byte " + std::to_string(at);
  if (at < shared) what += " (" + Hex(then[at]) + ", now " + Hex(now[at]) + ")";
  return {name, false,
          what + "; " + std::to_string(then.size()) + " bytes, now " + std::to_string(now.size())};
}

void RequireVerifiable(const BundleConfig& config) {
  const std::string name =
      std::string(TaskName(config.task)) + " version " + std::to_string(config.version);
  if (config.training.empty()) {
    throw Error(ErrorCode::kNotFound,
                name +
                    " records no training options: it was made before bundles did, and cannot "
                    "be verified; train anew");
  }
  if (config.normaliser_version != kNormaliserVersion) {
    throw Error(ErrorCode::kInvalidArgument,
                name + " reads texts by normaliser " + std::to_string(config.normaliser_version) +
                    " and this program by " + std::to_string(kNormaliserVersion) +
                    ": verify it with rebound " + config.code_version);
  }
}

std::vector<FileComparison> VerifyBundle(const std::filesystem::path& folder, const Corpus& corpus,
                                         const TokenizerModel& tokenizer,
                                         const TrainingOptions& options, Progress* progress) {
  const auto encoder = Encoder::Parse(tokenizer.bytes);
  const Sides sides = MakeSides(corpus, *encoder, options, progress);
  const Trained trained = TrainForBundle(sides, *encoder, options, progress);
  const Weights weights = trained.network->Export();
  const RunParts shared{corpus, tokenizer, options, *encoder, sides, trained, weights};
  const Task task = options.tasks.front();
  TaskDraft draft(task, shared, progress);
  const TempFolder temporary("rebound-train-");
  BundleStore staging(temporary.path());
  const auto again = staging.BundleFolder(task, staging.Publish(draft.Finish()));
  std::vector<FileComparison> comparisons;
  for (const char* name : {"tokenizer.model", "weights.safetensors"}) {
    comparisons.push_back(CompareFiles(name, ReadFile(folder / name), ReadFile(again / name)));
  }
  return comparisons;
}

}  // namespace rebound
