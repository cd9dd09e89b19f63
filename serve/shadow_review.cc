#include "serve/shadow_review.h"

#include <algorithm>
#include <exception>
#include <memory>
#include <utility>

#include "base/log.h"
#include "base/near_copies.h"
#include "labelstore/clusters.h"

namespace rebound {

HourlyRate::HourlyRate(int64_t per_hour)
    : per_hour_(static_cast<double>(per_hour)),
      most_(per_hour == 0 ? 0 : std::max(1.0, per_hour_ / 6)),
      left_(most_) {}

bool HourlyRate::Take(ShadowClock::time_point now) {
  if (now > last_) {
    const double hours = std::chrono::duration<double, std::ratio<3600>>(now - last_).count();
    left_ = std::min(most_, left_ + hours * per_hour_);
    last_ = now;
  }
  if (left_ < 1) return false;
  left_ -= 1;
  return true;
}

bool SentTemplates::HasNearCopy(std::string_view normalised) const {
  const std::vector<std::string> own = ShinglesOf(normalised);
  for (const uint64_t band : LikenessBands(own)) {
    const auto found = by_band_.find(band);
    if (found == by_band_.end()) continue;
    for (const size_t at : found->second) {
      if (Likeness(own, shingles_[at]) >= kSameCluster) return true;
    }
  }
  return false;
}

void SentTemplates::Add(std::string_view normalised) {
  if (shingles_.size() >= kMost) Clear();
  std::vector<std::string> own = ShinglesOf(normalised);
  for (const uint64_t band : LikenessBands(own)) by_band_[band].push_back(shingles_.size());
  shingles_.push_back(std::move(own));
}

void SentTemplates::Clear() {
  shingles_.clear();
  by_band_.clear();
}

Proposal ShadowProposal(Task task, int version, const TaskAnswer& candidate,
                        const ModelAnswer& incumbent) {
  Proposal proposal;
  proposal.contributor = ShadowContributor(task, version);
  proposal.source = ProposalSource::kShadow;
  proposal.labels[Index(task)] = candidate.label;
  proposal.model[Index(task)] = incumbent;
  proposal.suspicion = static_cast<double>(candidate.probability);
  return proposal;
}

ReviewSink MakeReviewSink(Contributions* contributions) {
  if (contributions == nullptr) return nullptr;
  return [contributions](Proposal proposal) {
    auto proposals = std::make_shared<std::vector<Proposal>>();
    proposals->push_back(std::move(proposal));
    return contributions->pool.Post(Lane::kBulk, [contributions, proposals] {
      try {
        MakeReady(proposals.get());
        if (FaultOf(proposals->front())) return;  // masked, nothing is left of it
        const Submitted submitted =
            contributions->submitter.Submit(*proposals, "", StoreUse::kBulk);
        if (submitted.problem.empty()) return;
        Log(LogLevel::kWarning, "a shadow's disagreement was not kept for review",
            {{"cause", submitted.problem}});
      } catch (const std::exception& e) {
        Log(LogLevel::kWarning, "a shadow's disagreement was not kept for review",
            {{"cause", e.what()}});
      }
    });
  };
}

}  // namespace rebound
