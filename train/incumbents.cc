#include "train/incumbents.h"

#include <filesystem>
#include <optional>

#include "base/error.h"

namespace rebound {
namespace {

namespace fs = std::filesystem;

std::optional<int> CurrentOf(const BundleStore& models, Task task) {
  try {
    return models.Current(task);
  } catch (const Error& e) {
    if (e.code() != ErrorCode::kCorrupt) throw;
    return std::nullopt;  // a damaged CURRENT names no bundle
  }
}

}  // namespace

std::vector<FleetIncumbent> FetchIncumbents(ModelRegistry* registry, const BundleStore& models,
                                            BundleStore* fleet) {
  std::vector<FleetIncumbent> incumbents;
  for (const Task task : kTasks) {
    const auto promoted = registry->Current(task);
    if (!promoted) continue;
    const int version = promoted->version;
    const bool is_here = registry->Matches(task, version, models);
    if (is_here && CurrentOf(models, task) == version) continue;
    FleetIncumbent incumbent{task, version, ""};
    try {
      if (is_here) {  // its files need not be in the registry
        fs::create_directories(fleet->TaskFolder(task));
        fs::copy(models.BundleFolder(task, version), fleet->BundleFolder(task, version),
                 fs::copy_options::recursive);
      } else {
        registry->Fetch(task, version, fleet);
      }
      fleet->Promote(task, version);
    } catch (const Error& e) {
      if (e.code() != ErrorCode::kNotFound && e.code() != ErrorCode::kCorrupt) throw;
      incumbent.problem = e.what();
    }
    incumbents.push_back(std::move(incumbent));
  }
  return incumbents;
}

const BundleStore& IncumbentsOf(Task task, const BundleStore& models, const BundleStore& fleet) {
  return !fleet.root().empty() && fleet.Current(task) ? fleet : models;
}

}  // namespace rebound
