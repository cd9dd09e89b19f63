// Who is served when: no client holds a worker over its turn, and none is hung up on for being
// quick. Told by the order in which the handler sees requests, not by a clock.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "serve/door/connection.h"
#include "serve/door/door.h"
#include "serve/door/turns.h"
#include "tests/unit/serve/http_client.h"

namespace rebound {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr auto kTurn = static_cast<size_t>(Connection::kTurnRequests);

// One worker. "/hold" waits in the handler for Release; all else is answered at once, after
// `on_request_`. What is asked stands in `order_`.
class DoorTurnsTest : public testing::Test {
 protected:
  DoorTurnsTest() { options_.threads = 1; }
  ~DoorTurnsTest() override {
    Release();
    door_.reset();
  }
  void Open() {
    door_.emplace(options_, [this](const Request& request, const Done& done) {
      {
        std::unique_lock lock(mutex_);
        order_.push_back(request.target);
        handlers_.insert(std::this_thread::get_id());
        if (request.target == "/hold") {
          changed_.notify_all();
          changed_.wait(lock, [&] { return released_; });
        }
      }
      if (on_request_ && on_request_(request, done)) return;
      Response response;
      response.body = request.target;
      done(response);
    });
  }
  // The worker waits in the handler until Release; what is sent until then is all there when it
  // comes back.
  std::unique_ptr<HttpClient> Hold() {
    auto holder = std::make_unique<HttpClient>(door_->port());
    holder->Send(GetRequest("/hold"));
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, seconds(20), [&] {
      return std::find(order_.begin(), order_.end(), "/hold") != order_.end();
    }));
    order_.clear();
    return holder;
  }
  void Release() {
    const std::lock_guard lock(mutex_);
    released_ = true;
    changed_.notify_all();
  }
  // Connected and known to the worker.
  std::unique_ptr<HttpClient> Connect() {
    auto client = std::make_unique<HttpClient>(door_->port());
    EXPECT_EQ(client->Ask(GetRequest("/hello")).status, 200);
    return client;
  }
  // Requests for `other` before the first one for `target`.
  size_t Before(const std::string& target, const std::string& other) {
    const std::lock_guard lock(mutex_);
    const auto at = std::find(order_.begin(), order_.end(), target);
    EXPECT_NE(at, order_.end());
    return static_cast<size_t>(std::count(order_.begin(), at, other));
  }
  static std::string Many(const std::string& target, int count) {
    std::string many;
    for (int i = 0; i < count; ++i) many += GetRequest(target);
    return many;
  }

  DoorOptions options_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool released_ = false;
  std::vector<std::string> order_;
  std::set<std::thread::id> handlers_;
  std::function<bool(const Request&, const Done&)> on_request_;  // true: it answers itself
  std::optional<Door> door_;
};

TEST_F(DoorTurnsTest, AFloodOfPipelinedRequestsGoesBeforeAnotherClientByATurnAtMost) {
  Open();
  const auto flooder = Connect();
  const auto second_flooder = Connect();
  std::vector<std::unique_ptr<HttpClient>> honest;
  for (int i = 0; i < 5; ++i) honest.push_back(Connect());
  const auto holder = Hold();
  constexpr int kFlood = 400;
  ASSERT_TRUE(flooder->Send(Many("/flood", kFlood)));
  ASSERT_TRUE(second_flooder->Send(Many("/second", kFlood)));
  for (size_t i = 0; i < honest.size(); ++i) {
    ASSERT_TRUE(honest[i]->Send(GetRequest("/honest" + std::to_string(i))));
  }
  Release();
  EXPECT_EQ(holder->ReadReply().status, 200);
  for (const auto& client : honest) EXPECT_EQ(client->ReadReply().status, 200);
  for (int i = 0; i < kFlood; ++i) ASSERT_EQ(flooder->ReadReply().body, "/flood");
  for (int i = 0; i < kFlood; ++i) ASSERT_EQ(second_flooder->ReadReply().body, "/second");
  for (size_t i = 0; i < honest.size(); ++i) {
    EXPECT_LE(Before("/honest" + std::to_string(i), "/flood"), kTurn);
    EXPECT_LE(Before("/honest" + std::to_string(i), "/second"), kTurn);
  }
}

