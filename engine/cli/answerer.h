// Answers batches of texts and writes their rows: the work of one thread of `rebound classify`.
#pragma once

#include <string>

#include "engine/answer.h"
#include "engine/cli/batch_pool.h"
#include "engine/cli/prediction_memory.h"
#include "engine/cli/result_rows.h"
#include "engine/cli/summary.h"

namespace rebound {

// What all threads of a run share. Immutable while it lasts.
struct Answering {
  ModelSet models;
  RuleSources rules;
  AnswerOptions options;
  const ResultRows* rows = nullptr;
  std::string domain;  // where an item has none
  bool quiet = false;  // no rows
  bool debug = false;  // class and rule of every text to the log
};

// Thread-compatible.
class Answerer {
 public:
  // `remembered`: texts whose outputs are kept. `answering` must outlive it.
  Answerer(const Answering* answering, size_t remembered)
      : answering_(*answering), memory_(remembered) {}

  // Fills batch->rows, and the fault of items whose text is blank.
  void Work(Batch* batch);
  const Summary& summary() const { return summary_; }

 private:
  Question AskAbout(const SourceItem& item, std::string_view text) const;
  // Whether people's rules speak of a text that is no bounce: the models, which know bounces alone,
  // would read a removal into a holiday.
  bool IsRuled(const SourceItem& item, std::string_view text) const;
  void AnswerItem(SourceItem* item, std::string* rows);

  const Answering& answering_;
  PredictionMemory memory_;
  Engine::Scratch scratch_;
  Summary summary_;
};

}  // namespace rebound
