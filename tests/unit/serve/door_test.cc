#include "serve/door/door.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <atomic>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "base/error.h"
#include "serve/problem.h"
#include "tests/unit/serve/http_client.h"

namespace rebound {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Answers with what was asked: "METHOD target|body".
Response Echo(const Request& request) {
  Response response;
  response.content_type = "text/plain";
  response.body = request.method + " " + request.target + "|" + request.body;
  return response;
}

class DoorTest : public testing::Test {
 protected:
  Door& Open(HttpHandler handler = [](const Request& request, const Done& done) {
    done(Echo(request));
  }) {
    door_.emplace(options_, std::move(handler));
    return *door_;
  }
  uint16_t port() const { return door_->port(); }

  DoorOptions options_;
  std::optional<Door> door_;
};

TEST_F(DoorTest, AnswersARequest) {
  Open();
  HttpClient client(port());
  const Reply reply = client.Ask(PostRequest("/a?b=c", "hello"));
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, "POST /a?b=c|hello");
  EXPECT_EQ(reply.headers.at("content-type"), "text/plain");
  EXPECT_EQ(reply.headers.count("connection"), 0u) << "HTTP/1.1 stays open";
  EXPECT_TRUE(reply.headers.at("date").ends_with(" GMT"));
}

TEST_F(DoorTest, KeepsTheConnectionForThousandsOfRequests) {
  Open();
  HttpClient client(port());
  for (int i = 0; i < 2000; ++i) {
    const std::string body = std::to_string(i);
    ASSERT_EQ(client.Ask(PostRequest("/", body)).body, "POST /|" + body);
  }
}

TEST_F(DoorTest, AnswersPipelinedRequestsInTheirOrder) {
  Open();
  HttpClient client(port());
  std::string all;
  for (int i = 0; i < 500; ++i) all += PostRequest("/" + std::to_string(i), "x");
  std::thread sender([&] { client.Send(all); });
  for (int i = 0; i < 500; ++i) {
    ASSERT_EQ(client.ReadReply().body, "POST /" + std::to_string(i) + "|x");
  }
  sender.join();
}

TEST_F(DoorTest, AnswersLateAndFromAnotherThreadInOrder) {
  std::vector<std::thread> threads;
  std::mutex mutex;
  Open([&](Request request, Done done) {
    const std::lock_guard lock(mutex);
    threads.emplace_back(
        [request = std::move(request), done = std::move(done)] { done(Echo(request)); });
  });
  HttpClient client(port());
  std::string all;
  for (int i = 0; i < 50; ++i) all += GetRequest("/" + std::to_string(i));
  client.Send(all);
  for (int i = 0; i < 50; ++i)
    EXPECT_EQ(client.ReadReply().body, "GET /" + std::to_string(i) + "|");
  const std::lock_guard lock(mutex);
  for (std::thread& thread : threads) thread.join();
}

TEST_F(DoorTest, AnswersAfterTheClientClosedItsHalf) {
  Done late;
  std::mutex mutex;
  std::condition_variable asked;
  Open([&](const Request&, Done done) {
    const std::lock_guard lock(mutex);
    late = std::move(done);
    asked.notify_all();
  });
  HttpClient client(port());
  client.Send(GetRequest("/"));
  client.FinishSending();
  {
    std::unique_lock lock(mutex);
    ASSERT_TRUE(asked.wait_for(lock, seconds(10), [&] { return late != nullptr; }));
  }
  // The server has seen the end of the stream when it stops counting the connection as readable;
  // either order is right.
  Response response;
  response.body = "late";
  late(response);
  EXPECT_EQ(client.ReadReply().body, "late");
  EXPECT_TRUE(client.ServerCloses());
  late = nullptr;
}

TEST_F(DoorTest, AReadyAnswerSurvivesAHalfClosedConnection) {
  Open();
  HttpClient client(port());
  client.Send(PostRequest("/1", "a") + PostRequest("/2", "b"));
  client.FinishSending();
  EXPECT_EQ(client.ReadReply().body, "POST /1|a");
  EXPECT_EQ(client.ReadReply().body, "POST /2|b");
  EXPECT_TRUE(client.ServerCloses());
}

