// The gate before the routes, with the Api behind it.
#include "serve/gate.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "tests/api/serve/served.h"
#include "tests/support/bundles.h"

namespace rebound {
namespace {

using test::Served;

class GateTest : public testing::Test {
 protected:
  void Serve(GateOptions gate) {
    for (const Task task : kTasks) {
      test::TestBundle bundle;
      bundle.task = task;
      test::PublishTestBundle(&store_, bundle);
    }
    Served::Options options;
    options.models = folder_.path();
    options.api.gate = std::move(gate);
    served_.emplace(options);
  }
  Response Classify(size_t texts, HeaderList headers = {}, std::string peer = "192.0.2.1") {
    std::string body = R"({"messages":[)";
    for (size_t i = 0; i < texts; ++i) body += i == 0 ? "\"virus\"" : ",\"virus\"";
    Request request;
    request.method = "POST";
    request.target = "/v1/bnac";
    request.headers = std::move(headers);
    request.body = body + "]}";
    request.peer = std::move(peer);
    return served_->Ask(std::move(request));
  }
  static std::string Header(const Response& response, std::string_view name) {
    for (const auto& [key, value] : response.headers) {
      if (AsciiLower(key) == name) return value;
    }
    return "";
  }

  TempFolder folder_;
  BundleStore store_{folder_.path()};
  std::optional<Served> served_;
};

// Rates of one an hour: no token comes while a test runs.
TEST_F(GateTest, ARateCountsTexts) {
  GateOptions gate;
  gate.rate = {1.0 / 3600, 10};
  Serve(gate);
  EXPECT_EQ(Classify(9).status, 200);
  EXPECT_EQ(Classify(3).status, 200) << "one token was left, and what is over is owed";
  const Response refused = Classify(1);
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.content_type, "application/problem+json");
  const int wait = std::stoi(Header(refused, "retry-after"));
  EXPECT_GT(wait, 3 * 3600 - 60);
  EXPECT_LE(wait, 3 * 3600);
  EXPECT_EQ(Classify(1, {}, "192.0.2.2").status, 200) << "another address has its own";
}

TEST_F(GateTest, AnIpv6UserIsOneNetwork) {
  GateOptions gate;
  gate.rate = {1.0 / 3600, 1};
  Serve(gate);
  EXPECT_EQ(Classify(1, {}, "2001:db8::1").status, 200);
  EXPECT_EQ(Classify(1, {}, "2001:db8::2").status, 429);
  EXPECT_EQ(Classify(1, {}, "2001:db8:0:1::1").status, 200);
}

TEST_F(GateTest, ClientsBehindATrustedProxyAreCountedEachForItself) {
  const std::filesystem::path file = folder_.path() / "access.jsonl";
  GateOptions gate;
  gate.rate = {1.0 / 3600, 1};
  gate.proxies = TrustedProxies::Parse("10.0.0.0/8");
  gate.access_log = AccessLogOptions{file, 1, PeerDetail::kFull};
  Serve(gate);
  const auto classify = [&](const char* client, const char* peer) {
    return Classify(1, {{"x-forwarded-for", client}}, peer).status;
  };
  EXPECT_EQ(classify("203.0.113.1", "10.0.0.1"), 200);
  EXPECT_EQ(classify("203.0.113.2", "10.0.0.1"), 200);
  EXPECT_EQ(classify("198.51.100.9, 203.0.113.1", "10.0.0.1"), 429) << "an invented entry";
  EXPECT_EQ(classify("203.0.113.3", "192.0.2.1"), 200);
  EXPECT_EQ(classify("203.0.113.4", "192.0.2.1"), 429) << "a peer that is no proxy";
  served_.reset();
  std::vector<std::string> peers;
  const std::string lines = ReadFile(file);
  for (const std::string_view line : Split(Trim(lines), '\n')) {
    peers.emplace_back(GetJsonString(ParseJson(line), "peer"));
  }
  EXPECT_EQ(peers, (std::vector<std::string>{"203.0.113.1", "203.0.113.2", "203.0.113.1",
                                             "192.0.2.1", "192.0.2.1"}));
}

// Whoever may set the header could name this machine.
TEST_F(GateTest, NoForwardedAddressOpensWhatIsForThisMachineAlone) {
  GateOptions gate;
  gate.proxies = TrustedProxies::Parse("127.0.0.1,10.0.0.0/8");
  Serve(gate);
  const auto reload = [&](HeaderList headers, const char* peer) {
    headers.emplace_back("host", "localhost");
    Request request;
    request.method = "POST";
    request.target = "/v3/models/reload";
    request.headers = std::move(headers);
    request.peer = peer;
    return served_->Ask(std::move(request)).status;
  };
  EXPECT_EQ(reload({}, "127.0.0.1"), 200);
  for (const char* peer : {"127.0.0.1", "10.0.0.1"}) {
    EXPECT_EQ(reload({{"x-forwarded-for", "127.0.0.1"}}, peer), 401) << peer;
    EXPECT_EQ(reload({{"forwarded", "for=127.0.0.1"}}, peer), 401) << peer;
  }
}

TEST_F(GateTest, WhatTheDoorAnsweredIsLoggedAndCounted) {
  const std::filesystem::path file = folder_.path() / "access.jsonl";
  GateOptions gate;
  gate.access_log = AccessLogOptions{file, 0, PeerDetail::kFull};
  gate.proxies = TrustedProxies::Parse("10.0.0.1");
  Serve(gate);
  DoorAnswer answer;
  answer.status = 408;
  answer.request_id = "made-by-the-door";
  answer.peer = "10.0.0.1";
  answer.taken = std::chrono::seconds(30);
  answer.bytes_in = 17;
  answer.bytes_out = 140;
  served_->api().Witness(answer);
  Request request;
  request.method = "POST";
  request.target = "/v1/bnac";
  request.headers = {{"x-forwarded-for", "203.0.113.1"}};
  request.body = "{}";
  request.peer = "10.0.0.1";
  answer.status = 503;
  answer.request = &request;
  answer.tls = true;
  served_->api().Witness(answer);
  const std::string page = served_->Ask("GET", "/metrics").body;
  for (const char* line : {R"(rebound_requests_total{route="none",code="408"} 1)",
                           R"(rebound_requests_total{route="none",code="503"} 1)"}) {
    EXPECT_NE(page.find(line), std::string::npos) << line;
  }
  EXPECT_EQ(page.find(R"(rebound_route_duration_seconds_count{route="none"})"), std::string::npos)
      << "there was no whole request to time";
  served_.reset();
  const std::string lines = ReadFile(file);
  const std::vector<std::string_view> logged = Split(Trim(lines), '\n');
  ASSERT_EQ(logged.size(), 2U);
  const auto rest = [](std::string_view line) { return line.substr(line.find("\"request_id\"")); };
  EXPECT_EQ(rest(logged[0]), R"("request_id":"made-by-the-door","status":408,"ms":30000,)"
                             R"("bytes_in":17,"bytes_out":140,"peer":"10.0.0.1","tls":false})");
  EXPECT_EQ(rest(logged[1]), R"("request_id":"made-by-the-door","method":"POST","status":503,)"
                             R"("ms":30000,"bytes_in":17,"bytes_out":140,)"
                             R"("peer":"203.0.113.1","tls":true})");
}

TEST_F(GateTest, AKeyHasItsRateWhereverItComesFrom) {
  const auto file = folder_.path() / "keys";
  WriteFileDurably(file, "slow classify " + KeyField("s") + " rate=1/h\nfree classify " +
                             KeyField("f") + " rate=none\nusual classify " + KeyField("u"));
  GateOptions gate;
  gate.keys.file = file;
  gate.rate = {1.0 / 3600, 2};
  Serve(gate);
  EXPECT_EQ(Classify(1, {{"x-api-key", "s"}}).status, 200);
  EXPECT_EQ(Classify(1, {{"x-api-key", "s"}}, "192.0.2.2").status, 429);
  EXPECT_EQ(Classify(2, {{"x-api-key", "u"}}).status, 200);
  EXPECT_EQ(Classify(1, {{"x-api-key", "u"}}).status, 429);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Classify(100, {{"x-api-key", "f"}}).status, 200);
}

