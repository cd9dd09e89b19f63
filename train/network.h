// The seam between the training loop and LibTorch: a network that learns from batches and gives
// away its weights. Two kinds stand behind it, bag and table_cnn; their tensors and formulas are in
// models/network.h. This header is free of torch, so that the loop and its tests are too.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace rebound {

// Some rows, ready for a network.
struct Batch {
  std::vector<int32_t> tokens;   // [all tokens] of the rows, one behind the other
  std::vector<int32_t> offsets;  // [rows + 1]: row i is tokens[offsets[i] .. offsets[i + 1])
  std::vector<int32_t> labels;   // [rows] an output, or a pattern of NetworkSpec::patterns
  std::vector<float> weights;    // [rows], how much a row counts in the loss

  size_t rows() const { return labels.size(); }
};

enum class Device { kCpu, kCuda };

struct NetworkSpec {
  std::string kind;                      // kBagNetwork or kTableCnnNetwork
  std::map<std::string, int64_t> sizes;  // the keys of models/network.h
  int64_t outputs = 0;
  // [patterns] the outputs that are right for a row with this number as its label; the loss is that
  // of their sum. Null: every label is one output.
  std::shared_ptr<const std::vector<std::vector<int32_t>>> patterns;
  uint64_t seed = 0;
  Device device = Device::kCpu;
  int threads = 1;
  // Stock torch operations instead of our own loops: what CUDA always takes, and the reference
  // that a test holds the loops to.
  bool stock_operations = false;
};

// What a step may vary.
struct StepOptions {
  float learning_rate = 1e-3F;
  float label_smoothing = 0.0F;
  float dropout = 0.0F;
};

using Weights = std::map<std::string, std::vector<float>>;  // by tensor name, row-major

// Thread-compatible: different networks may learn on different threads. Deterministic: the same
// spec and the same calls give the same bits, under the environment of train/environment.h.
class Network {
 public:
  virtual ~Network() = default;

  // Learns from a batch and returns its weighted mean loss. REQUIRES: batch.rows() > 0, and an
  // output or more in the pattern of each row.
  virtual double Step(const Batch& batch, const StepOptions& options) = 0;
  // Replaces `*logits` with [rows, outputs] float32.
  virtual void Forward(const Batch& batch, std::vector<float>* logits) = 0;
  // Copies of all tensors of models/network.h, unfolded.
  virtual Weights Export() const = 0;
  // REQUIRES: names and sizes as Export gives them.
  virtual void Import(const Weights& weights) = 0;
};

using NetworkFactory = std::function<std::unique_ptr<Network>(const NetworkSpec&)>;

// The LibTorch network (train/torch_network.cc). Throws kInvalidArgument where kCuda is asked for
// and this LibTorch or machine has none.
std::unique_ptr<Network> MakeTorchNetwork(const NetworkSpec& spec);

}  // namespace rebound
