// How faithful explanations are: what taking the weightiest words out of a text does to the
// probability of its class, and what these words alone give, by the engine's method and by others,
// on texts of the seed corpus. docs/explain.md has the table.
//
//   build/bench/bin/bench_engine_explain [TEXTS] [MODELS]     from the project's root
#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <numeric>
#include <random>

#include "base/file.h"
#include "engine/explain.h"
#include "labelstore/generator.h"
#include "models/bundle_store.h"
#include "models/network.h"

namespace rebound {
namespace {

constexpr std::array<size_t, 4> kTop = {1, 2, 3, 5};
constexpr size_t kFewestWords = 6;  // taking out 5 of fewer says nothing

using Weights = std::vector<double>;  // by word

// A text as words of people and their ids.
struct Words {
  std::string text;
  std::vector<SourceWord> words;
  std::vector<int32_t> ids;
  std::vector<size_t> begin;  // [words + 1] of ids

  size_t size() const { return words.size(); }
  std::vector<int32_t> Keep(const std::function<bool(size_t)>& kept) const {
    std::vector<int32_t> some;
    for (size_t i = 0; i < size(); ++i) {
      if (!kept(i)) continue;
      some.insert(some.end(), ids.begin() + static_cast<ptrdiff_t>(begin[i]),
                  ids.begin() + static_cast<ptrdiff_t>(begin[i + 1]));
    }
    return some;
  }
};

Words Cut(const Classifier& classifier, const std::string& text) {
  static Encoder::Scratch scratch;
  Words all;
  all.text = text;
  std::string canonical;
  std::vector<SourceWord> words;
  NormaliseWithSpans(text, &canonical, &words);
  std::vector<int32_t> ids;
  for (const SourceWord& word : words) {
    if (all.words.empty() || all.words.back().from != word.from || all.words.back().to != word.to) {
      all.words.push_back(word);
      all.begin.push_back(all.ids.size());
    }
    classifier.encoder().Encode(canonical.substr(word.begin, word.end - word.begin), &scratch,
                                &ids);
    all.ids.insert(all.ids.end(), ids.begin(), ids.end());
  }
  all.begin.push_back(all.ids.size());
  return all;
}

// One class of one model.
class Judge {
 public:
  Judge(const Classifier& classifier, size_t label)
      : classifier_(classifier), label_(label), all_(classifier.config().labels.size()) {}

  double Probability(std::span<const int32_t> ids) {
    classifier_.Score(ids, &scratch_, all_);
    return all_[label_];
  }
  double LogOdds(std::span<const int32_t> ids) {
    const double p = Probability(ids);
    double others = 0;
    for (size_t i = 0; i < all_.size(); ++i) others += i == label_ ? 0.0 : double{all_[i]};
    return std::log(std::max(p, 1e-30)) - std::log(std::max(others, 1e-30));
  }

 private:
  const Classifier& classifier_;
  const size_t label_;
  Classifier::Scratch scratch_;
  std::vector<float> all_;
};

Weights LeaveOneOut(const Words& words, Judge* judge) {
  const double all = judge->LogOdds(words.ids);
  Weights weights;
  for (size_t out = 0; out < words.size(); ++out) {
    weights.push_back(all - judge->LogOdds(words.Keep([&](size_t i) { return i != out; })));
  }
  return weights;
}

Weights Alone(const Words& words, Judge* judge) {
  Weights weights;
  for (size_t in = 0; in < words.size(); ++in) {
    weights.push_back(judge->LogOdds(words.Keep([&](size_t i) { return i == in; })));
  }
  return weights;
}

// Shapley values over random orders and their reverses.
Weights Shapley(const Words& words, Judge* judge, size_t orders) {
  Weights weights(words.size());
  std::mt19937 random(1);
  std::vector<size_t> order(words.size());
  std::iota(order.begin(), order.end(), size_t{0});
  const double none = judge->LogOdds({});
  for (size_t n = 0; n < orders; ++n) {
    if (n % 2 == 0) {
      std::shuffle(order.begin(), order.end(), random);
    } else {
      std::reverse(order.begin(), order.end());
    }
    std::vector<bool> kept(words.size());
    double before = none;
    for (const size_t word : order) {
      kept[word] = true;
      const double with = judge->LogOdds(words.Keep([&](size_t i) { return kept[i]; }));
      weights[word] += with - before;
      before = with;
    }
  }
  return weights;
}

Weights Ours(const Words& words, const Classifier& classifier, size_t label,
             Engine::Scratch* scratch) {
  Weights weights(words.size());
  for (const ExplainedSpan& span : Explainer(words.text, scratch).Weigh(classifier, label)) {
    for (size_t i = 0; i < words.size(); ++i) {
      if (words.words[i].from <= span.begin && span.end <= words.words[i].to) {
        weights[i] += span.weight.value();
      }
    }
  }
  return weights;
}

// Gradient times input, through the winners of the pooling (models/network.h).
class Gradient {
 public:
  explicit Gradient(const std::filesystem::path& bundle)
      : config_(ParseBundleConfig(ReadFile(bundle / "config.json"))),
        bytes_(ReadFile(bundle / "weights.safetensors")),
        tensors_(ParseSafetensors(bytes_)),
        embedding_(static_cast<size_t>(config_.sizes.at("embedding"))),
        filters_(static_cast<size_t>(config_.sizes.at("filters"))),
        hidden_(static_cast<size_t>(config_.sizes.at("hidden"))),
        features_(embedding_ + 2 * filters_) {}

