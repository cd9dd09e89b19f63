#include "labelstore/review_rules.h"

#include <algorithm>
#include <array>
#include <map>

namespace rebound {
namespace {

constexpr std::array<std::string_view, 4> kDecisionNames = {"accept", "relabel", "reject", "skip"};

Settlement SettlementOf(const ReviewVoice& voice) {
  switch (voice.decision) {
    case ReviewDecision::kAccept:
    case ReviewDecision::kRelabel:
      return {ProposalStatus::kApproved, voice.labels};
    case ReviewDecision::kReject:
      return {ProposalStatus::kRejected, {}};
    case ReviewDecision::kSkip:
      break;
  }
  return {ProposalStatus::kSkipped, {}};
}

}  // namespace

std::string_view DecisionName(ReviewDecision decision) {
  return kDecisionNames[static_cast<size_t>(decision)];
}

std::optional<ReviewDecision> ParseDecision(std::string_view name) {
  for (size_t i = 0; i < kDecisionNames.size(); ++i) {
    if (kDecisionNames[i] == name) return static_cast<ReviewDecision>(i);
  }
  return std::nullopt;
}

Settlement Settle(const std::vector<ReviewVoice>& voices, size_t overlap) {
  const auto adjudicated = std::find_if(
      voices.rbegin(), voices.rend(), [](const ReviewVoice& voice) { return voice.adjudication; });
  if (adjudicated != voices.rend()) return SettlementOf(*adjudicated);
  size_t skips = 0;
  std::vector<std::pair<Settlement, size_t>> verdicts;
  for (const ReviewVoice& voice : voices) {
    if (voice.decision == ReviewDecision::kSkip) {
      ++skips;
      continue;
    }
    const Settlement says = SettlementOf(voice);
    auto found = std::find_if(verdicts.begin(), verdicts.end(),
                              [&](const auto& verdict) { return verdict.first == says; });
    if (found == verdicts.end()) found = verdicts.insert(verdicts.end(), {says, 0});
    if (++found->second >= overlap) return says;
  }
  if (voices.size() - skips >= overlap) return {ProposalStatus::kDisputed, {}};
  if (skips >= overlap && skips == voices.size()) return {ProposalStatus::kSkipped, {}};
  return {};
}

Agreement AgreementOf(const LabelChoice& proposed, const Settlement& settled) {
  Agreement agreement;
  for (size_t task = 0; task < kTaskCount; ++task) {
    if (!proposed[task]) continue;
    if (settled.status == ProposalStatus::kRejected) ++agreement.disagreed;
    if (settled.status != ProposalStatus::kApproved || !settled.labels[task]) continue;
    ++(proposed[task] == settled.labels[task] ? agreement.agreed : agreement.disagreed);
  }
  return agreement;
}

std::optional<double> CohensKappa(const std::vector<std::pair<size_t, size_t>>& ratings) {
  if (ratings.empty()) return std::nullopt;
  std::map<size_t, std::pair<double, double>> says;  // by category, of each rater
  double same = 0;
  for (const auto& [a, b] : ratings) {
    same += a == b ? 1 : 0;
    ++says[a].first;
    ++says[b].second;
  }
  const auto all = static_cast<double>(ratings.size());
  double chance = 0;
  for (const auto& [category, counts] : says) chance += counts.first / all * (counts.second / all);
  if (chance >= 1) return std::nullopt;
  return (same / all - chance) / (1 - chance);
}

std::optional<double> FleissKappa(const std::vector<std::vector<int64_t>>& counts) {
  double agreement = 0, subjects = 0, all = 0;
  std::vector<double> totals;
  for (const auto& subject : counts) {
    double raters = 0, pairs = 0;
    for (const int64_t count : subject) {
      raters += static_cast<double>(count);
      pairs += static_cast<double>(count * (count - 1));
    }
    if (raters < 2) continue;
    totals.resize(std::max(totals.size(), subject.size()), 0);
    for (size_t i = 0; i < subject.size(); ++i) totals[i] += static_cast<double>(subject[i]);
    agreement += pairs / (raters * (raters - 1));
    ++subjects;
    all += raters;
  }
  if (subjects == 0) return std::nullopt;
  double chance = 0;
  for (const double total : totals) chance += total / all * (total / all);
  if (chance >= 1) return std::nullopt;
  return (agreement / subjects - chance) / (1 - chance);
}

}  // namespace rebound
