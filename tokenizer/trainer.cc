#include "tokenizer/trainer.h"

#include <sentencepiece_processor.h>
#include <sentencepiece_trainer.h>

#include <algorithm>
#include <unordered_map>

#include "base/error.h"
#include "tokenizer/normaliser.h"

namespace rebound {
namespace {

// The texts as SentencePiece asks for them.
class Texts : public sentencepiece::SentenceIterator {
 public:
  explicit Texts(const std::vector<std::string>& texts) : texts_(texts) {}
  bool done() const override { return at_ >= texts_.size(); }
  void Next() override { ++at_; }
  const std::string& value() const override { return texts_[at_]; }
  sentencepiece::util::Status status() const override { return {}; }

 private:
  const std::vector<std::string>& texts_;
  size_t at_ = 0;
};

void CheckOptions(const TokenizerOptions& options) {
  if (options.vocabulary < 32 || options.vocabulary > 1000000) {
    throw Error(ErrorCode::kInvalidArgument, "vocabulary " + std::to_string(options.vocabulary) +
                                                 " is out of bounds: give 32 to 1000000");
  }
  if (!(options.character_coverage > 0.9 && options.character_coverage <= 1.0)) {
    throw Error(ErrorCode::kInvalidArgument,
                "character coverage is out of bounds: give more than 0.9, at most 1");
  }
  if (options.normalisation != "identity" && options.normalisation != "nmt_nfkc") {
    throw Error(ErrorCode::kInvalidArgument,
                "normalisation '" + options.normalisation + "': give identity or nmt_nfkc");
  }
}

std::unordered_map<std::string, std::string> MakeSpec(const TokenizerOptions& options) {
  std::string symbols;
  for (const std::string_view token : kMaskTokens) {
    if (!symbols.empty()) symbols += ',';
    symbols += token;
  }
  return {
      {"model_type", "unigram"},
      {"vocab_size", std::to_string(options.vocabulary)},
      {"hard_vocab_limit", "false"},
      {"character_coverage", std::to_string(options.character_coverage)},
      {"user_defined_symbols", symbols},
      {"normalization_rule_name", options.normalisation},
      {"split_by_number", "false"},
      {"split_by_unicode_script", "false"},
      {"byte_fallback", "false"},
      {"bos_id", "-1"},
      {"eos_id", "-1"},
      {"pad_id", "-1"},
      {"unk_id", "0"},
      {"num_threads", "1"},
      {"input_sentence_size", std::to_string(options.max_texts)},
      {"shuffle_input_sentence", "true"},
      // Bytes; longer texts are left out. A canonical text can be longer than what it was made
      // from.
      {"max_sentence_length", std::to_string(8 * kMaxTextBytes)},
      {"minloglevel", options.verbose ? "0" : "2"},
  };
}

}  // namespace

std::string TrainTokenizer(const std::vector<std::string>& texts, const TokenizerOptions& options) {
  CheckOptions(options);
  if (std::all_of(texts.begin(), texts.end(), [](const std::string& t) { return t.empty(); })) {
    throw Error(ErrorCode::kInvalidArgument,
                "no text to learn from: give one normalised text a line");
  }
  sentencepiece::SetRandomGeneratorSeed(options.seed);
  Texts iterator(texts);
  std::string model;
  try {
    const auto status =
        sentencepiece::SentencePieceTrainer::Train(MakeSpec(options), &iterator, &model);
    if (!status.ok()) {
      throw Error(ErrorCode::kUnavailable, "SentencePiece: " + status.ToString() +
                                               "; give more varied texts or another vocabulary");
    }
  } catch (const Error&) {
    throw;
  } catch (const std::exception& e) {
    throw Error(ErrorCode::kUnavailable, std::string("SentencePiece: ") + e.what());
  }
  return model;
}

}  // namespace rebound
