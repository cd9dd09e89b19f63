// Whether a bundle is what its record says: trained again from snapshot, seed and options, the
// files that decide every answer are compared byte for byte. Writes into temporary folders alone.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "train/training_run.h"

namespace rebound {

struct FileComparison {
  std::string name;
  bool same = false;
  std::string what;  // "the same 7214080 bytes", "differs first at byte 17 (0x3f, now 0x40)", ...
};

// Pure. `now`: the new bytes.
FileComparison CompareFiles(const std::string& name, std::string_view then, std::string_view now);

// What can be checked before anything is trained. Throws kNotFound where the bundle records no
// options, kInvalidArgument where this program reads texts otherwise (normaliser).
void RequireVerifiable(const BundleConfig& config);

// `folder`: the bundle; `corpus`: its snapshot; `tokenizer`: trained anew where the run trained it,
// else the bundle's own; `options`: as recorded, with what this process adds. One comparison for
// tokenizer.model and one for weights.safetensors.
std::vector<FileComparison> VerifyBundle(const std::filesystem::path& folder, const Corpus& corpus,
                                         const TokenizerModel& tokenizer,
                                         const TrainingOptions& options, Progress* progress);

}  // namespace rebound
