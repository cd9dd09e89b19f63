// The directory tree of bundles: <root>/<task>/<version, 6 digits>/... and <root>/<task>/CURRENT.
//
// Publish makes a bundle exist; Promote makes it the one that serves. Both are atomic and durable:
// a kill at any point leaves the old state or the new one, and at most an unnamed temp folder,
// which the next Publish removes. Thread-compatible; several processes may use one root (a lock
// file orders publishers).
#pragma once

#include <filesystem>
#include <optional>
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

  // Writes the draft as the next version and returns it. Never changes CURRENT.
  // `later_than`: numbers that others (the registry of the label store) have given already.
  int Publish(const BundleDraft& draft, int later_than = 0);
  // Throws kNotFound where the version does not exist.
  void Promote(Task task, int version);

 private:
  std::filesystem::path root_;
};

}  // namespace rebound
