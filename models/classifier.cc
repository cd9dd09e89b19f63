#include "models/classifier.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <mutex>
#include <system_error>
#include <utility>

#include "base/digest.h"
#include "base/error.h"
#include "base/file.h"
#include "models/folded_network.h"
#include "models/network.h"
#include "tokenizer/normaliser.h"

namespace rebound {
namespace {

namespace fs = std::filesystem;

constexpr size_t kHashDigits = 16;
constexpr std::string_view kFiles[] = {"weights.safetensors", "tokenizer.model", "golden.jsonl",
                                       "scorecard.json", "MODEL_CARD.md"};

[[noreturn]] void ThrowCorrupt(const std::string& what) { throw Error(ErrorCode::kCorrupt, what); }

std::string ReadBundleFile(const fs::path& bundle, const std::string& name) {
  try {
    return ReadFile(bundle / name);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kNotFound) ThrowCorrupt(name + " is missing");
    throw;
  }
}

// The files that config.json answers for, each with the digest that it promises.
std::map<std::string, std::string> ReadCheckedFiles(const fs::path& bundle,
                                                    const BundleConfig& config) {
  for (const std::string_view name : kFiles) {
    if (!config.sha256.contains(std::string(name))) {
      ThrowCorrupt("config.json has no sha256 of " + std::string(name));
    }
  }
  std::map<std::string, std::string> files;
  for (const auto& [name, promised] : config.sha256) {
    if (name.empty() || name.starts_with('.') || fs::path(name).filename() != name) {
      ThrowCorrupt("config.json has a sha256 of '" + name + "', which is no plain file name");
    }
    std::string bytes = ReadBundleFile(bundle, name);
    if (Sha256Hex(bytes) != promised) {
      ThrowCorrupt(name + " has another sha256 than config.json says: it was changed or cut");
    }
    files.emplace(name, std::move(bytes));
  }
  return files;
}

std::string Number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", value);
  return text;
}

// softmax(logits / temperature), summed over the outputs of each label.
void Softmax(std::span<const float> logits, float temperature, std::span<const size_t> label_of,
             std::span<float> probabilities) {
  const float largest = *std::max_element(logits.begin(), logits.end());
  std::fill(probabilities.begin(), probabilities.end(), 0.0F);
  float sum = 0;
  for (size_t i = 0; i < logits.size(); ++i) {
    const float share = std::exp((logits[i] - largest) / temperature);
    probabilities[label_of[i]] += share;
    sum += share;
  }
  for (float& probability : probabilities) probability /= sum;
}

// The live objects by what they were made of.
template <class T>
class Shared {
 public:
  template <class Make>
  std::shared_ptr<const T> Get(const std::string& key, Make make) {
    const std::lock_guard lock(mutex_);
    std::weak_ptr<const T>& known = objects_[key];
    std::shared_ptr<const T> object = known.lock();
    if (object == nullptr) {
      object = make();
      known = object;
      std::erase_if(objects_, [](const auto& entry) { return entry.second.expired(); });
    }
    return object;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::weak_ptr<const T>> objects_;
};

std::string NetworkKey(const BundleConfig& config, const TensorMap& tensors) {
  std::string key = config.network + " " + std::to_string(CountOutputs(config));
  for (const auto& [name, size] : config.sizes) key += " " + name + " " + std::to_string(size);
  for (const auto& [name, tensor] : tensors) {
    key += " " + name;
    for (const int64_t dimension : tensor.shape) key += " " + std::to_string(dimension);
    // The bytes have passed a SHA-256 already; this only has to tell networks apart, fast.
    const XXH128_hash_t hash = XXH3_128bits(tensor.values.data(), tensor.values.size_bytes());
    key += " " + std::to_string(hash.high64) + " " + std::to_string(hash.low64);
  }
  return key;
}

std::shared_ptr<const FoldedNetwork> ShareNetwork(const BundleConfig& config,
                                                  const TensorMap& tensors) {
  static Shared<FoldedNetwork> networks;
  return networks.Get(NetworkKey(config, tensors),
                      [&] { return std::make_shared<const FoldedNetwork>(config, tensors); });
}

std::shared_ptr<const Encoder> ShareEncoder(const std::string& sha256, const std::string& bytes) {
  static Shared<Encoder> encoders;
  return encoders.Get(sha256, [&]() -> std::shared_ptr<const Encoder> {
    try {
      return Encoder::Parse(bytes);
    } catch (const Error& error) {
      ThrowCorrupt(std::string("tokenizer.model: ") + error.what());
    }
  });
}

}  // namespace

struct Classifier::Scratch::State {
  FoldedNetwork::Scratch network;
  std::span<const float> logits;  // of the last Run, within `network`
  std::vector<float> probabilities;
  // Of ClassifyText alone.
  std::string normalised;
  Encoder::Scratch encoder;
  std::vector<int32_t> ids;
};

Classifier::Scratch::Scratch() : state_(std::make_unique<State>()) {}
Classifier::Scratch::~Scratch() = default;
Classifier::Scratch::Scratch(Scratch&&) noexcept = default;
Classifier::Scratch& Classifier::Scratch::operator=(Scratch&&) noexcept = default;

struct Classifier::State {
  BundleConfig config;
  std::string hash;
  std::string tokenizer_sha256;
  std::shared_ptr<const Encoder> encoder;
  std::shared_ptr<const FoldedNetwork> network;
  std::vector<size_t> label_of;     // [outputs] positions in config.labels
  std::vector<size_t> task_labels;  // [labels]

  static std::unique_ptr<State> Read(const fs::path& bundle, std::vector<Golden>* goldens);
};

