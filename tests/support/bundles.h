// Small synthetic bundles for tests: no training, no chance, no LibTorch. Real files in the real
// format, so the loader treats them like any other.
//
// The model finds keywords: "spamhaus" gives BLOCK_LIST, "greylisting" GRAYLISTING, "unknown"
// RECIPIENT_NOT_FOUND and so on, with a high probability; a text without one gets BLOCKED,
// GENERIC_BLOCK or unknown with a low one (below 0.5). TestKeywords lists them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "models/bundle.h"
#include "models/bundle_store.h"

namespace rebound::test {

struct TestBundle {
  Task task = Task::kBnac;
  std::string network = std::string(kBagNetwork);
  bool hidden = false;              // with a hidden layer
  std::vector<std::string> labels;  // in this order; empty: all of the task
  std::string always;               // this label for every text; empty: by keyword
  double fallback_threshold = 0.0;
  uint64_t variant = 0;    // another one: other weights and hash, the same classes
  std::string extra_word;  // one more piece: another tokenizer
};

// A draft with the memory that its weights view.
struct TestDraft {
  BundleDraft draft;
  std::map<std::string, std::vector<float>> weights;
};
// Unmoved, because the draft points into itself.
std::unique_ptr<TestDraft> MakeTestDraft(const TestBundle& bundle);

// Publishes and promotes it; returns its version.
int PublishTestBundle(BundleStore* store, const TestBundle& bundle);

// Makes the bundle of a folder exist in `store` under another number, one weight changed by the
// least bit: another network, which answers the same. `fallback_threshold`: another one; negative:
// its own.
void InstallTwin(const std::filesystem::path& bundle, int version, BundleStore* store,
                 double fallback_threshold = -1);

// A SentencePiece unigram .model of a few hundred pieces: mask tokens, words, letters, digits.
std::string MakeTestTokenizer(std::string_view extra_word = "");

struct TestKeyword {
  std::string_view word;
  std::string_view labels[kTaskCount];  // by Index(task)
};
std::span<const TestKeyword> TestKeywords();

// The forward pass of models/network.h done plainly in double: [labels], sums to 1.
std::vector<double> ReferenceProbabilities(const BundleConfig& config, const TensorMap& weights,
                                           std::span<const int32_t> ids);

}  // namespace rebound::test
