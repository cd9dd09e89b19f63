// The training run that the API starts, with a program in the place of rebound-train.
#include "serve/trainer.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>

#include <cstdlib>
#include <fstream>
#include <functional>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "tests/api/serve/served.h"

namespace rebound {
namespace {

namespace fs = std::filesystem;

class TrainerTest : public testing::Test {
 protected:
  // A program that does `script`; $WORK is a folder of its own.
  TrainerOptions Options(const std::string& script) {
    const fs::path program = folder_.path() / "train";
    WriteFileDurably(program, "#!/bin/sh\n" + script + "\n");
    fs::permissions(program, fs::perms::owner_all);
    return {
        program, folder_.path() / "run", {"--models", "m"}, {"WORK=" + folder_.path().string()}};
  }
  // A program that waits until `Release` and then does `script`.
  TrainerOptions Waiting(const std::string& script) {
    EXPECT_EQ(std::system(("mkfifo " + (folder_.path() / "gate").string()).c_str()), 0);
    return Options(
        "echo '{\"event\":\"epoch\",\"epoch\":1}'; echo $$ >\"$WORK/pid\"; "
        "read word <\"$WORK/gate\"; " +
        script);
  }
  void Release() { std::ofstream(folder_.path() / "gate") << "go\n"; }

  static TrainerStatus Ended(const Trainer& trainer) {
    TrainerStatus status;
    EXPECT_TRUE(Eventually([&] { return !(status = trainer.Status()).running; }));
    return status;
  }
  static bool Eventually(const std::function<bool()>& holds) {
    for (int i = 0; i < 4000; ++i) {
      if (holds()) return true;
      poll(nullptr, 0, 5);
    }
    return false;
  }

  TempFolder folder_;
};

TEST_F(TrainerTest, BeforeTheFirstRunThereIsNothingToTell) {
  const TrainerStatus status = Trainer(Options("exit 0")).Status();
  EXPECT_FALSE(status.running);
  EXPECT_EQ(status.started_at, "");
  EXPECT_EQ(status.outcome, "");
}

TEST_F(TrainerTest, ARunTellsItsEventsAndHowItEnded) {
  Trainer trainer(Options("echo \"$@\"; echo '{\"event\":\"verdict\"}'; echo oops >&2; exit 3"));
  ASSERT_TRUE(trainer.Start({"--task", "bnac"}));
  const TrainerStatus status = Ended(trainer);
  EXPECT_EQ(status.exit_code, 3);
  EXPECT_EQ(status.outcome, "not_promoted");
  EXPECT_EQ(status.last_event, "{\"event\":\"verdict\"}");
  EXPECT_EQ(status.log_tail, "--models m --task bnac --json-log\n{\"event\":\"verdict\"}\noops\n");
  EXPECT_EQ(status.started_at.size(), 20u);
  EXPECT_EQ(status.ended_at.size(), 20u) << status.ended_at;
}

TEST_F(TrainerTest, OneAtATimeAlsoForAServerThatWasStartedAnew) {
  const TrainerOptions options = Waiting("exit 0");
  {
    Trainer first(options);
    ASSERT_TRUE(first.Start({}));
    EXPECT_FALSE(first.Start({}));
  }
  Trainer second(options);
  EXPECT_TRUE(second.Status().running);
  EXPECT_FALSE(second.Start({})) << "the run outlived its server";
  EXPECT_TRUE(Eventually(
      [&] { return second.Status().last_event == "{\"event\":\"epoch\",\"epoch\":1}"; }));
  Release();
  EXPECT_EQ(Ended(second).outcome, "promoted");
  EXPECT_TRUE(second.Start({})) << "and now another may begin";
  Release();
  Ended(second);
}

TEST_F(TrainerTest, ARunThatWasKilledIsNotRunning) {
  Trainer trainer(Waiting("exit 0"));
  ASSERT_TRUE(trainer.Start({}));
  std::string pid;
  ASSERT_TRUE(Eventually([&] {
    std::ifstream(folder_.path() / "pid") >> pid;
    return !pid.empty();
  }));
  // The launcher too, as when the machine is short of memory.
  ASSERT_EQ(std::system(("kill -9 $(ps -o ppid= -p " + pid + ") " + pid).c_str()), 0);
  const TrainerStatus status = Ended(trainer);
  EXPECT_EQ(status.outcome, "killed");
  EXPECT_FALSE(status.exit_code);
  EXPECT_EQ(status.ended_at, "");
}

TEST_F(TrainerTest, OnlyTheEndOfALongLogIsTold) {
  Trainer trainer(Options("i=0; while [ $i -lt 4000 ]; do echo \"line $i\"; i=$((i+1)); done"));
  ASSERT_TRUE(trainer.Start({}));
  const TrainerStatus status = Ended(trainer);
  EXPECT_LE(status.log_tail.size(), Trainer::kLogTail);
  EXPECT_EQ(status.log_tail.substr(0, 5), "line ");
  EXPECT_EQ(status.log_tail.substr(status.log_tail.size() - 10), "line 3999\n");
}

TEST_F(TrainerTest, AProgramThatIsNotThereIsToldByName) {
  TrainerOptions options = Options("exit 0");
  options.program = "/nonexistent/rebound-train";
  Trainer trainer(options);
  try {
    trainer.Start({});
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kUnavailable);
    EXPECT_STREQ(e.what(), "cannot run /nonexistent/rebound-train: No such file or directory");
  }
}

TEST_F(TrainerTest, OverHttpASecondRunIsAConflict) {
  test::Served::Options options;
  options.models = folder_.path() / "models";
  options.api.trainer = Waiting("exit 0");
  test::Served served(options);
  const auto ask = [&](const std::string& method, const std::string& path,
                       const std::string& body) {
    Request request;
    request.method = method;
    request.target = path;
    request.headers = {{"host", "localhost"}};
    request.body = body;
    return served.Ask(std::move(request));
  };
  EXPECT_EQ(ask("POST", "/admin/api/retrain", R"({"task":"nonsense"})").status, 422);
  const Response started = ask("POST", "/admin/api/retrain", R"({"task":"bnac","seed":7})");
  EXPECT_EQ(started.status, 200) << started.body;
  EXPECT_EQ(started.body, R"({"ok":true,"message":"Retrain started"})");
  const Response again = ask("POST", "/admin/api/retrain", "");
  EXPECT_EQ(again.status, 409);
  EXPECT_EQ(GetJsonString(ParseJson(again.body), "error"), "Retrain already in progress");
  EXPECT_TRUE(Eventually([&] {
    const JsonDocument status = ParseJson(ask("GET", "/admin/api/retrain/status", "").body);
    return GetJsonBool(status, "running") && !GetJson(status, "progress").IsNull();
  }));
  Release();
  EXPECT_TRUE(Eventually([&] {
    const JsonDocument status = ParseJson(ask("GET", "/admin/api/retrain/status", "").body);
    return !GetJsonBool(status, "running") &&
           GetJsonString(GetJson(status, "lastRun"), "outcome") == "promoted";
  }));
}

}  // namespace
}  // namespace rebound
