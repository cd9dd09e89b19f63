#include "serve/reload.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <fstream>
#include <functional>

#include "base/file.h"
#include "tests/support/bundles.h"

namespace rebound {
namespace {

using std::chrono::seconds;

TEST(NextReload, IsThisTable) {
  const ReloadClock::time_point now{seconds(1000)};
  const auto before = now - seconds(1);
  const auto after = now + seconds(1);
  struct Row {
    const char* what;
    ReloadState state;
    std::optional<int> current;
    bool forced;
    ReloadStep step;
  };
  const std::optional<int> none;
  const Row rows[] = {
      {"nothing promoted, nothing serves", {none, none, 0, {}}, none, false, ReloadStep::kNothing},
      {"nothing promoted any more", {3, none, 0, {}}, none, true, ReloadStep::kNothing},
      {"the first", {none, none, 0, {}}, 1, false, ReloadStep::kLoad},
      {"it serves", {1, none, 0, {}}, 1, false, ReloadStep::kNothing},
      {"it serves, asked again", {1, none, 0, {}}, 1, true, ReloadStep::kNothing},
      {"a newer", {1, none, 0, {}}, 2, false, ReloadStep::kLoad},
      {"an older: a roll-back", {2, none, 0, {}}, 1, false, ReloadStep::kLoad},
      {"it failed a moment ago", {1, 2, 1, after}, 2, false, ReloadStep::kWait},
      {"it failed, asked again", {1, 2, 1, after}, 2, true, ReloadStep::kLoad},
      {"it failed, the pause is over", {1, 2, 1, before}, 2, false, ReloadStep::kLoad},
      {"it failed, the pause ends now", {1, 2, 1, now}, 2, false, ReloadStep::kLoad},
      {"another than the one that failed", {1, 2, 1, after}, 3, false, ReloadStep::kLoad},
      {"back to what serves", {1, 2, 1, after}, 1, false, ReloadStep::kNothing},
      {"the first failed", {none, 1, 5, after}, 1, false, ReloadStep::kWait},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(NextReload(row.state, row.current, now, row.forced), row.step) << row.what;
  }
}

TEST(ReloadPause, DoublesUpToAMinute) {
  EXPECT_EQ(ReloadPause(1), seconds(1));
  EXPECT_EQ(ReloadPause(2), seconds(2));
  EXPECT_EQ(ReloadPause(6), seconds(32));
  EXPECT_EQ(ReloadPause(7), seconds(60));
  EXPECT_EQ(ReloadPause(1000), seconds(60));
}

class ReloaderTest : public testing::Test {
 protected:
  int Publish(std::string always, Task task = Task::kBnac) {
    test::TestBundle bundle;
    bundle.task = task;
    bundle.always = std::move(always);
    return test::PublishTestBundle(&store_, bundle);
  }
  void Corrupt(int version) {
    std::ofstream(store_.BundleFolder(Task::kBnac, version) / "weights.safetensors", std::ios::app)
        << "x";
  }
  int Serving() const {
    const ModelSet models = engine_.Take();
    const Classifier* model = models.Get(Task::kBnac);
    return model == nullptr ? 0 : model->config().version;
  }
  // The watching thread works by itself: look until it did.
  static bool Eventually(const std::function<bool()>& holds) {
    for (int i = 0; i < 2000; ++i) {
      if (holds()) return true;
      poll(nullptr, 0, 5);
    }
    return false;
  }

