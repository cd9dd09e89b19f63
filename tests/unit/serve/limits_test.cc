// What the door does with more than it takes.
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "serve/door/door.h"
#include "tests/unit/serve/http_client.h"

namespace rebound {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// "/hold" waits in the handler for Release, on its worker; "/late" is answered by Release; all else
// at once with its target.
class LimitsTest : public testing::Test {
 protected:
  ~LimitsTest() override {
    Release();
    door_.reset();
  }
  void Open() {
    door_.emplace(options_, [this](const Request& request, const Done& done) {
      Response response;
      response.body = request.target;
      std::unique_lock lock(mutex_);
      if (request.target == "/hold") {
        ++held_;
        changed_.notify_all();
        changed_.wait(lock, [&] { return released_; });
      } else if (request.target == "/late") {
        late_.push_back(done);
        changed_.notify_all();
        return;
      }
      lock.unlock();
      done(response);
    });
  }
  void Release() {
    std::vector<Done> late;
    {
      const std::lock_guard lock(mutex_);
      released_ = true;
      late.swap(late_);
    }
    changed_.notify_all();
    for (const Done& done : late) done(Response{});
  }
  bool Await(const std::function<bool()>& holds) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, seconds(20), holds);
  }
  static bool Eventually(const std::function<bool()>& holds) {
    for (int i = 0; i < 4000; ++i) {
      if (holds()) return true;
      poll(nullptr, 0, 5);
    }
    return false;
  }
  int Get(const std::string& path) { return HttpClient(port()).Ask(GetRequest(path)).status; }
  uint16_t port() const { return door_->port(); }

  DoorOptions options_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int held_ = 0;
  bool released_ = false;
  std::vector<Done> late_;
  std::optional<Door> door_;
};

TEST_F(LimitsTest, ShedsWhatTheHandlerHasNoHandsFor) {
  options_.load.max_unanswered = 3;
  options_.never_shed = {"/livez"};
  Open();
  std::vector<std::unique_ptr<HttpClient>> waiting;
  for (int i = 0; i < 3; ++i) {
    waiting.push_back(std::make_unique<HttpClient>(port()));
    waiting.back()->Send(GetRequest("/late"));
  }
  ASSERT_TRUE(Await([&] { return late_.size() == 3; }));
  HttpClient more(port());
  const Reply reply = more.Ask(GetRequest("/more"));
  EXPECT_EQ(reply.status, 503);
  EXPECT_EQ(reply.headers.at("retry-after"), "5");
  EXPECT_NE(reply.body.find("too many requests wait for their answer"), std::string::npos);
  EXPECT_EQ(more.Ask(GetRequest("/livez?verbose")).status, 200) << "probes are answered";
  EXPECT_EQ(door_->Stats().shed, 1);
  Release();
  for (const auto& client : waiting) EXPECT_EQ(client->ReadReply().status, 200);
  EXPECT_EQ(more.Ask(GetRequest("/more")).status, 200) << "the connection was kept";
}

// What the handler never sees somebody else must hear of.
TEST_F(LimitsTest, TellsOfEveryAnswerOfItsOwn) {
  struct Seen {
    int status;
    std::string id;
    std::string method;
  };
  std::vector<Seen> seen;
  options_.threads = 1;
  options_.load.max_unanswered = 1;
  options_.witness = [&](const DoorAnswer& answer) {
    const std::lock_guard lock(mutex_);
    EXPECT_EQ(answer.peer, "127.0.0.1");
    EXPECT_GT(answer.bytes_out, 0U);
    seen.push_back({answer.status, std::string(answer.request_id),
                    answer.request == nullptr ? "" : answer.request->method});
  };
  Open();
  HttpClient late(door_->port());
  late.Send(GetRequest("/late"));
  ASSERT_TRUE(Await([&] { return late_.size() == 1; }));
  HttpClient shed(door_->port());
  const Reply refused = shed.Ask(GetRequest("/more", "X-Request-ID: mine\r\n"));
  EXPECT_EQ(refused.headers.at("x-request-id"), "mine");
  const Reply broken = HttpClient(door_->port()).Ask("nonsense\r\n\r\n");
  const Reply other = HttpClient(door_->port()).Ask("GET / HTTP/3.0\r\n\r\n");
  const std::lock_guard lock(mutex_);
  ASSERT_EQ(seen.size(), 3U);
  EXPECT_EQ(seen[0].status, 503);
  EXPECT_EQ(seen[0].id, "mine");
  EXPECT_EQ(seen[0].method, "GET");
  EXPECT_EQ(seen[1].status, 400);
  EXPECT_EQ(seen[1].id, broken.headers.at("x-request-id"));
  EXPECT_EQ(seen[1].method, "");
  EXPECT_EQ(seen[2].status, 505);
  EXPECT_EQ(seen[2].id, other.headers.at("x-request-id"));
}

