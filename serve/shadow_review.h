// Which disagreements of a shadow reviewers get to see: one of each template, and no more an hour
// than they can read.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/engine.h"
#include "labelstore/proposals.h"
#include "serve/contributions.h"

namespace rebound {

using ShadowClock = std::chrono::steady_clock;

// What an hour may have, spread over it: at most a sixth at once. Thread-compatible.
class HourlyRate {
 public:
  // 0: nothing ever.
  explicit HourlyRate(int64_t per_hour);
  // Whether one more may go now; then it has gone.
  bool Take(ShadowClock::time_point now);

 private:
  const double per_hour_;
  const double most_;
  double left_;
  ShadowClock::time_point last_;
};

// The templates of what was sent, by the likeness that makes clusters in the store
// (labelstore/clusters.h): what the store would set aside as a near copy is not even sent. Bounded:
// beyond kMost it begins anew. Thread-compatible.
class SentTemplates {
 public:
  static constexpr size_t kMost = 4096;

  // `normalised`: a text.
  bool HasNearCopy(std::string_view normalised) const;
  void Add(std::string_view normalised);
  void Clear();

 private:
  std::vector<std::vector<std::string>> shingles_;
  std::unordered_map<uint64_t, std::vector<size_t>> by_band_;
};

// What a disagreement proposes: the candidate's label, beside what users got. Its `suspicion` is
// the candidate's probability; the text is missing yet.
Proposal ShadowProposal(Task task, int version, const TaskAnswer& candidate,
                        const ModelAnswer& incumbent);

// Takes a disagreement on its way to the reviewers; called on the shadow's thread, so it must not
// wait. False where it cannot be taken now.
using ReviewSink = std::function<bool(Proposal)>;

// Masks it and hands it to the store, or to the spool where that is away, on a thread of the store.
// Null for null: there is no store. `contributions` must outlive the sink.
ReviewSink MakeReviewSink(Contributions* contributions);

}  // namespace rebound
