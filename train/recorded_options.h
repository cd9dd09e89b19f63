// Everything that decides the bytes of a bundle beside snapshot, seed and environment, as names and
// values that config.json keeps: what a run writes, a verification reads back. Pure, Thread-safe.
#pragma once

#include <map>
#include <string>

#include "train/training_run.h"

namespace rebound {

// Of the network and its training, and where the tokenizer came from. How many members train at the
// same time is not among them: it changes no bit.
std::map<std::string, std::string> RecordOptions(const TrainingOptions& options,
                                                 const TokenizerModel& tokenizer);

struct RecordedTokenizer {
  std::string source;  // of TokenizerModel
  int vocabulary = 0;
};

// Sets what `recorded` names in `*options` and returns the rest. Throws kNotFound where a name is
// missing or unknown, kCorrupt where a value cannot be read: a run by these options would not be
// the same.
RecordedTokenizer ApplyRecordedOptions(const std::map<std::string, std::string>& recorded,
                                       TrainingOptions* options);

}  // namespace rebound