  Weights Weigh(const Words& words, size_t label) const {
    const std::vector<int32_t>& ids = words.ids;
    const double scale = 1 / std::sqrt(static_cast<double>(std::max<size_t>(ids.size(), 1)));
    std::vector<double> features(features_);
    for (const int32_t id : ids) {
      for (size_t k = 0; k < embedding_; ++k) features[k] += Embedding(id)[k] * scale;
    }
    std::vector<size_t> winners(2 * filters_, ids.size());
    for (size_t f = 0; f < 2 * filters_; ++f) {
      for (size_t i = 0; i < ids.size(); ++i) {
        double sum = (f < filters_ ? conv2_bias_ : conv3_bias_)[f % filters_];
        for (size_t j = 0; j < Width(f) && i + j < ids.size(); ++j) {
          const float* const row = Row(f, j);
          const float* const e = Embedding(ids[i + j]);
          for (size_t k = 0; k < embedding_; ++k) sum += row[k] * e[k];
        }
        if (sum > features[embedding_ + f]) {
          features[embedding_ + f] = sum;
          winners[f] = i;
        }
      }
    }
    const std::vector<double> slopes = Slopes(features, label);
    Weights weights(words.size());
    const auto add = [&](size_t token, double value) {
      const auto next = std::upper_bound(words.begin.begin(), words.begin.end(), token);
      weights[static_cast<size_t>(next - words.begin.begin()) - 1] += value;
    };
    for (size_t i = 0; i < ids.size(); ++i) {
      for (size_t k = 0; k < embedding_; ++k) add(i, slopes[k] * scale * Embedding(ids[i])[k]);
    }
    for (size_t f = 0; f < 2 * filters_; ++f) {
      for (size_t j = 0; j < Width(f) && winners[f] + j < ids.size(); ++j) {
        const float* const e = Embedding(ids[winners[f] + j]);
        double sum = 0;
        for (size_t k = 0; k < embedding_; ++k) sum += Row(f, j)[k] * e[k];
        add(winners[f] + j, slopes[embedding_ + f] * sum);
      }
    }
    return weights;
  }

 private:
  const float* At(const char* name) const { return tensors_.at(name).values.data(); }
  const float* Embedding(int32_t id) const {
    return embeddings_ + static_cast<size_t>(id) * embedding_;
  }
  size_t Width(size_t filter) const { return filter < filters_ ? 2 : 3; }
  const float* Row(size_t filter, size_t j) const {
    return (filter < filters_ ? conv2_ : conv3_) +
           (filter % filters_ * Width(filter) + j) * embedding_;
  }

  // Of the label's log-odds by feature.
  std::vector<double> Slopes(const std::vector<double>& features, size_t label) const {
    const size_t outputs = CountOutputs(config_);
    std::vector<double> hidden(hidden_);
    for (size_t h = 0; h < hidden_; ++h) {
      double sum = hidden_bias_[h];
      for (size_t k = 0; k < features_; ++k) {
        sum += hidden_weight_[h * features_ + k] * features[k];
      }
      hidden[h] = std::max(sum, 0.0);
    }
    std::vector<double> shares(outputs);
    double total = 0;
    double of_label = 0;
    for (size_t l = 0; l < outputs; ++l) {
      double logit = output_bias_[l];
      for (size_t h = 0; h < hidden_; ++h) logit += output_weight_[l * hidden_ + h] * hidden[h];
      shares[l] = std::exp(logit / config_.temperature);
      total += shares[l];
      if (static_cast<size_t>(config_.outputs[l]) == label) of_label += shares[l];
    }
    std::vector<double> slopes(features_);
    for (size_t h = 0; h < hidden_; ++h) {
      if (hidden[h] <= 0) continue;
      double slope = 0;
      for (size_t l = 0; l < outputs; ++l) {
        const bool its = static_cast<size_t>(config_.outputs[l]) == label;
        const double share = its ? shares[l] / of_label : -shares[l] / (total - of_label + 1e-30);
        slope += share / config_.temperature * output_weight_[l * hidden_ + h];
      }
      for (size_t k = 0; k < features_; ++k) {
        slopes[k] += slope * hidden_weight_[h * features_ + k];
      }
    }
    return slopes;
  }

