// Models from a folder of bundles, for whoever has no server that watches it. Thread-safe.
#pragma once

#include <filesystem>
#include <memory>
#include <span>

#include "engine/engine.h"
#include "models/bundle_store.h"

namespace rebound {

// One bundle, checked and proven (Classifier::Load). Throws kCorrupt where the folder holds another
// task or version than its name says.
std::shared_ptr<const Classifier> LoadVersion(const BundleStore& store, Task task, int version);

// What CURRENT names of each task, or nothing at all. Throws kNotFound naming the folder where a
// task has no current bundle, and as LoadVersion.
ModelSet LoadCurrent(const std::filesystem::path& models, std::span<const Task> tasks = kTasks);

}  // namespace rebound
