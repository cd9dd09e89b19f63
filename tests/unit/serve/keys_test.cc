#include "serve/keys.h"

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "base/error.h"
#include "base/file.h"
#include "serve/peer.h"

namespace rebound {
namespace {

using Verdict = Access::Verdict;
using namespace std::chrono_literals;

const std::chrono::sys_days kDay = std::chrono::year(2027) / 3 / 31;

Request Asking(HeaderList headers, std::string peer = "192.0.2.1") {
  Request request;
  request.method = "POST";
  request.target = "/";
  request.headers = std::move(headers);
  request.peer = std::move(peer);
  return request;
}

class KeysTest : public testing::Test {
 protected:
  void Write(const std::string& text) { WriteFileDurably(file_, text); }
  Keys& Make(const std::string& text) {
    Write(text);
    KeysOptions options;
    options.file = file_;
    return keys_.emplace(options);
  }
  Access Check(HeaderList headers, Scope scope = Scope::kClassify) {
    return keys_->Check(Asking(std::move(headers)), scope, kDay);
  }
  Verdict VerdictOf(const std::string& key, Scope scope = Scope::kClassify) {
    return Check({{"x-api-key", key}}, scope).verdict;
  }

  TempFolder folder_;
  const std::filesystem::path file_ = folder_.path() / "keys";
  std::optional<Keys> keys_;
};

TEST_F(KeysTest, AKeyIsGoodForItsScopesAlone) {
  Make("reader classify " + KeyField("r") + "\nops admin " + KeyField("o"));
  EXPECT_EQ(VerdictOf("r"), Verdict::kGranted);
  EXPECT_EQ(VerdictOf("r", Scope::kContribute), Verdict::kWrongScope);
  EXPECT_EQ(VerdictOf("r", Scope::kAdmin), Verdict::kWrongScope);
  EXPECT_EQ(VerdictOf("o", Scope::kAdmin), Verdict::kGranted);
  EXPECT_EQ(VerdictOf("o"), Verdict::kWrongScope) << "admin is a scope, not all of them";
  EXPECT_EQ(VerdictOf("x"), Verdict::kNoKey);
  EXPECT_EQ(VerdictOf(""), Verdict::kNoKey);
  EXPECT_EQ(Check({}).verdict, Verdict::kNoKey);
}

TEST_F(KeysTest, TellsWhoAsksWhateverTheVerdict) {
  Make("reader classify " + KeyField("r") + " rate=5/s not_after=2027-03-30\nops admin " +
       KeyField("o"));
  EXPECT_EQ(Check({{"x-api-key", "o"}}).caller.name, "ops");
  const Access expired = Check({{"x-api-key", "r"}});
  EXPECT_EQ(expired.verdict, Verdict::kExpired);
  EXPECT_EQ(expired.caller.name, "reader");
  EXPECT_EQ(expired.caller.rate, (Rate{5, 5}));
  EXPECT_FALSE(Check({{"x-api-key", "x"}}).caller.known());
}

TEST_F(KeysTest, EveryOneOfManyKeysIsFound) {
  std::string text;
  for (int i = 0; i < 100; ++i) {
    text += "k" + std::to_string(i) + " classify " + KeyField(std::to_string(i)) + "\n";
  }
  Make(text);
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(Check({{"x-api-key", std::to_string(i)}}).caller.name, "k" + std::to_string(i));
  }
}

TEST_F(KeysTest, ABearerTokenIsAKeyToo) {
  Make("a classify " + KeyField("k"));
  for (const char* good : {"Bearer k", "bearer k", "BEARER   k "}) {
    EXPECT_EQ(Check({{"authorization", good}}).verdict, Verdict::kGranted) << good;
  }
  for (const char* bad : {"k", "Basic k", "Bearer", "Bearer ", "Bearerk", "Bearer kk", ""}) {
    EXPECT_EQ(Check({{"authorization", bad}}).verdict, Verdict::kNoKey) << bad;
  }
}

TEST_F(KeysTest, TheValidOneOfTwoCountsAndXApiKeyFirst) {
  Make("a classify " + KeyField("a") + "\nb classify " + KeyField("b"));
  EXPECT_EQ(Check({{"x-api-key", "no"}, {"authorization", "Bearer b"}}).caller.name, "b");
  EXPECT_EQ(Check({{"authorization", "Bearer b"}, {"x-api-key", "a"}}).caller.name, "a");
}

TEST_F(KeysTest, AnExpiryCountsToTheSecond) {
  Make("a classify " + KeyField("k") + " not_after=2027-03-31");
  const Request request = Asking({{"x-api-key", "k"}});
  EXPECT_EQ(keys_->Check(request, Scope::kClassify, kDay + 24h - 1s).verdict, Verdict::kGranted);
  EXPECT_EQ(keys_->Check(request, Scope::kClassify, kDay + 24h).verdict, Verdict::kExpired);
}

TEST_F(KeysTest, KeysThatAllHaveExpiredOpenNothing) {
  Make("a classify " + KeyField("k") + " not_after=2020-01-01");
  EXPECT_EQ(Check({}).verdict, Verdict::kNoKey);
  EXPECT_EQ(keys_->Check(Asking({}, "127.0.0.1"), Scope::kAdmin, kDay).verdict, Verdict::kNoKey);
}

TEST_F(KeysTest, ACertificateStandsForAKey) {
  Make("ops admin \"cert:CN=ops,O=Example Ltd\"\na classify " + KeyField("k"));
  Request request = Asking({});
  request.client_subject = "CN=ops,O=Example Ltd";
  EXPECT_EQ(keys_->Check(request, Scope::kAdmin, kDay).verdict, Verdict::kGranted);
  EXPECT_EQ(keys_->Check(request, Scope::kAdmin, kDay).caller.name, "ops");
  EXPECT_EQ(keys_->Check(request, Scope::kClassify, kDay).verdict, Verdict::kWrongScope);
  request.headers = {{"x-api-key", "k"}};
  EXPECT_EQ(keys_->Check(request, Scope::kClassify, kDay).caller.name, "a") << "a key goes first";
  request.headers = {};
  request.client_subject = "CN=ops";
  EXPECT_EQ(keys_->Check(request, Scope::kAdmin, kDay).verdict, Verdict::kNoKey);
}

TEST_F(KeysTest, TheKeyOfTheEnvironmentClassifiesAndContributes) {
  KeysOptions options;
  options.api_key = DigestOfKey("env");
  keys_.emplace(options);
  EXPECT_EQ(VerdictOf("env"), Verdict::kGranted);
  EXPECT_EQ(VerdictOf("env", Scope::kContribute), Verdict::kGranted);
  EXPECT_EQ(VerdictOf("env", Scope::kAdmin), Verdict::kWrongScope);
  EXPECT_EQ(Check({{"x-api-key", "env"}}).caller.name, "API_KEY");
  EXPECT_EQ(Check({}).verdict, Verdict::kNoKey);
}

TEST_F(KeysTest, TheFileGoesBeforeTheEnvironment) {
  Write("a classify " + KeyField("k"));
  KeysOptions options;
  options.file = file_;
  options.api_key = DigestOfKey("k");
  keys_.emplace(options);
  EXPECT_EQ(Check({{"x-api-key", "k"}}).caller.name, "a");
  EXPECT_EQ(VerdictOf("k", Scope::kContribute), Verdict::kWrongScope);
}

TEST(KeysWithoutAKey, OpenEverythingButAdmin) {
  const Keys keys{KeysOptions()};
  for (const Scope scope : {Scope::kOpen, Scope::kMetrics, Scope::kClassify, Scope::kContribute}) {
    EXPECT_EQ(keys.Check(Asking({}), scope, kDay).verdict, Verdict::kGranted);
  }
  EXPECT_EQ(keys.Check(Asking({}), Scope::kAdmin, kDay).verdict, Verdict::kNoKey);
  EXPECT_EQ(keys.Check(Asking({}, ""), Scope::kAdmin, kDay).verdict, Verdict::kNoKey);
  EXPECT_EQ(keys.Check(Asking({}, "127.0.0.1"), Scope::kAdmin, kDay).verdict, Verdict::kGranted);
}

TEST_F(KeysTest, TheMetricsAskForTheirKeyOrAnAdministrators) {
  Write("a classify " + KeyField("k") + "\nops admin " + KeyField("o"));
  KeysOptions options;
  options.file = file_;
  options.metrics_key = DigestOfKey("m");
  keys_.emplace(options);
  EXPECT_EQ(VerdictOf("m", Scope::kMetrics), Verdict::kGranted);
  EXPECT_EQ(Check({{"authorization", "Bearer m"}}, Scope::kMetrics).verdict, Verdict::kGranted);
  EXPECT_EQ(VerdictOf("o", Scope::kMetrics), Verdict::kGranted);
  EXPECT_EQ(VerdictOf("k", Scope::kMetrics), Verdict::kWrongScope);
  EXPECT_EQ(Check({}, Scope::kMetrics).verdict, Verdict::kNoKey);
  EXPECT_EQ(VerdictOf("m"), Verdict::kNoKey) << "it is good for nothing else";
}

TEST(KeysWithoutAKey, AskForTheMetricsKeyEvenOnThisMachine) {
  KeysOptions options;
  options.metrics_key = DigestOfKey("m");
  const Keys keys(options);
  EXPECT_EQ(keys.Check(Asking({}, "127.0.0.1"), Scope::kMetrics, kDay).verdict, Verdict::kNoKey);
  EXPECT_EQ(keys.Check(Asking({}), Scope::kClassify, kDay).verdict, Verdict::kGranted);
}

TEST_F(KeysTest, AReloadChangesTheKeysAndABadFileChangesNothing) {
  Make("a classify " + KeyField("old"));
  Write("a classify " + KeyField("old") + "\na classify " + KeyField("new"));
  EXPECT_TRUE(keys_->Reload());
  EXPECT_EQ(VerdictOf("old"), Verdict::kGranted);
  EXPECT_EQ(VerdictOf("new"), Verdict::kGranted);
  Write("a classify " + KeyField("new"));
  EXPECT_TRUE(keys_->Reload());
  EXPECT_EQ(VerdictOf("old"), Verdict::kNoKey);
  for (const char* bad : {"", "a classify nonsense"}) {
    Write(bad);
    EXPECT_FALSE(keys_->Reload());
    EXPECT_EQ(VerdictOf("new"), Verdict::kGranted);
  }
  std::filesystem::remove(file_);
  EXPECT_FALSE(keys_->Reload());
  EXPECT_EQ(VerdictOf("new"), Verdict::kGranted);
}

TEST_F(KeysTest, ALookReadsAChangedFileOnceItStandsStill) {
  Make("a classify " + KeyField("old"));
  keys_->Look();
  Write("a classify " + KeyField("new"));
  keys_->Look();
  EXPECT_EQ(VerdictOf("old"), Verdict::kGranted) << "somebody may still be writing";
  keys_->Look();
  EXPECT_EQ(VerdictOf("old"), Verdict::kNoKey);
  EXPECT_EQ(VerdictOf("new"), Verdict::kGranted);
  std::filesystem::remove(file_);
  keys_->Look();
  keys_->Look();
  EXPECT_EQ(VerdictOf("new"), Verdict::kGranted);
}

TEST_F(KeysTest, AMissingFileAtStartIsAnError) {
  KeysOptions options;
  options.file = file_;
  try {
    const Keys keys(options);
    FAIL() << "it started";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kInvalidArgument);
    EXPECT_NE(std::string(e.what()).find(file_.string()), std::string::npos) << e.what();
  }
}

