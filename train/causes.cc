#include "train/causes.h"

#include <algorithm>
#include <cmath>
#include <set>

namespace rebound {
namespace {

bool IsComplete(const LabelTriple& triple) {
  return std::all_of(triple.begin(), triple.end(), [](int16_t label) { return label >= 0; });
}

// Whether nothing in them contradicts.
bool Agree(const LabelTriple& row, const LabelTriple& cause) {
  for (size_t i = 0; i < row.size(); ++i) {
    if (row[i] >= 0 && row[i] != cause[i]) return false;
  }
  return true;
}

}  // namespace

Causes::Causes(std::span<const LabelTriple> learned, std::span<const LabelTriple> judged) {
  const std::set<LabelTriple> distinct(learned.begin(), learned.end());
  for (const LabelTriple& triple : distinct) {
    if (IsComplete(triple)) causes_.push_back(triple);
  }
  // Those with more labels first: a triple may agree with one that has fewer gaps.
  std::vector<LabelTriple> partial;
  for (const LabelTriple& triple : distinct) {
    if (!IsComplete(triple)) partial.push_back(triple);
  }
  std::stable_sort(partial.begin(), partial.end(), [](const LabelTriple& a, const LabelTriple& b) {
    return std::count(a.begin(), a.end(), -1) < std::count(b.begin(), b.end(), -1);
  });
  for (const LabelTriple& triple : partial) {
    const bool agrees = std::any_of(causes_.begin(), causes_.end(),
                                    [&](const LabelTriple& cause) { return Agree(triple, cause); });
    if (!agrees) causes_.push_back(triple);
  }

  auto patterns = std::make_shared<std::vector<std::vector<int32_t>>>();
  const auto add = [&](const LabelTriple& triple) {
    if (!pattern_of_.emplace(triple, static_cast<int32_t>(patterns->size())).second) return;
    std::vector<int32_t>& agreeing = patterns->emplace_back();
    for (size_t i = 0; i < causes_.size(); ++i) {
      if (Agree(triple, causes_[i])) agreeing.push_back(static_cast<int32_t>(i));
    }
  };
  for (const LabelTriple& cause : causes_) add(cause);
  for (const LabelTriple& triple : distinct) add(triple);
  for (const LabelTriple& triple : std::set<LabelTriple>(judged.begin(), judged.end())) add(triple);
  patterns_ = std::move(patterns);
}

std::string Causes::Name(size_t cause) const {
  std::string name;
  for (const Task task : kTasks) {
    const int16_t label = causes_[cause][Index(task)];
    name += name.empty() ? "" : "/";
    name += label < 0 ? "-" : TaskLabels(task)[static_cast<size_t>(label)];
  }
  return name;
}

TaskOutputs::TaskOutputs(const Causes& all, Task task) {
  for (size_t i = 0; i < all.size(); ++i) {
    const int16_t label = all[i][Index(task)];
    if (label < 0) continue;
    causes.push_back(static_cast<int32_t>(i));
    labels.push_back(label);
  }
}

std::vector<float> TaskProbabilities(std::span<const float> logits, size_t causes,
                                     const TaskOutputs& outputs, size_t labels,
                                     double temperature) {
  const size_t rows = causes == 0 ? 0 : logits.size() / causes;
  std::vector<float> probabilities(rows * labels, 0.0F);
  std::vector<double> shares(outputs.causes.size());
  for (size_t row = 0; row < rows; ++row) {
    const float* z = logits.data() + row * causes;
    double highest = -INFINITY;
    for (const int32_t cause : outputs.causes) {
      highest = std::max<double>(highest, z[static_cast<size_t>(cause)]);
    }
    double sum = 0.0;
    for (size_t i = 0; i < shares.size(); ++i) {
      shares[i] = std::exp((z[static_cast<size_t>(outputs.causes[i])] - highest) / temperature);
      sum += shares[i];
    }
    float* p = probabilities.data() + row * labels;
    for (size_t i = 0; i < shares.size(); ++i) {
      p[static_cast<size_t>(outputs.labels[i])] += static_cast<float>(shares[i] / sum);
    }
  }
  return probabilities;
}

}  // namespace rebound
