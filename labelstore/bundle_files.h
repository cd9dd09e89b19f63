// The files of one bundle as the registry keeps them: their bytes, and a digest over name and
// sha256 of each. Thread-safe.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "models/bundle.h"

namespace rebound {

struct BundleFiles {
  BundleConfig config;
  std::map<std::string, std::string> bytes;   // by name, config.json and all that it lists
  std::map<std::string, std::string> sha256;  // by name, of the same
  int64_t size = 0;                           // of all
};

// Throws kNotFound where the folder or a file is not there, kCorrupt where a file is not what
// config.json says.
BundleFiles ReadBundleFiles(const std::filesystem::path& folder);

// sha256 over the lines of `sha256sum`, by name.
std::string BundleDigest(const std::map<std::string, std::string>& sha256);

}  // namespace rebound
