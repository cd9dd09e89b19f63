#include "train/child_process.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "base/error.h"
#include "base/file.h"

namespace rebound {
namespace {

std::vector<std::string> Shell(const std::string& script) { return {"/bin/sh", "-c", script}; }

TEST(ChildProcessTest, StatusesComeInTheOrderOfTheCommands) {
  EXPECT_EQ(RunCommands({Shell("exit 3"), Shell("exit 0"), Shell("exit 7")}, {}, 2, nullptr),
            (std::vector<int>{3, 0, 7}));
}

TEST(ChildProcessTest, AChildSeesTheGivenVariablesAlone) {
  EXPECT_EQ(RunCommands({Shell("test \"$COLOUR\" = red && test -z \"$HOME\"")}, {"COLOUR=red"}, 1,
                        nullptr),
            std::vector<int>{0});
}

TEST(ChildProcessTest, ASignalIsTold) {
  EXPECT_EQ(RunCommands({Shell("kill -9 $$")}, {}, 1, nullptr), std::vector<int>{137});
}

TEST(ChildProcessTest, StopEndsRunningChildrenAndStartsNoMore) {
  int asked = 0;
  const auto statuses =
      RunCommands({Shell("exec sleep 1000"), Shell("exit 0")}, {}, 1, [&] { return ++asked > 1; });
  EXPECT_EQ(statuses, (std::vector<int>{143, 130}));
}

TEST(ChildProcessTest, AProgramThatIsNotThereIsNamed) {
  try {
    RunCommands({{"/nowhere/rebound-tokenizer"}}, {}, 1, nullptr);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kNotFound);
    EXPECT_STREQ(e.what(), "cannot start /nowhere/rebound-tokenizer: No such file or directory");
  }
}

TEST(ChildProcessTest, WhatItPrintsCanGoIntoAFile) {
  const TempFolder folder;
  const auto output = folder.path() / "printed";
  EXPECT_EQ(RunCommandInto(output, Shell("echo first; exit 4"), nullptr), 4);
  EXPECT_EQ(ReadFile(output), "first\n");
  EXPECT_EQ(RunCommandInto(output, Shell("echo x"), nullptr), 0);
  EXPECT_EQ(ReadFile(output), "x\n") << "a new file each time";
  EXPECT_EQ(RunCommandInto(output, Shell("exec sleep 1000"), [] { return true; }), 143);
}

TEST(FindProgramTest, LooksWhereTheShellDoes) {
  const TempFolder folder;
  const std::string path = std::getenv("PATH");
  WriteFileDurably(folder.path() / "plain", "");
  WriteFileDurably(folder.path() / "program", "");
  std::filesystem::permissions(folder.path() / "program", std::filesystem::perms::owner_all);
  setenv("PATH", ("/nowhere::" + folder.path().string()).c_str(), 1);
  EXPECT_EQ(FindProgram("program"), folder.path() / "program");
  EXPECT_EQ(FindProgram("plain"), "") << "cannot be executed";
  EXPECT_EQ(FindProgram("sh"), "");
  unsetenv("PATH");
  EXPECT_EQ(FindProgram("sh"), "");
  setenv("PATH", path.c_str(), 1);
}

TEST(ChildProcessTest, AnObjectThatGoesEndsItsChild) {
  // Returns at once, not after the thousand seconds.
  ChildProcess child(Shell("exec sleep 1000"), {});
}

}  // namespace
}  // namespace rebound
