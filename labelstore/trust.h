// Whom to believe, as pure rules: what a wrong label would cost, and when a contributor's proposals
// are set aside until someone has looked. Pure, Thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "models/task.h"

namespace rebound {

// Positions in TaskLabels.
using LabelChoice = std::array<std::optional<size_t>, kTaskCount>;

// What a model said about a text.
struct ModelAnswer {
  size_t label = 0;
  float probability = 0;
  int version = 0;
};
using ModelAnswers = std::array<std::optional<ModelAnswer>, kTaskCount>;

// What a queue is ordered by.
struct ProposalScores {
  double disagreement = 0;  // the most that the model is sure of another label; 0: it agrees
  double uncertainty = 0;   // 1 - the model's probability, of the task where it is least sure
  double cost = 0;          // the most that one of the labels would cost if it were wrong
};
ProposalScores ScoreProposal(std::string_view normalised, const LabelChoice& labels,
                             const ModelAnswers& model);

// What the label would do if it were wrong and `other` right: 0 the same, 10 a living address is
// removed for the sender's own fault. docs/label-store.md holds the table.
double CostOfMistake(Task task, size_t label, size_t other);

// Whether the words name a third party's list ("spamhaus", "listed in dnsbl", "blacklisted").
bool NamesABlockList(std::string_view normalised);

// A label that removes the address, on a text whose words name a block list and of which the model
// (where it was asked) says another cause: what an attack on the lists' meaning would send.
inline constexpr double kPoisonCost = 20;

// What a contributor did lately, the proposals at hand included.
struct ContributorActivity {
  int64_t last_hour = 0;  // proposals, new or changed
  int64_t last_day = 0;
  int64_t poison_last_day = 0;  // of these, with a cost of kPoisonCost or more
  int64_t agreed = 0;           // labels that reviewers confirmed
  int64_t disagreed = 0;
};

// (agreed + 4) / (agreed + disagreed + 5): the mean of a Beta(4, 1) prior and the reviews. The
// database computes the same.
double ContributorWeight(int64_t agreed, int64_t disagreed);
inline constexpr double kLeastTrust = 0.5;  // below it contributions do not count

struct TrustRules {
  int64_t flood_per_hour = 20'000;  // of a contributor without a record
  int64_t record = 50;              // confirmed labels that make one
  int64_t poison_rows = 5;
  double poison_share = 0.2;
  int64_t mistrust_reviews = 20;
};

struct RuleHit {
  std::string rule;    // "flood", "poisoning", "mistrust"
  std::string detail;  // the numbers that made it
};
// The rule that sets new proposals aside; nullopt: none.
std::optional<RuleHit> Quarantine(const ContributorActivity& activity, const TrustRules& rules);

}  // namespace rebound
