// The only file with torch headers: they cost a compiler ten seconds and a gigabyte.
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/cuda.h>
#include <torch/nn/functional.h>
#include <torch/optim/adamw.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "models/bundle.h"
#include "models/network.h"
#include "train/network.h"
#include "train/prng.h"
#include "train/row_adam.h"
#include "train/token_loops.h"

namespace rebound {
namespace {

using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// What a text without tokens gives before bias and relu: after them it is 0, with no gradient.
constexpr float kNothing = -1e30F;

TokenSpans Spans(const Tensor& tokens, const Tensor& offsets) {
  return {tokens.data_ptr<int32_t>(), offsets.data_ptr<int32_t>(),
          static_cast<size_t>(offsets.size(0) - 1)};
}

// PoolRows: table [U, d], tokens [N] int32, offsets [B + 1] int32 -> [B, d].
struct Pool : torch::autograd::Function<Pool> {
  static Tensor forward(AutogradContext* context, const Tensor& table, const Tensor& tokens,
                        const Tensor& offsets) {
    context->save_for_backward({tokens, offsets});
    context->saved_data["rows"] = table.size(0);
    Tensor out = torch::zeros({offsets.size(0) - 1, table.size(1)});
    PoolRows(Spans(tokens, offsets), table.data_ptr<float>(), static_cast<size_t>(table.size(1)),
             out.data_ptr<float>());
    return out;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const Tensor gradient = gradients[0].contiguous();
    Tensor out = torch::zeros({context->saved_data["rows"].toInt(), gradient.size(1)});
    PoolRowsBackward(Spans(saved[0], saved[1]), gradient.data_ptr<float>(),
                     static_cast<size_t>(gradient.size(1)), out.data_ptr<float>());
    return {out, Tensor(), Tensor()};
  }
};

// MaximumOfWindows: table [U, window F] -> [B, F].
struct WindowMaximum : torch::autograd::Function<WindowMaximum> {
  static Tensor forward(AutogradContext* context, const Tensor& table, const Tensor& tokens,
                        const Tensor& offsets, int64_t window) {
    const int64_t filters = table.size(1) / window;
    Tensor best = torch::full({offsets.size(0) - 1, filters}, kNothing);
    Tensor argmax = torch::full({offsets.size(0) - 1, filters}, -1, torch::kInt32);
    MaximumOfWindows(Spans(tokens, offsets), table.data_ptr<float>(), static_cast<size_t>(window),
                     static_cast<size_t>(filters), best.data_ptr<float>(),
                     argmax.data_ptr<int32_t>());
    context->save_for_backward({tokens, offsets, argmax});
    context->saved_data["rows"] = table.size(0);
    context->saved_data["window"] = window;
    return best;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const Tensor gradient = gradients[0].contiguous();
    const int64_t window = context->saved_data["window"].toInt();
    const int64_t filters = gradient.size(1);
    Tensor out = torch::zeros({context->saved_data["rows"].toInt(), window * filters});
    MaximumOfWindowsBackward(Spans(saved[0], saved[1]), saved[2].data_ptr<int32_t>(),
                             gradient.data_ptr<float>(), static_cast<size_t>(window),
                             static_cast<size_t>(filters), out.data_ptr<float>());
    return {out, Tensor(), Tensor(), Tensor()};
  }
};

// A batch over the distinct tokens that it touches.
struct Touched {
  std::vector<int32_t> rows;    // [U] rows of the embedding, by first use
  std::vector<int32_t> tokens;  // [N] positions in `rows`
};

class TorchNetwork : public Network {
 public:
  explicit TorchNetwork(const NetworkSpec& spec);

  double Step(const Batch& batch, const StepOptions& options) override;
  void Forward(const Batch& batch, std::vector<float>* logits) override;
  Weights Export() const override;
  void Import(const Weights& weights) override;

 private:
  Touched Collect(const Batch& batch);
  // [rows, K]: what the output layers read.
  Tensor LastFeatures(const Tensor& leaf, const Touched& touched, const Batch& batch,
                      float dropout);
  Tensor Drop(const Tensor& x, float share);
  // The weighted mean loss of a batch whose last features are `x`.
  Tensor Loss(const Tensor& x, const Batch& batch, float label_smoothing) const;
  // The features before the dense layers, on the CPU by the loops above...
  Tensor Features(const Tensor& leaf, const Touched& touched, const Batch& batch);
  // ...and by stock operations, on any device.
  Tensor StockFeatures(const Tensor& leaf, const Touched& touched, const Batch& batch);
  Tensor ConvTable(const Tensor& leaf, int width) const;

