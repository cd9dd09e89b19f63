// BundleStore over real folders: atomic, durable, safe against kills and other publishers.
#include "models/bundle_store.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <thread>

#include "base/digest.h"
#include "base/error.h"
#include "base/file.h"
#include "models/classifier.h"
#include "tests/support/bundles.h"

namespace rebound {
namespace {

namespace fs = std::filesystem;

std::set<std::string> NamesIn(const fs::path& folder) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.insert(entry.path().filename());
  return names;
}

void WriteText(const fs::path& path, std::string_view text) {
  std::ofstream(path, std::ios::trunc) << text;
}

class BundleStoreTest : public testing::Test {
 protected:
  TempFolder folder_;
  BundleStore store_{folder_.path() / "models"};
  const fs::path bnac_ = store_.TaskFolder(Task::kBnac);
};

TEST_F(BundleStoreTest, IsEmptyBeforeAnybodyPublished) {
  for (const Task task : kTasks) {
    EXPECT_TRUE(store_.Versions(task).empty());
    EXPECT_EQ(store_.Current(task), std::nullopt);
  }
  EXPECT_FALSE(fs::exists(store_.root()));  // reading makes nothing
}

TEST_F(BundleStoreTest, NamesFoldersByTaskAndSixDigits) {
  EXPECT_EQ(store_.BundleFolder(Task::kAction, 42), store_.root() / "action" / "000042");
}

TEST_F(BundleStoreTest, PublishesCompleteBundlesAndNeverTouchesCurrent) {
  const auto made = test::MakeTestDraft({});
  EXPECT_EQ(store_.Publish(made->draft), 1);
  EXPECT_EQ(store_.Publish(made->draft), 2);
  EXPECT_EQ(store_.Versions(Task::kBnac), (std::vector<int>{1, 2}));
  EXPECT_EQ(store_.Current(Task::kBnac), std::nullopt);
  EXPECT_TRUE(store_.Versions(Task::kBackoff).empty());
  EXPECT_EQ(NamesIn(bnac_), (std::set<std::string>{".lock", "000001", "000002"}));
  EXPECT_EQ(NamesIn(bnac_ / "000001"),
            (std::set<std::string>{"MODEL_CARD.md", "config.json", "golden.jsonl", "scorecard.json",
                                   "tokenizer.model", "weights.safetensors"}));

  const BundleConfig config = ParseBundleConfig(ReadFile(bnac_ / "000002" / "config.json"));
  EXPECT_EQ(config.version, 2);
  ASSERT_EQ(config.sha256.size(), 5U);
  for (const auto& [name, digest] : config.sha256) {
    EXPECT_EQ(digest, Sha256HexOfFile(bnac_ / "000002" / name)) << name;
  }
  EXPECT_EQ(ReadFile(bnac_ / "000002" / "MODEL_CARD.md"), made->draft.model_card);
  EXPECT_EQ(ReadFile(bnac_ / "000002" / "scorecard.json"), made->draft.scorecard_json);
  EXPECT_EQ(Classifier::Load(bnac_ / "000002")->config().version, 2);
}

TEST_F(BundleStoreTest, LetsOtherUsersReadABundle) {
  store_.Publish(test::MakeTestDraft({})->draft);
  EXPECT_EQ(fs::status(bnac_ / "000001").permissions(), fs::perms(0755));
}

TEST_F(BundleStoreTest, GivesTheSameWeightsTheSameHashUnlessTheyAnswerDifferently) {
  const auto made = test::MakeTestDraft({});
  const auto hash = [&] {
    return Classifier::Load(store_.BundleFolder(Task::kBnac, store_.Publish(made->draft)))->hash();
  };
  const std::string first = hash();
  EXPECT_EQ(hash(), first);
  made->draft.config.trained_at = "2027-01-01T00:00:00Z";
  made->draft.config.fallback_threshold = 0.5;  // decides after the model has answered
  EXPECT_EQ(hash(), first);
  // Another temperature gives other probabilities: a cache must not take one for the other.
  made->draft.config.temperature *= 1.00001;
  EXPECT_NE(hash(), first);
}

TEST_F(BundleStoreTest, PromotesByOneNumberInCurrent) {
  const auto made = test::MakeTestDraft({});
  store_.Publish(made->draft);
  store_.Publish(made->draft);
  store_.Promote(Task::kBnac, 2);
  EXPECT_EQ(store_.Current(Task::kBnac), 2);
  EXPECT_EQ(ReadFile(bnac_ / "CURRENT"), "000002\n");
  store_.Promote(Task::kBnac, 1);
  EXPECT_EQ(store_.Current(Task::kBnac), 1);
}

TEST_F(BundleStoreTest, PromotesNothingThatDoesNotExist) {
  store_.Publish(test::MakeTestDraft({})->draft);
  store_.Promote(Task::kBnac, 1);
  for (const int version : {0, -1, 2, 1000000}) {
    try {
      store_.Promote(Task::kBnac, version);
      FAIL() << version;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kNotFound);
      EXPECT_EQ(error.what(), "task bnac has no version " + std::to_string(version) + " in " +
                                  store_.root().string());
    }
  }
  EXPECT_EQ(store_.Current(Task::kBnac), 1);
}

