// The real binary keeps its cache through restarts, and through being killed.
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/stat.h>

#include <functional>

#include "base/file.h"
#include "base/json.h"
#include "tests/functional/serve/server_process.h"
#include "tests/support/bundles.h"
#include "tests/unit/serve/http_client.h"

namespace rebound {
namespace {

namespace fs = std::filesystem;

class CacheRestartTest : public testing::Test {
 protected:
  void SetUp() override { Publish(""); }
  void Publish(std::string always) {
    test::TestBundle bundle;
    bundle.always = std::move(always);
    test::PublishTestBundle(&store_, bundle);
  }
  void Start(std::vector<std::string> more = {}) {
    server_.reset();
    std::vector<std::string> arguments = {
        "--listen",      "127.0.0.1:0",    "--models", models_.path(), "--tasks",
        "bnac",          "--threads",      "2",        "--log-level",  "error",
        "--cache-stats", "--cache-folder", cache_};
    arguments.insert(arguments.end(), more.begin(), more.end());
    server_.emplace(arguments);
    ASSERT_NE(server_->port(), 0);
  }
  int Stop() {
    server_->Signal(SIGTERM);
    return server_->Wait();
  }
  std::string Post(const std::string& body) {
    return HttpClient(server_->port()).Ask(PostRequest("/v1/bnac", body)).body;
  }
  std::string Batch(int from, int count) {
    std::string batch = R"({"messages":[)";
    for (int i = from; i < from + count; ++i) {
      batch += (i == from ? "\"" : ",\"");
      batch += "virus in the text of " + Word(i) + "\"";
    }
    return batch + "]}";
  }
  // Letters: numbers are one and the same to the normaliser.
  static std::string Word(int i) {
    std::string word;
    for (int n = i + 1; n > 0; n /= 26) word.push_back(static_cast<char>('a' + n % 26));
    return word + "zz";
  }
  int64_t Stat(const char* key) {
    const Reply reply = HttpClient(server_->port()).Ask(GetRequest("/v1/cache/stats"));
    return GetJsonInt(ParseJson(reply.body), key);
  }
  bool Eventually(const std::function<bool()>& holds) {
    for (int i = 0; i < 2000; ++i) {
      if (holds()) return true;
      poll(nullptr, 0, 5);
    }
    return false;
  }

  TempFolder models_;
  BundleStore store_{models_.path()};
  TempFolder folder_;
  const std::string cache_ = folder_.path() / "cache";
  std::optional<ServerProcess> server_;
};

TEST_F(CacheRestartTest, AnswersFromTheCacheOfTheServerBefore) {
  Start();
  const std::string answer = Post(Batch(0, 100));
  EXPECT_EQ(Stat("number_of_elements"), 100);
  EXPECT_EQ(Stop(), 0);
  struct stat info {};
  ASSERT_EQ(stat((cache_ + "/cache.snapshot").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  EXPECT_EQ(ReadFile(cache_ + "/cache.snapshot").find("virus"), std::string::npos);
  Start();
  EXPECT_TRUE(Eventually([&] { return Stat("number_of_elements") == 100; }));
  EXPECT_EQ(Post(Batch(0, 100)), answer);
  EXPECT_EQ(Stat("hit_requests"), 100);
  EXPECT_EQ(Stat("miss_requests"), 0);
}

TEST_F(CacheRestartTest, ANewModelIsNotAnsweredForByTheOldOnesCache) {
  Start();
  EXPECT_EQ(Post(R"({"message":"virus"})"), R"([{"class":"VIRUS"}])");
  EXPECT_EQ(Stop(), 0);
  Publish("SPF");
  Start();
  EXPECT_TRUE(Eventually([&] { return Stat("number_of_elements") == 1; }));
  EXPECT_EQ(Post(R"({"message":"virus"})"), R"([{"class":"SPF"}])");
  EXPECT_EQ(Stop(), 0);
  Start();
  EXPECT_TRUE(Eventually([&] { return Stat("number_of_elements") > 0; }));
  EXPECT_EQ(Stat("number_of_elements"), 1) << "the old model's entry was left out";
  EXPECT_EQ(Post(R"({"message":"virus"})"), R"([{"class":"SPF"}])");
  EXPECT_EQ(Stat("hit_requests"), 1);
}

TEST_F(CacheRestartTest, KilledWhileItWritesItLosesNothingThatWasWritten) {
  const auto written_at = [&] {
    std::error_code none_yet;
    return fs::last_write_time(cache_ + "/cache.snapshot", none_yet);
  };
  int64_t saved = 0;
  int asked = 0;
  for (int round = 0; round < 8; ++round) {
    Start({"--cache-save-every", "0.001"});
    EXPECT_TRUE(Eventually([&] { return Stat("number_of_elements") >= saved; }))
        << "round " << round << ": " << Stat("number_of_elements") << " of " << saved;
    const fs::file_time_type before = written_at();
    for (int i = 0; i <= round; ++i, asked += 300) Post(Batch(asked, 300));
    ASSERT_TRUE(Eventually([&] { return written_at() != before; })) << "it writes at all";
    Post(Batch(asked, 300));
    asked += 300;
    server_->Signal(SIGKILL);
    server_->Wait();
    for (const auto& file : fs::directory_iterator(cache_)) {
      const std::string name = file.path().filename();
      EXPECT_TRUE(name == "cache.snapshot" || name == "cache.snapshot.tmp" || name == "cache.lock")
          << name;
    }
    constexpr int64_t kFrame = 200;  // header and heads of blocks, at most
    saved = (static_cast<int64_t>(fs::file_size(cache_ + "/cache.snapshot")) - kFrame) / 24;
  }
  EXPECT_GT(saved, 1000);
}

TEST_F(CacheRestartTest, TwoServersOnOneFolderServeAndKeepItWhole) {
  Start();
  Post(Batch(0, 50));
  ServerProcess second({"--listen", "127.0.0.1:0", "--models", models_.path(), "--tasks", "bnac",
                        "--log-level", "error", "--cache-folder", cache_, "--cache-save-every",
                        "0.001"});
  ASSERT_NE(second.port(), 0);
  EXPECT_EQ(HttpClient(second.port()).Ask(PostRequest("/v1/bnac", Batch(50, 70))).status, 200);
  second.Signal(SIGTERM);
  EXPECT_EQ(second.Wait(), 0);
  EXPECT_EQ(Stop(), 0);
  Start();
  EXPECT_TRUE(Eventually([&] { return Stat("number_of_elements") > 0; }));
}

TEST_F(CacheRestartTest, ADamagedOrForeignFileIsIgnored) {
  fs::create_directory(cache_);
  for (const std::string& bytes :
       {std::string(), std::string("RBCACHE\n"), std::string(5000, 'x')}) {
    WriteFileDurably(cache_ + "/cache.snapshot", bytes);
    Start();
    EXPECT_EQ(Post(R"({"message":"virus"})"), R"([{"class":"VIRUS"}])");
    EXPECT_EQ(Stat("number_of_elements"), 1);
    EXPECT_EQ(Stop(), 0);
  }
  Start();
  EXPECT_TRUE(Eventually([&] { return Stat("number_of_elements") == 1; }))
      << "replaced by a good one";
}

TEST_F(CacheRestartTest, AFolderThatCannotBeWrittenEndsNothing) {
  WriteFileDurably(folder_.path() / "cache", "a file stands where the folder should");
  Start({"--cache-save-every", "0.001"});
  EXPECT_EQ(Post(R"({"message":"virus"})"), R"([{"class":"VIRUS"}])");
  EXPECT_EQ(Stop(), 0);
}

}  // namespace
}  // namespace rebound
