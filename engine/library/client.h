// What stands behind a rebound_client: the models and the rules of a program that embeds Rebound.
//
// All of one moment is held together and replaced whole, so an answer never mixes two of them and
// keeps what its views need. No thread of its own: files are read when it is told to. Thread-safe.
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "engine/backoff_policy.h"
#include "engine/engine.h"
#include "engine/overrides/overrides.h"
#include "engine/text_rules.h"

namespace rebound {

// Immutable but for the text rules, which are Thread-safe.
struct Moment {
  ModelSet models;
  std::shared_ptr<Overrides> overrides;  // null: none
  std::shared_ptr<TextRuleFile> text_rules;
  std::shared_ptr<const BackoffPolicy> policy;
};

class Client {
 public:
  // Throws as LoadCurrent does.
  explicit Client(std::filesystem::path models_dir);

  std::shared_ptr<const Moment> Now() const;

  // Each throws Error and then has changed nothing. An empty path: the folder loaded last, or none
  // of what is set.
  void Reload(const std::filesystem::path& models_dir);
  // Throws kInvalidArgument also for a data source that is no file.
  void SetOverrides(const std::filesystem::path& file);
  void SetTextRules(const std::filesystem::path& file);
  void SetBackoffPolicy(const std::filesystem::path& file);
  void RegisterTextRule(const std::string& pattern, const std::string& label);
  void ClearTextRules();
  // Throws the first failure after every file was asked.
  void ReloadRules();

  void WriteModelInfo(JsonWriter* writer) const;
  void WriteRules(JsonWriter* writer) const;

 private:
  template <class Change>
  void Swap(Change change);

  std::mutex work_mutex_;  // one change at a time; held before mutex_
  std::filesystem::path models_dir_;
  std::vector<std::pair<std::string, std::string>> registered_;  // pattern, label
  mutable std::mutex mutex_;
  std::shared_ptr<const Moment> now_;
};

}  // namespace rebound
