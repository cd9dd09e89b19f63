// The table of docs/label-store.md, field by field: real logins, made by the lines of that page, do
// or are refused what it says.
#include <gtest/gtest.h>
#include <pwd.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <map>
#include <sstream>
#include <thread>

#include "base/file.h"
#include "base/text.h"
#include "contributions.h"
#include "errors.h"
#include "labelstore/backup.h"
#include "labelstore/label_store.h"
#include "labelstore/model_registry.h"
#include "labelstore/must_pass.h"
#include "labelstore/retention.h"
#include "labelstore/reviews.h"
#include "labelstore/roles.h"
#include "labelstore/schema.h"
#include "labelstore/snapshots.h"
#include "tests/support/bundles.h"
#include "tests/support/postgres.h"

namespace rebound {
namespace {

namespace fs = std::filesystem;

constexpr const char* kLogins[] = {"serve", "desk", "office", "train", "reviewer"};

std::string Page() { return ReadFile(test::SourcePath("docs/label-store.md")); }

// The block of SQL that makes the logins.
std::string MakeLogins() {
  const std::string page = Page(), start = "```sql\n";
  const size_t from = page.find(start) + start.size();
  return page.substr(from, page.find("```", from) - from);
}

// Of server, trainer and reviewer: "yes", "both" (with the other that has it) or "".
using Fields = std::array<std::string, 3>;

// By what is done: who may, as the page tells.
std::map<std::string, Fields> Table() {
  std::map<std::string, Fields> table;
  std::istringstream lines(Page());
  bool inside = false;
  for (std::string line; std::getline(lines, line);) {
    const std::vector<std::string_view> fields = Split(line, '|');
    if (fields.size() != 7) {
      inside = false;
    } else if (Trim(fields[3]) == "rebound_server") {
      inside = true;
    } else if (inside && Trim(fields[1]) != "---") {
      Fields& may = table[std::string(Trim(fields[1]))];
      for (size_t group = 0; group < may.size(); ++group) may[group] = Trim(fields[3 + group]);
    }
  }
  return table;
}

bool May(const Fields& fields, const std::array<bool, 3>& groups) {
  size_t both = 0;
  for (size_t group = 0; group < groups.size(); ++group) {
    if (groups[group] && fields[group] == "yes") return true;
    both += groups[group] && fields[group] == "both" ? 1 : 0;
  }
  return both == 2;
}

void Sql(const std::string& uri, const std::string& script) {
  PostgresConnection(uri).Transact(SqlIsolation::kReadCommitted,
                                   [&](SqlTransaction& sql) { sql.ExecuteScript(script); });
}

std::string As(const std::string& uri, const std::string& login) {
  std::string other = uri;
  return other.replace(other.find("&user=rebound"), 13, "&user=" + login);
}

// Lets the user who runs this log in by these names.
void AllowLogins(const std::string& uri) {
  const auto place = ReadFile(test::SharedCluster().folder() / "place");
  std::ofstream map(fs::path(place) / "pg_ident.conf", std::ios::app);
  for (const std::string login : kLogins) {
    map << "rebound " << ::getpwuid(::geteuid())->pw_name << " " << login << "\n";
  }
  map.close();
  Sql(uri, "SELECT pg_reload_conf()");
  const auto may = [&] { return ErrorOf([&] { Sql(As(uri, "reviewer"), "SELECT 1"); }); };
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (may() != "no error" && std::chrono::steady_clock::now() < until) {
    std::this_thread::yield();
  }
}

class RoleMatrix : public testing::Test {
 protected:
  RoleMatrix() {
    GrantRoles(&owner_);
    GrantRoles(&owner_);  // again changes nothing
    if (Column(uri_, "SELECT 1 FROM pg_roles WHERE rolname = 'serve'").empty()) {
      Sql(uri_, MakeLogins());
      AllowLogins(uri_);
    }
    OpenProposalStore(uri_)->Propose({Proposes("550 the first", "unknown")});
    Submit(uri_);
    snapshot_ = OpenLabelStore(uri_)->MakeSnapshot().id;
    UploadNew(uri_);
    ModelRegistry(uri_).Promote(Task::kBnac, 1, "owner", "the first");
  }

  std::string Word() { return WordOf(++words_); }
  void Submit(const std::string& uri) {
    Submission seed;
    seed.text = "550 of the corpus " + Word();
    seed.contributor = "seed";
    seed.origin = LabelOrigin::kSeed;
    seed.labels[0] = 1;
    OpenLabelStore(uri)->Submit({seed});
  }
  void UploadNew(const std::string& uri) {
    test::TestBundle bundle;
    bundle.variant = ++words_;
    const auto made = test::MakeTestDraft(bundle);
    ModelRegistry(uri).Upload(bundles_.BundleFolder(Task::kBnac, bundles_.Publish(made->draft)));
  }
  int64_t Propose() {
    return OpenProposalStore(uri_)
        ->Propose({Proposes("550 proposed " + Word(), "unknown")})
        .items.at(0)
        .id;
  }
  using Deed = std::function<void(const std::string& uri)>;
  std::map<std::string, Deed> Deeds();
  void AddReviewersDeeds(std::map<std::string, Deed>* deeds);
  void AddTrainersDeeds(std::map<std::string, Deed>* deeds);
  void AddOwnersDeeds(std::map<std::string, Deed>* deeds);