TEST_F(BundleStoreTest, NamesACandidateBesideWhatServesUntilItIsPromotedOrEnded) {
  EXPECT_EQ(store_.Shadow(Task::kBnac), std::nullopt);
  EXPECT_FALSE(store_.EndShadow(Task::kBnac)) << "no folder yet";
  store_.Publish(test::MakeTestDraft({})->draft);
  store_.Publish(test::MakeTestDraft({})->draft);
  store_.Publish(test::MakeTestDraft({})->draft);
  store_.Promote(Task::kBnac, 1);
  store_.SetShadow(Task::kBnac, 2);
  EXPECT_EQ(ReadFile(bnac_ / "SHADOW"), "000002\n");
  EXPECT_EQ(store_.Shadow(Task::kBnac), 2);
  EXPECT_EQ(store_.Current(Task::kBnac), 1);
  store_.Promote(Task::kBnac, 3);
  EXPECT_EQ(store_.Shadow(Task::kBnac), 2) << "another one was promoted";
  store_.Promote(Task::kBnac, 2);
  EXPECT_EQ(store_.Shadow(Task::kBnac), std::nullopt);
  EXPECT_FALSE(fs::exists(bnac_ / "SHADOW"));
  store_.SetShadow(Task::kBnac, 1);
  EXPECT_TRUE(store_.EndShadow(Task::kBnac));
  EXPECT_FALSE(store_.EndShadow(Task::kBnac));
}

TEST_F(BundleStoreTest, RefusesAShadowThatServesOrIsNotThere) {
  store_.Publish(test::MakeTestDraft({})->draft);
  store_.Promote(Task::kBnac, 1);
  const auto code_of = [&](int version) {
    try {
      store_.SetShadow(Task::kBnac, version);
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::kInternal;
  };
  EXPECT_EQ(code_of(1), ErrorCode::kConflict);
  EXPECT_EQ(code_of(2), ErrorCode::kNotFound);
  EXPECT_EQ(store_.Shadow(Task::kBnac), std::nullopt);
  // By hand: what serves is no shadow of itself.
  WriteText(bnac_ / "SHADOW", "1");
  EXPECT_EQ(store_.Shadow(Task::kBnac), std::nullopt);
}

TEST_F(BundleStoreTest, ADamagedShadowKeepsNobodyFromServing) {
  store_.Publish(test::MakeTestDraft({})->draft);
  WriteText(bnac_ / "SHADOW", "nonsense");
  store_.Promote(Task::kBnac, 1);
  EXPECT_EQ(store_.Current(Task::kBnac), 1);
  EXPECT_THROW(store_.Shadow(Task::kBnac), Error);
  EXPECT_TRUE(store_.EndShadow(Task::kBnac));
}

TEST_F(BundleStoreTest, ReadsCurrentAsPeopleWriteIt) {
  fs::create_directories(bnac_);
  for (const char* text : {"7", "7\n", " 000007 \r\n", "000007"}) {
    WriteText(bnac_ / "CURRENT", text);
    EXPECT_EQ(store_.Current(Task::kBnac), 7) << text;
  }
}

TEST_F(BundleStoreTest, SaysThatCurrentIsNoNumber) {
  fs::create_directories(bnac_);
  for (const std::string& text :
       {std::string(), std::string("\n"), std::string("latest"), std::string("0"),
        std::string("-1"), std::string("7x"), std::string("1000000"),
        std::string("99999999999999999999"), std::string(5000, '1')}) {
    WriteText(bnac_ / "CURRENT", text);
    try {
      store_.Current(Task::kBnac);
      FAIL() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kCorrupt) << error.what();
    }
  }
}

TEST_F(BundleStoreTest, CountsOnlyCompleteBundlesButNeverUsesANumberTwice) {
  const auto made = test::MakeTestDraft({});
  store_.Publish(made->draft);
  fs::create_directories(bnac_ / "000005");  // damaged: no config.json
  fs::create_directories(bnac_ / "7");
  fs::create_directories(bnac_ / "notes");
  WriteText(bnac_ / "000009", "a file");
  EXPECT_EQ(store_.Versions(Task::kBnac), (std::vector<int>{1}));
  EXPECT_EQ(store_.Publish(made->draft), 10);
  WriteText(bnac_ / "CURRENT", "20");  // its folder was deleted by hand
  EXPECT_EQ(store_.Publish(made->draft), 21);
  WriteText(bnac_ / "CURRENT", "rubbish");
  EXPECT_EQ(store_.Publish(made->draft), 22);
}

