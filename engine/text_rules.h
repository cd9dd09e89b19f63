// A user's own rules: an RE2 pattern and the label that a text gets where the pattern is found.
//
//     # label              pattern, to the end of the line
//     label:spam_blocked   XYZZY-PROVIDER-\d+
//     MAILBOX_FULL         (?-i)QUOTA \d+%
//
// docs/text-rules.md describes the file. A rule says something about one task; of each task the
// first rule in the order decides. Case does not count unless the pattern says so. Matching is
// linear in the text; RE2 has no pattern that is not.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/watched_file.h"
#include "models/task.h"

namespace re2 {
class RE2;
}

namespace rebound {

inline constexpr size_t kMaxPatternBytes = 4096;
inline constexpr size_t kMaxTextRules = 5'000;
inline constexpr size_t kMaxTextRuleFileBytes = 4 * 1024 * 1024;

struct TextRule {
  Task task = Task::kBnac;
  size_t label = 0;  // in TaskLabels(task)
  std::string pattern;
  std::string place;  // "FILE:LINE", or "registered" for one of the running program
  std::shared_ptr<const re2::RE2> compiled;
};

// "LABEL" where one task alone has it, "bnac:LABEL", "backoff:LABEL", "label:LABEL" (or "action:").
// Throws kInvalidArgument for a label that is not there or that several tasks have.
std::pair<Task, size_t> ParseRuleLabel(std::string_view text);

// Throws kInvalidArgument where the label is refused by ParseRuleLabel, and for a pattern that is
// empty, too long, refused by RE2 (whose message is told), too large or matches every text.
TextRule MakeTextRule(std::string_view label, std::string_view pattern, std::string place);

// What the rule's pattern matches first in the text, a view into it; empty where nothing.
std::string_view MatchOf(const TextRule& rule, std::string_view text);

// Rules as one. Immutable.
class TextRules {
 public:
  TextRules();
  ~TextRules();
  TextRules(TextRules&&) noexcept;
  TextRules& operator=(TextRules&&) noexcept;

  // Throws kTooLarge where there are more than kMaxTextRules or where they need too much memory
  // together. REQUIRES: the rules are of MakeTextRule. Where `automaton_bytes` do not suffice to
  // ask all rules at once, they are asked one by one.
  explicit TextRules(std::vector<TextRule> rules, int64_t automaton_bytes = 64 * 1024 * 1024);

  // By task the position in rules() of the first rule whose pattern is in the text, if any is.
  std::array<std::optional<size_t>, kTaskCount> Find(std::string_view text) const;

  const std::vector<TextRule>& rules() const { return rules_; }

 private:
  struct Prefilter;
  std::vector<TextRule> rules_;
  std::unique_ptr<const Prefilter> prefilter_;  // null where memory does not suffice
};

struct ParsedTextRules {
  std::vector<TextRule> rules;
  std::vector<std::string> bad;  // "FILE:LINE: what is wrong", the first 100
  size_t bad_count = 0;
};
// A bad line is left out and costs no other. Throws kTooLarge as TextRules
// does, as soon as it is known.
ParsedTextRules ParseTextRules(std::string_view text, const std::string& name);

// The rules of a file, kept up to date (watched_file.h), behind those that the program registers
// itself. A file that cannot be read leaves the rules that were read last in force. Thread-safe.
class TextRuleFile {
 public:
  struct Status {
    std::string file;       // empty: there is none
    size_t rules = 0;       // of the file, in force
    size_t registered = 0;  // of the program
    size_t bad_count = 0;
    std::vector<std::string> bad;
    std::optional<std::chrono::system_clock::time_point> loaded_at;
    std::string last_error;  // of the last look; empty: all is well
  };

  // An empty path: no file and no thread; rules can be registered all the same. Throws what reading
  // throws, as kInvalidArgument "--text-rules: ...".
  explicit TextRuleFile(std::filesystem::path path = {}, bool has_thread = true);

  std::shared_ptr<const TextRules> Current() const;
  Status GetStatus() const;

  // Looks at the file now. False where it cannot be read or its rules are too large.
  bool Look();

  // A rule before all of the file and after those registered before it; a reload leaves it. Throws
  // kInvalidArgument for a bad label or pattern, kTooLarge beyond the limits; then nothing changed.
  void Register(std::string_view pattern, std::string_view label);
  // Forgets what was registered; the file's rules stay.
  void Clear();

 private:
  void Load(const std::string& bytes);
  void Compile(const std::vector<TextRule>& registered, const std::vector<TextRule>& of_file);

  const std::filesystem::path path_;
  std::mutex work_mutex_;          // one change at a time; held before mutex_
  std::vector<TextRule> of_file_;  // of work
  std::vector<TextRule> registered_;
  mutable std::mutex mutex_;
  std::shared_ptr<const TextRules> current_;
  Status status_;
  WatchedFile watched_;  // last: its thread ends before the rest
};

}  // namespace rebound
