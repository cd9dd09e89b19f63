#include "serve/config_check.h"

#include <sys/resource.h>
#include <unistd.h>

#include <exception>
#include <ostream>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "datasource/postgres.h"
#include "engine/backoff_policy.h"
#include "engine/load.h"
#include "labelstore/model_registry.h"
#include "models/bundle_store.h"
#include "serve/key_file.h"

namespace rebound {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxKeyFile = 16 * 1024 * 1024;

std::string Day(std::chrono::system_clock::time_point time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%d", &utc);
  return text;
}

std::string CheckDoor(const ServeOptions& options) {
  const DoorOptions& door = options.door;
  std::string found = door.host + ":" + std::to_string(door.port) + ", " +
                      std::to_string(door.threads) + " threads, " +
                      std::to_string(door.max_connections) + " connections";
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_max < 2 * door.max_connections &&
      geteuid() != 0) {
    found += " (fewer will be let in: the system allows " + std::to_string(limit.rlim_max) +
             " open files; raise LimitNOFILE or lower --max-connections)";
  }
  return found;
}

// `followed`: the registry brings what is not there.
std::string CheckModel(const BundleStore& store, Task task, bool followed) {
  const auto current = store.Current(task);
  if (!current && followed) return "nothing on disk: what the registry promotes is fetched";
  if (!current) {
    const auto versions = store.Versions(task);
    throw Error(ErrorCode::kNotFound,
                (store.TaskFolder(task) / "CURRENT").string() + " is not there: " +
                    (versions.empty()
                         ? "train a model (rebound-train --task " + std::string(TaskName(task)) +
                               ") or copy a bundle from models/released, or leave the task out "
                               "of --tasks"
                         : "promote a version, the last is " + std::to_string(versions.back())));
  }
  const auto model = Classifier::Load(store.BundleFolder(task, *current));
  return "version " + std::to_string(*current) + ", hash " + model->hash() + ", trained " +
         model->config().trained_at + ", its golden examples are answered";
}

// Nothing where none is named.
std::string CheckShadow(const BundleStore& store, Task task) {
  const auto version = store.Shadow(task);
  if (!version) return "";
  return "version " + std::to_string(*version) + ", hash " +
         LoadVersion(store, task, *version)->hash() + ", its golden examples are answered";
}

std::string CheckKeys(const KeysOptions& keys) {
  std::string found;
  if (!keys.file.empty()) {
    const auto entries = ParseKeyFile(ReadFile(keys.file, kMaxKeyFile), keys.file.string());
    const auto now = std::chrono::system_clock::now();
    size_t expired = 0;
    for (const KeyEntry& entry : entries) expired += entry.not_after && *entry.not_after < now;
    found = std::to_string(entries.size()) + " keys in " + keys.file.string();
    if (expired > 0) found += ", " + std::to_string(expired) + " of them expired";
  }
  if (keys.api_key) found += found.empty() ? "API_KEY" : " and API_KEY";
  if (found.empty()) {
    return "none: everyone may classify, and administer from this machine alone";
  }
  return found;
}

std::string CheckPolicy(const fs::path& file) {
  if (file.empty()) return "";
  const auto policy = BackoffPolicy::Parse(ReadFile(file), file.string());
  return std::to_string(policy.active()) + " classes have fields and actions in " + file.string();
}

std::string CheckTls(const TlsOptions& tls) {
  if (!tls.enabled()) return "";
  const TlsContext context(tls);
  const auto now = std::chrono::system_clock::now();
  if (context.not_after() < now) {
    throw Error(ErrorCode::kInvalidArgument, tls.certificate.string() + " (" + context.subject() +
                                                 ") expired on " + Day(context.not_after()) +
                                                 ": renew it");
  }
  if (context.not_before() > now) {
    throw Error(ErrorCode::kInvalidArgument,
                tls.certificate.string() + " (" + context.subject() + ") is not valid before " +
                    Day(context.not_before()) + ": look at this machine's clock");
  }
  return context.subject() + ", valid until " + Day(context.not_after()) +
         (tls.client_ca.empty() ? "" : ", clients' certificates by " + tls.client_ca.string()) +
         (context.crl_ends() ? ", revocations until " + Day(*context.crl_ends()) : "");
}

// Every list is read once; a bad line is told and fails the check, as it would be left out.
std::string CheckOverrides(const ApiOptions& options) {
  if (options.overrides.empty()) return "";
  const OverrideConfig config = LoadOverrideConfig(options.overrides);
  std::string problems;
  for (const std::string& warning : config.warnings) problems += "; " + warning;
  size_t rules = 0;
  for (const OverrideListStatus& list : Overrides(config, options.datasources, false).Status()) {
    rules += list.rules;
    if (!list.last_error.empty()) problems += "; " + list.source + ": " + list.last_error;
    for (const BadLine& bad : list.bad) problems += "; " + bad.what;
  }
  if (!problems.empty()) throw Error(ErrorCode::kInvalidArgument, problems.substr(2));
  return options.overrides.string() + ", " + std::to_string(rules) + " rules";
}

std::string CheckTextRules(const fs::path& file) {
  if (file.empty()) return "";
  const TextRuleFile::Status status = TextRuleFile(file, false).GetStatus();
  std::string problems;
  for (const std::string& bad : status.bad) problems += "; " + bad;
  if (!problems.empty()) throw Error(ErrorCode::kInvalidArgument, problems.substr(2));
  return file.string() + ", " + std::to_string(status.rules) + " rules";
}

