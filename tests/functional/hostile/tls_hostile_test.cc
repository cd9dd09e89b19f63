// Clients that break TLS, against the real server.
#include <atomic>

#include "tests/functional/hostile/hostile_server.h"
#include "tests/unit/serve/tls_client.h"

namespace rebound {
namespace {

using std::chrono::milliseconds;
using test::Identity;
using test::kSanitized;
using test::Rounds;
using test::TlsClient;

class HostileTlsTest : public test::HostileTest {
 protected:
  void StartTls(std::vector<std::string> more = {}) {
    const std::string certificate = folder_.path() / "server.pem";
    const std::string key = folder_.path() / "server.key";
    test::WriteIdentity(identity_, certificate, key);
    more.insert(more.end(), {"--tls-cert", certificate, "--tls-key", key});
    Start(more);
  }
  std::unique_ptr<HttpClient> Connect() const override {
    test::TlsWish wish;
    wish.trusted = &identity_;
    return std::make_unique<TlsClient>(port(), wish);
  }

  const Identity identity_;
};

// A client that is ours to stop anywhere: its bytes pass through memory.
class Handshake {
 public:
  Handshake() : context_(SSL_CTX_new(TLS_client_method())), ssl_(SSL_new(context_)) {
    SSL_set_bio(ssl_, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_connect_state(ssl_);
  }
  ~Handshake() {
    SSL_free(ssl_);
    SSL_CTX_free(context_);
  }
  Handshake(const Handshake&) = delete;
  Handshake& operator=(const Handshake&) = delete;

  // What the client says next, after `heard`.
  std::string Say(const std::string& heard) {
    BIO_write(SSL_get_rbio(ssl_), heard.data(), static_cast<int>(heard.size()));
    SSL_do_handshake(ssl_);
    if (SSL_is_init_finished(ssl_)) SSL_write(ssl_, "GET /livez HTTP/1.1\r\nHost: t\r\n\r\n", 32);
    std::string bytes(16384, '\0');
    const int count = BIO_read(SSL_get_wbio(ssl_), bytes.data(), static_cast<int>(bytes.size()));
    bytes.resize(static_cast<size_t>(std::max(0, count)));
    return bytes;
  }

 private:
  SSL_CTX* context_;
  SSL* ssl_;
};

TEST_F(HostileTlsTest, AbortsAtEveryByteOfTheHandshakeHurtNobody) {
  StartTls();
  const size_t hello = Handshake().Say("").size();
  ASSERT_GT(hello, 100u);
  const size_t step = test::Rounds(1) > 1 || !kSanitized ? 1 : 7;
  for (size_t at = 0; at < hello + 200; at += step) {
    HttpClient client(port());
    Handshake handshake;
    const std::string first = handshake.Say("");
    client.Send(first.substr(0, at));
    if (at > first.size()) {
      std::string second;
      for (size_t heard = 0; second.empty() && client.Receive();) {
        second = handshake.Say(client.unread().substr(heard));
        heard = client.unread().size();
      }
      client.Send(second.substr(0, at - first.size()));
    }
    if (at % 2 == 0) {
      client.Reset();
    } else {
      client.Close();
    }
    if (at % 100 == 0) {
      ASSERT_TRUE(IsServed("at-" + std::to_string(at)));
    }
  }
  ExpectWellAfterwards();
}

TEST_F(HostileTlsTest, GarbageHurtsNobody) {
  StartTls();
  std::mt19937 random(5);
  const std::string hello = Handshake().Say("");
  const auto kept = Connect();
  for (int round = 0; round < Rounds(400); ++round) {
    HttpClient client(port());
    std::string bytes = hello;
    for (int changes = 0; changes < 1 + round % 5; ++changes) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    if (round % 4 == 0) bytes = "\x16" + std::string(random() % 3000, static_cast<char>(random()));
    client.Send(bytes);
    if (round % 2 == 0) client.Receive(milliseconds(1));
    if (round % 3 == 0) client.Reset();
    if (round % 20 == 0) {
      ASSERT_TRUE(IsServed(*kept, "kept-" + std::to_string(round)));
    }
  }
  ExpectWellAfterwards();
}

TEST_F(HostileTlsTest, SilentClientsDelayNobodyAndAreSentAway) {
  StartTls({"--request-timeout", "3"});  // a handshake has a third of it
  std::vector<std::unique_ptr<HttpClient>> silent;
  for (int i = 0; i < 300; ++i) {
    silent.push_back(std::make_unique<HttpClient>(port()));
    if (i % 2 == 0) silent.back()->Send(std::string("\x16\x03\x01\x02\x00\x01", 6));
  }
  const auto start = std::chrono::steady_clock::now();
  EXPECT_TRUE(IsServed("beside"));
  EXPECT_LT(std::chrono::steady_clock::now() - start, milliseconds(kSanitized ? 5000 : 1000));
  for (const auto& client : silent) EXPECT_TRUE(client->ServerCloses());
  silent.clear();
  ExpectWellAfterwards();
}

TEST_F(HostileTlsTest, ClientsThatSendAndCloseAtOnceNeverMakeAnotherReadTheirAnswer) {
  StartTls();
  const int wanted = Rounds(kSanitized ? 150 : 600);
  std::atomic<int> honest{0};
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 2; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; honest < wanted; ++i) {
        const auto client = Connect();
        client->Send(Honest("abuser") + Honest("abuser"));
        if ((i + t) % 2 == 0) {
          client->Reset();
        } else {
          client->FinishSending();
        }
      }
    });
  }
  for (; honest < wanted; ++honest) wrong += !IsServed("honest-" + std::to_string(honest));
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  ExpectWellAfterwards();
}

TEST_F(HostileTlsTest, FiveHundredIdleSessionsCostLittle) {
  StartTls();
  ASSERT_TRUE(IsServed("warm"));
  const int64_t before = Kilobytes();
  std::vector<std::unique_ptr<HttpClient>> idle;
  for (int i = 0; i < 500; ++i) {
    idle.push_back(Connect());
    if (i % 50 == 0) {
      ASSERT_TRUE(IsServed(*idle.back(), std::to_string(i)));
    }
  }
  const int64_t each = (Kilobytes() - before) / 500;
  if (!kSanitized) {
    EXPECT_LT(each, 80) << "KB a session";
  }
  RecordProperty("kilobytes_a_session", static_cast<int>(each));
  idle.clear();
  ExpectWellAfterwards();
}

}  // namespace
}  // namespace rebound