TEST_F(KeysTest, AFileThatOthersReadGetsAWarning) {
  Write("a classify " + KeyField("k"));
  const auto warning = [&](std::filesystem::perms permissions) {
    std::filesystem::permissions(file_, permissions);
    KeysOptions options;
    options.file = file_;
    testing::internal::CaptureStderr();
    const Keys keys(options);
    return testing::internal::GetCapturedStderr();
  };
  using std::filesystem::perms;
  EXPECT_EQ(warning(perms::owner_read | perms::owner_write), "");
  EXPECT_EQ(warning(perms::owner_read | perms::group_read), "");
  EXPECT_NE(warning(perms::owner_read | perms::others_read)
                .find("keys file is readable by everybody: chmod 600"),
            std::string::npos);
  EXPECT_NE(warning(perms::all).find("keys file can be changed by everybody: chmod 600"),
            std::string::npos);
}

TEST_F(KeysTest, ThreadsAskWhileTheKeysChange) {
  Make("a classify " + KeyField("k") + "\nb classify " + KeyField("x0"));
  std::atomic<bool> stop{false};
  std::atomic<int> asked{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&] {
      while (!stop) {
        ASSERT_EQ(VerdictOf("k"), Verdict::kGranted);
        ++asked;
      }
    });
  }
  for (int i = 0; i < 20 || asked < 500; ++i) {
    Write("b classify " + KeyField("x" + std::to_string(i)) + "\na classify " + KeyField("k"));
    keys_->Reload();
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
}

