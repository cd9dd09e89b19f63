// From a text to an answer: the served models of all tasks behind one door.
//
// Normalises once, encodes once per distinct tokenizer, asks each task's model, lets the status
// code decide where a model is not sure. Holds one immutable Classifier a task, swapped whole.
// Thread-safe: Take and Swap use a mutex around shared_ptr (std::atomic<std::shared_ptr> of g++ 12
// races under TSan).
#pragma once

#include <array>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/classifier.h"
#include "models/task.h"

namespace rebound {

// The models of one moment. A request takes one and keeps it until it ends, so no answer mixes two
// models.
struct ModelSet {
  std::array<std::shared_ptr<const Classifier>, kTaskCount> by_task;  // null: not loaded
  const Classifier* Get(Task task) const { return by_task[Index(task)].get(); }
};

enum class AnswerSource : uint8_t { kModel, kStatusCode, kRule, kOverride };
inline constexpr size_t kAnswerSourceCount = 4;
// Its wire value, in answers and metrics: "model", "status_code", "rule", "override".
std::string_view SourceName(AnswerSource source);

// An action whose (calibrated) probability is below this is `unknown` instead: three of four such
// guesses would be wrong, and some actions delete an address.
inline constexpr float kActionGuess = 0.25F;

struct Ruling;  // engine/ruling.h

struct TaskAnswer {
  size_t label;       // position in TaskLabels(task)
  float probability;  // the model's probability of `label`; 1 of an override
  AnswerSource source;
  size_t model_label;  // what the model alone says
};

class Engine {
 public:
  // Buffers of one thread.
  struct Scratch {
    std::string normalised;
    Encoder::Scratch encoder;
    std::vector<int32_t> ids;
    std::string ids_tokenizer;  // sha256 of the tokenizer that made `ids`; empty: none yet
    const void* run = nullptr;  // the network whose outputs for `ids` stand in `classifier`
    Classifier::Scratch classifier;
    std::vector<float> probabilities;
  };

  ModelSet Take() const;
  void Swap(Task task, std::shared_ptr<const Classifier> classifier);

  // Prepares `scratch` for `text`: normalised form in scratch->normalised, ids forgotten.
  static void Prepare(std::string_view text, Scratch* scratch);
  // The model's output alone for the prepared text (what the cache may hold). REQUIRES:
  // models.Get(task).
  static Prediction Predict(const ModelSet& models, Task task, Scratch* scratch);
  // The same, and the probability of every label in the order of TaskLabels (0 where the bundle
  // does not know one).
  static Prediction Score(const ModelSet& models, Task task, Scratch* scratch,
                          std::vector<float>* by_label);
  // The answer: what `ruling` says (null: nothing), else `prediction` unless it is below the
  // bundle's threshold and the codes of the original text decide; an action that nobody is sure of
  // is `unknown`.
  static TaskAnswer Decide(const ModelSet& models, Task task, const Prediction& prediction,
                           std::string_view text, Scratch* scratch, const Ruling* ruling = nullptr);

 private:
  mutable std::mutex mutex_;
  ModelSet models_;
};

}  // namespace rebound