TEST_F(LimitsTest, ACallerThatLeftIsStillCountedUntilItsAnswerIsThere) {
  options_.load.max_unanswered = 1;
  Open();
  {
    HttpClient leaving(port());
    leaving.Send(GetRequest("/late"));
    ASSERT_TRUE(Await([&] { return late_.size() == 1; }));
    leaving.Reset();
  }
  EXPECT_EQ(Get("/more"), 503) << "the work goes on";
  Release();
  EXPECT_EQ(Get("/more"), 200);
}

TEST_F(LimitsTest, ShedsWhatWaitedTooLongForAWorker) {
  options_.threads = 1;
  options_.load.max_wait = milliseconds(200);
  options_.never_shed = {"/livez"};
  Open();
  HttpClient holder(port());
  holder.Send(GetRequest("/hold"));
  ASSERT_TRUE(Await([&] { return held_ == 1; }));
  std::vector<std::unique_ptr<HttpClient>> queued;
  for (int i = 0; i < 20; ++i) {
    queued.push_back(std::make_unique<HttpClient>(port()));
    queued.back()->Send(GetRequest(i == 0 ? "/livez" : "/queued"));
  }
  EXPECT_TRUE(Eventually([&] { return door_->Stats().wait > milliseconds(400); }));
  Release();
  EXPECT_EQ(holder.ReadReply().status, 200);
  EXPECT_EQ(queued[0]->ReadReply().status, 200) << "probes are answered";
  for (size_t i = 1; i < queued.size(); ++i) EXPECT_EQ(queued[i]->ReadReply().status, 503);
  EXPECT_TRUE(Eventually([&] { return Get("/after") == 200; })) << "it recovers by itself";
}

TEST_F(LimitsTest, HoldsAPeerToItsConnections) {
  options_.max_connections_per_peer = 2;
  Open();
  HttpClient first(port());
  EXPECT_EQ(first.Ask(GetRequest("/")).status, 200);
  {
    HttpClient second(port());
    EXPECT_EQ(second.Ask(GetRequest("/")).status, 200);
    HttpClient third(port());
    const Reply reply = third.ReadReply();
    EXPECT_EQ(reply.status, 429);
    EXPECT_EQ(reply.headers.at("retry-after"), "5");
    EXPECT_TRUE(third.ServerCloses());
  }
  EXPECT_TRUE(Eventually([&] { return Get("/") == 200; })) << "one left, so there is room";
}

TEST_F(LimitsTest, HangsUpWithoutAWordFarBeyondItsConnections) {
  options_.threads = 1;
  options_.max_connections = 2;
  Open();
  std::vector<std::unique_ptr<HttpClient>> clients;
  for (int i = 0; i < 8; ++i) clients.push_back(std::make_unique<HttpClient>(port()));
  int silent = 0;
  for (size_t i = 2; i < clients.size(); ++i) silent += clients[i]->ReadReply().status == 0;
  EXPECT_GE(silent, 1) << "those that are told why hold descriptors too";
  EXPECT_EQ(clients[0]->Ask(GetRequest("/")).status, 200);
}