TEST_F(DoorTest, ALateAnswerToAClientThatLeftGoesNowhere) {
  Done late;
  std::mutex mutex;
  std::condition_variable asked;
  Open([&](const Request& request, Done done) {
    if (request.target != "/slow") return done(Echo(request));
    const std::lock_guard lock(mutex);
    late = std::move(done);
    asked.notify_all();
  });
  {
    HttpClient client(port());
    client.Send(GetRequest("/slow"));
    std::unique_lock lock(mutex);
    ASSERT_TRUE(asked.wait_for(lock, seconds(10), [&] { return late != nullptr; }));
    client.Reset();
  }
  HttpClient next(port());
  EXPECT_EQ(next.Ask(GetRequest("/next")).body, "GET /next|");
  late(Response{});
  EXPECT_EQ(next.Ask(GetRequest("/again")).body, "GET /again|");
  EXPECT_EQ(next.unread(), "");
  late = nullptr;
}

TEST_F(DoorTest, ReadsARequestSplitAtEveryByte) {
  Open();
  const std::string chunked =
      "POST /c HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: "
      "chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n";
  for (const std::string& request : {PostRequest("/p", "abcde"), chunked}) {
    HttpClient client(port());
    for (size_t at = 1; at < request.size(); ++at) {
      ASSERT_TRUE(client.Send(request.substr(0, at)));
      ASSERT_TRUE(client.Send(request.substr(at)));
      const Reply reply = client.ReadReply();
      ASSERT_EQ(reply.status, 200) << "split at " << at;
      ASSERT_TRUE(reply.body.ends_with("|abcde")) << reply.body;
    }
    for (const char byte : request) ASSERT_TRUE(client.Send({&byte, 1}));
    EXPECT_EQ(client.ReadReply().status, 200);
  }
}

TEST_F(DoorTest, AnswersHeadWithoutABody) {
  Open();
  HttpClient client(port());
  client.Send("HEAD /h HTTP/1.1\r\nHost: t\r\n\r\n");
  const Reply head = client.ReadReply(true);
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.headers.at("content-length"), std::to_string(sizeof "HEAD /h|" - 1));
  EXPECT_EQ(client.Ask(GetRequest("/g")).body, "GET /g|") << "no byte of a body stood between";
}

TEST_F(DoorTest, ClosesWhereTheClientAsksForIt) {
  Open();
  HttpClient client(port());
  const Reply reply = client.Ask(GetRequest("/", "Connection: close\r\n"));
  EXPECT_EQ(reply.headers.at("connection"), "close");
  EXPECT_TRUE(client.ServerCloses());
}

TEST_F(DoorTest, ClosesForHttp10UnlessItAsksToStay) {
  Open();
  HttpClient client(port());
  Reply reply = client.Ask("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(reply.headers.at("connection"), "keep-alive");
  reply = client.Ask("GET / HTTP/1.0\r\n\r\n");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.headers.at("connection"), "close");
  EXPECT_TRUE(client.ServerCloses());
}

