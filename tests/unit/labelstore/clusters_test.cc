#include "labelstore/clusters.h"

#include <gtest/gtest.h>

#include <set>
#include <unordered_map>

#include "base/near_copies.h"
#include "labelstore/generator.h"
#include "tokenizer/normaliser.h"

namespace rebound {
namespace {

TEST(ShinglesOf, AreTheWordsAndTheirNeighbours) {
  EXPECT_EQ(ShinglesOf("550 no such no"),
            (std::vector<std::string>{"550", "550 no", "no", "no such", "such", "such no"}));
  EXPECT_TRUE(ShinglesOf("").empty());
}

TEST(ShinglesOf, TellStatusCodesApartAndNoOtherNumbers) {
  EXPECT_EQ(ShinglesOf(Normalise("550 5.7.1 blocked: policy PXQ-441, rule 7")),
            ShinglesOf(Normalise("550 5.7.1 blocked: policy PXQ-442, rule 12")));
  EXPECT_NE(ShinglesOf(Normalise("550 5.7.1 blocked")), ShinglesOf(Normalise("550 5.7.2 blocked")));
  EXPECT_NE(ShinglesOf(Normalise("550 5.7.1 blocked")), ShinglesOf(Normalise("554 5.7.1 blocked")));
}

// Against comparing all pairs, over copies of templates of the seed corpus as noise leaves them.
TEST(Clusters, BandsFindNearlyEveryNearCopy) {
  auto templates = LoadSeedCorpus(FindSeedFolder() / "templates");
  templates.resize(300);
  const SlotLists lists = LoadSlotLists(FindSeedFolder() / "slots");
  std::vector<std::vector<std::string>> shingles;
  Generator(templates, lists, 1).Expand(6 * templates.size(), [&](GeneratedText text) {
    shingles.push_back(ShinglesOf(Normalise(text.text)));
  });
  std::unordered_map<uint64_t, std::vector<size_t>> places;
  std::set<std::pair<size_t, size_t>> candidates;
  for (size_t i = 0; i < shingles.size(); ++i) {
    for (const uint64_t band : LikenessBands(shingles[i])) {
      for (const size_t j : places[band]) candidates.emplace(i, j);
      places[band].push_back(i);
    }
  }
  size_t alike = 0, found = 0;
  FindAlike(shingles, kSameCluster, [&](size_t i, size_t j, double) {
    ++alike;
    found += candidates.count({i, j});
  });
  ASSERT_GT(alike, 300u);
  EXPECT_GT(static_cast<double>(found) / static_cast<double>(alike), 0.98)
      << found << " of " << alike;
  RecordProperty("recall_percent", static_cast<int>(100 * found / alike));
}

// The same reply to another recipient, with another host, time and id.
TEST(Clusters, HoldTheRepliesOfOneServer) {
  const auto templates = LoadSeedCorpus(FindSeedFolder() / "templates");
  const SlotLists lists = LoadSlotLists(FindSeedFolder() / "slots");
  const Generator first(templates, lists, 1), second(templates, lists, 2);
  size_t together = 0;
  for (const Template& origin : templates) {
    const auto shingles = [&](const Generator& generator) {
      return ShinglesOf(Normalise(generator.MakeCopy(origin, 0)));
    };
    together += Likeness(shingles(first), shingles(second)) >= kSameCluster ? 1 : 0;
  }
  const double share = static_cast<double>(together) / static_cast<double>(templates.size());
  EXPECT_GT(share, 0.87);
  RecordProperty("together_per_mille", static_cast<int>(1000 * share));
}

}  // namespace
}  // namespace rebound
