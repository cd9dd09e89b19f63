// The overrides of a running program: loaded, refreshed, counted, told about.
//
// A thread of its own looks at files every second and reads everything again every `refresh`
// seconds, so a slow source delays nobody. What cannot be read leaves the rules that were read last
// in force, for a data source as long as its cache_life says. Sets are replaced whole, so no answer
// mixes two of them. Thread-safe.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/service_thread.h"
#include "engine/overrides/config.h"
#include "engine/overrides/override_set.h"
#include "engine/overrides/rule_source.h"

namespace rebound {

// One list, as people ask about it.
struct OverrideListStatus {
  BounceKind kind;
  bool is_user;        // else the system's
  std::string source;  // a path or ":datasource:NAME:QUERY"
  size_t rules = 0;    // in force
  size_t bad_count = 0;
  std::vector<BadLine> bad;                                        // the first kMaxKeptBadLines
  std::optional<std::chrono::system_clock::time_point> loaded_at;  // read well, last
  std::chrono::seconds age{0};                                     // since then
  bool missing = false;    // a file at its default place that is not there: no error, no rules
  bool stale = false;      // the last read failed; older rules are in force
  bool expired = false;    // it failed for longer than cache_life: the rules are dropped
  std::string last_error;  // of the last read; empty: it went well
  uint64_t refreshes = 0;  // reads that went well
  uint64_t failures = 0;
  uint64_t hits = 0;  // texts that a rule of it decided, ever
};

// A rule, what it says and how often it decided.
struct RuleUse {
  std::string source;
  OverrideRule rule;
  uint64_t hits = 0;
  std::optional<std::chrono::system_clock::time_point> last_hit;
};

// What a text would get, for people.
struct OverrideVerdict {
  BounceCode code;  // its name lives as long as the Overrides
  OverrideRule rule;
  std::string source;  // the file or data source; rule.line says where in it
  bool is_user = true;
};

class Overrides {
 public:
  using Clock = std::chrono::steady_clock;

  // Reads every list. A data source that does not answer is no error: its rules come when it does.
  // Throws what ReadRules throws for a file that was named and cannot be read, and for a data
  // source that is wrong rather than away. `reader` may be empty where no list is of a data source.
  // Without `has_thread` nothing happens but at Tick and Reload: for tests and one-shot programs.
  explicit Overrides(OverrideConfig config, DatasourceReader reader = {}, bool has_thread = true);
  Overrides(const Overrides&) = delete;
  Overrides& operator=(const Overrides&) = delete;

  // The rule that decides, or none; counts the hit. Takes a lock only to copy a pointer.
  OverrideMatch Find(BounceKind kind, std::string_view text, std::string_view domain) const;
  // The same without counting: class and rule, and where the rule stands.
  std::optional<OverrideVerdict> Test(BounceKind kind, std::string_view text,
                                      std::string_view domain) const;

  std::shared_ptr<const OverrideSet> Current() const;
  // The twenty codes and the custom classes. Immutable.
  const CodeBook& codes() const { return config_.codes; }
  const std::vector<std::string>& warnings() const { return config_.warnings; }

  // Reads every list now and says what came of it, in the order of Status.
  std::vector<OverrideListStatus> Reload(Clock::time_point now = Clock::now());
  // Does what is due: changed files, the refresh, rules that expire.
  void Tick(Clock::time_point now);
  // SMTP user, SMTP system, MDN user, MDN system, without those that are not configured.
  std::vector<OverrideListStatus> Status(Clock::time_point now = Clock::now()) const;
  // Of rules that decided at least once, the most used first; at most `most`.
  std::vector<RuleUse> Uses(size_t most = 100) const;

 private:
  // What tells without reading that a file is the same.
  struct FileMark {
    uintmax_t size = 0;
    int64_t changed = 0;  // ctime, which no write and no chmod leaves as it was
    uint64_t inode = 0;
    bool operator==(const FileMark&) const = default;
  };
  struct List {
    BounceKind kind;
    bool is_user;
    RuleSourceConfig source;
    std::chrono::seconds cache_life{0};  // 0: for ever
    ParsedRules parsed;                  // of the last read that went well
    std::shared_ptr<const OverrideList> compiled;
    std::optional<FileMark> mark;
    std::optional<Clock::time_point> read_at;  // well
    OverrideListStatus status;
  };

  // These want work_mutex_.
  void Read(List* list, Clock::time_point now, bool is_first);
  void TakeRules(List* list, ParsedRules parsed);
  void Fail(List* list, const std::string& error);
  void Expire(List* list, Clock::time_point now);
  void Publish();
  static std::optional<FileMark> MarkOf(const RuleSourceConfig& source);

  const OverrideConfig config_;
  const DatasourceReader reader_;
  std::mutex work_mutex_;  // one reader of sources at a time; held before mutex_
  std::vector<List> lists_;
  Clock::time_point refreshed_at_;

  mutable std::mutex mutex_;  // for the rest
  std::shared_ptr<const OverrideSet> current_;
  // By kind, the user's before the system's. Relaxed.
  mutable std::array<std::array<std::atomic<uint64_t>, 2>, 2> hits_{};
  std::vector<std::pair<OverrideListStatus, std::optional<Clock::time_point>>> published_;
  ServiceThread thread_;  // the last: it uses the others
};

// At debug level the class and the rule of every message, as Momentum's log has them; `rule` is
// empty where none decided. The text, cut, stands only in this line.
void LogClassified(std::string_view text, std::string_view class_name, std::string_view rule);

}  // namespace rebound
