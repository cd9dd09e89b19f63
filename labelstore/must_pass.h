// The must-pass list: masked texts that a model must, or must never, give a class. A candidate that
// fails one is not promoted.
//
// An entry is never edited: it is added by somebody for a reason, and removed by somebody, and both
// stay in the store. A text is known by the digest of its normalised form. Thread-compatible.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "datasource/postgres.h"
#include "models/classifier.h"
#include "models/task.h"

namespace rebound {

struct MustPass {
  int64_t id = 0;  // 0: not stored yet
  Task task = Task::kBnac;
  size_t label = 0;  // position in TaskLabels
  bool must = true;  // false: the text must never get the label
  std::string text;  // masked
  std::string added_by;
  std::string reason;    // why it matters, for who meets the refusal
  std::string added_at;  // ISO 8601, UTC; set by the store
};

class MustPassList {
 public:
  // `connection` must outlive the list. Throws as RequireSchema does.
  explicit MustPassList(PostgresConnection* connection);

  // Masks the text and stores the entry; returns its id. The same entry again is the one that is
  // there. Throws kInvalidArgument for a blank text, nobody or no reason, kConflict where the text
  // must get another label already, or must and must never get this one.
  int64_t Add(const MustPass& entry);
  // All in one transaction, by the rules of Add. Returns how many are new.
  size_t AddAll(const std::vector<MustPass>& entries);
  // Throws kNotFound where no such entry is in force.
  void Remove(int64_t id, const std::string& who);
  // Those in force, by id.
  std::vector<MustPass> Read();

 private:
  PostgresConnection* const connection_;
};

// What a model made of one entry.
struct MustPassResult {
  MustPass entry;
  bool passed = false;
  std::string answer;  // the class it gave
  float probability = 0.0F;
};

// The model alone, without status codes: one result for each entry of the classifier's task. Pure.
std::vector<MustPassResult> CheckMustPass(const Classifier& classifier,
                                          const std::vector<MustPass>& entries);

// "must-pass 3 must get RECIPIENT_NOT_FOUND and gets SPF (0.9200): '550 ...', said anna: why".
std::string Describe(const MustPassResult& result);

// Entries from JSON Lines: {"task","text","must"|"never": a label,"reason","by"}; `by` is asked for
// where neither the line nor `who` names anybody. Throws kInvalidArgument with the line.
std::vector<MustPass> ParseMustPass(std::string_view jsonl, const std::string& who);
// The same line for an entry.
std::string WriteMustPass(const MustPass& entry);

}  // namespace rebound
