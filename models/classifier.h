// One loaded bundle: from token ids to calibrated probabilities. No LibTorch.
//
// Immutable and Thread-safe with one Scratch a thread; no allocation per message once the scratch
// has grown. Replaced whole by shared_ptr: a request keeps the classifier it took until it ends.
// Bundles that hold the same network or the same tokenizer share them in memory, as those of one
// training run do: then one pass through the network answers all tasks.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "models/bundle.h"
#include "tokenizer/encoder.h"

namespace rebound {

struct Prediction {
  size_t label;       // position in config().labels
  float probability;  // calibrated, 0..1
};

class Classifier {
 public:
  class Scratch {
   public:
    Scratch();
    ~Scratch();
    Scratch(Scratch&&) noexcept;
    Scratch& operator=(Scratch&&) noexcept;

   private:
    friend class Classifier;
    struct State;
    std::unique_ptr<State> state_;
  };

  // Reads, checks and proves a bundle: format, checksums, label count against output width,
  // normaliser version, every golden's class and probability. Throws kCorrupt (kNotFound where the
  // folder is not there) saying exactly which check failed.
  static std::shared_ptr<const Classifier> Load(const std::filesystem::path& bundle);

  ~Classifier();

  const BundleConfig& config() const;
  // First 16 hex digits of sha256 of weights.safetensors: names the model in answers and cache
  // keys.
  const std::string& hash() const;
  // Bundles whose tokenizers are equal share one encoding of a text.
  const std::string& tokenizer_sha256() const;
  const Encoder& encoder() const;
  // Position of label `i` of config().labels in TaskLabels(task).
  size_t task_label(size_t i) const;

  // Fills probabilities: [config().labels] float32, sums to 1.
  // `ids` are the encoder's ids of a normalised text; may be empty.
  void Score(std::span<const int32_t> ids, Scratch* scratch, std::span<float> probabilities) const {
    Run(ids, scratch);
    Read(scratch, probabilities);
  }
  Prediction Classify(std::span<const int32_t> ids, Scratch* scratch) const {
    Run(ids, scratch);
    return Read(scratch);
  }

  // The two halves of them. What Run left in `scratch` any classifier of the same network() may
  // read.
  const void* network() const;
  void Run(std::span<const int32_t> ids, Scratch* scratch) const;
  void Read(Scratch* scratch, std::span<float> probabilities) const;
  Prediction Read(Scratch* scratch) const;

  // Raw text to prediction (normalise, encode, score): for tools and goldens.
  Prediction ClassifyText(std::string_view text, Scratch* scratch) const;

 private:
  struct State;
  explicit Classifier(std::unique_ptr<State> state);
  void CheckGoldens(const std::vector<Golden>& goldens) const;
  std::unique_ptr<const State> state_;
};

}  // namespace rebound