TEST_F(BundleStoreTest, EndsAtTheLastNumber) {
  fs::create_directories(bnac_ / "999999");
  try {
    store_.Publish(test::MakeTestDraft({})->draft);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kTooLarge);
    EXPECT_EQ(error.what(), bnac_.string() + " has no version number left");
  }
}

TEST_F(BundleStoreTest, RemovesWhatDeadPublishersLeftAndNothingElse) {
  fs::create_directories(bnac_ / ".publish-dEaD01");
  WriteText(bnac_ / ".publish-dEaD01" / "weights.safetensors", "half");
  WriteText(bnac_ / ".CURRENT.tmp-1-0", "half");
  WriteText(bnac_ / ".keep", "not ours");
  EXPECT_EQ(store_.Publish(test::MakeTestDraft({})->draft), 1);
  EXPECT_EQ(NamesIn(bnac_), (std::set<std::string>{".keep", ".lock", "000001"}));
}

TEST_F(BundleStoreTest, LeavesNothingBehindAPublishThatFails) {
  const auto made = test::MakeTestDraft({});
  made->draft.weights["broken"] = {{3}, {}};  // a shape without values
  EXPECT_THROW(store_.Publish(made->draft), Error);
  EXPECT_EQ(NamesIn(bnac_), (std::set<std::string>{".lock"}));
}

TEST_F(BundleStoreTest, ReportsARootThatCannotBeMade) {
  WriteText(folder_.path() / "models", "a file where the root should be");
  try {
    store_.Publish(test::MakeTestDraft({})->draft);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUnavailable) << error.what();
  }
}

