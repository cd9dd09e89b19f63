// The models of a fleet: published bundles in PostgreSQL, which version serves, and what served
// before.
//
// A version's content never changes: its digest covers name and sha256 of every file, and stays
// when the files are pruned. Promotion is one row; its commit notifies the channel
// rebound_promotions. Thread-compatible: one registry a thread.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "datasource/postgres.h"
#include "datasource/postgres_listener.h"
#include "models/bundle_store.h"
#include "models/task.h"

namespace rebound {

// One version that the registry knows.
struct RegisteredModel {
  Task task = Task::kBnac;
  int version = 0;
  std::string weights_sha256;
  int64_t run_id = 0;  // 0: published by no recorded run
  std::string registered_at;
  std::string digest;   // of the bundle; "": never uploaded
  int64_t bytes = 0;    // of its files
  bool stored = false;  // its files are there: uploaded and not pruned
};

// One time that a version began to serve.
struct Promotion {
  int64_t id = 0;
  Task task = Task::kBnac;
  int version = 0;
  bool rollback = false;  // back to what served before
  std::string by;
  std::string reason;
  std::string at;  // ISO 8601, UTC
};

// What a roll-back goes to, given a task's promotions, oldest first: a roll-back undoes the
// promotions behind the version that it names, so that two in a row go back two steps. nullopt
// where nothing served before. Pure.
std::optional<int> VersionBefore(const std::vector<Promotion>& history);

class ModelRegistry {
 public:
  // Throws kUnavailable, and as RequireSchema does.
  explicit ModelRegistry(const std::string& uri, PostgresOptions options = {});

  // Stores the bundle in `folder` as the task and version of its config.json, registering it where
  // it is not. Uploading the same again changes nothing, also at the same time. Throws kNotFound
  // where there is no bundle, kCorrupt where a file is not what config.json says, kConflict where
  // the version has other content here.
  RegisteredModel Upload(const std::filesystem::path& folder);

  // Every version of the task, ascending.
  std::vector<RegisteredModel> Versions(Task task);
  std::optional<RegisteredModel> Find(Task task, int version);
  // The version that was promoted last.
  std::optional<Promotion> Current(Task task);
  // Oldest first.
  std::vector<Promotion> History(Task task);

  // Whether `bundles` holds the version with the content that is known here: false also where it
  // lacks it, or a file of it is damaged. Throws kNotFound for a version that is not registered.
  bool Matches(Task task, int version, const BundleStore& bundles);
  // Whether this login may upload and promote; following needs neither.
  bool MayPromote();

  // Brings a version into `bundles`, verified, whole or not at all; one that is there already with
  // this content is left as it is. Returns its folder. CURRENT is not touched. Throws kNotFound
  // where the version or its files are not here, kCorrupt where what is stored does not have the
  // digest, kConflict where the folder holds another bundle of that number.
  std::filesystem::path Fetch(Task task, int version, BundleStore* bundles);

  // The version serves from now on, and listeners are told. False where it serves already: then
  // nothing is written. Throws kNotFound for a version that is not registered.
  bool Promote(Task task, int version, const std::string& who, const std::string& reason);
  // Back to what served before, which it returns. Throws kNotFound where nothing did.
  int Rollback(Task task, const std::string& who, const std::string& reason);

  // Makes known what serves from a folder, where no promotion of the task is recorded here yet, so
  // that a roll-back can go there. False where there is nothing to adopt, or it cannot be: the
  // bundle is damaged, or its number has other content here.
  bool Adopt(Task task, const BundleStore& bundles);

  // Removes the files of all but the newest `keep` versions of each task, never of the current one
  // nor of the one before. Returns what was pruned, or would be. REQUIRES: keep >= 1.
  std::vector<RegisteredModel> Prune(int keep, bool dry_run = false);

 private:
  PostgresConnection connection_;
};

// Tells which versions came to serve. What it missed while it or the database was away comes with
// the next call. Thread-compatible.
class PromotionListener {
 public:
  explicit PromotionListener(const std::string& uri, PostgresOptions options = {});

  // The last promotion of every task whose current version changed since the call before; at the
  // first call of every task that has one. Waits for at most `timeout`; empty where nothing
  // happened. Throws kUnavailable while the database is away: call again;
  // kNotFound where its schema is older than this code.
  std::vector<Promotion> WaitForPromotion(std::chrono::milliseconds timeout);

 private:
  std::vector<Promotion> ReadNew();

  PostgresListener listener_;
  const std::string uri_;
  const PostgresOptions options_;
  std::unique_ptr<ModelRegistry> registry_;    // made with the first look
  std::array<int64_t, kTaskCount> seen_ = {};  // id of the last promotion that was returned
  bool behind_ = false;                        // a look is due: the last one failed
};

}  // namespace rebound
