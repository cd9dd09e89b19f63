// A bundle as one file to take away. Pure but for reading the folder; Thread-safe.
#pragma once

#include <filesystem>
#include <string>

#include "models/bundle.h"

namespace rebound {

// The bundle of `folder` as a gzipped tar of <task>/<version, 6 digits>/<file>: config.json and
// every file that it lists, nothing else. Equal bundles give equal bytes. Throws kCorrupt where the
// folder does not hold what `config` (of the model that serves) says, kTooLarge beyond
// kMaxArchiveBytes of content, kNotFound where a file is gone.
std::string MakeBundleArchive(const std::filesystem::path& folder, const BundleConfig& config);

inline constexpr size_t kMaxArchiveBytes = size_t{256} << 20;

}  // namespace rebound
