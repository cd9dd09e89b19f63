// Are wrong labels found? By the way that docs/label-store.md tells: answers out of fold, the
// finder, the review queue.
#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <set>

#include "labelstore/label_store.h"
#include "labelstore/proposals.h"
#include "tests/functional/poison/small_corpus.h"

namespace rebound {
namespace {

using LabelErrors = test::SmallCorpus;

// Every twentieth label is made wrong; what the finder doubts most is mostly these.
TEST_F(LabelErrors, FlippedLabelsAreFound) {
  const auto labels = OpenLabelStore(uri_);
  std::vector<Submission> flipped;
  size_t rows = 0;
  labels->ReadSnapshot(labels->MakeSnapshot().id, [&](const SnapshotRow& row) {
    const auto label = row.labels[Index(Task::kAction)];
    if (row.held_out || label < 0 || ++rows % 20 != 0) return;
    Submission wrong;
    wrong.text = row.text;
    wrong.contributor = "hasty";
    wrong.origin = LabelOrigin::kReview;
    const size_t count = TaskLabels(Task::kAction).size();
    wrong.labels[Index(Task::kAction)] =
        (static_cast<size_t>(label) + 1 + rows / 20 % (count - 1)) % count;
    flipped.push_back(wrong);
  });
  labels->Submit(flipped);
  const std::string doubts = (folder_.path() / "doubts.jsonl").string();
  const char* training = std::getenv("REBOUND_TRAINING");
  Run("rebound-train", "--task action " +
                           std::string(training == nullptr ? test::kQuickTraining : training) +
                           " --folds 4 --out-of-fold " + doubts + " --models " +
                           (folder_.path() / "models").string());
  Run("rebound-labels", "review suspects " + doubts);

  std::set<std::string> wrong;
  for (const Submission& each : flipped) wrong.insert(each.text);
  ProposalQuery query;
  query.source = "suspect";
  query.order = ProposalOrder::kSuspect;
  query.limit = 10'000;
  const ProposalPage page = OpenProposalStore(uri_)->List(query);
  size_t first = 0, hits = 0, all = 0;
  for (size_t i = 0; i < page.proposals.size(); ++i) {
    const size_t hit = wrong.contains(page.proposals[i].text) ? 1 : 0;
    all += hit;
    hits += i < flipped.size() ? hit : 0;
    first += i < flipped.size() / 2 ? hit : 0;
  }
  std::cout << flipped.size() << " of " << rows << " labels flipped; of the first "
            << flipped.size() / 2 << " doubted ones " << first << " are flipped, of the first "
            << flipped.size() << " " << hits << ", of all " << page.total << " " << all << "\n";
  // Of the whole queue one in twenty would be by chance.
  EXPECT_GE(first * 10, flipped.size() / 2 * 4);
  EXPECT_GE(hits * 3, flipped.size());
}

}  // namespace
}  // namespace rebound