// The folder itself, or where it is not there yet the nearest one above it that is.
void CheckWritable(const fs::path& folder, std::string_view option) {
  fs::path nearest = fs::absolute(folder);
  std::error_code error;
  while (!fs::exists(nearest, error) && nearest.has_relative_path())
    nearest = nearest.parent_path();
  if (!fs::is_directory(nearest, error)) {
    throw Error(ErrorCode::kInvalidArgument,
                std::string(option) + ": " + nearest.string() + " is not a folder: name another");
  }
  try {
    const TempFolder probe(".rebound-check-", nearest);  // gone again at once
  } catch (const std::exception& e) {
    throw Error(ErrorCode::kUnavailable, std::string(option) + ": nothing can be written to " +
                                             nearest.string() + " by this user (" + e.what() +
                                             "): change its owner or its mode");
  }
}

std::string CheckCache(const ServeOptions& options) {
  if (!options.cache.enabled) return "off";
  const std::string size = std::to_string(options.cache.max_bytes) + " bytes in memory";
  const fs::path& folder = options.cache_saver.folder;
  if (folder.empty()) return size;
  CheckWritable(folder, "--cache-folder");
  return size + ", kept through restarts in " + folder.string();
}

std::string CheckStore(const std::optional<ContributionOptions>& options) {
  if (!options) return "";
  // Whether it is up is not asked: the server starts without it.
  const std::string store = DescribePostgres(options->store.uri);
  CheckWritable(options->spool.folder, "--spool");
  return store + ", spool in " + options->spool.folder.string();
}

// Unlike the rest of the store it is asked: a server that follows it is to serve what it says.
std::string CheckRegistry(const ServeOptions& options) {
  if (!options.follower) return "";
  CheckWritable(options.models, "--models");
  PostgresOptions limits;
  limits.connect_timeout = std::chrono::seconds(3);
  limits.statement_timeout = std::chrono::seconds(10);
  limits.transaction_limit = std::chrono::seconds(15);
  ModelRegistry registry(options.follower->uri, limits);
  std::string found = DescribePostgres(options.follower->uri) + ", promoted:";
  for (const Task task : options.tasks) {
    const auto current = registry.Current(task);
    found += " " + std::string(TaskName(task)) + " " +
             (current ? std::to_string(current->version) : "nothing");
    if (current && !registry.Find(task, current->version)->stored &&
        !registry.Matches(task, current->version, BundleStore(options.models))) {
      throw Error(ErrorCode::kNotFound,
                  "the files of " + std::string(TaskName(task)) + " version " +
                      std::to_string(current->version) +
                      ", which is promoted, are not in the registry: rebound-labels registry "
                      "upload DIR stores them");
    }
  }
  return found + (registry.MayPromote() ? "; this login may promote"
                                        : "; this login may follow, not promote");
}

std::string CheckAccessLog(const std::optional<AccessLogOptions>& log) {
  if (!log) return "";
  if (log->file == "-") return "standard output";
  if (!fs::exists(log->file)) {
    const fs::path folder = fs::absolute(log->file).parent_path();
    if (!fs::is_directory(folder)) {
      throw Error(ErrorCode::kInvalidArgument,
                  "--access-log: the folder " + folder.string() + " is not there: make it");
    }
    CheckWritable(folder, "--access-log");
  } else if (fs::is_directory(log->file) || access(log->file.c_str(), W_OK) != 0) {
    throw Error(ErrorCode::kUnavailable, "--access-log: " + log->file.string() +
                                             " cannot be written by this user: name another file "
                                             "or change its mode");
  }
  return log->file.string();
}

}  // namespace

void ConfigChecks::Add(std::string name, Check check) {
  checks_.push_back({std::move(name), std::move(check)});
}

bool ConfigChecks::Run(std::ostream* out) const {
  size_t failed = 0;
  for (const Named& named : checks_) {
    try {
      const std::string found = named.check();
      if (!found.empty()) *out << "ok    " << named.name << ": " << found << "\n";
    } catch (const std::exception& e) {
      ++failed;
      *out << "FAIL  " << named.name << ": " << e.what() << "\n";
    }
  }
  if (failed == 0) {
    *out << "the configuration is valid" << std::endl;
  } else {
    *out << "the configuration is not valid: " << failed << " of its parts failed" << std::endl;
  }
  return failed == 0;
}

ConfigChecks ChecksOf(const ServeOptions& options) {
  ConfigChecks checks;
  checks.Add("door", [&] { return CheckDoor(options); });
  checks.Add("tls", [&] { return CheckTls(options.door.tls); });
  checks.Add("keys", [&] { return CheckKeys(options.api.gate.keys); });
  for (const Task task : options.tasks) {
    checks.Add("model " + std::string(TaskName(task)), [&, task] {
      return CheckModel(BundleStore(options.models), task, options.follower.has_value());
    });
    checks.Add("shadow " + std::string(TaskName(task)),
               [&, task] { return CheckShadow(BundleStore(options.models), task); });
  }
  checks.Add("backoff policy", [&] { return CheckPolicy(options.api.backoff_policy); });
  checks.Add("overrides", [&] { return CheckOverrides(options.api); });
  checks.Add("text rules", [&] { return CheckTextRules(options.api.text_rules); });
  checks.Add("cache", [&] { return CheckCache(options); });
  checks.Add("label store", [&] { return CheckStore(options.api.contributions); });
  checks.Add("registry", [&] { return CheckRegistry(options); });
  checks.Add("access log", [&] { return CheckAccessLog(options.api.gate.access_log); });
  return checks;
}

}  // namespace rebound