TEST_F(DoorTest, TellsAWaitingClientToContinue) {
  Open();
  HttpClient client(port());
  client.Send("POST / HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
  EXPECT_EQ(client.ReadReply().status, 100);
  EXPECT_EQ(client.Ask("abc").body, "POST /|abc");
}

TEST_F(DoorTest, RefusesATooLargeBodyWithoutReadingIt) {
  options_.limits.max_body = 1000;
  Open();
  HttpClient client(port());
  const Reply reply = client.Ask(
      "POST / HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 1001\r\n\r\n");
  EXPECT_EQ(reply.status, 413);
  EXPECT_EQ(reply.headers.at("content-type"), "application/problem+json");
  EXPECT_EQ(reply.body,
            R"({"type":"urn:rebound:problem:too-large","title":"Content Too Large","status":413,)"
            R"("detail":"the body is larger than 1000 bytes"})");
  EXPECT_TRUE(client.ServerCloses());
}

TEST_F(DoorTest, TheAnswerToATooLargeBodyReachesAClientThatGoesOnSending) {
  options_.limits.max_body = 1000;
  Open();
  HttpClient client(port());
  client.Send(PostRequest("/", std::string(3'000'000, 'x')));
  EXPECT_EQ(client.ReadReply().status, 413);
}

TEST_F(DoorTest, AnswersGarbageWith400AndCloses) {
  Open();
  for (const char* bad : {"\x16\x03\x01\x02\x00", "GET / HTTP/1.1\nHost: t\n\n", "GET /\r\n\r\n"}) {
    HttpClient client(port());
    EXPECT_EQ(client.Ask(bad).status, 400);
    EXPECT_TRUE(client.ServerCloses());
  }
}

TEST_F(DoorTest, HangsUpOnAnIdleConnectionSilently) {
  options_.idle_timeout = milliseconds(100);
  Open();
  HttpClient client(port());
  EXPECT_TRUE(client.ServerCloses());
  EXPECT_EQ(client.unread(), "");
}

TEST_F(DoorTest, AnswersASlowRequestWith408HoweverItDribbles) {
  options_.request_timeout = milliseconds(300);
  Open();
  HttpClient client(port());
  client.Send("GET / HTTP/1.1\r\n");
  // A byte every now and then does not restart the clock.
  while (!client.Receive(milliseconds(20)) && client.Send("x")) {
  }
  EXPECT_EQ(client.ReadReply().status, 408);
  EXPECT_TRUE(client.ServerCloses());
}

TEST_F(DoorTest, ASlowReaderGetsAllAndStopsNobody) {
  options_.threads = 1;
  const std::string large(8'000'000, 'x');
  Open([large](const Request& request, const Done& done) {
    Response response;
    response.body = request.target == "/large" ? large : "small";
    done(response);
  });
  HttpClient slow(port(), 4096);
  slow.Send(GetRequest("/large") + GetRequest("/small"));
  HttpClient other(port());
  for (int i = 0; i < 100; ++i) ASSERT_EQ(other.Ask(GetRequest("/small")).body, "small");
  EXPECT_EQ(slow.ReadReply().body.size(), large.size());
  EXPECT_EQ(slow.ReadReply().body, "small") << "the pipelined request waited for its turn";
}

TEST_F(DoorTest, ASlowReaderThatClosedItsHalfGetsAll) {
  const std::string large(8'000'000, 'x');
  Open([large](const Request&, const Done& done) {
    Response response;
    response.body = large;
    done(response);
  });
  HttpClient slow(port(), 4096);
  slow.Send(GetRequest("/"));
  slow.FinishSending();
  EXPECT_EQ(slow.ReadReply().body.size(), large.size());
  EXPECT_TRUE(slow.ServerCloses());
}

TEST_F(DoorTest, HangsUpOnAClientThatNeverReads) {
  options_.request_timeout = milliseconds(200);
  const std::string large(16'000'000, 'x');
  Open([large](const Request&, const Done& done) {
    Response response;
    response.body = large;
    done(response);
  });
  HttpClient client(port(), 4096);
  client.Send(GetRequest("/"));
  pollfd hung_up{client.fd(), 0, 0};  // an error or a reset is always told
  EXPECT_EQ(poll(&hung_up, 1, 10'000), 1) << "the server hangs up by itself";
}

TEST_F(DoorTest, RefusesAConnectionTooMany) {
  options_.max_connections = 3;
  Open();
  std::vector<std::unique_ptr<HttpClient>> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(std::make_unique<HttpClient>(port()));
    ASSERT_EQ(clients.back()->Ask(GetRequest("/")).status, 200);
  }
  HttpClient extra(port());
  const Reply reply = extra.ReadReply();
  EXPECT_EQ(reply.status, 503);
  EXPECT_EQ(reply.headers.at("retry-after"), "5");
  EXPECT_TRUE(extra.ServerCloses());
  EXPECT_EQ(clients[0]->Ask(GetRequest("/")).status, 200);
}

TEST_F(DoorTest, ServesManyConnections) {
  Open();
  std::vector<std::unique_ptr<HttpClient>> clients;
  for (int i = 0; i < 400; ++i) {
    clients.push_back(std::make_unique<HttpClient>(port()));
    clients.back()->Send(GetRequest("/" + std::to_string(i)));
  }
  for (size_t i = 0; i < clients.size(); ++i) {
    ASSERT_EQ(clients[i]->ReadReply().body, "GET /" + std::to_string(i) + "|");
  }
}

// Stock Pistache queues writes by descriptor number: a client that closes at once gives its answer
// to whoever gets the number next.
TEST_F(DoorTest, ClientsThatCloseAtOnceNeverMisdeliver) {
  Open();
  constexpr int kHonest = 1000;
  std::atomic<int> served{0};
  std::vector<std::thread> abusers;
  for (int t = 0; t < 2; ++t) {
    abusers.emplace_back([&] {
      // A few for each honest one: to fill the queue of connections would only make all wait.
      for (int abused = 0; served < kHonest; std::this_thread::yield()) {
        if (abused > 4 * served + 4) continue;
        ++abused;
        HttpClient abuser(port());
        abuser.Send(PostRequest("/abuse", "abuser") + PostRequest("/abuse", "abuser"));
        abuser.Reset();
      }
    });
  }
  for (; served < kHonest; ++served) {
    HttpClient honest(port());
    const std::string body = "honest " + std::to_string(served);
    EXPECT_EQ(honest.Ask(PostRequest("/h", body)).body, "POST /h|" + body);
  }
  for (std::thread& abuser : abusers) abuser.join();
}

TEST_F(DoorTest, AHandlerThatThrowsAnswers500AndTheServerLives) {
  Open([](const Request& request, const Done& done) {
    if (request.target == "/std") throw std::runtime_error("secret");
    if (request.target == "/odd") throw 17;
    done(Echo(request));
  });
  HttpClient client(port());
  const Reply reply = client.Ask(GetRequest("/std"));
  EXPECT_EQ(reply.status, 500);
  EXPECT_EQ(reply.body.find("secret"), std::string::npos);
  EXPECT_EQ(client.Ask(GetRequest("/odd")).status, 500);
  EXPECT_EQ(client.Ask(GetRequest("/")).status, 200);
}

TEST_F(DoorTest, AnAnswerGivenTwiceIsSentOnce) {
  Open([](const Request& request, const Done& done) {
    done(Echo(request));
    done(Echo(request));
  });
  HttpClient client(port());
  EXPECT_EQ(client.Ask(GetRequest("/1")).body, "GET /1|");
  EXPECT_EQ(client.Ask(GetRequest("/2")).body, "GET /2|");
  EXPECT_EQ(client.unread(), "");
}

TEST_F(DoorTest, DrainsByFinishingWhatIsInFlight) {
  Done late;
  std::mutex mutex;
  std::condition_variable asked;
  Open([&](const Request& request, Done done) {
    if (request.target != "/slow") return done(Echo(request));
    const std::lock_guard lock(mutex);
    late = std::move(done);
    asked.notify_all();
  });
  HttpClient idle(port());
  ASSERT_EQ(idle.Ask(GetRequest("/")).status, 200);
  HttpClient busy(port());
  busy.Send(GetRequest("/slow"));
  {
    std::unique_lock lock(mutex);
    ASSERT_TRUE(asked.wait_for(lock, seconds(10), [&] { return late != nullptr; }));
  }
  door_->StartDrain();
  HttpClient newcomer(port());
  EXPECT_EQ(newcomer.Ask(GetRequest("/readyz")).headers.at("connection"), "close");
  door_->StopAccepting();
  EXPECT_THROW(HttpClient{port()}, std::runtime_error) << "connection refused";
  EXPECT_TRUE(idle.ServerCloses());
  EXPECT_FALSE(door_->WaitDrained(std::chrono::steady_clock::now() + milliseconds(150)));
  late(Response{});
  EXPECT_EQ(busy.ReadReply().headers.at("connection"), "close");
  EXPECT_TRUE(door_->WaitDrained(std::chrono::steady_clock::now() + seconds(10)));
  late = nullptr;
}

TEST_F(DoorTest, SaysWhyItCannotListen) {
  Open();
  options_.port = port();
  try {
    Door second(options_, [](const Request&, const Done&) {});
    FAIL() << "two doors on one port";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kUnavailable);
    EXPECT_NE(std::string(e.what()).find("cannot listen on 127.0.0.1:" + std::to_string(port())),
              std::string::npos)
        << e.what();
  }
}

}  // namespace
}  // namespace rebound