TEST_F(GateTest, WhoGuessesKeysIsSlowedDown) {
  GateOptions gate;
  gate.keys.api_key = DigestOfKey("k");
  gate.rate = {1.0 / 3600, 2};
  Serve(gate);
  EXPECT_EQ(Classify(1, {{"x-api-key", "a"}}).status, 401);
  EXPECT_EQ(Classify(1, {{"x-api-key", "b"}}).status, 401);
  EXPECT_EQ(Classify(1, {{"x-api-key", "c"}}).status, 429);
  EXPECT_EQ(Classify(1, {{"x-api-key", "k"}}).status, 200) << "the key itself has its own rate";
}

TEST_F(GateTest, ProbesAreNeverCounted) {
  GateOptions gate;
  gate.rate = {1.0 / 3600, 1};
  Serve(gate);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(served_->Ask("GET", "/livez").status, 200);
}

TEST_F(GateTest, KeysAreTheSameForAllWhoAskAfterAReload) {
  const auto file = folder_.path() / "keys";
  WriteFileDurably(file, "a classify " + KeyField("old"));
  GateOptions gate;
  gate.keys.file = file;
  Serve(gate);
  WriteFileDurably(file, "a classify " + KeyField("new"));
  EXPECT_TRUE(served_->api().Reload());
  EXPECT_EQ(Classify(1, {{"x-api-key", "old"}}).status, 401);
  EXPECT_EQ(Classify(1, {{"x-api-key", "new"}}).status, 200);
  WriteFileDurably(file, "nonsense");
  EXPECT_FALSE(served_->api().Reload());
  EXPECT_EQ(Classify(1, {{"x-api-key", "new"}}).status, 200);
}

