#include "engine/load.h"

#include <string>

#include "base/error.h"

namespace rebound {

std::shared_ptr<const Classifier> LoadVersion(const BundleStore& store, Task task, int version) {
  const std::filesystem::path folder = store.BundleFolder(task, version);
  auto classifier = Classifier::Load(folder);
  const BundleConfig& config = classifier->config();
  if (config.task != task || config.version != version) {
    throw Error(ErrorCode::kCorrupt,
                folder.string() + " holds version " + std::to_string(config.version) + " of task " +
                    std::string(TaskName(config.task)) + ": restore or promote another version");
  }
  return classifier;
}

ModelSet LoadCurrent(const std::filesystem::path& models, std::span<const Task> tasks) {
  const BundleStore store(models);
  ModelSet set;
  for (const Task task : tasks) {
    const auto current = store.Current(task);
    if (!current) {
      throw Error(ErrorCode::kNotFound,
                  "no model of task " + std::string(TaskName(task)) + " in " + models.string() +
                      ": " + (store.TaskFolder(task) / "CURRENT").string() +
                      " is not there; name the folder of the bundles with --models or "
                      "REBOUND_MODELS");
    }
    set.by_task[Index(task)] = LoadVersion(store, task, *current);
  }
  return set;
}

}  // namespace rebound