  TempFolder folder_;
  BundleStore store_{folder_.path()};
  Engine engine_;
};

TEST_F(ReloaderTest, LoadsWhatCurrentNames) {
  const int version = Publish("SPF");
  Reloader reloader(folder_.path(), {Task::kBnac}, &engine_);
  EXPECT_EQ(reloader.Statuses()[0].serving, nullptr);
  reloader.LookNow(false);
  EXPECT_EQ(Serving(), version);
  const TaskStatus status = reloader.Statuses()[0];
  EXPECT_EQ(status.serving->config().version, version);
  EXPECT_EQ(status.problem, "");
  EXPECT_EQ(status.last_outcome, TaskStatus::Outcome::kLoaded);
  EXPECT_EQ(status.last_version, version);
  EXPECT_EQ(status.last_at.size(), sizeof "2024-01-01T00:00:00Z" - 1);
}

TEST_F(ReloaderTest, SaysThatNothingWasPromoted) {
  Reloader reloader(folder_.path(), {Task::kBnac}, &engine_);
  reloader.LookNow(false);
  EXPECT_EQ(
      reloader.Statuses()[0].problem,
      "no bundle was promoted: " + (folder_.path() / "bnac/CURRENT").string() + " is not there");
}

TEST_F(ReloaderTest, ACorruptBundleIsToldAndTheOldOneServes) {
  const int good = Publish("SPF");
  Reloader reloader(folder_.path(), {Task::kBnac}, &engine_);
  reloader.LookNow(false);
  const int bad = Publish("DKIM");
  Corrupt(bad);
  reloader.LookNow(false);
  EXPECT_EQ(Serving(), good);
  const TaskStatus status = reloader.Statuses()[0];
  EXPECT_EQ(status.serving->config().version, good);
  EXPECT_EQ(status.last_outcome, TaskStatus::Outcome::kFailed);
  EXPECT_EQ(status.last_version, bad);
  EXPECT_NE(status.problem.find("weights.safetensors"), std::string::npos) << status.problem;
  EXPECT_EQ(status.problem, status.last_error);
}

TEST_F(ReloaderTest, PromotingAGoodBundleHealsAfterACorruptOne) {
  Publish("SPF");
  Reloader reloader(folder_.path(), {Task::kBnac}, &engine_);
  reloader.LookNow(false);
  Corrupt(Publish("DKIM"));
  reloader.LookNow(false);
  const int better = Publish("TLS");
  reloader.LookNow(false);
  EXPECT_EQ(Serving(), better);
  EXPECT_EQ(reloader.Statuses()[0].problem, "");
}

TEST_F(ReloaderTest, GoingBackToWhatServesEndsTheTrouble) {
  const int good = Publish("SPF");
  Reloader reloader(folder_.path(), {Task::kBnac}, &engine_);
  reloader.LookNow(false);
  const int bad = Publish("DKIM");
  Corrupt(bad);
  reloader.LookNow(false);
  store_.Promote(Task::kBnac, good);
  reloader.LookNow(false);
  const TaskStatus status = reloader.Statuses()[0];
  EXPECT_EQ(status.problem, "");
  EXPECT_EQ(status.last_version, bad) << "what happened last is still told";
}

TEST_F(ReloaderTest, ABundleOfAnotherTaskIsRefused) {
  const int good = Publish("SPF");
  Reloader reloader(folder_.path(), {Task::kBnac}, &engine_);
  reloader.LookNow(false);
  Publish("GRAYLISTING", Task::kBackoff);
  std::filesystem::rename(store_.BundleFolder(Task::kBackoff, 1),
                          store_.BundleFolder(Task::kBnac, 2));
  store_.Promote(Task::kBnac, 2);
  reloader.LookNow(false);
  EXPECT_EQ(Serving(), good);
  EXPECT_NE(reloader.Statuses()[0].problem.find("backoff"), std::string::npos);
}

TEST_F(ReloaderTest, AGarbledCurrentIsToldAndHealsWhenItIsWrittenAgain) {
  Publish("SPF");
  WriteFileDurably(folder_.path() / "bnac/CURRENT", "latest\n");
  Reloader reloader(folder_.path(), {Task::kBnac}, &engine_);
  reloader.LookNow(false);
  EXPECT_EQ(Serving(), 0);
  EXPECT_NE(reloader.Statuses()[0].problem.find("CURRENT"), std::string::npos);
  store_.Promote(Task::kBnac, 1);
  reloader.LookNow(false);
  EXPECT_EQ(Serving(), 1);
}

TEST_F(ReloaderTest, TheThreadSeesAPromotion) {
  Publish("SPF");
  Reloader reloader(folder_.path(), {Task::kBnac}, &engine_);
  reloader.Start();
  EXPECT_TRUE(Eventually([&] { return Serving() == 1; }));
  Publish("DKIM");
  EXPECT_TRUE(Eventually([&] { return Serving() == 2; }));
  store_.Promote(Task::kBnac, 1);
  EXPECT_TRUE(Eventually([&] { return Serving() == 1; }));
}

TEST_F(ReloaderTest, TheThreadSeesAFolderThatAppearsLater) {
  Reloader reloader(folder_.path() / "later", {Task::kBnac}, &engine_);
  reloader.Start();
  BundleStore later(folder_.path() / "later");
  test::TestBundle bundle;
  test::PublishTestBundle(&later, bundle);
  EXPECT_TRUE(Eventually([&] { return Serving() == 1; }));
}

TEST_F(ReloaderTest, AWakeTriesAFailedBundleAgainAtOnce) {
  const int version = Publish("SPF");
  const auto weights = store_.BundleFolder(Task::kBnac, version) / "weights.safetensors";
  const std::string good = ReadFile(weights);
  Corrupt(version);
  Reloader reloader(folder_.path(), {Task::kBnac}, &engine_);
  reloader.LookNow(false);
  for (int i = 0; i < 6; ++i) reloader.LookNow(true);  // the pause is a minute by now
  reloader.Start();
  WriteFileDurably(weights, good);
  reloader.Wake();
  EXPECT_TRUE(Eventually([&] { return Serving() == version; }));
}

}  // namespace
}  // namespace rebound
