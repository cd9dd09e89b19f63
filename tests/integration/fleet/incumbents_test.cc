// A training run compares with what the fleet serves.
#include "train/incumbents.h"

#include "models/classifier.h"
#include "tests/integration/fleet/fleet_store.h"
#include "train/tokenizer_source.h"

namespace rebound::test {
namespace {

class IncumbentsTest : public FleetTest {
 protected:
  // What the registry promoted; replica_ is the trainer's --models folder here.
  std::vector<FleetIncumbent> Fetch() { return FetchIncumbents(&registry_, replica_, &fleet_); }
  int IncumbentVersion() {
    return IncumbentsOf(Task::kBnac, replica_, fleet_).Current(Task::kBnac).value_or(0);
  }

  BundleStore fleet_{folder_.path() / "fleet"};
};

TEST_F(IncumbentsTest, WithoutAPromotionOrWithTheSameOneCurrentIsTheIncumbent) {
  EXPECT_TRUE(Fetch().empty());
  EXPECT_EQ(IncumbentVersion(), 0);
  UploadAndPromote(Task::kBnac);
  registry_.Fetch(Task::kBnac, 1, &replica_);
  replica_.Promote(Task::kBnac, 1);
  EXPECT_TRUE(Fetch().empty());
  EXPECT_EQ(&IncumbentsOf(Task::kBnac, replica_, fleet_), &replica_);
  EXPECT_EQ(&IncumbentsOf(Task::kBnac, replica_, BundleStore("")), &replica_);
}

TEST_F(IncumbentsTest, WhatTheFleetServesIsFetchedBesideAndTheFolderIsLeftAsItIs) {
  UploadAndPromote(Task::kBnac);
  registry_.Fetch(Task::kBnac, 1, &replica_);
  replica_.Promote(Task::kBnac, 1);
  UploadAndPromote(Task::kBnac, "SPF");
  const auto fetched = Fetch();
  ASSERT_EQ(fetched.size(), 1u);
  EXPECT_EQ(fetched[0].version, 2);
  EXPECT_EQ(fetched[0].problem, "");
  EXPECT_EQ(IncumbentVersion(), 2);
  EXPECT_EQ(Classifier::Load(fleet_.BundleFolder(Task::kBnac, 2))->config().version, 2);
  EXPECT_EQ(replica_.Current(Task::kBnac), 1);
  EXPECT_EQ(replica_.Versions(Task::kBnac), std::vector<int>{1});
  EXPECT_EQ(FindCurrentTokenizer(IncumbentsOf(Task::kBnac, replica_, fleet_), Task::kBnac)->origin,
            "bnac version 2");
}

TEST_F(IncumbentsTest, ARollBackInTheRegistryIsTheIncumbentThoughItsFilesArePruned) {
  for (const char* label : {"SPF", "DKIM", "TLS"}) {
    TestBundle bundle;
    bundle.always = label;
    const int version = PublishTestBundle(&replica_, bundle);
    registry_.Upload(replica_.BundleFolder(Task::kBnac, version));
    registry_.Promote(Task::kBnac, version, "anna", "");
  }
  registry_.Prune(1);
  registry_.Promote(Task::kBnac, 1, "anna", "back to the first");
  ASSERT_FALSE(registry_.Find(Task::kBnac, 1)->stored);
  EXPECT_EQ(Fetch().size(), 1u);
  EXPECT_EQ(IncumbentVersion(), 1);
}

TEST_F(IncumbentsTest, WhatCannotBeHadIsToldAndCurrentIsComparedWith) {
  PublishTestBundle(&replica_, {});
  OpenLabelStore(uri_)->RegisterModel(Task::kBnac, 4, "aa", 0);
  registry_.Promote(Task::kBnac, 4, "anna", "");
  const auto fetched = Fetch();
  ASSERT_EQ(fetched.size(), 1u);
  EXPECT_EQ(fetched[0].problem,
            "the files of bnac version 4 are not in the registry: rebound-labels registry upload "
            "DIR stores them");
  EXPECT_EQ(IncumbentVersion(), 1);
}

}  // namespace
}  // namespace rebound::test
