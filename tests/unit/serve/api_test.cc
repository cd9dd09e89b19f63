// What no case file can say: bytes that are no UTF-8, sizes, threads, drains.
#include "serve/api.h"

#include <gtest/gtest.h>

#include <thread>

#include "base/json.h"
#include "serve/texts.h"
#include "serve/uri.h"
#include "tests/api/serve/served.h"
#include "tests/support/bundles.h"
#include "tokenizer/normaliser.h"

namespace rebound {
namespace {

using test::Served;

class ApiTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const Task task : kTasks) {
      test::TestBundle bundle;
      bundle.task = task;
      test::PublishTestBundle(&store_, bundle);
    }
    Served::Options options;
    options.models = folder_.path();
    served_.emplace(options);
  }
  Response Post(std::string path, std::string body) {
    return served_->Ask("POST", std::move(path), std::move(body));
  }

  TempFolder folder_;
  BundleStore store_{folder_.path()};
  std::optional<Served> served_;
};

TEST_F(ApiTest, BytesThatAreNoUtf8AreClassified) {
  EXPECT_EQ(Post("/v1/bnac/single", "{\"message\":\"virus \xFF\xC3( gefunden\"}").body,
            R"({"class":"VIRUS"})");
  EXPECT_EQ(Post("/v1/bnac", "{\"messages\":[\"\xED\xA0\x80 virus\"]}").body,
            R"([{"class":"VIRUS"}])");
}

TEST_F(ApiTest, TheAnswerIsForTheFirstTenThousandBytes) {
  const std::string padding(kMaxTextBytes - 6, '-');
  EXPECT_EQ(Post("/v1/bnac/single", R"({"message":"  )" + padding + R"( virus"})").body,
            R"({"class":"VIRUS"})");
  EXPECT_NE(Post("/v1/bnac/single", R"({"message":"  )" + padding + R"(- virus"})").body,
            R"({"class":"VIRUS"})");
}

TEST_F(ApiTest, AProbabilityReadsBackToTheSameFloat) {
  const std::string body = Post("/v2/bnac/single", R"({"message":"virus"})").body;
  const ModelSet models = served_->engine().Take();
  Classifier::Scratch scratch;
  const float exact = models.Get(Task::kBnac)->ClassifyText("virus", &scratch).probability;
  EXPECT_EQ(static_cast<float>(GetJsonDouble(ParseJson(body), "probability")), exact);
}

TEST_F(ApiTest, ACachedAnswerIsTheSame) {
  const std::string body = R"({"messages":["virus","451 4.7.1 hello","user unknown"]})";
  const std::string fresh = Post("/v2/bnac?bypass_cache=true", body).body;
  EXPECT_EQ(Post("/v2/bnac", body).body, fresh);
  EXPECT_EQ(Post("/v2/bnac", body).body, fresh);
}

TEST_F(ApiTest, ANewBundleAnswersAtOnceInSpiteOfTheCache) {
  const std::string body = R"({"message":"virus"})";
  EXPECT_EQ(Post("/v1/bnac", body).body, R"([{"class":"VIRUS"}])");
  test::TestBundle bundle;
  bundle.always = "SPF";
  test::PublishTestBundle(&store_, bundle);
  served_->reloader().LookNow(false);
  EXPECT_EQ(Post("/v1/bnac", body).body, R"([{"class":"SPF"}])");
}

TEST_F(ApiTest, ADrainingServerIsNotReadyButAnswers) {
  EXPECT_EQ(served_->Ask("GET", "/readyz").status, 200);
  served_->api().StartDrain();
  const Response readyz = served_->Ask("GET", "/readyz");
  EXPECT_EQ(readyz.status, 503);
  EXPECT_NE(readyz.body.find("the server is shutting down"), std::string::npos);
  EXPECT_EQ(Post("/v1/bnac/single", R"({"message":"virus"})").status, 200);
}

TEST_F(ApiTest, AFailedReloadIsToldWhileTheOldModelServes) {
  test::TestBundle bundle;
  bundle.always = "SPF";
  const int bad = test::PublishTestBundle(&store_, bundle);
  std::filesystem::remove(store_.BundleFolder(Task::kBnac, bad) / "tokenizer.model");
  served_->reloader().LookNow(false);
  const Response readyz = served_->Ask("GET", "/readyz");
  EXPECT_EQ(readyz.status, 200);
  EXPECT_NE(readyz.body.find("tokenizer.model"), std::string::npos) << readyz.body;
  const JsonDocument models = ParseJson(served_->Ask("GET", "/v3/models").body);
  const JsonValue& model = GetJson(models, "models")[0];
  EXPECT_EQ(GetJsonInt(model, "version"), 1);
  EXPECT_EQ(GetJsonString(GetJson(model, "last_reload"), "outcome"), "failed");
  EXPECT_EQ(GetJsonInt(GetJson(model, "last_reload"), "version"), bad);
  EXPECT_EQ(Post("/v1/bnac/single", R"({"message":"virus"})").body, R"({"class":"VIRUS"})");
}

