// Makes a tokenizer from canonical texts: the only code that links SentencePiece.
//
// Unigram, identity normalisation (Normalise has lower-cased and masked already, and a map would
// add 250 KB to every bundle), mask tokens as user-defined symbols, no byte fallback. Pieces may
// mix letters, digits and underscores, so that `5_7_1` and `tss04` become whole pieces. The same
// texts in the same order, options and library give the same bytes: one thread, and no path is
// written into the model. Never in one process with LibTorch (two protobuf versions crash it before
// main): run rebound-tokenizer.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace rebound {

struct TokenizerOptions {
  int vocabulary = 8000;  // pieces wanted; fewer come out where the texts hold fewer
  double character_coverage = 0.9995;
  uint32_t seed = 1;  // chooses the sample where there are more than max_texts
  int64_t max_texts = 2000000;
  std::string normalisation = "identity";  // or nmt_nfkc, SentencePiece's own
  bool verbose = false;                    // SentencePiece's log on standard error
};

// The bytes of a `.model` file. Throws kInvalidArgument where there is no text or an option is out
// of bounds, kUnavailable where SentencePiece can not work with these.
std::string TrainTokenizer(const std::vector<std::string>& texts, const TokenizerOptions& options);

}  // namespace rebound