TEST_F(DoorTurnsTest, WhoAsksForLittleDoesNotWaitForAllThatAskForMuch) {
  constexpr int kFlooders = 30;
  constexpr int kEach = 6;
  constexpr int kInTheirSecondRound = 70;  // of 180
  HttpClient* little = nullptr;
  int asked = 0;
  on_request_ = [&](const Request& request, const Done&) {
    if (request.target != "/much") return false;
    if (++asked == kInTheirSecondRound) little->Send(GetRequest("/little"));
    // As long as a turn may be, so that two fill one.
    const auto end = std::chrono::steady_clock::now() + Connection::kTurnTime;
    while (std::chrono::steady_clock::now() < end) {
    }
    return false;
  };
  Open();
  const auto client = Connect();
  little = client.get();
  std::vector<std::unique_ptr<HttpClient>> flooders;
  for (int i = 0; i < kFlooders; ++i) flooders.push_back(Connect());
  const auto holder = Hold();
  for (const auto& flooder : flooders) ASSERT_TRUE(flooder->Send(Many("/much", kEach)));
  Release();
  EXPECT_EQ(client->ReadReply().status, 200);
  for (const auto& flooder : flooders) {
    for (int i = 0; i < kEach; ++i) ASSERT_EQ(flooder->ReadReply().status, 200);
  }
  EXPECT_LE(Before("/little", "/much"), kInTheirSecondRound + kTurn);
}

TEST_F(DoorTurnsTest, TwoFloodsAreServedByTurnsToTheirEnd) {
  Open();
  const auto first = Connect();
  const auto second = Connect();
  const auto holder = Hold();
  constexpr int kFlood = 400;
  first->Send(Many("/first", kFlood));
  second->Send(Many("/second", kFlood));
  Release();
  for (int i = 0; i < kFlood; ++i) ASSERT_EQ(first->ReadReply().status, 200);
  for (int i = 0; i < kFlood; ++i) ASSERT_EQ(second->ReadReply().status, 200);
  // By turns and not by requests: a turn that the machine interrupts ends early, and who had it is
  // behind from then on.
  const std::lock_guard lock(mutex_);
  std::string last;
  size_t in_a_row = 0;
  for (const std::string& target : order_) {
    if (target != "/first" && target != "/second") continue;
    if (&target - order_.data() >= kFlood) break;  // one may have ended
    in_a_row = target == last ? in_a_row + 1 : 1;
    last = target;
    ASSERT_LE(in_a_row, kTurn);
  }
}

// Such a client's next request is there whenever the server reads again: stock Pistache stays with
// it. The client is quicker than any, as its next request leaves before its answer does.
TEST_F(DoorTurnsTest, AClientThatAsksAgainAtOnceGetsItsTurnsAndIsNeverClosed) {
  constexpr int kAsked = 3000;
  HttpClient* quick = nullptr;
  int asked = 0;
  on_request_ = [&](const Request& request, const Done&) {
    if (request.target == "/quick" && ++asked < kAsked) quick->Send(GetRequest("/quick"));
    return false;
  };
  Open();
  const auto quick_client = Connect();
  quick = quick_client.get();
  const auto other = Connect();
  const auto holder = Hold();
  quick->Send(GetRequest("/quick"));
  other->Send(GetRequest("/other"));
  Release();
  EXPECT_EQ(other->ReadReply().status, 200);
  for (int i = 0; i < kAsked; ++i) {
    const Reply reply = quick->ReadReply();
    ASSERT_EQ(reply.body, "/quick");
    ASSERT_EQ(reply.headers.count("connection"), 0u) << "answer " << i;
  }
  EXPECT_LE(Before("/other", "/quick"), kTurn);
  EXPECT_EQ(quick->Ask(GetRequest("/still-here")).status, 200);
}

