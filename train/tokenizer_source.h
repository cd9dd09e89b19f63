// Where a run's tokenizer comes from: the bundle that serves, or a new training in a child process
// (libsentencepiece and LibTorch cannot live in one).
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "models/bundle_store.h"
#include "train/corpus.h"

namespace rebound {

struct TokenizerModel {
  std::string bytes;             // a SentencePiece .model
  std::string origin;            // for people: "bnac version 7", "trained on 1200 texts"
  std::string source = "given";  // "trained" by the run, "reused" from a bundle, "given" to it
  int vocabulary = 0;            // pieces that were asked for where it was trained; else 0
};

// The tokenizer of `task`'s current bundle, else of another task's, so that all share one;
// nullopt where none has a readable current bundle of this normaliser version.
std::optional<TokenizerModel> FindCurrentTokenizer(const BundleStore& store, Task task);

// Runs `program` (rebound-tokenizer) over the rows that do not judge, at most
// kTokenizerCopies of a group. Throws kInternal where the program fails, kCancelled on `stop`.
inline constexpr size_t kTokenizerCopies = 40;
TokenizerModel TrainTokenizer(const Corpus& corpus, const std::filesystem::path& program,
                              int vocabulary, const std::function<bool()>& stop);

}  // namespace rebound
