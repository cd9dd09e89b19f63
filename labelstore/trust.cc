#include "labelstore/trust.h"

#include <algorithm>

#include "base/text.h"

namespace rebound {
namespace {

// What a label makes of the recipient and the sender.
enum class Cause : uint8_t { kRecipientGone, kRecipientLater, kSender, kContent, kPassing, kOther };

Cause CauseOf(Task task, size_t label) {
  const std::string_view name = TaskLabels(task)[label];
  struct Row {
    std::string_view name;
    Cause cause;
  };
  static constexpr Row kRows[] = {
      {"RECIPIENT_NOT_FOUND", Cause::kRecipientGone},
      {"user_unknown", Cause::kRecipientGone},
      {"invalid_address", Cause::kRecipientGone},
      {"mailbox_disabled", Cause::kRecipientGone},
      {"RECIPIENT_ERROR", Cause::kRecipientLater},
      {"MAILBOX_FULL", Cause::kRecipientLater},
      {"mailbox_full", Cause::kRecipientLater},
      {"BLOCK_LIST", Cause::kSender},
      {"BLOCKED", Cause::kSender},
      {"DKIM", Cause::kSender},
      {"DMARC", Cause::kSender},
      {"DNS_PTR", Cause::kSender},
      {"DOMAIN_REPUTATION", Cause::kSender},
      {"IP_REPUTATION", Cause::kSender},
      {"SPF", Cause::kSender},
      {"GENERIC_BLOCK", Cause::kSender},
      {"INFRASTRUCTURE_BLOCK", Cause::kSender},
      {"POLICY_VIOLATION_SPF_DMARC__DKIM_FAIL", Cause::kSender},
      {"POLICY_VIOLATION_SPF_DMARC__SPF_OR_DMARC_FAIL", Cause::kSender},
      {"SENDER_REPUTATION__DOMAIN", Cause::kSender},
      {"SENDER_REPUTATION__SENDER_ADDRESS", Cause::kSender},
      {"auth_failure", Cause::kSender},
      {"domain_blacklisted", Cause::kSender},
      {"ip_blacklisted", Cause::kSender},
      {"geo_blocked", Cause::kSender},
      {"relay_denied", Cause::kSender},
      {"policy_blocked", Cause::kSender},
      {"MESSAGE_CONTENT", Cause::kContent},
      {"VIRUS", Cause::kContent},
      {"CONTENT_REJECTED_OTHER", Cause::kContent},
      {"CONTENT_REJECTED_SPAM", Cause::kContent},
      {"CONTENT_REJECTED_VIRUS", Cause::kContent},
      {"spam_blocked", Cause::kContent},
      {"virus_detected", Cause::kContent},
      {"GRAYLISTING", Cause::kPassing},
      {"RATE_LIMIT", Cause::kPassing},
      {"TEMPORARY_ERROR", Cause::kPassing},
      {"CONCURRENCY_LIMIT", Cause::kPassing},
      {"CONNECTION_FAILURE", Cause::kPassing},
      {"TEMPORARY_SYSTEM_FAILURE", Cause::kPassing},
      {"greylisting", Cause::kPassing},
      {"rate_limited", Cause::kPassing},
      {"server_error", Cause::kPassing},
  };
  // Backoff has one class for every fault of a recipient but a full mailbox.
  if (task == Task::kBackoff && name == "RECIPIENT_ERROR") return Cause::kRecipientGone;
  for (const Row& row : kRows) {
    if (row.name == name) return row.cause;
  }
  return name.starts_with("RATE_LIMIT") ? Cause::kPassing : Cause::kOther;
}

// [label][other]
constexpr double kCosts[6][6] = {
    //  gone later sender content passing other
    {1, 4, 10, 8, 8, 6},  // gone: a living address is removed
    {3, 1, 5, 4, 3, 3},   // later
    {4, 3, 1, 3, 4, 3},   // sender: someone mends what is whole
    {4, 3, 3, 1, 3, 3},   // content
    {3, 2, 5, 4, 1, 2},   // passing: sending goes on into a block
    {3, 2, 3, 3, 2, 1},   // other
};

double CostOfCauses(Cause label, Cause other) {
  return kCosts[static_cast<size_t>(label)][static_cast<size_t>(other)];
}

std::string Share(int64_t part, int64_t all) {
  return std::to_string(100 * part / std::max<int64_t>(all, 1)) + " %";
}

}  // namespace

double CostOfMistake(Task task, size_t label, size_t other) {
  if (label == other) return 0;
  return CostOfCauses(CauseOf(task, label), CauseOf(task, other));
}

bool NamesABlockList(std::string_view normalised) {
  static constexpr std::string_view kWords[] = {
      "spamhaus",  "spamhausdbl", "spamcop",   "barracuda",   "barracudacentral",
      "sorbs",     "uribl",       "surbl",     "invaluement", "dnsbl",
      "rbl",       "dnsrbl",      "abuseat",   "psbl",        "uceprotect",
      "blacklist", "blacklisted", "blocklist", "blocklisted", "denylist"};
  std::string_view before;
  for (const std::string_view word : Split(normalised, ' ')) {
    if (std::find(std::begin(kWords), std::end(kWords), word) != std::end(kWords)) return true;
    if ((before == "block" || before == "black") && (word == "list" || word == "listed")) {
      return true;
    }
    before = word;
  }
  return false;
}

ProposalScores ScoreProposal(std::string_view normalised, const LabelChoice& labels,
                             const ModelAnswers& model) {
  ProposalScores scores;
  bool removes = false, model_agrees = false;
  for (const Task task : kTasks) {
    const auto& label = labels[Index(task)];
    const auto& answer = model[Index(task)];
    if (answer) scores.uncertainty = std::max(scores.uncertainty, 1.0 - answer->probability);
    if (!label) continue;
    const bool gone = CauseOf(task, *label) == Cause::kRecipientGone;
    removes = removes || gone;
    if (!answer) continue;
    if (gone && CauseOf(task, answer->label) == Cause::kRecipientGone) model_agrees = true;
    if (answer->label != *label) {
      scores.disagreement = std::max<double>(scores.disagreement, answer->probability);
      scores.cost = std::max(scores.cost, CostOfMistake(task, *label, answer->label));
    }
  }
  if (removes && NamesABlockList(normalised)) {
    scores.cost = model_agrees ? CostOfCauses(Cause::kRecipientGone, Cause::kSender) : kPoisonCost;
  }
  return scores;
}

double ContributorWeight(int64_t agreed, int64_t disagreed) {
  return static_cast<double>(agreed + 4) / static_cast<double>(agreed + disagreed + 5);
}

std::optional<RuleHit> Quarantine(const ContributorActivity& activity, const TrustRules& rules) {
  const double weight = ContributorWeight(activity.agreed, activity.disagreed);
  if (activity.poison_last_day >= rules.poison_rows &&
      static_cast<double>(activity.poison_last_day) >=
          rules.poison_share * static_cast<double>(activity.last_day)) {
    return RuleHit{"poisoning", std::to_string(activity.poison_last_day) +
                                    " labels that remove the address, on texts that name a block "
                                    "list, within a day: " +
                                    Share(activity.poison_last_day, activity.last_day) + " of " +
                                    std::to_string(activity.last_day)};
  }
  const int64_t reviews = activity.agreed + activity.disagreed;
  if (reviews >= rules.mistrust_reviews && weight < kLeastTrust) {
    return RuleHit{"mistrust", "reviewers refused " + std::to_string(activity.disagreed) + " of " +
                                   std::to_string(reviews) + " labels"};
  }
  const bool proven = activity.agreed >= rules.record && weight >= 0.8;
  if (!proven && activity.last_hour >= rules.flood_per_hour) {
    return RuleHit{"flood",
                   std::to_string(activity.last_hour) + " proposals within an hour, and only " +
                       std::to_string(activity.agreed) + " labels that reviewers confirmed"};
  }
  return std::nullopt;
}

}  // namespace rebound