  const BundleConfig config_;
  const std::string bytes_;
  const TensorMap tensors_;
  const size_t embedding_, filters_, hidden_, features_;
  const float* const embeddings_ = At("embedding.weight");
  const float* const conv2_ = At("conv2.weight");
  const float* const conv2_bias_ = At("conv2.bias");
  const float* const conv3_ = At("conv3.weight");
  const float* const conv3_bias_ = At("conv3.bias");
  const float* const hidden_weight_ = At("hidden.weight");
  const float* const hidden_bias_ = At("hidden.bias");
  const float* const output_weight_ = At("output.weight");
  const float* const output_bias_ = At("output.bias");
};

struct Row {
  std::array<double, kTop.size()> dropped{};  // probability that goes with the top words
  std::array<double, kTop.size()> left{};     // probability of the top words alone
  double seconds = 0;
};

// Adds what the words with the largest weights do.
void Measure(const Words& words, const Weights& weights, Judge* judge, Row* row) {
  std::vector<size_t> order(words.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return weights[a] > weights[b]; });
  std::vector<size_t> rank(words.size());
  for (size_t i = 0; i < order.size(); ++i) rank[order[i]] = i;
  const double all = judge->Probability(words.ids);
  for (size_t k = 0; k < kTop.size(); ++k) {
    const auto without = words.Keep([&](size_t i) { return rank[i] >= kTop[k]; });
    const auto alone = words.Keep([&](size_t i) { return rank[i] < kTop[k]; });
    row->dropped[k] += all - judge->Probability(without);
    row->left[k] += judge->Probability(alone);
  }
}

void Print(const std::map<std::string, Row>& rows, size_t cases) {
  std::printf("%zu answers above 0.5 for texts of %zu words and more\n", cases, kFewestWords);
  std::printf("%-16s | probability lost without the top     | probability of the top alone\n", "");
  std::printf("%-16s", "");
  for (int part = 0; part < 2; ++part) {
    std::printf(" |");
    for (const size_t k : kTop) std::printf(" %8zu", k);
  }
  std::printf(" | us\n");
  const auto n = static_cast<double>(cases);
  for (const auto& [name, row] : rows) {
    std::printf("%-16s |", name.c_str());
    for (const double value : row.dropped) std::printf(" %8.3f", value / n);
    std::printf(" |");
    for (const double value : row.left) std::printf(" %8.3f", value / n);
    std::printf(" | %.0f\n", row.seconds / n * 1e6);
  }
}

void Run(size_t count, const std::filesystem::path& models) {
  const std::vector<Template> templates = LoadSeedCorpus(FindSeedFolder() / "templates");
  const SlotLists lists = LoadSlotLists(FindSeedFolder() / "slots");
  const Generator generator(templates, lists, 7);
  const BundleStore store(models);
  std::map<std::string, Row> rows;
  size_t cases = 0;
  Engine::Scratch scratch;
  for (const Task task : kTasks) {
    const auto folder = store.BundleFolder(task, store.Current(task).value());
    const auto classifier = Classifier::Load(folder);
    const Gradient gradient(folder);
    for (size_t i = 0; i < count; ++i) {
      const Words words =
          Cut(*classifier, generator.MakeCopy(templates[i * 7919 % templates.size()], i % 3));
      const Prediction answer = classifier->Classify(words.ids, &scratch.classifier);
      if (words.size() < kFewestWords || words.size() > kMaxExplainUnits) continue;
      if (answer.probability < 0.5F) continue;
      Judge judge(*classifier, answer.label);
      ++cases;
      std::mt19937 random(static_cast<uint32_t>(cases));
      const std::map<std::string, std::function<Weights()>> methods = {
          {"the engine's", [&] { return Ours(words, *classifier, answer.label, &scratch); }},
          {"leave one out", [&] { return LeaveOneOut(words, &judge); }},
          {"alone", [&] { return Alone(words, &judge); }},
          {"gradient", [&] { return gradient.Weigh(words, answer.label); }},
          {"shapley, 16", [&] { return Shapley(words, &judge, 16); }},
          {"random", [&] {
             Weights weights(words.size());
             for (double& weight : weights) weight = static_cast<double>(random());
             return weights;
           }}};
      for (const auto& [name, weigh] : methods) {
        const auto start = std::chrono::steady_clock::now();
        const Weights weights = weigh();
        const auto end = std::chrono::steady_clock::now();
        rows[name].seconds += std::chrono::duration<double>(end - start).count();
        Measure(words, weights, &judge, &rows[name]);
      }
    }
  }
  Print(rows, cases);
}

}  // namespace
}  // namespace rebound

int main(int argc, char** argv) {
  rebound::Run(argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 600,
               argc > 2 ? argv[2] : "models/released");
  return 0;
}
