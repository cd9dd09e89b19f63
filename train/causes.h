// What a network tells apart: causes. A cause is a triple of labels (bnac, backoff, action) that
// the training rows know, such as "RECIPIENT_ERROR, MAILBOX_FULL, mailbox_full"; there are some
// fifty.
//
// One network learns from all three tasks' labels at once, and a task's probability of a label is
// the sum over the causes that have it: so the three answers for a text never contradict each
// other, and each task learns from what the others tell apart. A row that lacks a task's label
// agrees with several causes; the loss is then the probability of all of them together.
// Pure, Thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "models/task.h"

namespace rebound {

// Positions in TaskLabels; -1: none.
using LabelTriple = std::array<int16_t, kTaskCount>;

class Causes {
 public:
  Causes() = default;
  // `learned`: triples that rows learn from; `judged`: of other rows that may come. A triple that
  // lacks labels becomes a cause of its own only where it agrees with no complete one.
  Causes(std::span<const LabelTriple> learned, std::span<const LabelTriple> judged);

  size_t size() const { return causes_.size(); }
  const LabelTriple& operator[](size_t cause) const { return causes_[cause]; }
  // "RECIPIENT_ERROR/MAILBOX_FULL/mailbox_full"; "-" for a label that is not there.
  std::string Name(size_t cause) const;

  // The number of a row's triple: which causes agree with it stands in patterns(). A cause's own
  // triple has the cause's number. REQUIRES: one of those that were learned or judged.
  int32_t Pattern(const LabelTriple& triple) const { return pattern_of_.at(triple); }
  // [patterns] positions of causes, ascending; empty where nothing was learned that agrees.
  const std::shared_ptr<const std::vector<std::vector<int32_t>>>& patterns() const {
    return patterns_;
  }

 private:
  std::vector<LabelTriple> causes_;
  std::map<LabelTriple, int32_t> pattern_of_;
  std::shared_ptr<const std::vector<std::vector<int32_t>>> patterns_;
};

// The outputs of a network of causes that say something for one task.
struct TaskOutputs {
  std::vector<int32_t> causes;  // [outputs] positions in the network's outputs, ascending
  std::vector<int32_t> labels;  // [outputs] positions in TaskLabels

  TaskOutputs(const Causes& causes, Task task);
};

// softmax(logits / temperature) over the task's outputs, summed by label.
// `logits`: [rows, causes] float32 -> [rows, TaskLabels] float32.
std::vector<float> TaskProbabilities(std::span<const float> logits, size_t causes,
                                     const TaskOutputs& outputs, size_t labels, double temperature);

}  // namespace rebound