TEST(IsLocalRequest, IsOfThisMachineAndForNobodyElse) {
  const auto local = [](HeaderList headers, std::string peer = "127.0.0.1") {
    return IsLocalRequest(Asking(std::move(headers), std::move(peer)));
  };
  EXPECT_TRUE(local({}));
  EXPECT_TRUE(local({}, "127.8.9.1"));
  EXPECT_TRUE(local({}, "::1"));
  EXPECT_TRUE(local({}, "::ffff:127.0.0.1"));
  for (const char* peer : {"", "192.0.2.1", "::2", "::", "fe80::1%lo", "127.0.0.1.example.com"}) {
    EXPECT_FALSE(local({}, peer)) << peer;
  }
  for (const char* host : {"localhost", "LOCALHOST:8080", "127.0.0.1:1", "[::1]", "[::1]:8080"}) {
    EXPECT_TRUE(local({{"host", host}})) << host;
  }
  for (const char* host : {"evil.example", "localhost.evil.example", "127.0.0.1.evil.example:80",
                           "[::1", "[::2]", "", "[::1]x"}) {
    EXPECT_FALSE(local({{"host", host}})) << host;
  }
  for (const char* header :
       {"forwarded", "x-forwarded-for", "x-forwarded-anything", "x-real-ip", "via"}) {
    EXPECT_FALSE(local({{"host", "localhost"}, {header, "127.0.0.1"}})) << header;
  }
}