std::unique_ptr<Classifier::State> Classifier::State::Read(const fs::path& bundle,
                                                           std::vector<Golden>* goldens) {
  BundleConfig config = ParseBundleConfig(ReadBundleFile(bundle, "config.json"));
  if (config.normaliser_version != kNormaliserVersion) {
    ThrowCorrupt("it was trained with normaliser version " +
                 std::to_string(config.normaliser_version) + ", this program has version " +
                 std::to_string(kNormaliserVersion) + ": retrain it");
  }
  const std::map<std::string, std::string> files = ReadCheckedFiles(bundle, config);
  *goldens = ParseGoldens(files.at("golden.jsonl"));
  if (goldens->empty()) ThrowCorrupt("golden.jsonl holds no golden, so nothing proves the model");

  std::shared_ptr<const FoldedNetwork> network =
      ShareNetwork(config, ParseSafetensors(files.at("weights.safetensors")));
  std::shared_ptr<const Encoder> encoder =
      ShareEncoder(config.sha256.at("tokenizer.model"), files.at("tokenizer.model"));
  const int64_t rows = config.sizes.at(std::string(kVocabularySize));
  if (encoder->size() != rows) {
    ThrowCorrupt("tokenizer.model has " + std::to_string(encoder->size()) +
                 " pieces, but the embedding has " + std::to_string(rows) + " rows");
  }
  std::vector<size_t> task_labels;
  for (const std::string& label : config.labels) {
    task_labels.push_back(*FindLabel(config.task, label));
  }
  std::vector<size_t> label_of;
  for (size_t i = 0; i < CountOutputs(config); ++i) {
    label_of.push_back(config.outputs.empty() ? i : static_cast<size_t>(config.outputs[i]));
  }
  std::string hash = config.sha256.at("weights.safetensors").substr(0, kHashDigits);
  std::string tokenizer_sha256 = config.sha256.at("tokenizer.model");
  return std::make_unique<State>(
      State{std::move(config), std::move(hash), std::move(tokenizer_sha256), std::move(encoder),
            std::move(network), std::move(label_of), std::move(task_labels)});
}

Classifier::Classifier(std::unique_ptr<State> state) : state_(std::move(state)) {}
Classifier::~Classifier() = default;

std::shared_ptr<const Classifier> Classifier::Load(const fs::path& bundle) {
  std::error_code error;
  if (!fs::is_directory(bundle, error)) {
    throw Error(ErrorCode::kNotFound, "bundle " + bundle.string() + ": there is no such folder");
  }
  try {
    std::vector<Golden> goldens;
    const std::shared_ptr<const Classifier> classifier(
        new Classifier(State::Read(bundle, &goldens)));
    classifier->CheckGoldens(goldens);
    return classifier;
  } catch (const Error& failure) {
    throw Error(failure.code(), "bundle " + bundle.string() + ": " + failure.what());
  }
}

void Classifier::CheckGoldens(const std::vector<Golden>& goldens) const {
  Scratch scratch;
  for (size_t i = 0; i < goldens.size(); ++i) {
    const Golden& golden = goldens[i];
    const Prediction got = ClassifyText(golden.text, &scratch);
    const std::string name = "golden " + std::to_string(i + 1) + " of golden.jsonl has ";
    if (config().labels[got.label] != golden.label) {
      ThrowCorrupt(name + "class " + config().labels[got.label] + " instead of " + golden.label);
    }
    const float off = std::abs(got.probability - golden.probability);
    if (!(off <= kGoldenTolerance)) {
      ThrowCorrupt(name + "probability " + Number(got.probability) + " instead of " +
                   Number(golden.probability) + ": more than " + Number(kGoldenTolerance) + " off");
    }
  }
}

const BundleConfig& Classifier::config() const { return state_->config; }
const std::string& Classifier::hash() const { return state_->hash; }
const std::string& Classifier::tokenizer_sha256() const { return state_->tokenizer_sha256; }
const Encoder& Classifier::encoder() const { return *state_->encoder; }
size_t Classifier::task_label(size_t i) const { return state_->task_labels[i]; }

const void* Classifier::network() const { return state_->network.get(); }

void Classifier::Run(std::span<const int32_t> ids, Scratch* scratch) const {
  scratch->state_->logits = state_->network->Forward(ids, &scratch->state_->network);
}

void Classifier::Read(Scratch* scratch, std::span<float> probabilities) const {
  const std::span<const float> logits = scratch->state_->logits;
  if (logits.size() != state_->label_of.size()) {
    throw Error(ErrorCode::kInternal, "the scratch holds " + std::to_string(logits.size()) +
                                          " outputs of another network, not " +
                                          std::to_string(state_->label_of.size()));
  }
  if (probabilities.size() != state_->config.labels.size()) {
    throw Error(ErrorCode::kInternal, "room for " + std::to_string(probabilities.size()) +
                                          " probabilities, but the model has " +
                                          std::to_string(state_->config.labels.size()) + " labels");
  }
  Softmax(logits, static_cast<float>(state_->config.temperature), state_->label_of, probabilities);
}

Prediction Classifier::Read(Scratch* scratch) const {
  std::vector<float>& probabilities = scratch->state_->probabilities;
  probabilities.resize(state_->config.labels.size());
  Read(scratch, probabilities);
  const auto best = std::max_element(probabilities.begin(), probabilities.end());
  return {static_cast<size_t>(best - probabilities.begin()), *best};
}

Prediction Classifier::ClassifyText(std::string_view text, Scratch* scratch) const {
  Scratch::State& state = *scratch->state_;
  Normalise(text, &state.normalised);
  state_->encoder->Encode(state.normalised, &state.encoder, &state.ids);
  return Classify(state.ids, scratch);
}

}  // namespace rebound
