#include "labelstore/bundle_files.h"

#include "base/digest.h"
#include "base/error.h"
#include "base/file.h"

namespace rebound {

BundleFiles ReadBundleFiles(const std::filesystem::path& folder) {
  BundleFiles files;
  files.bytes["config.json"] = ReadFile(folder / "config.json");
  files.config = ParseBundleConfig(files.bytes["config.json"]);
  for (const auto& [name, digest] : files.config.sha256) {
    if (name.find('/') != std::string::npos) {
      throw Error(ErrorCode::kCorrupt, folder.string() + ": '" + name + "' is no file of a bundle");
    }
    files.bytes[name] = ReadFile(folder / name);
    if (Sha256Hex(files.bytes[name]) != digest) {
      throw Error(ErrorCode::kCorrupt, (folder / name).string() +
                                           " does not have the sha256 that config.json states: "
                                           "restore the bundle or train anew");
    }
  }
  for (const auto& [name, bytes] : files.bytes) {
    files.sha256[name] = Sha256Hex(bytes);
    files.size += static_cast<int64_t>(bytes.size());
  }
  return files;
}

std::string BundleDigest(const std::map<std::string, std::string>& sha256) {
  std::string lines;
  for (const auto& [name, digest] : sha256) lines += digest + "  " + name + "\n";
  return Sha256Hex(lines);
}

}  // namespace rebound
