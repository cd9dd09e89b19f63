// What rebound-serve is told: flags, variables, file.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <vector>

#include "base/log.h"
#include "models/task.h"
#include "serve/api.h"
#include "serve/cache.h"
#include "serve/cache_saver.h"
#include "serve/door/door.h"
#include "serve/registry_follower.h"

namespace rebound {

struct ServeOptions {
  DoorOptions door;
  ApiOptions api;
  CacheOptions cache;
  CacheSaverOptions cache_saver;
  std::filesystem::path models;
  std::vector<Task> tasks;
  std::optional<FollowerOptions> follower;  // nullopt: the registry is not followed
  std::chrono::milliseconds drain_grace{0};
  std::chrono::milliseconds drain_timeout{30'000};
  LogLevel log_level = LogLevel::kInfo;
  LogFormat log_format = LogFormat::kText;
  bool check_config = false;
};

// nullopt where --help, --version or a command that makes keys was answered. Throws
// kInvalidArgument naming the option.
std::optional<ServeOptions> ParseServeOptions(int argc, const char* const* argv);

}  // namespace rebound
