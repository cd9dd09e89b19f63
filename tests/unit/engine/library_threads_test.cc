// One client, many threads: what changes never disturbs who asks.
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "base/file.h"
#include "engine/library/rebound.h"
#include "tests/support/bundles.h"

namespace rebound {
namespace {

void Publish(const std::filesystem::path& models, uint64_t variant) {
  BundleStore store(models);
  for (const Task task : kTasks) {
    test::TestBundle bundle;
    bundle.task = task;
    bundle.variant = variant;
    test::PublishTestBundle(&store, bundle);
  }
}

TEST(LibraryThreadsTest, ClassifyingGoesOnWhileModelsAndRulesChange) {
  constexpr int kRounds = 20;
  const TempFolder folder;
  const std::string one = (folder.path() / "one").string();
  const std::string two = (folder.path() / "two").string();
  Publish(one, 0);
  Publish(two, 1);
  const std::string overrides = (folder.path() / "user.ovr").string();
  WriteFileDurably(overrides, ",22,plugh\n");
  rebound_client* client = nullptr;
  ASSERT_EQ(rebound_open(one.c_str(), &client), REBOUND_OK) << rebound_last_error();

  std::atomic<bool> done{false};
  std::atomic<int> wrong{0};
  const auto ask = [&] {
    while (!done) {
      rebound_answer* answer = nullptr;
      if (rebound_classify(client, "550 xyzzy unknown plugh", REBOUND_TO_NUL, "one.example",
                           REBOUND_SMTP, &answer) != REBOUND_OK) {
        ++wrong;
        continue;
      }
      const std::string label = rebound_answer_label(answer);
      if (label != "user_unknown" && label != "spam_blocked" && label != "mailbox_full") ++wrong;
      if (rebound_answer_json(answer) == nullptr) ++wrong;
      rebound_answer_free(answer);
    }
  };
  const auto check = [&](rebound_status status) {
    if (status != REBOUND_OK) ++wrong;
  };
  std::vector<std::thread> askers;
  for (int i = 0; i < 3; ++i) askers.emplace_back(ask);
  std::thread reloader([&] {
    for (int i = 0; i < kRounds; ++i) {
      check(rebound_reload(client, (i % 2 == 0 ? two : one).c_str()));
    }
  });
  std::thread ruler([&] {
    for (int i = 0; i < kRounds; ++i) {
      check(rebound_register_text_rule(client, "xyzzy", "spam_blocked"));
      check(rebound_set_overrides(client, i % 2 == 0 ? overrides.c_str() : nullptr));
      check(rebound_reload_rules(client));
      check(rebound_clear_text_rules(client));
      char* json = nullptr;
      check(rebound_rules_json(client, &json));
      rebound_free(json);
    }
  });
  reloader.join();
  ruler.join();
  done = true;
  for (std::thread& thread : askers) thread.join();
  EXPECT_EQ(wrong, 0);
  rebound_close(client);
}

TEST(LibraryThreadsTest, AnAnswerMayBeReadByManyAndClosingDisturbsNoCall) {
  const TempFolder folder;
  Publish(folder.path(), 0);
  rebound_client* client = nullptr;
  ASSERT_EQ(rebound_open(folder.path().c_str(), &client), REBOUND_OK);
  rebound_answer* answer = nullptr;
  ASSERT_EQ(rebound_classify(client, "550 unknown", REBOUND_TO_NUL, nullptr, 0, &answer),
            REBOUND_OK);
  std::atomic<bool> closed{false};
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      EXPECT_NE(rebound_answer_json(answer), nullptr);
      EXPECT_NE(rebound_answer_postalsys_json(answer), nullptr);
      while (true) {
        const bool was_closed = closed;
        rebound_answer* own = nullptr;
        const rebound_status status =
            rebound_classify(client, "550 unknown", REBOUND_TO_NUL, nullptr, 0, &own);
        rebound_answer_free(own);
        if (status == REBOUND_OK) {
          EXPECT_FALSE(was_closed);
          continue;
        }
        EXPECT_EQ(status, REBOUND_INVALID_ARGUMENT);
        EXPECT_STREQ(rebound_last_error(), "the client is not open: it was closed, or is none");
        return;
      }
    });
  }
  rebound_close(client);
  closed = true;
  for (std::thread& thread : threads) thread.join();
  rebound_answer_free(answer);
}

}  // namespace
}  // namespace rebound
