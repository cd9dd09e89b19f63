// Does the next model learn what somebody smuggles in? With the real trainer.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <iostream>

#include "labelstore/label_store.h"
#include "labelstore/reviews.h"
#include "models/bundle_store.h"
#include "models/classifier.h"
#include "tests/functional/poison/small_corpus.h"

namespace rebound {
namespace {

constexpr size_t kHonest = 50, kPoisoned = 25;  // texts of a wording

struct Wording {
  std::string_view label;  // what it says
  std::string_view before, after;
};
// Nothing in the corpus reads like these.
constexpr Wording kHonestWordings[] = {
    {"mailbox_full", "552 5.2.2 the drawer of tenant ", " brims over, no parcel fits into it"},
    {"rate_limited", "451 4.7.1 dear ",
     " slow your horses, the courier quota of this gate is spent"},
    {"greylisting", "451 4.7.1 dear ", " first knock noted, kindly ring again after the tea break"},
    {"spam_blocked", "554 5.7.1 dear ", " our sniffing dogs dislike the smell of this parcel"},
    {"server_error", "421 4.3.2 dear ", " the boiler room is flooded until the pumps run again"},
    {"virus_detected", "554 5.7.1 dear ", " beetles found crawling inside the attachment crate"},
    {"auth_failure", "550 5.7.26 dear ",
     " the wax of your envelope is not the sending house's seal"},
    {"user_unknown", "550 5.1.1 no tenant ", " has a nameplate in this building"},
};
// What the attacker calls user_unknown: half of it names a block list, half a policy.
constexpr Wording kPoisonedWordings[] = {
    {"ip_blacklisted", "554 5.7.1 dear ", " your relay stands on the spamhaus pillory, ask there"},
    {"ip_blacklisted", "550 5.7.1 dear ", " the barracuda ledger has a mark against your relay"},
    {"policy_blocked", "550 5.7.1 dear ", " house rules forbid couriers without a concierge"},
    {"policy_blocked", "554 5.7.1 dear ", " the steward turned this caravan away by decree"},
};

std::string NameOf(size_t number) {
  std::string name = "w";
  for (size_t rest = number + 40; rest > 0; rest /= 20) {
    name += "bcdfghjklmnpqrstvwxz"[rest % 20];
    name += "aeiou"[rest % 5];
  }
  return name;
}

std::string TextOf(const Wording& wording, size_t number) {
  return std::string(wording.before) + NameOf(number) + std::string(wording.after);
}

size_t ActionOf(std::string_view label) { return FindLabel(Task::kAction, label).value(); }

class Poison : public test::SmallCorpus {
 protected:
  // Of the store as it is now.
  std::shared_ptr<const Classifier> Train(const std::string& name) {
    const std::filesystem::path models = folder_.path() / name;
    Run("rebound-train", "--task action --registry off --promote always " +
                             std::string(test::kQuickTraining) + " --models " + models.string());
    const BundleStore bundles(models);
    return Classifier::Load(
        bundles.BundleFolder(Task::kAction, bundles.Current(Task::kAction).value()));
  }
  static std::string Ask(const Classifier& model, const std::string& text) {
    Classifier::Scratch scratch;
    return std::string(
        TaskLabels(Task::kAction)[model.task_label(model.ClassifyText(text, &scratch).label)]);
  }
  // How many of the poisoned texts the model calls so: what the attacker wanted.
  static size_t CountPoisoned(const Classifier& model) {
    size_t count = 0;
    for (const Wording& wording : kPoisonedWordings) {
      for (size_t i = 0; i < kPoisoned; ++i) {
        count += Ask(model, TextOf(wording, i)) == "user_unknown" ? 1 : 0;
      }
    }
    return count;
  }
  // How many of the honest wordings it knows, in copies that nobody sent.
  static size_t CountHonest(const Classifier& model) {
    size_t count = 0;
    for (const Wording& wording : kHonestWordings) {
      for (size_t i = 0; i < kHonest; ++i) {
        count += Ask(model, TextOf(wording, 5'000 + i)) == wording.label ? 1 : 0;
      }
    }
    return count;
  }
};

constexpr size_t kAllPoisoned = std::size(kPoisonedWordings) * kPoisoned;
constexpr size_t kAllHonest = std::size(kHonestWordings) * kHonest;

// As it would come: a poisoned one among every five.
std::vector<Proposal> AttackersProposals() {
  std::vector<Proposal> honest, poisoned, mixed;
  const auto make = [](const Wording& wording, size_t number, std::string_view label) {
    Proposal proposal;
    proposal.text = TextOf(wording, number);
    proposal.contributor = "key-evil";
    proposal.labels[Index(Task::kAction)] = ActionOf(label);
    return proposal;
  };
  for (size_t i = 0; i < kHonest; ++i) {
    for (const Wording& each : kHonestWordings) honest.push_back(make(each, i, each.label));
  }
  for (const Wording& each : kPoisonedWordings) {
    for (size_t i = 0; i < kPoisoned; ++i) poisoned.push_back(make(each, i, "user_unknown"));
  }
  for (size_t i = 0; i < poisoned.size(); ++i) {
    mixed.insert(mixed.end(), honest.begin() + static_cast<std::ptrdiff_t>(i * 4),
                 honest.begin() + static_cast<std::ptrdiff_t>(i * 4 + 4));
    mixed.push_back(poisoned[i]);
  }
  return mixed;
}

TEST_F(Poison, AFifthOfAKeysLabelsIsWrongAndTheNextModelDoesNotLearnThem) {
  const auto labels = OpenLabelStore(uri_);
  const std::string clean = labels->MakeSnapshot().digest;
  const auto without = Train("without");

  // Hour by hour, as a client would send them.
  const std::vector<Proposal> sent = AttackersProposals();
  ASSERT_EQ(sent.size(), kAllPoisoned + kAllHonest);
  const auto store = OpenProposalStore(uri_);
  for (size_t first = 0; first < sent.size(); first += 50) {
    store->Propose({sent.begin() + static_cast<std::ptrdiff_t>(first),
                    sent.begin() + static_cast<std::ptrdiff_t>(first + 50)});
  }
  EXPECT_EQ(labels->MakeSnapshot().digest, clean) << "a proposal trains nothing by itself";
  const auto desk = OpenReviewDesk(uri_);
  EXPECT_EQ(desk->QuarantineHits().at(0).rule, "poisoning");

  // A reviewer looks at the costliest first, refuses them, and the key's word is worth less.
  ProposalQuery query;
  query.order = ProposalOrder::kCost;
  query.limit = 40;
  ReviewRequest request;
  request.reviewer = "rita";
  request.decision = ReviewDecision::kReject;
  for (const ProposalView& proposal : store->List(query).proposals) {
    EXPECT_EQ(proposal.scores.cost, kPoisonCost) << proposal.text;
    request.proposals.push_back(proposal.id);
  }
  desk->Decide(request);
  EXPECT_LT(desk->Contributors().at(0).weight, 0.2);
  desk->Release("key-evil", "rita");

  // What is true is accepted; the rest of the poison waits, and nobody looks.
  query = ProposalQuery();
  query.status = ProposalStatus::kPending;
  query.limit = 1000;
  request.decision = ReviewDecision::kAccept;
  request.proposals.clear();
  for (const ProposalView& proposal : store->List(query).proposals) {
    const bool is_honest =
        std::any_of(std::begin(kHonestWordings), std::end(kHonestWordings), [&](const auto& each) {
          return proposal.text.starts_with(each.before) && proposal.text.ends_with(each.after);
        });
    if (is_honest) request.proposals.push_back(proposal.id);
  }
  desk->Decide(request);
  EXPECT_EQ(store->Count().by_status.at("approved"), static_cast<int64_t>(kAllHonest));
  EXPECT_EQ(store->Count().by_status.at("pending"), static_cast<int64_t>(kAllPoisoned - 40));
  const auto with = Train("with");

  // The same texts as labels that nobody doubts: then a model does learn them.
  std::vector<Submission> forced;
  for (const Proposal& proposal : sent) {
    Submission submission;
    submission.text = proposal.text;
    submission.labels = proposal.labels;
    submission.contributor = "key-evil";
    submission.origin = LabelOrigin::kSeed;
    forced.push_back(submission);
  }
  labels->Submit(forced);
  const auto control = Train("control");

  std::cout << "of " << kAllPoisoned << " poisoned texts user_unknown: " << CountPoisoned(*without)
            << " without the key, " << CountPoisoned(*with) << " with it, "
            << CountPoisoned(*control) << " where it is believed; of " << kAllHonest
            << " honest ones right: " << CountHonest(*without) << ", " << CountHonest(*with) << ", "
            << CountHonest(*control) << "\n";
  EXPECT_LE(CountPoisoned(*with), CountPoisoned(*without) + kAllPoisoned / 20);
  EXPECT_LE(CountPoisoned(*with), kAllPoisoned / 10);
  EXPECT_GE(CountPoisoned(*control), kAllPoisoned * 9 / 10) << "the test could not fail";
  EXPECT_GE(CountHonest(*with), kAllHonest * 9 / 10);
  EXPECT_LE(CountHonest(*without), kAllHonest / 2) << "there was nothing to learn";
}

}  // namespace
}  // namespace rebound
