// kill -9 of rebound-labels in the middle: the next run finishes the work and nothing is double.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/file.h"
#include "base/json.h"
#include "errors.h"
#include "labelstore/label_store.h"
#include "tests/support/postgres.h"

extern char** environ;

namespace rebound {
namespace {

pid_t Spawn(std::vector<std::string> words) {
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t pid = 0;
  const int error = posix_spawn(&pid, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw Error(ErrorCode::kInternal, "cannot start " + words[0]);
  return pid;
}

int64_t Messages(LabelStore* store) {
  return GetJsonInt(ParseJson(store->StatsJson()), "messages");
}

// Runs `words`, kills it once it has stored something, runs it again to its end.
// Returns how many messages stood there after the kill.
int64_t KillAndRepeat(const std::vector<std::string>& words, LabelStore* store) {
  const pid_t pid = Spawn(words);
  while (Messages(store) == 0 && ::waitpid(pid, nullptr, WNOHANG) == 0) std::this_thread::yield();
  ::kill(pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
  const int64_t after_kill = Messages(store);
  const pid_t again = Spawn(words);
  int status = 0;
  EXPECT_EQ(::waitpid(again, &status, 0), again);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  return after_kill;
}

std::string DigestOf(const std::vector<std::string>& words) {
  const std::string uri = test::SharedCluster().NewStore();
  std::vector<std::string> all = words;
  all.insert(all.end(), {"--store", uri});
  const pid_t pid = Spawn(all);
  ::waitpid(pid, nullptr, 0);
  return OpenLabelStore(uri)->MakeSnapshot().digest;
}

TEST(Killed, ASeedIsFinishedByTheNextOne) {
  const std::string uri = test::SharedCluster().NewStore();
  const auto store = OpenLabelStore(uri);
  // A few templates often: what is killed is the storing, not the reading of the whole corpus.
  TempFolder folder;
  std::filesystem::copy_file(test::SourcePath("labelstore/seed/templates/mta_postfix.tsv"),
                             folder.path() / "some.tsv");
  const std::vector<std::string> words = {test::BinaryPath("rebound-labels"),
                                          "seed",
                                          "--expand",
                                          "12000",
                                          "--templates",
                                          folder.path().string()};
  std::vector<std::string> all = words;
  all.insert(all.end(), {"--store", uri});
  const int64_t after_kill = KillAndRepeat(all, store.get());
  EXPECT_GT(after_kill, 0);
  EXPECT_LT(after_kill, Messages(store.get()));
  EXPECT_EQ(store->MakeSnapshot().digest, DigestOf(words));
}

TEST(Killed, AnImportIsFinishedByTheNextOne) {
  TempFolder folder;
  const auto file = folder.path() / "bounces.csv";
  {
    std::ofstream out(file);
    out << "message,bnac\n";
    for (int i = 0; i < 20000; ++i) {
      std::string word;
      for (int rest = i, k = 0; k < 4; ++k, rest /= 26) word += static_cast<char>('a' + rest % 26);
      out << "550 no q" << word << "q,BLOCKED\n";
    }
  }
  const std::string uri = test::SharedCluster().NewStore();
  const auto store = OpenLabelStore(uri);
  const int64_t after_kill = KillAndRepeat(
      {test::BinaryPath("rebound-labels"), "import", file.string(), "--store", uri}, store.get());
  EXPECT_GT(after_kill, 0);
  EXPECT_EQ(Messages(store.get()), 20000);
  EXPECT_EQ(GetJsonInt(ParseJson(store->StatsJson()), "votes"), 20000);
}

}  // namespace
}  // namespace rebound
