// A bundle: the directory with everything needed to classify one task, and the proof that it works.
//
//   config.json  weights.safetensors  tokenizer.model  golden.jsonl  scorecard.json  MODEL_CARD.md
//
// config.json holds the sha256 of every other file. A bundle is never changed after it was
// published.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "models/safetensors.h"
#include "models/task.h"

namespace rebound {

// Format 1 has no "outputs": one output a label, in their order. Both are read, 2 is written.
inline constexpr int kBundleFormat = 2;

// Names of the network kinds in config.json; models/network.h has their tensors and formulas.
inline constexpr std::string_view kBagNetwork = "bag";
inline constexpr std::string_view kTableCnnNetwork = "table_cnn";

// config.json, field for field.
struct BundleConfig {
  int format_version = kBundleFormat;
  Task task = Task::kBnac;
  int version = 0;  // 1.. within its task
  std::vector<std::string> labels;
  // The label of each output of the network, as a position in `labels`. A network may tell more
  // causes apart than its task has names for: the probability of a label is the sum over its
  // outputs. Empty: one output a label, in their order.
  std::vector<int32_t> outputs;
  std::string network;                   // kBagNetwork or kTableCnnNetwork
  std::map<std::string, int64_t> sizes;  // keys in models/network.h
  int normaliser_version = 0;
  double temperature = 1.0;         // logits are divided by it
  double fallback_threshold = 0.0;  // below this probability the status code may decide
  int64_t snapshot_id = 0;
  std::string snapshot_digest;  // sha256 hex of the training data
  uint64_t seed = 0;
  std::map<std::string, std::string> environment;  // pinned variables, thread counts, libraries
  // Options that decide the bytes, by name (train/recorded_options.h). Empty: made by a version
  // that recorded none.
  std::map<std::string, std::string> training;
  std::string code_version;
  std::string trained_at;  // ISO 8601, UTC
  int64_t training_samples = 0;
  double validation_accuracy = 0.0;
  std::map<std::string, std::string> sha256;  // file name -> hex
};

inline size_t CountOutputs(const BundleConfig& config) {
  return config.outputs.empty() ? config.labels.size() : config.outputs.size();
}

std::string WriteBundleConfig(const BundleConfig& config);
// Throws kCorrupt for an unknown format, a missing key, unknown task or label, a label that no
// output has.
BundleConfig ParseBundleConfig(std::string_view json);

// One line of golden.jsonl: {"text","class","probability"}; the text is masked.
struct Golden {
  std::string text;
  std::string label;
  float probability;
};
std::string WriteGoldens(const std::vector<Golden>& goldens);
std::vector<Golden> ParseGoldens(std::string_view jsonl);
inline constexpr float kGoldenTolerance = 1e-4F;

// The files of a bundle before it has a version.
struct BundleDraft {
  BundleConfig config;  // version and sha256 are filled in by BundleStore::Publish
  TensorMap weights;
  std::string tokenizer_model;
  std::vector<Golden> goldens;
  std::string scorecard_json;
  std::string model_card;
};

}  // namespace rebound