TEST_F(ApiTest, EveryRequestIdIsAnother) {
  const auto id = [&] { return served_->Ask("GET", "/livez").headers.back().second; };
  const std::string first = id();
  EXPECT_EQ(first.size(), 32u);
  EXPECT_NE(first, id());
}

TEST_F(ApiTest, AnUnprintableOrLongRequestIdIsReplaced) {
  for (const std::string& bad :
       {std::string("a\tb"), std::string("caf\xC3\xA9"), std::string(129, 'a')}) {
    const Response response = served_->Ask("GET", "/livez", "", {{"x-request-id", bad}});
    EXPECT_EQ(response.headers.back().second.size(), 32u);
  }
  const std::string longest(128, 'a');
  EXPECT_EQ(served_->Ask("GET", "/livez", "", {{"x-request-id", longest}}).headers.back().second,
            longest);
}

TEST_F(ApiTest, DeeplyNestedJsonIsNoDanger) {
  EXPECT_EQ(Post("/v1/bnac", std::string(1'000'000, '[')).status, 400);
  EXPECT_EQ(Post("/v1/bnac", std::string(100'000, '[') + std::string(100'000, ']')).status, 422);
}

TEST_F(ApiTest, ThreadsDuringSwapsGetAnswersOfOneModelEach) {
  const char* labels[] = {"SPF", "DKIM", "TLS"};
  std::vector<std::shared_ptr<const Classifier>> models;
  for (const char* label : labels) {
    test::TestBundle bundle;
    bundle.always = label;
    models.push_back(Classifier::Load(
        store_.BundleFolder(Task::kBnac, test::PublishTestBundle(&store_, bundle))));
  }
  std::string batch = R"({"messages":["one","two","three","four","five","six"]})";
  served_->engine().Swap(Task::kBnac, models[0]);
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  std::atomic<int> answered{0};
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&] {
      while (!stop) {
        const Response response = Post("/v1/bnac", batch);
        ASSERT_EQ(response.status, 200);
        const JsonDocument answers = ParseJson(response.body);
        for (const JsonValue& answer : answers.GetArray()) {
          ASSERT_EQ(answer, answers[0]) << response.body;
        }
        ++answered;
      }
    });
  }
  for (size_t i = 0; answered < 500; ++i) {
    served_->engine().Swap(Task::kBnac, models[i % models.size()]);
    std::this_thread::yield();
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
}

TEST(RepairSurrogates, ReplacesHalvesAndNothingElse) {
  EXPECT_EQ(RepairSurrogates(R"("\ud800")"), R"("\uFFFD")");
  EXPECT_EQ(RepairSurrogates(R"("\udc00\ud800x\ud83d\uDE00")"), R"("\uFFFD\uFFFDx\ud83d\uDE00")");
  EXPECT_EQ(RepairSurrogates(R"("\ud83d\ud83d\ude00")"), R"("\uFFFD\ud83d\ude00")");
  EXPECT_EQ(RepairSurrogates(R"("\\ud800 \n\u00e9 \u12")"), R"("\\ud800 \n\u00e9 \u12")");
  EXPECT_EQ(RepairSurrogates("\\"), "\\");
  EXPECT_EQ(RepairSurrogates("\\ud800\\u"), "\\uFFFD\\u");
}

TEST(ParseTarget, DecodesPathAndQuery) {
  const Target target = ParseTarget("/a%2Fb%20c+d?x=1+2&y&z=%3D%26&=&&x=%00");
  EXPECT_EQ(target.path, "/a/b c+d");
  const std::vector<std::pair<std::string, std::string>> query = {
      {"x", "1 2"}, {"y", ""}, {"z", "=&"}, {"", ""}, {"x", std::string(1, '\0')}};
  EXPECT_EQ(target.query, query);
}

TEST(ParseTarget, TakesAbsoluteUrls) {
  EXPECT_EQ(ParseTarget("http://host:1/p?q=1").path, "/p");
  EXPECT_EQ(ParseTarget("HTTPS://host").path, "/");
  EXPECT_EQ(ParseTarget("/http://x").path, "/http://x");
}

TEST(ParseTarget, RefusesBrokenOnes) {
  for (const char* bad :
       {"", "*", "a/b", "/%", "/%1", "/%1g", "/?a=%zz", "host:443", "http://h?x"}) {
    EXPECT_THROW(ParseTarget(bad), Error) << bad;
  }
}

}  // namespace
}  // namespace rebound
