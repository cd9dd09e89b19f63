// What no case file can say of POST /v3/dsn: sizes, counts and threads.
#include "serve/dsn_routes.h"

#include <gtest/gtest.h>

#include <thread>

#include "base/json.h"
#include "tests/api/serve/served.h"
#include "tests/support/bundles.h"

namespace rebound {
namespace {

class DsnRoutesTest : public testing::Test {
 protected:
  DsnRoutesTest() {
    BundleStore store(folder_.path());
    for (const Task task : kTasks) {
      test::TestBundle bundle;
      bundle.task = task;
      test::PublishTestBundle(&store, bundle);
    }
    test::Served::Options options;
    options.models = folder_.path();
    served_.emplace(options);
  }
  static std::string Report(size_t recipients, size_t enclosed = 0) {
    std::string message =
        "From: MAILER-DAEMON@mx.example.com\nSubject: failure notice\n"
        "Content-Type: multipart/report; boundary=b\n\n--b\n"
        "Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example.com\n";
    for (size_t i = 0; i < recipients; ++i) {
      message += "\nFinal-Recipient: rfc822; u" + std::to_string(i) +
                 "@example.net\nAction: failed\nStatus: 5.1.1\n"
                 "Diagnostic-Code: smtp; 550 5.1.1 user unknown\n";
    }
    message += "--b\nContent-Type: message/rfc822\n\nSubject: news\n\n";
    for (size_t size = 0; size < enclosed; size += 12) message += "Hello there\n";
    return message + "--b--\n";
  }
  Response Ask(const std::string& message, const std::string& query = "") {
    return served_->Ask("POST", "/v3/dsn" + query, message, {{"content-type", "message/rfc822"}});
  }

  TempFolder folder_;
  std::optional<test::Served> served_;
};

TEST_F(DsnRoutesTest, AThousandRecipientsAreAnsweredAndCountedAsTexts) {
  const Response response = Ask(Report(1001));
  const JsonDocument answer = ParseJson(response.body);
  EXPECT_EQ(GetJson(answer, "recipients").Size(), 1000U);
  EXPECT_TRUE(GetJsonBool(answer, "truncated"));
  EXPECT_EQ(response.texts, 1000U);
  EXPECT_EQ(FindJson(ParseJson(Ask(Report(1000)).body), "truncated"), nullptr);
}

TEST_F(DsnRoutesTest, AHundredRecipientsAtMostAreExplained) {
  EXPECT_EQ(Ask(Report(100), "?explain=true").status, 200);
  const Response refused = Ask(Report(101), "?explain=true");
  EXPECT_EQ(refused.status, 413);
  EXPECT_EQ(GetJsonString(ParseJson(refused.body), "detail"),
            "with 'explain' a message has at most 100 recipients");
}

TEST_F(DsnRoutesTest, MoreThanTheParserTakesIsRefused) {
  const Response refused = Ask(std::string((size_t{10} << 20) + 1, 'x'));
  EXPECT_EQ(refused.status, 413);
  EXPECT_EQ(GetJsonString(ParseJson(refused.body), "detail"),
            "the message has 10485761 bytes, the limit is 10485760");
}

// The worst 4 MiB take a quarter of a second, in which a worker would answer nobody.
TEST_F(DsnRoutesTest, ALargeMessageIsReadByTheThreadForSlowWorkAndASmallOneAtOnce) {
  const auto is_same_thread = [&](const std::string& message) {
    std::promise<std::pair<Response, std::thread::id>> answer;
    Request request;
    request.method = "POST";
    request.target = "/v3/dsn";
    request.body = message;
    request.peer = "127.0.0.1";
    served_->api().Handle(std::move(request), [&](Response response) {
      answer.set_value({std::move(response), std::this_thread::get_id()});
    });
    const auto [response, thread] = answer.get_future().get();
    const JsonDocument body = ParseJson(response.body);
    EXPECT_EQ(GetJson(body, "recipients").Size(), 1U) << response.body;
    return thread == std::this_thread::get_id();
  };
  EXPECT_TRUE(is_same_thread(Report(1)));
  EXPECT_TRUE(is_same_thread(Report(1, 200 * 1024)));
  EXPECT_FALSE(is_same_thread(Report(1, 300 * 1024)));
}

TEST_F(DsnRoutesTest, ItAnswersWhatClassifyAnswersToTheSameText) {
  const JsonDocument dsn = ParseJson(Ask(Report(1)).body);
  const JsonDocument v3 = ParseJson(
      served_->Ask("POST", "/v3/classify", R"({"message":"550 5.1.1 user unknown"})").body);
  EXPECT_EQ(GetJson(GetJson(dsn, "recipients")[0], "result"), GetJson(v3, "results")[0]);
  EXPECT_EQ(GetJson(dsn, "models"), GetJson(v3, "models"));
}

}  // namespace
}  // namespace rebound