TEST_F(GateTest, TheAccessLogTellsOfTheRequestAndNothingOfItsText) {
  const auto file = folder_.path() / "access.log";
  GateOptions gate;
  gate.keys.api_key = DigestOfKey("s3cret-key");
  gate.access_log = AccessLogOptions{file, 0, PeerDetail::kMasked};
  Serve(gate);
  EXPECT_EQ(Classify(2, {{"x-api-key", "s3cret-key"}}).status, 200);
  EXPECT_EQ(
      Classify(2, {{"x-api-key", "wrong-key"},
                   {"x-request-id", "my id"},
                   {"traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}})
          .status,
      401);
  EXPECT_EQ(served_->Ask("GET", "/virus/user@example.com?virus").status, 404);
  served_.reset();
  const std::string text = ReadFile(file);
  const auto lines = Split(Trim(text), '\n');
  ASSERT_EQ(lines.size(), 2u) << "the sample is 0: errors alone";
  const JsonDocument line = ParseJson(lines[0]);
  EXPECT_EQ(GetJsonString(line, "request_id"), "my id");
  EXPECT_EQ(GetJsonString(line, "trace_id"), "0af7651916cd43dd8448eb211c80319c");
  EXPECT_EQ(GetJsonString(line, "route"), "/v1/bnac");
  EXPECT_EQ(GetJsonInt(line, "status"), 401);
  EXPECT_EQ(GetJsonString(line, "peer"), "192.0.2.0/24");
  EXPECT_EQ(FindJson(ParseJson(lines[1]), "route"), nullptr);
  for (const char* never : {"virus", "example.com", "-key", "192.0.2.1\""}) {
    EXPECT_EQ(text.find(never), std::string::npos) << never;
  }
}

TEST_F(GateTest, TheAccessLogNamesTheKeyAndCountsTexts) {
  const auto file = folder_.path() / "access.log";
  GateOptions gate;
  gate.keys.api_key = DigestOfKey("k");
  gate.access_log = AccessLogOptions{file, 1, PeerDetail::kNone};
  Serve(gate);
  EXPECT_EQ(Classify(3, {{"x-api-key", "k"}}).status, 200);
  served_.reset();
  const std::string text = ReadFile(file);
  const JsonDocument line = ParseJson(Trim(text));
  EXPECT_EQ(GetJsonString(line, "key"), "API_KEY");
  EXPECT_EQ(GetJsonInt(line, "texts"), 3);
  EXPECT_EQ(FindJson(line, "peer"), nullptr);
}

}  // namespace
}  // namespace rebound
