// Clients that mean harm, or are merely broken, against the real server.
#include <atomic>

#include "tests/functional/hostile/hostile_server.h"

namespace rebound {
namespace {

using std::chrono::milliseconds;
using test::HostileTest;
using test::kSanitized;
using test::Rounds;
using Random = std::mt19937;

size_t Below(size_t bound, Random* random) {
  return std::uniform_int_distribution<size_t>(0, bound - 1)(*random);
}

std::string RandomBytes(size_t most, Random* random) {
  std::string bytes(1 + Below(most, random), '\0');
  for (char& byte : bytes) byte = static_cast<char>(Below(256, random));
  return bytes;
}

std::string Mutated(std::string text, Random* random) {
  for (size_t changes = 1 + Below(4, random); changes > 0; --changes) {
    const size_t at = Below(text.size(), random);
    switch (Below(4, random)) {
      case 0:
        text[at] = static_cast<char>(Below(256, random));
        break;
      case 1:
        text.erase(at, Below(6, random));
        break;
      case 2:
        text.insert(at, RandomBytes(8, random));
        break;
      default:
        text.insert(at, text.substr(Below(text.size(), random), Below(60, random)));
    }
    if (text.empty()) text = "x";
  }
  return text;
}

// Leaves in one of the ways that clients have.
void Leave(HttpClient* client, Random* random) {
  switch (Below(4, random)) {
    case 0:
      return client->Reset();
    case 1:
      return client->FinishSending();
    case 2:
      client->Receive(milliseconds(Below(3, random)));
      return client->Reset();
    default:
      return client->Close();
  }
}

std::string Batch(int texts) {
  std::string body = R"({"messages":[)";
  for (int i = 0; i < texts; ++i) {
    body += (i == 0 ? "\"" : ",\"") + std::to_string(i) + " 550 user unknown\"";
  }
  return body + "]}";
}

void Garbage(uint16_t port, int rounds, unsigned seed) {
  Random random(seed);
  const std::string chunked =
      "POST /v1/bnac HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n"
      "13\r\n{\"message\":\"virus\"}\r\n0\r\n\r\n";
  for (int round = 0; round < rounds; ++round) {
    HttpClient client(port);
    std::string bytes;
    switch (Below(3, &random)) {
      case 0:
        bytes = RandomBytes(2000, &random);
        break;
      case 1:
        bytes = Mutated(PostRequest("/v2/bnac", Batch(3)), &random);
        break;
      default:
        bytes = Mutated(chunked + chunked, &random);
    }
    const size_t cut = Below(bytes.size() + 1, &random);
    client.Send(bytes.substr(0, cut));
    client.Send(bytes.substr(cut));
    Leave(&client, &random);
  }
}

TEST_F(HostileTest, RandomBytesAndMutatedRequestsHurtNobodyElse) {
  Start();
  std::vector<std::thread> clients;
  std::atomic<int> running{3};
  for (unsigned t = 0; t < 3; ++t) {
    clients.emplace_back([&, t] {
      Garbage(port(), Rounds(400), 100 + t);
      --running;
    });
  }
  const auto kept = Connect();
  for (int i = 0; running > 0; ++i) ASSERT_TRUE(IsServed(*kept, "kept-" + std::to_string(i)));
  for (std::thread& client : clients) client.join();
  ExpectWellAfterwards();
}

// Stock Pistache gave the answers of clients that left to whoever got their descriptor's number:
// 5 to 73 of 68,000 to 176,000.
TEST_F(HostileTest, ClientsThatSendAndCloseAtOnceNeverMakeAnotherReadTheirAnswer) {
  Start();
  const int wanted = Rounds(kSanitized ? 1000 : 4000);
  std::atomic<int> honest{0};
  std::atomic<int> wrong{0};
  std::atomic<int> abuses{0};
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 2; ++t) {
    threads.emplace_back([&, t] {
      Random random(t);
      while (honest < wanted) {
        if (abuses > 3 * honest + 8) {  // more would only fill the queue of connections
          std::this_thread::yield();
          continue;
        }
        ++abuses;
        HttpClient client(port());
        client.Send(Honest("abuser") + Honest("abuser"));
        Leave(&client, &random);
      }
    });
    threads.emplace_back([&, t] {
      for (int i = 0; honest < wanted; ++i, ++honest) {
        wrong += !IsServed(std::to_string(t) + "-" + std::to_string(i));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0) << "of " << honest << " beside " << abuses << " abusers";
  ExpectWellAfterwards();
}

TEST_F(HostileTest, TwoThousandIdleConnectionsCostLittleAndDelayNobody) {
  Start({"--max-connections", "3000"});
  ASSERT_TRUE(IsServed("warm"));
  const int64_t before = Kilobytes();
  std::vector<std::unique_ptr<HttpClient>> idle;
  for (int i = 0; i < 2000; ++i) {
    idle.push_back(Connect());
    if (i % 2 == 0) idle.back()->Send("GET / HTTP/1.1\r\nHo");  // half of a request
  }
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(IsServed("beside-" + std::to_string(i)));
  if (!kSanitized) {
    EXPECT_LT(Kilobytes() - before, 40'000) << "20 KB each at most";
  }
  for (size_t i = 1; i < idle.size(); i += 200) {
    EXPECT_TRUE(IsServed(*idle[i], "idle-" + std::to_string(i)));
  }
  idle.clear();
  ExpectWellAfterwards();
}

TEST_F(HostileTest, ResetsInMidAnswerHurtNobody) {
  Start();
  const std::string request = PostRequest("/v2/bnac", Batch(1000));
  Random random(7);
  for (int round = 0; round < Rounds(60); ++round) {
    HttpClient client(port(), 2048);
    client.Send(request + request + request);
    if (round % 3 != 0) client.Receive(milliseconds(200));
    Leave(&client, &random);
    if (round % 10 == 0) {
      ASSERT_TRUE(IsServed("round-" + std::to_string(round)));
    }
  }
  ExpectWellAfterwards();
}

TEST_F(HostileTest, SlowReadersGetTheirAnswersWholeAndDelayNobody) {
  // They leave their answers lying for as long as the others take: how long that may be is no
  // matter here, and on a busy machine it is long.
  constexpr std::chrono::minutes kAnyTime(3);
  Start({"--request-timeout", "600"});
  const std::string request = PostRequest("/v2/bnac", Batch(1000));
  const std::string answer = Connect()->Ask(request).body;
  ASSERT_GT(answer.size(), 10'000u);
  std::vector<std::unique_ptr<HttpClient>> slow;
  for (int i = 0; i < 40; ++i) {
    slow.push_back(std::make_unique<HttpClient>(port(), 2048));
    slow.back()->SetPatience(kAnyTime);
    for (int n = 0; n < 4; ++n) slow.back()->Send(request);
  }
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(IsServed("beside-" + std::to_string(i)));
  for (const auto& client : slow) {
    for (int n = 0; n < 4; ++n) EXPECT_EQ(client->ReadReply().body, answer);
  }
  slow.clear();
  ExpectWellAfterwards();
}

TEST_F(HostileTest, SlowWritersAreSentAway) {
  Start({"--request-timeout", "1"});
  std::vector<std::unique_ptr<HttpClient>> slow;
  for (int i = 0; i < 60; ++i) {
    slow.push_back(Connect());
    slow.back()->Send(i % 2 == 0
                          ? "GET / HTTP/1.1\r\nX: "
                          : "POST /v1/bnac HTTP/1.1\r\nHost: t\r\nContent-Length: 99999\r\n\r\n");
  }
  // All of them write on until they are told; nobody who is honest waits for them.
  for (size_t left = slow.size(), round = 0; left > 0 && round < 1000; ++round) {
    left = 0;
    for (const auto& client : slow) left += client->unread().empty() && client->Send("x");
    for (const auto& client : slow) client->Receive(milliseconds(0));
    ASSERT_TRUE(IsServed("beside-" + std::to_string(round)));
  }
  for (const auto& client : slow) EXPECT_EQ(client->ReadReply().status, 408);
  slow.clear();
  ExpectWellAfterwards();
}

TEST_F(HostileTest, RunsOutOfDescriptorsAndRecovers) {
#ifdef __SANITIZE_ADDRESS__
  // UBSan opens a pipe to look at an object's type, and takes its own failure for ours.
  GTEST_SKIP() << "UBSan itself does not live without descriptors";
#endif
  Start();
  ASSERT_TRUE(IsServed("before"));
  const rlimit few{descriptors_ + 30, descriptors_ + 30};
  ASSERT_EQ(prlimit(server_->pid(), RLIMIT_NOFILE, &few, nullptr), 0);
  for (int round = 0; round < Rounds(3); ++round) {
    std::vector<std::unique_ptr<HttpClient>> many;
    for (int i = 0; i < 100; ++i) {
      many.push_back(Connect());
      many.back()->Send(Honest("many"));
    }
    int answered = 0;
    for (const auto& client : many) answered += client->Receive(milliseconds(20));
    EXPECT_GT(answered, 5) << "those that got in are served";
    EXPECT_LT(answered, 60);
    many.clear();
    EXPECT_TRUE(Eventually([&] { return IsServed("between"); }));
  }
  ExpectWellAfterwards();
}

TEST_F(HostileTest, TheConnectionCapFollowsTheOpenFilesThatTheSystemAllows) {
  Start({}, {"/bin/sh", "-c", "ulimit -n 300; exec \"$0\" \"$@\""});  // 300 less 256 for itself
  std::vector<std::unique_ptr<HttpClient>> clients;
  for (int i = 0; i < 22; ++i) {
    clients.push_back(Connect());
    ASSERT_TRUE(IsServed(*clients.back(), std::to_string(i)));
  }
  HttpClient extra(port());
  EXPECT_EQ(extra.ReadReply().status, 503);
  clients.clear();
  EXPECT_TRUE(Eventually([&] { return IsServed("room again"); }));
  ExpectWellAfterwards();
}

TEST_F(HostileTest, MemoryStaysFlat) {
  Start({"--request-timeout", "2"});
  const auto abuse = [&](unsigned seed) {
    Garbage(port(), Rounds(300), seed);
    Random random(seed);
    for (int i = 0; i < Rounds(20); ++i) {
      HttpClient client(port(), 2048);
      client.Send(PostRequest("/v2/bnac", Batch(1000)));
      Leave(&client, &random);
    }
    ASSERT_TRUE(IsServed("round"));
    EXPECT_TRUE(Eventually([&] { return Descriptors() <= descriptors_ + 4; }));
  };
  for (unsigned round = 0; round < 2; ++round) abuse(round);
  const int64_t warm = Kilobytes();
  for (unsigned round = 2; round < 5; ++round) abuse(round);
  if (!kSanitized) {
    EXPECT_LT(Kilobytes() - warm, 10'000);
  }
  ExpectWellAfterwards();
}

}  // namespace
}  // namespace rebound
