// What no case file can say: that all routes agree, and what a model that is not sure gives.
#include "serve/classify_v3.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "base/file.h"
#include "base/json.h"
#include "models/bundle.h"
#include "tests/api/serve/served.h"
#include "tests/support/bundles.h"

namespace rebound {
namespace {

using test::Served;

std::string Body(const std::vector<std::string>& texts) {
  std::string body;
  JsonWriter writer(&body);
  writer.StartObject().Key("messages").StartArray();
  for (const std::string& text : texts) writer.String(text);
  writer.EndArray().EndObject();
  return body;
}

std::vector<std::string> GoldensOf(const std::filesystem::path& models) {
  const BundleStore store(models);
  std::vector<std::string> texts;
  for (const Task task : kTasks) {
    const auto folder = store.BundleFolder(task, store.Current(task).value());
    for (const Golden& golden : ParseGoldens(ReadFile(folder / "golden.jsonl"))) {
      texts.push_back(golden.text);
      texts.push_back("451 4.2.0 " + golden.text.substr(0, golden.text.size() / 3) + " zebra");
    }
  }
  return texts;
}

TEST(ClassifyV3, AnswersAsTheOtherRoutesDoWithTheCacheAndWithoutIt) {
  Served::Options options;
  options.models = std::filesystem::path(std::getenv("REBOUND_SOURCE")) / "models/released";
  Served served(options);
  const std::vector<std::string> texts = GoldensOf(options.models);
  ASSERT_GT(texts.size(), 20u);
  const std::string body = Body(texts);
  for (const std::string query :
       {"?bypass_cache=true", "", "", "?scores=true", "?scores=1&bypass_cache=1"}) {
    const JsonDocument v3 = ParseJson(served.Ask("POST", "/v3/classify" + query, body).body);
    const JsonValue& results = GetJson(v3, "results");
    const JsonDocument bnac = ParseJson(served.Ask("POST", "/v2/bnac", body).body);
    const JsonDocument backoff =
        ParseJson(served.Ask("POST", "/v1/backoff?return_probability=true", body).body);
    const JsonDocument labels = ParseJson(served.Ask("POST", "/api/classify", body).body);
    ASSERT_EQ(results.Size(), texts.size());
    for (rapidjson::SizeType i = 0; i < results.Size(); ++i) {
      SCOPED_TRACE(texts[i] + query);
      for (const char* key : {"class", "probability"}) {
        EXPECT_EQ(GetJson(GetJson(results[i], "bnac"), key), GetJson(bnac[i], key));
        EXPECT_EQ(GetJson(GetJson(results[i], "backoff"), key), GetJson(backoff[i], key));
      }
      for (const char* key : {"label", "confidence", "action"}) {
        EXPECT_EQ(GetJson(results[i], key), GetJson(labels[i], key));
      }
    }
  }
}

TEST(ClassifyV3, ExplainsAHundredTextsAtMost) {
  Served::Options options;
  options.models = std::filesystem::path(std::getenv("REBOUND_SOURCE")) / "models/released";
  Served served(options);
  const auto ask = [&](size_t texts) {
    return served.Ask("POST", "/v3/classify?explain=true",
                      Body(std::vector<std::string>(texts, "a virus")));
  };
  EXPECT_EQ(ask(100).status, 200);
  const Response refused = ask(101);
  EXPECT_EQ(refused.status, 413);
  EXPECT_EQ(GetJsonString(ParseJson(refused.body), "detail"),
            "with 'explain' a batch has at most 100 texts");
}

class UnsureTest : public testing::Test {
 protected:
  JsonDocument Ask(const std::string& text) {
    for (const Task task : kTasks) {
      test::TestBundle bundle;
      bundle.task = task;
      bundle.fallback_threshold = 0.6;
      if (task == Task::kAction) {
        // Of so many labels the model gives none of "xyzzy" a quarter.
        bundle.labels = {"spam_blocked", "policy_blocked", "user_unknown", "virus_detected",
                         "greylisting",  "mailbox_full",   "server_error", "rate_limited"};
      }
      test::PublishTestBundle(&store_, bundle);
    }
    Served::Options options;
    options.models = folder_.path();
    Served served(options);
    label_ =
        ParseJson(served.Ask("POST", "/api/classify", R"({"message":")" + text + R"("})").body);
    return ParseJson(served.Ask("POST", "/v3/classify", R"({"message":")" + text + R"("})").body);
  }
  static std::vector<std::string> Keys(const JsonValue& object) {
    std::vector<std::string> keys;
    for (const auto& member : object.GetObject()) keys.emplace_back(JsonText(member.name));
    return keys;
  }