TEST_F(DoorTurnsTest, HonestClientsThatNeverRestAreNeverClosed) {
  Open();
  std::atomic<int> closed{0};
  std::vector<std::thread> clients;
  for (int t = 0; t < 3; ++t) {
    clients.emplace_back([&] {
      HttpClient client(door_->port());
      for (int i = 0; i < 3000; ++i) {
        const Reply reply = client.Ask(GetRequest("/"));
        closed += reply.status != 200 || reply.headers.count("connection") != 0;
      }
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(closed, 0);
}

TEST_F(DoorTurnsTest, AnUploadIsReadByTurns) {
  options_.limits.max_body = 50'000'000;
  Open();
  const auto uploader = Connect();
  const auto other = Connect();
  std::thread sender([&] { uploader->Send(PostRequest("/upload", std::string(40'000'000, 'x'))); });
  // Answered before the upload has ended: it is far larger than what the kernel holds.
  for (int i = 0; i < 5; ++i) EXPECT_EQ(other->Ask(GetRequest("/other")).status, 200);
  sender.join();
  EXPECT_EQ(uploader->ReadReply().body, "/upload");
}

TEST_F(DoorTurnsTest, WhatWaitsForItsTurnStaysInTheKernel) {
  Open();
  const auto flooder = Connect();
  const auto holder = Hold();
  std::thread sender([&] { flooder->Send(Many("/flood", 100'000)); });
  Release();
  int64_t most = 0;
  for (int i = 0; i < 100'000; ++i) {
    ASSERT_EQ(flooder->ReadReply().status, 200);
    if (i % 100 == 0) most = std::max(most, door_->Stats().buffered_bytes);
  }
  sender.join();
  EXPECT_LT(most, 200'000) << "of 4 MB that were sent";
}

TEST_F(DoorTurnsTest, APipelinedRequestAfterALateAnswerIsHandledByItsWorker) {
  std::vector<std::thread> answering;
  on_request_ = [&](const Request& request, const Done& done) {
    if (request.target != "/late") return false;
    const std::lock_guard lock(mutex_);
    answering.emplace_back([done] { done(Response{}); });
    return true;
  };
  Open();
  const auto client = Connect();
  std::string pipelined;
  for (int i = 0; i < 50; ++i) pipelined += GetRequest("/late") + GetRequest("/next");
  client->Send(pipelined);
  client->FinishSending();
  for (int i = 0; i < 100; ++i) ASSERT_EQ(client->ReadReply().status, 200) << i;
  EXPECT_TRUE(client->ServerCloses());
  const std::lock_guard lock(mutex_);
  for (std::thread& thread : answering) thread.join();
  EXPECT_EQ(handlers_.size(), 1u) << "no other thread does a worker's work";
}

TEST_F(DoorTurnsTest, APipelinedRequestAfterASlowlyReadAnswerIsHandledByItsWorker) {
  on_request_ = [](const Request& request, const Done& done) {
    if (request.target != "/large") return false;
    Response response;
    response.body = std::string(4'000'000, 'x');
    done(response);
    return true;
  };
  Open();
  HttpClient slow(door_->port(), 4096);
  for (int i = 0; i < 3; ++i) slow.Send(GetRequest("/large") + GetRequest("/next"));
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(slow.ReadReply().body.size(), 4'000'000u);
    EXPECT_EQ(slow.ReadReply().body, "/next");
  }
  const std::lock_guard lock(mutex_);
  EXPECT_EQ(handlers_.size(), 1u);
}

TEST(TurnsTest, TheDescriptorIsReadableWhileSomebodyWaits) {
  Turns turns;
  const auto readable = [&] {
    pollfd wait{turns.fd(), POLLIN, 0};
    return poll(&wait, 1, 0) == 1;
  };
  EXPECT_FALSE(readable());
  turns.Settle();
  EXPECT_FALSE(readable());
  turns.Add(nullptr);
  EXPECT_TRUE(readable());
  EXPECT_EQ(turns.size(), 1u);
  EXPECT_EQ(turns.Take(), nullptr);
  EXPECT_EQ(turns.size(), 0u);
  EXPECT_TRUE(readable()) << "until it is settled";
  turns.Add(nullptr);
  turns.Settle();
  EXPECT_TRUE(readable()) << "who came in the meantime is not forgotten";
  EXPECT_EQ(turns.Take(), nullptr);
  turns.Settle();
  EXPECT_FALSE(readable());
  turns.Add(nullptr);
  EXPECT_TRUE(readable());
}

}  // namespace
}  // namespace rebound