TEST(IsLocalRequest, IsNoPageOfAnotherSite) {
  const auto local = [](const char* origin) {
    return IsLocalRequest(Asking({{"host", "localhost:8080"}, {"origin", origin}}, "127.0.0.1"));
  };
  EXPECT_TRUE(local("http://localhost:8080"));
  EXPECT_FALSE(local("http://localhost:3000"));
  EXPECT_FALSE(local("https://evil.example"));
  EXPECT_FALSE(local("null"));
  EXPECT_FALSE(IsLocalRequest(Asking({{"origin", "http://localhost"}}, "127.0.0.1")));
}

TEST(IsLocalRequest, LooksAtTheHostOfAnAbsoluteTargetToo) {
  Request request = Asking({{"host", "localhost"}}, "127.0.0.1");
  request.target = "http://localhost:8080/v3/models/reload";
  EXPECT_TRUE(IsLocalRequest(request));
  request.target = "http://evil.example/v3/models/reload";
  EXPECT_FALSE(IsLocalRequest(request));
}

TEST(Peer, NetworksOfUsersAndMasks) {
  EXPECT_EQ(UserNetwork("192.0.2.7"), "192.0.2.7");
  EXPECT_EQ(UserNetwork("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
  EXPECT_EQ(UserNetwork("2001:db8:1:2:ffff::"), "2001:db8:1:2::/64");
  EXPECT_EQ(UserNetwork(""), "");
  EXPECT_EQ(MaskAddress("192.0.2.7"), "192.0.2.0/24");
  EXPECT_EQ(MaskAddress("::ffff:192.0.2.7"), "192.0.2.0/24");
  EXPECT_EQ(MaskAddress("2001:db8:1:2:3:4:5:6"), "2001:db8:1::/48");
  EXPECT_EQ(MaskAddress("no address"), "");
}

}  // namespace
}  // namespace rebound