  NetworkSpec spec_;
  torch::Device device_;
  std::vector<int> widths_;
  std::map<std::string, std::vector<int64_t>> shapes_;
  std::map<std::string, Tensor> dense_;  // all but the embedding, on the device
  Tensor embedding_;                     // [V, d] on the CPU, where RowAdam works
  Tensor mask_;  // [patterns, outputs] 0 where an output is right, far below where it is not
  at::Generator random_;  // of dropout; our own, as torch's is one for all threads
  std::unique_ptr<torch::optim::AdamW> dense_adam_;
  RowAdam row_adam_;
  std::vector<int32_t> slot_of_;  // [V], -1: not in this batch
};

int64_t Size(const NetworkSpec& spec, std::string_view key) {
  const auto found = spec.sizes.find(std::string(key));
  return found == spec.sizes.end() ? 0 : found->second;
}

// Uniform weights scaled to the width that feeds them; biases start at 0.
Tensor InitialTensor(const std::string& name, const std::vector<int64_t>& shape, Prng* prng) {
  Tensor tensor = torch::zeros(shape);
  if (shape.size() < 2) return tensor;
  int64_t inputs = 1;
  for (size_t i = 1; i < shape.size(); ++i) inputs *= shape[i];
  const bool is_embedding = name == kEmbeddingTensor;
  const auto bound =
      static_cast<float>(is_embedding ? 0.5 / std::sqrt(static_cast<double>(inputs))
                                      : std::sqrt(3.0 / static_cast<double>(inputs)));
  float* values = tensor.data_ptr<float>();
  for (int64_t i = 0; i < tensor.numel(); ++i) values[i] = bound * (2.0F * prng->Uniform() - 1.0F);
  return tensor;
}

TorchNetwork::TorchNetwork(const NetworkSpec& spec)
    : spec_(spec),
      device_(spec.device == Device::kCuda ? torch::kCUDA : torch::kCPU),
      widths_(ConvWidths(spec.kind)),
      shapes_(NetworkTensors(spec.kind, spec.sizes, spec.outputs)),
      random_(at::make_generator<at::CPUGeneratorImpl>(spec.seed)),
      row_adam_(static_cast<size_t>(Size(spec, kVocabularySize)),
                static_cast<size_t>(Size(spec, kEmbeddingSize)), AdamOptions{}),
      slot_of_(static_cast<size_t>(Size(spec, kVocabularySize)), -1) {
  at::set_num_threads(spec.threads);
  at::globalContext().setDeterministicAlgorithms(true, false);
  Prng prng(spec.seed);
  std::vector<Tensor> parameters;
  for (const auto& [name, shape] : shapes_) {
    Tensor tensor = InitialTensor(name, shape, &prng);
    if (name == kEmbeddingTensor) {
      embedding_ = tensor;
      continue;
    }
    tensor = tensor.to(device_).set_requires_grad(true);
    dense_[name] = tensor;
    parameters.push_back(tensor);
  }
  if (spec.patterns != nullptr) {
    mask_ = torch::full({static_cast<int64_t>(spec.patterns->size()), spec.outputs}, kNothing);
    for (size_t i = 0; i < spec.patterns->size(); ++i) {
      for (const int32_t output : (*spec.patterns)[i])
        mask_[static_cast<int64_t>(i)][output] = 0.0F;
    }
    mask_ = mask_.to(device_);
  }
  dense_adam_ = std::make_unique<torch::optim::AdamW>(
      parameters, torch::optim::AdamWOptions(1e-3).weight_decay(1e-2));
}

Touched TorchNetwork::Collect(const Batch& batch) {
  Touched touched;
  touched.tokens.reserve(batch.tokens.size());
  for (const int32_t token : batch.tokens) {
    int32_t& slot = slot_of_[static_cast<size_t>(token)];
    if (slot < 0) {
      slot = static_cast<int32_t>(touched.rows.size());
      touched.rows.push_back(token);
    }
    touched.tokens.push_back(slot);
  }
  for (const int32_t row : touched.rows) slot_of_[static_cast<size_t>(row)] = -1;
  // A batch of nothing but empty texts still needs a table with a row.
  if (touched.rows.empty()) touched.rows.push_back(0);
  return touched;
}

// A tensor in the vector's memory.
Tensor View(const std::vector<int32_t>& values) {
  return torch::from_blob(const_cast<int32_t*>(values.data()),
                          {static_cast<int64_t>(values.size())}, torch::kInt32);
}

// [U, width F]: what every touched token adds to every filter at each place of a window.
Tensor TorchNetwork::ConvTable(const Tensor& leaf, int width) const {
  const Tensor& weight = dense_.at(ConvWeight(width));  // [F, width, d]
  const Tensor by_place = weight.permute({1, 0, 2}).reshape({-1, weight.size(2)});
  return leaf.matmul(by_place.t());
}

Tensor TorchNetwork::Features(const Tensor& leaf, const Touched& touched, const Batch& batch) {
  const Tensor tokens = View(touched.tokens);
  const Tensor offsets = View(batch.offsets);
  std::vector<Tensor> parts = {Pool::apply(leaf, tokens, offsets)};
  for (const int width : widths_) {
    const Tensor best =
        WindowMaximum::apply(ConvTable(leaf, width), tokens, offsets, static_cast<int64_t>(width));
    parts.push_back(torch::relu(best + dense_.at(ConvBias(width))));
  }
  return parts.size() == 1 ? parts[0] : torch::cat(parts, 1);
}

Tensor TorchNetwork::StockFeatures(const Tensor& leaf, const Touched& touched, const Batch& batch) {
  const auto rows = static_cast<int64_t>(batch.rows());
  int64_t longest = 1;
  for (size_t b = 0; b < batch.rows(); ++b) {
    longest = std::max<int64_t>(longest, batch.offsets[b + 1] - batch.offsets[b]);
  }
  // Row U of the padded tables is zero: what stands behind the end of a text.
  const int64_t padding = leaf.size(0);
  const int64_t span = longest + 2;
  Tensor padded = torch::full({rows, span}, padding, torch::kInt64);
  Tensor counts = torch::zeros({rows, 1});
  auto* index = padded.data_ptr<int64_t>();
  for (int64_t b = 0; b < rows; ++b) {
    const int32_t begin = batch.offsets[static_cast<size_t>(b)];
    const int32_t end = batch.offsets[static_cast<size_t>(b) + 1];
    for (int32_t i = begin; i < end; ++i) {
      index[b * span + i - begin] = touched.tokens[static_cast<size_t>(i)];
    }
    counts.data_ptr<float>()[b] = static_cast<float>(end - begin);
  }
  padded = padded.to(device_);
  counts = counts.to(device_);
  const auto gather = [&](const Tensor& table, int64_t shift) {
    const Tensor ids = padded.narrow(1, shift, longest).reshape({-1});
    const Tensor extended =
        torch::cat({table, torch::zeros({1, table.size(1)}, table.options())}, 0);
    return extended.index_select(0, ids).view({rows, longest, table.size(1)});
  };
  std::vector<Tensor> parts = {gather(leaf, 0).sum(1) / counts.clamp_min(1.0).sqrt()};
  const Tensor behind =
      torch::arange(longest, counts.options()).unsqueeze(0).ge(counts).unsqueeze(2);  // [B, T, 1]
  for (const int width : widths_) {
    const Tensor table = ConvTable(leaf, width);
    const int64_t filters = table.size(1) / width;
    Tensor sums;
    for (int64_t j = 0; j < width; ++j) {
      const Tensor part = gather(table.narrow(1, j * filters, filters), j);
      sums = j == 0 ? part : sums + part;
    }
    const Tensor best = std::get<0>(sums.masked_fill(behind, kNothing).max(1));
    parts.push_back(torch::relu(best + dense_.at(ConvBias(width))));
  }
  return parts.size() == 1 ? parts[0] : torch::cat(parts, 1);
}

Tensor TorchNetwork::LastFeatures(const Tensor& leaf, const Touched& touched, const Batch& batch,
                                  float dropout) {
  Tensor x = device_.is_cpu() && !spec_.stock_operations ? Features(leaf, touched, batch)
                                                         : StockFeatures(leaf, touched, batch);
  if (dropout > 0.0F) x = Drop(x, dropout);
  if (Size(spec_, kHiddenSize) > 0) {
    x = torch::relu(torch::addmm(dense_.at(std::string(kHiddenBias)), x,
                                 dense_.at(std::string(kHiddenWeight)).t()));
    if (dropout > 0.0F) x = Drop(x, dropout);
  }
  return x;
}

Tensor TorchNetwork::Drop(const Tensor& x, float share) {
  const float kept = 1.0F - share;
  const Tensor mask = torch::empty(x.sizes()).bernoulli_(kept, random_).div_(kept).to(device_);
  return x * mask;
}

Tensor TorchNetwork::Loss(const Tensor& x, const Batch& batch, float label_smoothing) const {
  const Tensor logits = torch::addmm(dense_.at(std::string(kOutputBias)), x,
                                     dense_.at(std::string(kOutputWeight)).t());
  const Tensor log_probabilities = torch::log_softmax(logits, 1);
  const Tensor labels = View(batch.labels).to(torch::kInt64).to(device_);
  // A copy: backward reads it, and the vector may be gone by then.
  const Tensor weights = torch::from_blob(const_cast<float*>(batch.weights.data()),
                                          {static_cast<int64_t>(batch.weights.size())})
                             .clone()
                             .to(device_);
  const Tensor right = mask_.defined()
                           ? torch::logsumexp(log_probabilities + mask_.index_select(0, labels), 1)
                           : log_probabilities.gather(1, labels.unsqueeze(1)).squeeze(1);
  const Tensor each =
      -(1.0F - label_smoothing) * right - label_smoothing * log_probabilities.mean(1);
  return (each * weights).sum() / weights.sum().clamp_min(1e-6F);
}

double TorchNetwork::Step(const Batch& batch, const StepOptions& options) {
  const Touched touched = Collect(batch);
  Tensor leaf = embedding_.index_select(0, View(touched.rows)).to(device_);
  leaf.set_requires_grad(true);
  const Tensor x = LastFeatures(leaf, touched, batch, options.dropout);
  const Tensor loss = Loss(x, batch, options.label_smoothing);
  dense_adam_->zero_grad();
  loss.backward();
  for (auto& group : dense_adam_->param_groups()) {
    static_cast<torch::optim::AdamWOptions&>(group.options()).lr(options.learning_rate);
  }
  dense_adam_->step();
  const Tensor gradient = leaf.grad().to(torch::kCPU).contiguous();
  row_adam_.Update(touched.rows, gradient.data_ptr<float>(), options.learning_rate,
                   embedding_.data_ptr<float>());
  return loss.item<double>();
}

void TorchNetwork::Forward(const Batch& batch, std::vector<float>* logits) {
  torch::NoGradGuard no_gradients;
  const Touched touched = Collect(batch);
  const Tensor leaf = embedding_.index_select(0, View(touched.rows)).to(device_);
  const Tensor x = LastFeatures(leaf, touched, batch, 0.0F);
  const Tensor out = torch::addmm(dense_.at(std::string(kOutputBias)), x,
                                  dense_.at(std::string(kOutputWeight)).t())
                         .to(torch::kCPU)
                         .contiguous();
  logits->assign(out.data_ptr<float>(), out.data_ptr<float>() + out.numel());
}

Weights TorchNetwork::Export() const {
  torch::NoGradGuard no_gradients;
  Weights weights;
  const auto add = [&](const std::string& name, const Tensor& tensor) {
    const Tensor flat = tensor.detach().to(torch::kCPU).contiguous();
    weights[name].assign(flat.data_ptr<float>(), flat.data_ptr<float>() + flat.numel());
  };
  add(std::string(kEmbeddingTensor), embedding_);
  for (const auto& [name, tensor] : dense_) add(name, tensor);
  return weights;
}

void TorchNetwork::Import(const Weights& weights) {
  torch::NoGradGuard no_gradients;
  for (const auto& [name, values] : weights) {
    Tensor& target = name == kEmbeddingTensor ? embedding_ : dense_.at(name);
    target.copy_(torch::from_blob(const_cast<float*>(values.data()), shapes_.at(name)));
  }
}

}  // namespace

std::unique_ptr<Network> MakeTorchNetwork(const NetworkSpec& spec) {
  if (spec.device == Device::kCuda && !torch::cuda::is_available()) {
    throw Error(ErrorCode::kInvalidArgument,
                "--device cuda: this LibTorch or this machine has no CUDA device; "
                "use --device cpu");
  }
  try {
    return std::make_unique<TorchNetwork>(spec);
  } catch (const c10::Error& e) {
    throw Error(ErrorCode::kInternal, std::string("LibTorch: ") + e.what_without_backtrace());
  }
}

}  // namespace rebound