TEST_F(BundleStoreTest, GivesConcurrentThreadsDistinctVersions) {
  const auto made = test::MakeTestDraft({});
  std::vector<std::thread> threads;
  std::array<std::vector<int>, 4> versions;
  for (std::vector<int>& mine : versions) {
    threads.emplace_back([&] {
      BundleStore store(store_.root());
      for (int i = 0; i < 3; ++i) {
        mine.push_back(store.Publish(made->draft));
        store.Promote(Task::kBnac, mine.back());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::set<int> all;
  for (const auto& mine : versions) all.insert(mine.begin(), mine.end());
  EXPECT_EQ(all.size(), 12U);
  EXPECT_EQ(store_.Versions(Task::kBnac), std::vector<int>(all.begin(), all.end()));
  EXPECT_EQ(*all.rbegin(), 12);
  Classifier::Load(store_.BundleFolder(Task::kBnac, *store_.Current(Task::kBnac)));
}

TEST_F(BundleStoreTest, GivesConcurrentProcessesDistinctVersions) {
  const auto made = test::MakeTestDraft({});
  std::vector<pid_t> children;
  for (int c = 0; c < 4; ++c) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      int rc = 0;
      try {
        for (int i = 0; i < 3; ++i) store_.Publish(made->draft);
      } catch (...) {
        rc = 1;
      }
      _exit(rc);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
  const std::vector<int> versions = store_.Versions(Task::kBnac);
  ASSERT_EQ(versions.size(), 12U);
  for (int v = 1; v <= 12; ++v) {
    EXPECT_EQ(Classifier::Load(store_.BundleFolder(Task::kBnac, v))->config().version, v);
  }
}

std::map<std::string, std::string> FilesOf(const fs::path& bundle) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::directory_iterator(bundle)) {
    files[entry.path().filename()] = ReadFile(entry.path());
  }
  return files;
}

class InstallTest : public BundleStoreTest {
 protected:
  InstallTest() {
    BundleStore elsewhere(folder_.path() / "elsewhere");
    const auto made = test::MakeTestDraft({});
    elsewhere.Publish(made->draft);
    files_ = FilesOf(elsewhere.BundleFolder(Task::kBnac, elsewhere.Publish(made->draft)));
  }
  std::string InstallError(int version, const std::map<std::string, std::string>& files) {
    try {
      store_.Install(Task::kBnac, version, files);
    } catch (const Error& e) {
      return std::string(ErrorCodeName(e.code())) + ": " + e.what();
    }
    return "no error";
  }
  std::map<std::string, std::string> files_;  // of version 2
};

TEST_F(InstallTest, ABundleKeepsTheNumberThatItHasElsewhere) {
  store_.Install(Task::kBnac, 2, files_);
  store_.Install(Task::kBnac, 2, files_);
  EXPECT_EQ(store_.Versions(Task::kBnac), std::vector<int>{2});
  EXPECT_EQ(store_.Current(Task::kBnac), std::nullopt);
  EXPECT_EQ(FilesOf(bnac_ / "000002"), files_);
  EXPECT_EQ(fs::status(bnac_ / "000002").permissions(), fs::perms(0755));
  EXPECT_EQ(NamesIn(bnac_), (std::set<std::string>{".lock", "000002"}));
}

TEST_F(InstallTest, WhatIsNotTheBundleIsRefusedAndNothingIsLeft) {
  EXPECT_EQ(InstallError(3, files_),
            "invalid_argument: config.json is of bnac version 2, not of bnac version 3");
  auto damaged = files_;
  damaged["weights.safetensors"][100] ^= 1;
  EXPECT_EQ(InstallError(2, damaged), "corrupt: weights.safetensors of bnac version 2 is damaged");
  auto less = files_;
  less.erase("golden.jsonl");
  EXPECT_EQ(InstallError(2, less), "corrupt: golden.jsonl of bnac version 2 is missing");
  auto outside = files_;
  outside["../x"] = "";
  EXPECT_EQ(InstallError(2, outside), "corrupt: '../x' of bnac version 2 is no file of a bundle");
  EXPECT_EQ(InstallError(2, {}), "corrupt: bnac version 2 has no config.json");
  EXPECT_TRUE(store_.Versions(Task::kBnac).empty());
}

TEST_F(InstallTest, ADamagedCopyIsReplacedAndAnotherBundleIsNot) {
  store_.Install(Task::kBnac, 2, files_);
  WriteText(bnac_ / "000002" / "tokenizer.model", "damaged");
  store_.Install(Task::kBnac, 2, files_);
  EXPECT_EQ(FilesOf(bnac_ / "000002"), files_);
  EXPECT_EQ(NamesIn(bnac_), (std::set<std::string>{".lock", "000002"}));
  WriteText(bnac_ / "000002" / "config.json", "{}");
  EXPECT_EQ(InstallError(2, files_), "conflict: " + (bnac_ / "000002").string() +
                                         " holds another bundle: move it away to take this one");
  fs::remove(bnac_ / "000002" / "config.json");
  store_.Install(Task::kBnac, 2, files_);
  EXPECT_EQ(FilesOf(bnac_ / "000002"), files_) << "a folder without config.json is no bundle";
}

TEST_F(BundleStoreTest, SurvivesAKillAtAnyPointOfAPublish) {
  const auto made = test::MakeTestDraft({});
  store_.Publish(made->draft);
  store_.Promote(Task::kBnac, 1);
  constexpr int kRounds = 30;
  int last = 1;
  for (int round = 1; round <= kRounds; ++round) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      // The kernel kills us in the middle of whatever we do then.
      const itimerval death = {{0, 0}, {0, round * 700}};
      setitimer(ITIMER_REAL, &death, nullptr);
      while (true) store_.Promote(Task::kBnac, store_.Publish(made->draft));
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM);

    // Every version that exists is whole, and CURRENT names one of them.
    const std::vector<int> versions = store_.Versions(Task::kBnac);
    for (const int version : versions) {
      if (version > last) Classifier::Load(store_.BundleFolder(Task::kBnac, version));
    }
    const int current = store_.Current(Task::kBnac).value();
    EXPECT_NE(std::find(versions.begin(), versions.end(), current), versions.end());
    // The next publisher gets the lock of the dead one at once and cleans up.
    last = store_.Publish(made->draft);
    EXPECT_EQ(last, versions.back() + 1);
    for (const std::string& name : NamesIn(bnac_)) {
      EXPECT_FALSE(name.starts_with(".publish-") || name.starts_with(".CURRENT")) << name;
    }
  }
}

TEST_F(BundleStoreTest, RemovesAVersionWholeAndNeverOneThatServesOrIsTheShadow) {
  store_.Remove(Task::kBnac, 1);  // none to remove
  store_.Publish(test::MakeTestDraft({})->draft);
  store_.Publish(test::MakeTestDraft({})->draft);
  store_.Promote(Task::kBnac, 2);
  try {
    store_.Remove(Task::kBnac, 2);
    FAIL() << "it was removed";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kConflict);
    EXPECT_EQ(std::string(e.what()),
              (bnac_ / "000002").string() + " serves: promote another version first");
  }
  store_.SetShadow(Task::kBnac, 1);
  try {
    store_.Remove(Task::kBnac, 1);
    FAIL() << "it was removed";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kConflict);
    EXPECT_EQ(std::string(e.what()), (bnac_ / "000001").string() + " is the shadow: end it first");
  }
  store_.EndShadow(Task::kBnac);
  store_.Remove(Task::kBnac, 1);
  EXPECT_EQ(NamesIn(bnac_), (std::set<std::string>{".lock", "000002", "CURRENT"}));
}

}  // namespace
}  // namespace rebound
