// Hostile input for the parser, the Api and the door. REBOUND_FUZZ multiplies the number of rounds.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "engine/backoff_policy.h"
#include "serve/door/door.h"
#include "serve/door/request_parser.h"
#include "tests/api/serve/served.h"
#include "tests/support/bundles.h"
#include "tests/unit/serve/http_client.h"

namespace rebound {
namespace {

using Random = std::mt19937;
constexpr unsigned kSeed = 20240501;

int Rounds(int quick) {
  const char* factor = std::getenv("REBOUND_FUZZ");
  return quick * (factor == nullptr ? 1 : std::max(1, std::atoi(factor)));
}

size_t Below(size_t bound, Random* random) {
  return std::uniform_int_distribution<size_t>(0, bound - 1)(*random);
}

// Changes a few bytes, pieces or lengths; now and then nothing.
std::string Mutate(std::string text, const std::vector<std::string>& pieces, Random* random) {
  for (size_t changes = Below(4, random); changes > 0; --changes) {
    const size_t at = Below(text.size() + 1, random);
    switch (Below(5, random)) {
      case 0:
        if (at < text.size()) text[at] = static_cast<char>(Below(256, random));
        break;
      case 1:
        text.erase(at, Below(4, random));
        break;
      case 2:
        text.insert(at, 1, static_cast<char>(Below(256, random)));
        break;
      case 3:
        text.insert(at, pieces[Below(pieces.size(), random)]);
        break;
      default:
        text.insert(at, text.substr(Below(text.size() + 1, random), Below(40, random)));
    }
  }
  return text;
}

const std::vector<std::string>& HttpPieces() {
  static const std::vector<std::string> pieces = {"\r\n",
                                                  "\n",
                                                  "\r",
                                                  "\r\n\r\n",
                                                  " ",
                                                  "\t",
                                                  ":",
                                                  ";",
                                                  "0\r\n\r\n",
                                                  "5\r\nhello\r\n",
                                                  "ffffffffffffffff\r\n",
                                                  "Content-Length: 5\r\n",
                                                  "Content-Length: 5, 5\r\n",
                                                  "Transfer-Encoding: chunked\r\n",
                                                  "Transfer-Encoding: identity\r\n",
                                                  "Host: x\r\n",
                                                  "Expect: 100-continue\r\n",
                                                  "Connection: close\r\n",
                                                  "HTTP/1.0",
                                                  "HTTP/9.9",
                                                  "GET / HTTP/1.1\r\n",
                                                  std::string(1, '\0'),
                                                  "%00",
                                                  "\xFF\xFE",
                                                  std::string(600, 'a')};
  return pieces;
}

std::string HttpSeed(Random* random) {
  static const std::vector<std::string> seeds = {
      "GET /livez HTTP/1.1\r\nHost: t\r\n\r\n",
      PostRequest("/v1/bnac/single", R"({"message":"virus"})"),
      "POST /v1/bnac HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n"
      "9;a=\"b\"\r\n{\"message\r\na\r\n\":\"virus\"}\r\n0\r\nT: v\r\n\r\n",
      "HEAD / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc"};
  std::string text;
  for (size_t requests = 1 + Below(3, random); requests > 0; --requests) {
    text += seeds[Below(seeds.size(), random)];
  }
  return text;
}

// What a parser made of a stream, offered in pieces of at most `most` bytes (0: in one).
std::string Reading(std::string_view stream, size_t most, Random* random) {
  RequestParser::Limits limits;
  limits.max_header = 512;
  limits.max_fields = 12;
  limits.max_body = 64;
  RequestParser parser(limits);
  std::string reading;
  std::string waiting;
  while (!stream.empty()) {
    const size_t length =
        most == 0 ? stream.size() : std::min(stream.size(), 1 + Below(most, random));
    waiting += stream.substr(0, length);
    stream.remove_prefix(length);
    for (;;) {
      const size_t used = parser.Feed(waiting);
      EXPECT_LE(used, waiting.size());
      waiting.erase(0, used);
      if (parser.state() == RequestParser::State::kFailed) {
        // Which fault of several is seen first may depend on the pieces; a line that is too long
        // may be seen only in pieces.
        return parser.error_status() == 431 ? "too long" : reading + "failed";
      }
      if (parser.state() == RequestParser::State::kNeedMore) break;
      const bool keep_alive = parser.keep_alive();
      const Request request = parser.Take();
      reading += request.method + " " + request.target + " " +
                 std::to_string(request.headers.size()) + " " + request.body +
                 (keep_alive ? " stays\n" : " closes\n");
      if (waiting.empty()) break;
    }
  }
  return reading + "waits";
}

TEST(FuzzRequestParser, ReadsTheSameHoweverTheBytesArrive) {
  Random random(kSeed);
  for (int round = 0; round < Rounds(20'000); ++round) {
    const std::string stream = Mutate(HttpSeed(&random), HttpPieces(), &random);
    const std::string whole = Reading(stream, 0, &random);
    const std::string pieces = Reading(stream, 1 + Below(30, &random), &random);
    if (whole == "too long" || pieces == "too long") continue;
    ASSERT_EQ(whole, pieces) << "round " << round << ": " << stream;
  }
}

class FuzzServed : public testing::Test {
 protected:
  void SetUp() override {
    BundleStore store(folder_.path());
    for (const Task task : kTasks) {
      test::TestBundle bundle;
      bundle.task = task;
      test::PublishTestBundle(&store, bundle);
    }
    test::Served::Options options;
    options.models = folder_.path();
    options.cache.max_bytes = 100'000;
    options.api.max_batch = 20;
    served_.emplace(options);
  }

  TempFolder folder_;
  std::optional<test::Served> served_;
};

TEST_F(FuzzServed, EveryRequestHasOneAnswerThatIsJson) {
  const std::vector<std::string> pieces = {"{",
                                           "}",
                                           "[",
                                           "]",
                                           "\"",
                                           "\\",
                                           ",",
                                           ":",
                                           "null",
                                           "true",
                                           "1e999",
                                           "-0",
                                           "\\ud800",
                                           "\\u0000",
                                           "\xED\xA0\x80",
                                           "\xF4\x90\x80\x80",
                                           "\xC0\xAF",
                                           "\xEF\xBB\xBF",
                                           "\"message\":",
                                           "\"messages\":[",
                                           "\"\"",
                                           "\" \"",
                                           std::string(1, '\0'),
                                           std::string(300, '['),
                                           std::string(12'000, 'x')};
  const std::vector<std::string> bodies = {
      R"({"message":"550 5.1.1 user unknown"})", R"({"messages":["virus","spam",""]})",
      R"({"message":"451-4.7.1 a\r\n451 4.7.1 Greylisting in effect \u00e9\ud83d\ude00"})",
      R"({"messages":["virus",""],"domain":["a.example",null],"kind":"smtp"})"};
  const std::vector<std::string> targets = {
      "/v1/bnac/single", "/v2/bnac?bypass_cache=1",
      "/v1/bnac/batch",  "/v1/backoff?return_probability=true",
      "/normalise",      "/v1/cache/stats",
      "/readyz",         "/v3/models",
      "/v3/classify",    "/v3/classify?scores=1&bypass_cache=0",
      "/api/classify",   "/api/model/info",
      "/x%20y?a=%zz"};
  const std::set<int> expected = {200, 400, 404, 405, 413, 415, 422};
  Random random(kSeed);
  for (int round = 0; round < Rounds(8'000); ++round) {
    Request request;
    request.method = Below(20, &random) == 0 ? "GET" : "POST";
    request.target = targets[Below(targets.size(), &random)];
    if (Below(10, &random) == 0) request.target = Mutate(request.target, HttpPieces(), &random);
    request.body = Mutate(bodies[Below(bodies.size(), &random)], pieces, &random);
    if (Below(10, &random) == 0) {
      request.headers.emplace_back("content-type",
                                   Mutate("application/json", HttpPieces(), &random));
    }
    const std::string shown = request.target + " " + request.body;
    int answers = 0;
    served_->api().Handle(std::move(request), [&](const Response& response) {
      ++answers;
      EXPECT_TRUE(expected.count(response.status) == 1) << response.status << ": " << shown;
      EXPECT_TRUE(IsValidUtf8(response.body)) << shown;
      EXPECT_NO_THROW(ParseJson(response.body)) << response.body << "\nfor " << shown;
      for (const auto& [name, value] : response.headers) {
        EXPECT_EQ(value.find_first_of("\r\n"), std::string::npos) << name;
      }
    });
    ASSERT_EQ(answers, 1) << shown;
  }
}

TEST(FuzzBackoffPolicy, EveryTextIsAPolicyOrAnErrorWithItsLine) {
  const std::vector<std::string> pieces = {"{",
                                           "}",
                                           "[",
                                           "]",
                                           ":",
                                           ": ",
                                           ",",
                                           "- ",
                                           "? ",
                                           "&a ",
                                           "*a",
                                           "~",
                                           "\"",
                                           "'",
                                           "\n",
                                           " ",
                                           "\t",
                                           "#",
                                           "|\n",
                                           "--- ",
                                           "!!x ",
                                           "%YAML 9\n",
                                           "<<",
                                           "@",
                                           "`",
                                           "\r",
                                           ">",
                                           "\xFF",
                                           "fields",
                                           "suspend",
                                           "grouping",
                                           std::string(1, '\0'),
                                           std::string(3'000, '[')};
  const std::vector<std::string> texts = {
      "GRAYLISTING: {fields: [tenantid, grouping], actions: [rate]}\n",
      "MAILBOX_FULL:\n  fields: []\n  actions: []\nGENERIC_BLOCK:\n  fields:\n    - jobid\n"
      "  actions: [suspend]\n",
      "{\"GRAYLISTING\": {\"fields\": [\"jobid\"], \"actions\": [\"rate\"]}}"};
  Random random(kSeed);
  for (int round = 0; round < Rounds(20'000); ++round) {
    const std::string text = Mutate(texts[Below(texts.size(), &random)], pieces, &random);
    try {
      BackoffPolicy::Parse(text, "p");
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ErrorCode::kInvalidArgument);
      const std::string what = e.what();
      EXPECT_EQ(what.find_first_not_of("0123456789", 2), what.find(": "))
          << what << "\nof " << text;
      EXPECT_EQ(what.substr(0, 2), "p:") << what;
    }
  }
}

TEST_F(FuzzServed, TheDoorLivesThroughGarbageAndNeverMisdelivers) {
  DoorOptions options;
  options.limits.max_header = 2048;
  options.limits.max_body = 4096;
  options.request_timeout = std::chrono::milliseconds(2000);
  Door door(options, [this](Request request, const Done& done) {
    served_->api().Handle(std::move(request), done);
  });
  Random random(kSeed);
  HttpClient honest(door.port());
  for (int round = 0; round < Rounds(3'000); ++round) {
    HttpClient client(door.port());
    std::string stream = Mutate(HttpSeed(&random), HttpPieces(), &random);
    while (!stream.empty()) {
      const size_t length = 1 + Below(stream.size(), &random);
      if (!client.Send(stream.substr(0, length))) break;
      stream.erase(0, length);
    }
    switch (Below(3, &random)) {
      case 0:
        client.Reset();
        break;
      case 1:
        client.FinishSending();
        break;
      default:
        break;  // closes at the end of the scope with answers unread
    }
    if (round % 10 != 0) continue;
    const std::string id = std::to_string(round);
    const Reply reply = honest.Ask(
        PostRequest("/v1/bnac/single", R"({"message":"virus"})", "X-Request-ID: " + id + "\r\n"));
    ASSERT_EQ(reply.status, 200);
    ASSERT_EQ(reply.headers.at("x-request-id"), id);
    ASSERT_EQ(reply.body, R"({"class":"VIRUS"})");
  }
}

// Answers that no socket takes at once, given inline and late, to clients that read, dawdle, close
// half and leave.
TEST(FuzzDoor, LargeAnswersReachWhoStaysWholeAndNobodyElse) {
  const std::string large(600'000, 'x');
  std::vector<std::thread> late;
  std::mutex mutex;
  Door door(DoorOptions(), [&, large](const Request& request, Done done) {
    Response response;
    response.body = request.target + large;
    if (request.target.ends_with("late")) {
      const std::lock_guard lock(mutex);
      late.emplace_back(
          [response = std::move(response), done = std::move(done)] { done(response); });
    } else {
      done(std::move(response));
    }
  });
  std::vector<std::thread> clients;
  for (unsigned t = 0; t < 4; ++t) {
    clients.emplace_back([&, t] {
      Random random(kSeed + t);
      for (int round = 0; round < Rounds(25); ++round) {
        HttpClient client(door.port(), 16384);
        std::vector<std::string> targets;
        for (size_t i = 0; i <= Below(3, &random); ++i) {
          targets.push_back("/" + std::to_string(t) + "/" + std::to_string(round) +
                            (Below(2, &random) == 0 ? "/late" : "/now"));
          client.Send(GetRequest(targets.back()));
        }
        const size_t manner = Below(4, &random);
        if (manner == 0) {
          client.Receive();
          client.Reset();
          continue;
        }
        if (manner == 1) client.FinishSending();
        for (const std::string& target : targets) {
          ASSERT_EQ(client.ReadReply().body, target + large) << "manner " << manner;
          if (manner == 2) break;  // and leaves
        }
      }
    });
  }
  for (std::thread& client : clients) client.join();
  const std::lock_guard lock(mutex);
  for (std::thread& thread : late) thread.join();
}

}  // namespace
}  // namespace rebound
