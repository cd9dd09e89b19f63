// Snapshots by name, their difference, and files that carry one to another database.
#include "labelstore/snapshots.h"

#include <sstream>

#include "base/json.h"
#include "stores.h"

namespace rebound {
namespace {

class Snapshots : public testing::Test {
 protected:
  int64_t Freeze() { return store_->MakeSnapshot().id; }
  std::string Exported(int64_t id) {
    std::ostringstream out;
    catalog_.Export(id, out);
    return out.str();
  }
  std::string ImportError(const std::string& file) {
    return ErrorOf([&] {
      std::istringstream in(file);
      catalog_.Import(in);
    });
  }

  const std::string uri_ = test::SharedCluster().NewStore();
  const std::unique_ptr<LabelStore> store_ = OpenLabelStore(uri_);
  PostgresConnection connection_{uri_};
  SnapshotCatalog catalog_{&connection_};
};

void Fill(LabelStore* store) {
  store->Submit(
      {Says("550 5.1.1 no such user anna@example.org", Task::kBnac, "RECIPIENT_NOT_FOUND"),
       Says("550 no such user", Task::kBackoff, "RECIPIENT_ERROR"),
       Says("451 greylisted, try \"later\"\nplease", Task::kAction, "greylisting")});
}

TEST_F(Snapshots, AreFoundByIdNameAndTheBeginningOfTheDigest) {
  Fill(store_.get());
  const SnapshotInfo info = store_->MakeSnapshot();
  catalog_.Name(info.id, "before-summer");
  catalog_.Name(info.id, "first");
  catalog_.Name(info.id, "first");
  for (const std::string& reference :
       {std::to_string(info.id), std::string("first"), info.digest.substr(0, 8), info.digest}) {
    const NamedSnapshot found = catalog_.Find(reference);
    EXPECT_EQ(found.info.digest, info.digest) << reference;
    EXPECT_EQ(found.names, (std::vector<std::string>{"before-summer", "first"}));
    EXPECT_EQ(found.rows_by_origin, (std::map<std::string, int64_t>{{"contribution", 3}}));
  }
  EXPECT_EQ(ErrorOf([&] { catalog_.Find("autumn"); }),
            "not_found: no snapshot 'autumn' in this store: rebound-labels snapshot list shows "
            "those that are there");
}

TEST_F(Snapshots, ANameNeverMoves) {
  Fill(store_.get());
  const int64_t first = Freeze();
  store_->Submit({Says("552 mailbox full", Task::kBackoff, "MAILBOX_FULL")});
  const int64_t second = Freeze();
  catalog_.Name(first, "first");
  EXPECT_EQ(ErrorOf([&] { catalog_.Name(second, "first"); }),
            "conflict: 'first' names snapshot 1 already, and a name never moves: choose another");
  EXPECT_EQ(ErrorOf([&] { catalog_.Name(77, "other"); }), "not_found: no snapshot 77");
  for (const char* name : {"", "7", "a b", "deadbeef", "x'; DROP"}) {
    EXPECT_EQ(ErrorOf([&] { catalog_.Name(first, name); }).substr(0, 16), "invalid_argument")
        << name;
  }
  EXPECT_NE(ErrorOf([&] { Change(uri_, "UPDATE rebound.snapshot_names SET snapshot_id = 2"); }),
            "no error");
  const auto list = catalog_.List();
  ASSERT_EQ(list.size(), 2u);
  EXPECT_EQ(list[0].info.id, second) << "newest first";
  EXPECT_EQ(list[1].names, std::vector<std::string>{"first"});
}

TEST_F(Snapshots, ADifferenceCountsWhatCameWentAndChanged) {
  Fill(store_.get());
  const int64_t before = Freeze();
  store_->Submit({Says("552 mailbox full", Task::kBackoff, "MAILBOX_FULL"),
                  Says("550 no such user", Task::kBackoff, "MAILBOX_FULL"),
                  Says("550 no such user", Task::kAction, "user_unknown")});
  // A tie: the message has no label any more.
  store_->Submit({Says("451 greylisted, try \"later\"\nplease", Task::kAction, "unknown", "bob")});
  const int64_t after = Freeze();
  const SnapshotDiff diff = catalog_.Diff(before, after, 5);
  EXPECT_EQ(diff.added, 1);
  EXPECT_EQ(diff.removed, 1);
  EXPECT_EQ(diff.relabelled, 1) << "one message, in two tasks";
  EXPECT_EQ(diff.same, 1);
  EXPECT_EQ(diff.relabelled_by_task, (std::array<int64_t, 3>{0, 1, 1}));
  ASSERT_EQ(diff.added_examples.size(), 1u);
  EXPECT_EQ(diff.added_examples[0].text, "552 mailbox full");
  ASSERT_EQ(diff.removed_examples.size(), 1u);
  ASSERT_EQ(diff.relabelled_examples.size(), 2u);
  EXPECT_EQ(diff.relabelled_examples[0].from, "RECIPIENT_ERROR");
  EXPECT_EQ(diff.relabelled_examples[0].to, "MAILBOX_FULL");
  EXPECT_EQ(diff.relabelled_examples[1].from, "") << "it had no action label";
  const JsonDocument json = ParseJson(WriteSnapshotDiff(diff));
  EXPECT_EQ(GetJsonInt(GetJson(json, "relabelled_by_task"), "label"), 1);
  EXPECT_EQ(GetJson(GetJson(json, "examples"), "added").Size(), 1u);
  EXPECT_TRUE(catalog_.Diff(before, after, 0).added_examples.empty());
  const SnapshotDiff none = catalog_.Diff(after, after, 5);
  EXPECT_EQ(none.added + none.removed + none.relabelled, 0);
}

TEST_F(Snapshots, AnImportElsewhereHasTheSameDigestAndRowsAndChangesNoVote) {
  Fill(store_.get());
  const SnapshotInfo info = store_->MakeSnapshot();
  catalog_.Name(info.id, "first");
  const std::string file = Exported(info.id);

  const std::string other_uri = test::SharedCluster().NewStore();
  const auto other = OpenLabelStore(other_uri);
  other->Submit({Says("552 quota", Task::kBnac, "RECIPIENT_ERROR")});
  const std::string stats = other->StatsJson();
  const std::string digest = other->MakeSnapshot().digest;
  PostgresConnection connection(other_uri);
  SnapshotCatalog catalog(&connection);
  for (int twice = 0; twice < 2; ++twice) {
    std::istringstream in(file);
    const NamedSnapshot imported = catalog.Import(in);
    EXPECT_EQ(imported.info.digest, info.digest);
    EXPECT_EQ(imported.info.rows, 3);
    EXPECT_EQ(imported.names, std::vector<std::string>{"first"});
  }
  EXPECT_EQ(other->MakeSnapshot().digest, digest) << "what the store itself says is as it was";
  std::vector<std::string> ours, theirs;
  const auto collect = [](std::vector<std::string>* rows) {
    return [rows](const SnapshotRow& row) {
      rows->push_back(row.text + row.group + std::to_string(row.labels[0]) +
                      std::to_string(row.labels[1]) + std::to_string(row.labels[2]));
    };
  };
  store_->ReadSnapshot(info.id, collect(&ours));
  other->ReadSnapshot(catalog.Find("first").info.id, collect(&theirs));
  EXPECT_EQ(ours, theirs);
  std::ostringstream again;
  catalog.Export(catalog.Find("first").info.id, again);
  // The time of making is of each database.
  EXPECT_EQ(again.str().substr(again.str().find('\n'), 200), file.substr(file.find('\n'), 200));
}

TEST_F(Snapshots, ATamperedFileIsRefusedNamingBothDigests) {
  Fill(store_.get());
  const SnapshotInfo info = store_->MakeSnapshot();
  const std::string file = Exported(info.id);
  const auto replaced = [&](const std::string& what, const std::string& with) {
    std::string tampered = file;
    tampered.replace(tampered.find(what), what.size(), with);
    return tampered;
  };
  const std::string label = ImportError(replaced("\"RECIPIENT_ERROR\"", "\"MAILBOX_FULL\""));
  EXPECT_EQ(label.substr(0, 109),
            "corrupt: the file states the digest " + info.digest + " and its ");
  EXPECT_NE(label.find("it was changed after it was written"), std::string::npos) << label;
  EXPECT_EQ(ImportError(replaced("550 no such user", "550 no such luck")).substr(0, 109),
            label.substr(0, 109));
  EXPECT_EQ(ImportError(replaced("\"names\":[]", "\"names\":[\"x\"]")).substr(0, 31),
            "corrupt: the file states sha256");
  EXPECT_EQ(ImportError(file.substr(0, file.rfind("{\"end\""))),
            "corrupt: the file has no end line: it was cut, or rebound-labels snapshot export did "
            "not write it");
  EXPECT_EQ(ImportError(replaced("\"origin\":\"contribution\"", "\"origin\":\"heaven\"")),
            "invalid_argument: line 2: key 'origin' is unknown");
  EXPECT_EQ(ImportError("hello\n").substr(0, 24), "invalid_argument: line 1");
  EXPECT_EQ(catalog_.List().size(), 1u) << "nothing was stored";
}

TEST_F(Snapshots, ATextThatStandsInAnotherGroupHereIsAConflict) {
  Submission row = Says("550 no such user", Task::kBnac, "RECIPIENT_NOT_FOUND");
  row.group = "template 1";
  store_->Submit({row});
  const std::string file = Exported(Freeze());
  const std::string other_uri = test::SharedCluster().NewStore();
  row.group = "template 2";
  OpenLabelStore(other_uri)->Submit({row});
  PostgresConnection connection(other_uri);
  SnapshotCatalog catalog(&connection);
  EXPECT_EQ(ErrorOf([&] {
              std::istringstream in(file);
              catalog.Import(in);
            }),
            "conflict: this store has the text '550 no such user' in group 'template 2' and the "
            "file in 'template 1': import it into a database of its own");
  EXPECT_TRUE(catalog.List().empty());
}

}  // namespace
}  // namespace rebound
