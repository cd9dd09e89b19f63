// What a client's MTA should do about a backoff class: on what it counts (fields) and what it does
// (actions). From a YAML file that operators write (JSON is YAML); deploy/ holds a commented one.
//
// The tables are Immutable and replaced whole, so no answer mixes two files.
#pragma once

#include <array>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "engine/watched_file.h"
#include "models/task.h"

namespace rebound {

// Words that Halon's MTA knows; wire values.
inline constexpr std::array<std::string_view, 8> kBackoffFields = {
    "localip", "remoteip",    "remotemx", "recipientdomain",
    "jobid",   "transportid", "grouping", "tenantid"};
inline constexpr std::array<std::string_view, 4> kBackoffActions = {
    "suspend", "rate", "concurrency", "connectinterval"};

// Both lists are empty (do nothing) or neither is: the client ignores a half.
struct BackoffAdvice {
  std::vector<std::string_view> fields;   // of kBackoffFields, in the file's order
  std::vector<std::string_view> actions;  // of kBackoffActions, likewise
};

class BackoffPolicy {
 public:
  // Nothing for every class.
  BackoffPolicy() : advice_(TaskLabels(Task::kBackoff).size()) {}

  // `name` is what errors call the text. Throws kInvalidArgument "NAME:LINE: what is wrong" for
  // what is no YAML, an unknown class, key, field or action, anything given twice, another type
  // than expected, and one empty list beside one that is not. A class that is not there has none.
  static BackoffPolicy Parse(std::string_view yaml, const std::string& name);

  const BackoffAdvice& Of(size_t backoff_label) const { return advice_[backoff_label]; }
  // How many classes have lists that are not empty.
  size_t active() const;

 private:
  std::vector<BackoffAdvice> advice_;  // by position in TaskLabels(kBackoff)
};

// The policy of a file, kept up to date (watched_file.h). A file that is refused leaves the policy
// that served in force. Thread-safe.
class BackoffPolicyFile {
 public:
  // An empty path: no file, no thread, nothing for every class. Throws kInvalidArgument where the
  // file cannot be read or is refused.
  explicit BackoffPolicyFile(std::filesystem::path path);

  std::shared_ptr<const BackoffPolicy> Current() const;
  // Looks at the file now. False where it is refused.
  bool Look();

 private:
  std::string Read() const;
  void Take(const std::string& bytes);

  const std::filesystem::path path_;
  mutable std::mutex mutex_;
  std::shared_ptr<const BackoffPolicy> current_;
  WatchedFile file_;  // last: its thread ends before the rest
};

}  // namespace rebound
