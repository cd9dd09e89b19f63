// The two kinds of network: their tensors, shapes and formulas. train/ learns and exports them,
// models/classifier.h computes them; both read this page, and a test holds them within 1e-5.
//
// Let V = sizes "vocabulary", d = "embedding", F = "filters", H = "hidden" (0: no hidden layer) and
// L = the number of outputs, each of which stands for a label (BundleConfig::outputs). A text is n
// token ids t[0..n-1], each in [0, V); n may be 0. All tensors are float32, row-major, by these
// names in weights.safetensors (no others may stand there):
//
//   embedding.weight  [V, d]
//   conv2.weight      [F, 2, d]   conv2.bias [F]      table_cnn only
//   conv3.weight      [F, 3, d]   conv3.bias [F]      table_cnn only
//   hidden.weight     [H, D]      hidden.bias [H]     where H > 0
//   output.weight     [L, K]      output.bias [L]     K = H where H > 0, else D
//
// D = d for bag and d + 2 F for table_cnn. The forward pass:
//
//   pooled   = sum over i of E[t[i]] / sqrt(max(n, 1))                                      [d]
//   bag:       features = pooled                                                            [D]
//   table_cnn: features = concat(pooled, conv2, conv3)                                      [D]
//     conv_w[f] = max(0, max over i = 0..n-1 of
//                     conv_w.bias[f] + sum over j = 0..w-1 of conv_w.weight[f][j] . e(i+j))  [F]
//     where e(p) = E[t[p]], and e(p) = 0 for p >= n: windows that start at every token, zeros
//     behind the end. So a text without tokens has conv_w = 0, and the text needs no minimal
//     length.
//   x        = H > 0 ? relu(hidden.weight features + hidden.bias) : features                [K]
//   logits   = output.weight x + output.bias                                                [L]
//   probability of a label = sum over its outputs of softmax(logits / temperature)
//
// Tokens are discrete, so the loader folds conv_w.weight[f][j] . E[v] and the embedding's part of
// the first dense layer into tables by token; bundles hold the small unfolded tensors.
// Dropout and the like exist in training alone. Pure, Thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace rebound {

// Keys of BundleConfig::sizes. A bag has no "filters"; "hidden" 0 is said, never left out.
inline constexpr std::string_view kVocabularySize = "vocabulary";
inline constexpr std::string_view kEmbeddingSize = "embedding";
inline constexpr std::string_view kFiltersSize = "filters";
inline constexpr std::string_view kHiddenSize = "hidden";

inline constexpr std::string_view kEmbeddingTensor = "embedding.weight";
inline constexpr std::string_view kHiddenWeight = "hidden.weight";
inline constexpr std::string_view kHiddenBias = "hidden.bias";
inline constexpr std::string_view kOutputWeight = "output.weight";
inline constexpr std::string_view kOutputBias = "output.bias";

// "conv2.weight", "conv3.bias"...
std::string ConvWeight(int width);
std::string ConvBias(int width);

// Widths of the convolutions, ascending: none for a bag, 2 and 3 for a table_cnn.
// Throws kCorrupt for another kind of network.
std::vector<int> ConvWidths(std::string_view network);

// Name -> shape of every tensor of the network. Throws kCorrupt where the kind is unknown, a size
// is missing, unknown to the kind, or out of range (1..2^24 each; "hidden" from 0).
std::map<std::string, std::vector<int64_t>> NetworkTensors(
    std::string_view network, const std::map<std::string, int64_t>& sizes, int64_t labels);

}  // namespace rebound