TEST_F(LimitsTest, LargeUnfinishedRequestsAreRefusedWhenTheMemoryIsGone) {
  options_.max_buffered_bytes = 1'500'000;
  Open();
  const std::string request = PostRequest("/", std::string(1'000'000, 'x'));
  HttpClient first(port());
  first.Send(request.substr(0, request.size() - 1));
  ASSERT_TRUE(Eventually([&] { return door_->Stats().buffered_bytes > 900'000; }));
  {
    HttpClient second(port());
    second.Send(request.substr(0, request.size() - 1));
    EXPECT_EQ(second.ReadReply().status, 503);
  }
  EXPECT_EQ(HttpClient(port()).Ask(PostRequest("/", "small")).status, 200);
  first.Send("x");
  EXPECT_EQ(first.ReadReply().status, 200) << "who was first is served";
  EXPECT_TRUE(Eventually([&] { return door_->Stats().buffered_bytes < 100'000; }));
}

class SlowSender : public LimitsTest, public testing::WithParamInterface<const char*> {};

TEST_P(SlowSender, IsToldThatItIsTooSlowLongBeforeTheRequestTimeout) {
  options_.rate_grace = milliseconds(200);
  options_.min_rate = 1000;
  Open();
  HttpClient client(port());
  client.Send(GetParam());
  while (!client.Receive(milliseconds(20)) && client.Send("1")) {
  }
  const Reply reply = client.ReadReply();
  EXPECT_EQ(reply.status, 408);
  EXPECT_NE(reply.body.find("the request arrives too slowly"), std::string::npos);
  EXPECT_TRUE(client.ServerCloses());
}
INSTANTIATE_TEST_SUITE_P(
    Of, SlowSender,
    testing::Values("GET /", "POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 1000\r\n\r\n",
                    "POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n"));

TEST_F(LimitsTest, ASteadySenderIsNotTooSlow) {
  options_.rate_grace = milliseconds(100);
  options_.min_rate = 1000;
  Open();
  HttpClient client(port());
  const std::string request = PostRequest("/steady", std::string(50'000, 'x'));
  for (size_t at = 0; at < request.size(); at += 2500) {  // half a second of it
    ASSERT_TRUE(client.Send(request.substr(at, 2500)));
    client.Receive(milliseconds(25));
  }
  EXPECT_EQ(client.ReadReply().status, 200);
}

// Pistache reads a client until it has sent all, and so never leaves one that always sends more.
TEST_F(LimitsTest, AClientThatNeverPausesStopsNobody) {
  options_.threads = 1;
  Open();
  std::atomic<bool> stop{false};
  std::vector<std::thread> flooders;
  for (int t = 0; t < 2; ++t) {
    flooders.emplace_back([&] {
      std::string many;
      for (int i = 0; i < 2000; ++i) many += GetRequest("/flood");
      while (!stop) {
        HttpClient flooder(port());
        std::thread reader([&] {
          while (flooder.Receive(milliseconds(200)) || !stop) {
            if (flooder.closed()) break;
          }
        });
        while (!stop && flooder.Send(many)) {
        }
        flooder.FinishSending();
        reader.join();
      }
    });
  }
  for (int i = 0; i < 4; ++i) EXPECT_EQ(Get("/honest"), 200) << i;
  stop = true;
  for (std::thread& flooder : flooders) flooder.join();
}

TEST_F(LimitsTest, ALargeUploadIsNoMonopoly) {
  options_.threads = 1;
  options_.limits.max_body = 100'000'000;
  options_.max_buffered_bytes = 300'000'000;
  Open();
  HttpClient client(port());
  client.Send(PostRequest("/large", std::string(60'000'000, 'x')));
  EXPECT_EQ(client.ReadReply().body, "/large");
}

// The listening socket goes while clients knock: none may bring the acceptor down.
TEST_F(LimitsTest, StopsAcceptingInTheMiddleOfAStormOfConnections) {
  for (int round = 0; round < 6; ++round) {
    Open();
    std::atomic<bool> stop{false};
    std::atomic<int> served{0};
    std::vector<std::thread> clients;
    for (int t = 0; t < 3; ++t) {
      clients.emplace_back([&, port = port()] {
        while (!stop) {
          try {
            HttpClient client(port);
            served += client.Ask(GetRequest("/")).status == 200;
          } catch (const std::runtime_error&) {
            return;  // refused
          }
        }
      });
    }
    while (served < 30) std::this_thread::yield();
    door_->StartDrain();
    door_->StopAccepting();
    EXPECT_THROW(HttpClient{port()}, std::runtime_error);
    EXPECT_TRUE(door_->WaitDrained(std::chrono::steady_clock::now() + seconds(10)));
    stop = true;
    for (std::thread& client : clients) client.join();
    door_.reset();
  }
}

TEST_F(LimitsTest, AHandlerCannotBreakTheAnswersFraming) {
  Door door(options_, [](const Request& request, const Done& done) {
    Response response;
    response.headers = {{"X-Split", "a\r\nX-Evil: b"}, {"X-Good", "c"}};
    if (request.target == "/none") response.status = 204;
    response.body = "body";
    done(response);
  });
  HttpClient client(door.port());
  const Reply reply = client.Ask(GetRequest("/"));
  EXPECT_EQ(reply.headers.count("x-split"), 0u);
  EXPECT_EQ(reply.headers.count("x-evil"), 0u);
  EXPECT_EQ(reply.headers.at("x-good"), "c");
  const Reply none = client.Ask(GetRequest("/none"));
  EXPECT_EQ(none.status, 204);
  EXPECT_EQ(none.headers.count("content-length"), 0u);
  EXPECT_EQ(client.Ask(GetRequest("/")).body, "body") << "and a 204 has no body";
}

}  // namespace
}  // namespace rebound