  TempFolder folder_;
  BundleStore store_{folder_.path()};
  JsonDocument label_;
};

TEST_F(UnsureTest, WhatTheCodeDecidedTellsTheModelsOwnClassBeside) {
  const JsonDocument answer = Ask("550 5.2.2 xyzzy");
  const JsonValue& result = GetJson(answer, "results")[0];
  const JsonValue& bnac = GetJson(result, "bnac");
  EXPECT_EQ(Keys(bnac), std::vector<std::string>({"class", "probability", "source", "model_class",
                                                  "severity", "scope", "suggested_action"}));
  EXPECT_EQ(GetJsonString(bnac, "class"), "RECIPIENT_ERROR");
  EXPECT_EQ(GetJsonString(bnac, "source"), "status_code");
  EXPECT_EQ(GetJsonString(bnac, "model_class"), "BLOCKED");
  EXPECT_EQ(GetJsonInt(bnac, "severity"), 2) << "of the class that is answered";
  const JsonValue& backoff = GetJson(result, "backoff");
  EXPECT_EQ(Keys(backoff), std::vector<std::string>({"class", "probability", "source",
                                                     "model_class", "fields", "actions"}));
  EXPECT_EQ(GetJsonString(backoff, "class"), "MAILBOX_FULL");
  EXPECT_EQ(Keys(result), std::vector<std::string>({"bnac", "backoff", "label", "confidence",
                                                    "label_source", "model_label", "action",
                                                    "fault", "suppress", "smtp", "momentum_code"}));
  EXPECT_EQ(GetJsonString(result, "fault"), "recipient");
  EXPECT_EQ(GetJsonString(result, "suppress"), "after_repeats") << "nobody is sure";
  EXPECT_EQ(GetJsonString(result, "label"), "mailbox_full");
  EXPECT_EQ(GetJsonString(result, "label_source"), "status_code");
  EXPECT_EQ(GetJsonString(result, "action"), "retry");
  EXPECT_TRUE(GetJsonBool(label_, "usedFallback"));
}

TEST_F(UnsureTest, AnActionThatWouldBeAGuessIsUnknownBesideWhatTheModelGuessed) {
  const JsonDocument answer = Ask("xyzzy");
  const JsonValue& result = GetJson(answer, "results")[0];
  EXPECT_EQ(GetJsonString(result, "label"), "unknown");
  EXPECT_EQ(GetJsonString(result, "label_source"), "model");
  EXPECT_NE(GetJsonString(result, "model_label"), "unknown");
  EXPECT_EQ(GetJsonString(result, "action"), "review");
  EXPECT_EQ(FindJson(result, "smtp"), nullptr) << "no code, no key";
  EXPECT_EQ(FindJson(label_, "usedFallback"), nullptr);
}

TEST(ClassifyV3, ATaskThatTheServerIsNotToServeIsAbsent) {
  TempFolder folder;
  BundleStore store(folder.path());
  test::PublishTestBundle(&store, test::TestBundle());
  Served::Options options;
  options.models = folder.path();
  options.tasks = {Task::kBnac};
  Served served(options);
  const Response response = served.Ask("POST", "/v3/classify", R"({"message":"virus"})");
  const JsonDocument body = ParseJson(response.body);
  EXPECT_EQ(GetJson(body, "results")[0].MemberCount(), 1u) << response.body;
  EXPECT_EQ(GetJson(body, "models").MemberCount(), 1u);
}

}  // namespace
}  // namespace rebound