  const std::string uri_ = test::SharedCluster().NewStore();
  PostgresConnection owner_{uri_};
  const TempFolder folder_;
  BundleStore bundles_{folder_.path() / "bundles"};
  int64_t snapshot_ = 0;
  size_t words_ = 0;
};

void RoleMatrix::AddReviewersDeeds(std::map<std::string, Deed>* deeds) {
  (*deeds)["decide and take back"] = [this](const std::string& uri) {
    ReviewRequest request;
    request.proposals = {Propose()};
    request.reviewer = "rita";
    request.decision = ReviewDecision::kAccept;
    request.whole_cluster = true;
    const auto desk = OpenReviewDesk(uri);
    desk->Decide(request);
    desk->Undo("rita");
  };
  (*deeds)["release a contributor"] = [this](const std::string& uri) {
    Sql(uri_, "UPDATE rebound.contributors SET held_reason = 'mistrust', held_at = now()");
    OpenReviewDesk(uri)->Release("key-a", "rita");
  };
  (*deeds)["set the overlap"] = [](const std::string& uri) {
    OpenReviewDesk(uri)->SetOverlap(1, "rita");
  };
  (*deeds)["queue doubted labels"] = [this](const std::string& uri) {
    Submit(uri_);
    Suspicion doubt;
    doubt.message_id = std::stoll(Column(uri_, "SELECT max(id) FROM rebound.messages"));
    doubt.given = 1;
    doubt.likely = 2;
    OpenReviewDesk(uri)->Suspect({doubt});
  };
  (*deeds)["keep the must-pass list"] = [this](const std::string& uri) {
    PostgresConnection connection(uri);
    MustPassList list(&connection);
    MustPass entry;
    entry.task = Task::kAction;
    entry.label = LabelOf(Task::kAction, "user_unknown");
    entry.text = "550 must " + Word();
    entry.added_by = "rita";
    entry.reason = "ticket";
    list.Remove(list.Add(entry), "rita");
  };
  (*deeds)["read history and agreement"] = [](const std::string& uri) {
    const auto desk = OpenReviewDesk(uri);
    desk->History(1);
    desk->Agreement();
  };
  (*deeds)["import labels"] = [this](const std::string& uri) { Submit(uri); };
}

void RoleMatrix::AddTrainersDeeds(std::map<std::string, Deed>* deeds) {
  (*deeds)["freeze a snapshot"] = [this](const std::string& uri) {
    Submit(uri_);
    OpenLabelStore(uri)->MakeSnapshot();
  };
  (*deeds)["name a snapshot"] = [this](const std::string& uri) {
    PostgresConnection connection(uri);
    SnapshotCatalog(&connection).Name(snapshot_, "the-" + Word());
  };
  (*deeds)["read a snapshot"] = [this](const std::string& uri) {
    OpenLabelStore(uri)->ReadSnapshot(snapshot_, [](const SnapshotRow&) {});
  };
  (*deeds)["record a training run"] = [this](const std::string& uri) {
    const auto labels = OpenLabelStore(uri);
    TrainingRun run;
    run.snapshot_id = snapshot_;
    run.id = labels->StartRun(run);
    run.status = "not_promoted";
    labels->FinishRun(run);
  };
  (*deeds)["publish a bundle"] = [this](const std::string& uri) { UploadNew(uri); };
  (*deeds)["promote and roll back"] = [this](const std::string& uri) {
    UploadNew(uri_);
    ModelRegistry registry(uri);
    registry.Promote(Task::kBnac, registry.Versions(Task::kBnac).back().version, "anna", "better");
    registry.Rollback(Task::kBnac, "anna", "worse");
  };
  (*deeds)["prune bundles"] = [this](const std::string& uri) {
    for (int i = 0; i < 4; ++i) UploadNew(uri_);
    EXPECT_FALSE(ModelRegistry(uri).Prune(1).empty());
  };
  (*deeds)["follow promotions and fetch bundles"] = [this](const std::string& uri) {
    EXPECT_EQ(PromotionListener(uri).WaitForPromotion(std::chrono::seconds(0)).size(), 1u);
    ModelRegistry registry(uri);
    BundleStore fresh(folder_.path() / Word());
    registry.Fetch(Task::kBnac, registry.Current(Task::kBnac)->version, &fresh);
  };
}

void RoleMatrix::AddOwnersDeeds(std::map<std::string, Deed>* deeds) {
  const std::string other = test::SharedCluster().NewStore();
  Submit(other);
  std::stringstream file;
  PostgresConnection from(other);
  SnapshotCatalog(&from).Export(OpenLabelStore(other)->MakeSnapshot().id, file);
  (*deeds)["import a snapshot"] = [text = file.str()](const std::string& uri) {
    std::istringstream elsewhere(text);
    PostgresConnection connection(uri);
    SnapshotCatalog(&connection).Import(elsewhere);
  };
  (*deeds)["migrate"] = [](const std::string& uri) {
    PostgresConnection connection(uri);
    MigrateSchema(&connection);
  };
  (*deeds)["give rights"] = [](const std::string& uri) {
    PostgresConnection connection(uri);
    GrantRoles(&connection);
  };
  (*deeds)["forget and erase"] = [this](const std::string& uri) {
    PostgresConnection connection(uri);
    const std::string one = ErrorOf([&] {
      RetentionRules rules;
      rules.days = 1;
      rules.by = "admin";
      RetainStore(&connection, rules);
    });
    OpenProposalStore(uri_)->Propose({Proposes("550 by ann " + Word(), "unknown", "ann")});
    const std::string other =
        ErrorOf([&] { EraseContributor(&connection, "ann", "admin", false); });
    EXPECT_EQ(one == "no error", other == "no error");
    if (one != "no error") throw Error(ErrorCode::kInvalidArgument, one);
  };
  (*deeds)["back up"] = [this](const std::string& uri) {
    BackUpStore(uri, folder_.path() / "store.backup");
  };
}

std::map<std::string, RoleMatrix::Deed> RoleMatrix::Deeds() {
  std::map<std::string, Deed> deeds;
  deeds["contribute"] = [this](const std::string& uri) {
    ProposalStoreOptions options;
    options.rules.flood_per_hour = 1;  // a hit of a rule is written too
    const std::string word = Word();
    Proposal proposal = Proposes("550 sent " + word, "unknown", word);
    proposal.delivery_id = MakeDeliveryId(word);
    OpenProposalStore(uri, options)->Propose({proposal}, {.idempotency_key = word});
    proposal.delivery_id.clear();
    proposal.labels[Index(Task::kAction)] = LabelOf(Task::kAction, "user_unknown");
    OpenProposalStore(uri, options)->Propose({proposal});
  };
  deeds["list and count proposals"] = [](const std::string& uri) {
    const auto store = OpenProposalStore(uri);
    EXPECT_GE(store->List({}).total, 1);
    EXPECT_TRUE(store->Find(1).has_value());
    store->Count();
  };
  AddReviewersDeeds(&deeds);
  AddTrainersDeeds(&deeds);
  AddOwnersDeeds(&deeds);
  return deeds;
}

TEST_F(RoleMatrix, EveryLoginDoesAndIsRefusedWhatThePageSays) {
  const auto table = Table();
  const auto deeds = Deeds();
  ASSERT_EQ(table.size(), deeds.size());
  struct Login {
    const char* name;
    std::array<bool, 3> groups;  // as the columns of the table
  };
  constexpr Login kTried[] = {{"serve", {true, false, false}},
                              {"train", {false, true, false}},
                              {"reviewer", {false, false, true}},
                              {"desk", {true, false, true}},
                              {"office", {true, true, true}}};
  for (const auto& [what, deed] : deeds) {
    ASSERT_TRUE(table.contains(what)) << what << " is not in the page";
    for (const Login& login : kTried) {
      const bool may = May(table.at(what), login.groups);
      const std::string error = ErrorOf([&] { deed(As(uri_, login.name)); });
      if (may) {
        EXPECT_EQ(error, "no error") << login.name << " may " << what;
      } else {
        EXPECT_TRUE(error.find("permission denied") != std::string::npos ||
                    error.find("refuses this user") != std::string::npos)
            << login.name << " must not " << what << ": " << error;
      }
    }
    EXPECT_EQ(ErrorOf([&] { deed(uri_); }), "no error") << "the owner may " << what;
  }
}

TEST(RolePage, TheHelpMakesTheSameLogins) {
  const test::Ran help = test::RunCommand(test::BinaryPath("rebound-labels") + " roles --help");
  std::istringstream lines(MakeLogins());
  for (std::string line; std::getline(lines, line);) EXPECT_TRUE(Holds(help.output, line));
}

// A function that writes as its owner, attached to a table of one's own, would write any line.
TEST_F(RoleMatrix, NobodyForgesTheAuditOrTheVotesHistory) {
  for (const std::string login : kLogins) {
    for (const std::string function : {"write_audit('id')", "keep_old_vote()"}) {
      EXPECT_TRUE(
          Holds(ErrorOf([&] {
                  Sql(As(uri_, login),
                      "CREATE TEMPORARY TABLE proposals (id int); "
                      "CREATE TRIGGER forged AFTER UPDATE ON pg_temp.proposals FOR EACH ROW "
                      "EXECUTE FUNCTION rebound." +
                          function);
                }),
                "permission denied for function"));
    }
  }
}

TEST_F(RoleMatrix, WhoeverHasNoRoleSeesNothing) {
  Sql(uri_, "DO $$ BEGIN CREATE ROLE stranger; EXCEPTION WHEN duplicate_object THEN NULL; END $$");
  EXPECT_TRUE(Holds(ErrorOf([&] { OpenProposalStore(uri_ + "&options=-crole%3Dstranger"); }),
                    "refuses this user"));
}

}  // namespace
}  // namespace rebound
