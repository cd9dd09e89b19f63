// The directory tree of bundles: <root>/<task>/<version, 6 digits>/..., <root>/<task>/CURRENT and,
// while a candidate runs beside what serves, <root>/<task>/SHADOW.
//
// Publish makes a bundle exist; Promote makes it the one that serves; SetShadow makes it the one
// that answers beside that. All are atomic and durable: a kill at any point leaves the old state or
// the new one, and at most an unnamed temp folder, which the next Publish removes.
// Thread-compatible; several processes may use one root (a lock file orders publishers).
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "models/bundle.h"

namespace rebound {

class BundleStore {
 public:
  explicit BundleStore(std::filesystem::path root);

  const std::filesystem::path& root() const { return root_; }
  std::filesystem::path TaskFolder(Task task) const;
  std::filesystem::path BundleFolder(Task task, int version) const;

  // Complete versions that exist, ascending.
  std::vector<int> Versions(Task task) const;
  // What CURRENT says; nullopt where the task has none. Throws kCorrupt where it is no number.
  std::optional<int> Current(Task task) const;
  // What SHADOW says; nullopt where the task has none, or where it names what serves. Throws
  // kCorrupt as Current does.
  std::optional<int> Shadow(Task task) const;

  // Writes the draft as the next version and returns it. Never changes CURRENT.
  // `later_than`: numbers that others (the registry of the label store) have given already.
  int Publish(const BundleDraft& draft, int later_than = 0);
  // Makes a bundle that was published elsewhere exist here under its own number: `files` are all of
  // its files by name. One that is there with the same bytes is left as it is; one whose
  // config.json is the same and whose other files are damaged is replaced. Never changes CURRENT.
  // Throws kConflict where another bundle has the number, kInvalidArgument where config.json is of
  // another task or version, kCorrupt where a file is not what config.json says.
  void Install(Task task, int version, const std::map<std::string, std::string>& files);
  // Throws kNotFound where the version does not exist. What is promoted ends being the shadow.
  void Promote(Task task, int version);
  // Removes a version, whole or not at all; one that is not there is none to remove. Throws
  // kConflict where CURRENT or SHADOW names it.
  void Remove(Task task, int version);
  // Throws kNotFound where the version does not exist, kConflict where it serves already.
  void SetShadow(Task task, int version);
  // False where there was none.
  bool EndShadow(Task task);

 private:
  void CheckExists(Task task, int version) const;

  std::filesystem::path root_;
};

}  // namespace rebound
