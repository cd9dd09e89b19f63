#include "serve/door/tls.h"

#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <thread>
#include <vector>

#include "base/error.h"
#include "base/log.h"
#include "serve/door/door.h"
#include "serve/door/tls_files.h"
#include "tests/unit/serve/tls_client.h"

namespace rebound {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::Identity;
using test::TlsClient;
using test::TlsWish;

// Tells the certificate's owner whom the server took it for.
Response Tell(const Request& request) {
  Response response;
  response.body = request.target + "|" + (request.tls ? "tls" : "plain") + "|" + request.peer +
                  "|" + request.client_subject + "|" + request.body;
  return response;
}

class TlsTest : public testing::Test {
 protected:
  TlsTest() {
    SetLog(LogLevel::kError);
    options_.tls.certificate = folder_.path() / "server.pem";
    options_.tls.key = folder_.path() / "server.key";
    Install(server_);
  }
  void Install(const Identity& identity) {
    test::WriteIdentity(identity, options_.tls.certificate, options_.tls.key);
  }
  void AskClients(TlsClientAuth auth) {
    options_.tls.client_ca = folder_.path() / "clients.pem";
    options_.tls.client_auth = auth;
    WriteFileDurably(options_.tls.client_ca, authority_.CertificatePem());
  }
  void Revoke(const std::string& pem) {
    options_.tls.client_crl = folder_.path() / "revoked.pem";
    WriteFileDurably(options_.tls.client_crl, pem);
  }
  void Open() {
    door_.emplace(options_, [](const Request& request, const Done& done) { done(Tell(request)); });
  }
  uint16_t port() const { return door_->port(); }
  TlsWish Trusting(const Identity* own = nullptr) const {
    TlsWish wish;
    wish.trusted = &server_;
    wish.own = own;
    return wish;
  }
  // What the client learns where it is not let in; TLS 1.3 tells at the first read.
  std::string Refusal(const TlsWish& wish) {
    try {
      TlsClient client(port(), wish);
      client.Send(GetRequest("/"));
      if (client.ReadReply().status != 0) return "let in";
      return client.error().empty() ? "the server hung up" : client.error();
    } catch (const std::runtime_error& e) {
      return e.what();
    }
  }

  TempFolder folder_;
  const Identity server_;
  const Identity authority_{{.name = "clients' authority", .authority = true}};
  const Identity client_{{.name = "mx1.example.com"}, &authority_};
  DoorOptions options_;
  std::optional<Door> door_;
};

TEST_F(TlsTest, AnswersInBothVersions) {
  Open();
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsWish wish = Trusting();
    wish.version = version;
    TlsClient client(port(), wish);
    EXPECT_EQ(client.version(), version);
    for (int i = 0; i < 100; ++i) {
      const std::string path = "/" + std::to_string(i);
      ASSERT_EQ(client.Ask(PostRequest(path, "x")).body, path + "|tls|127.0.0.1||x");
    }
  }
}

TEST_F(TlsTest, SpeaksNoOlderVersionAndNoWeakCipher) {
  Open();
  TlsWish wish;
  wish.version = TLS1_1_VERSION;
  EXPECT_NE(Refusal(wish), "let in");
  for (const char* weak : {"AES128-SHA", "ECDHE-ECDSA-AES128-SHA256", "AES128-GCM-SHA256"}) {
    wish.version = TLS1_2_VERSION;
    wish.ciphers = weak;
    EXPECT_NE(Refusal(wish), "let in") << weak;
  }
}

TEST_F(TlsTest, ChoosesHttp11AndRefusesAClientThatOffersNothingElseThanHttp2) {
  Open();
  TlsWish wish = Trusting();
  wish.protocols = "\x02h2\x08http/1.1";
  TlsClient client(port(), wish);
  EXPECT_EQ(client.protocol(), "http/1.1");
  EXPECT_EQ(client.Ask(GetRequest("/")).status, 200);
  wish.protocols = "\x02h2";
  EXPECT_EQ(Refusal(wish), "tlsv1 alert no application protocol");
}

TEST_F(TlsTest, ABodyLargerThanManyRecordsArrivesAndReturns) {
  options_.limits.max_body = 8'000'000;
  Open();
  TlsClient client(port(), Trusting(), 16384);
  std::string body(5'000'000, 'x');
  for (size_t i = 0; i < body.size(); i += 997) body[i] = static_cast<char>('a' + i % 26);
  EXPECT_EQ(client.Ask(PostRequest("/", body)).body, "/|tls|127.0.0.1||" + body);
  EXPECT_EQ(client.Ask(GetRequest("/after")).status, 200);
}

TEST_F(TlsTest, AnswersPipelinedRequestsInTheirOrder) {
  Open();
  TlsClient client(port(), Trusting());
  std::string all;
  for (int i = 0; i < 300; ++i) all += PostRequest("/" + std::to_string(i), "x");
  ASSERT_TRUE(client.Send(all));
  for (int i = 0; i < 300; ++i) {
    ASSERT_EQ(client.ReadReply().body, "/" + std::to_string(i) + "|tls|127.0.0.1||x");
  }
}

TEST_F(TlsTest, ClosesWithCloseNotify) {
  Open();
  TlsClient client(port(), Trusting());
  EXPECT_EQ(client.Ask(GetRequest("/", "Connection: close\r\n")).headers.at("connection"), "close");
  EXPECT_TRUE(client.ServerCloses());
  EXPECT_TRUE(client.ServerSaidClose());
}

TEST_F(TlsTest, AnIdleConnectionEndsWithCloseNotify) {
  options_.idle_timeout = milliseconds(100);
  Open();
  TlsClient client(port(), Trusting());
  EXPECT_TRUE(client.ServerCloses());
  EXPECT_TRUE(client.ServerSaidClose());
}

TEST_F(TlsTest, AnswersWhatWasAskedBeforeTheClientsCloseNotify) {
  Open();
  TlsClient client(port(), Trusting());
  client.Send(GetRequest("/1") + GetRequest("/2"));
  client.FinishTls();
  EXPECT_EQ(client.ReadReply().body, "/1|tls|127.0.0.1||");
  EXPECT_EQ(client.ReadReply().body, "/2|tls|127.0.0.1||");
  EXPECT_TRUE(client.ServerCloses());
}

TEST_F(TlsTest, ContinuesAWaitingClient) {
  Open();
  TlsClient client(port(), Trusting());
  client.Send("POST / HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
  EXPECT_EQ(client.ReadReply().status, 100);
  EXPECT_EQ(client.Ask("abc").body, "/|tls|127.0.0.1||abc");
}

TEST_F(TlsTest, TellsAClientThatSpeaksPlainHttp) {
  Open();
  HttpClient client(port());
  const Reply reply = client.Ask(GetRequest("/"));
  EXPECT_EQ(reply.status, 400);
  EXPECT_EQ(reply.headers.at("content-type"), "text/plain");
  EXPECT_EQ(reply.body, "This port speaks HTTPS: use https:// in place of http://\n");
  EXPECT_TRUE(client.ServerCloses());
}

TEST_F(TlsTest, ResumesASessionInBothVersions) {
  Open();
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsWish wish = Trusting();
    wish.version = version;
    TlsClient first(port(), wish);
    EXPECT_FALSE(first.resumed());
    ASSERT_EQ(first.Ask(GetRequest("/")).status, 200);
    ASSERT_NE(first.session(), nullptr);
    wish.session = first.session();
    TlsClient second(port(), wish);
    EXPECT_TRUE(second.resumed());
    EXPECT_EQ(second.Ask(GetRequest("/")).status, 200);
  }
}

TEST_F(TlsTest, AResumedSessionStillKnowsTheClientsCertificate) {
  AskClients(TlsClientAuth::kRequire);
  Open();
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsWish wish = Trusting(&client_);
    wish.version = version;
    const std::string expected = "/|tls|127.0.0.1|CN=mx1.example.com,O=Rebound tests|";
    TlsClient first(port(), wish);
    ASSERT_EQ(first.Ask(GetRequest("/")).body, expected);
    wish.session = first.session();
    TlsClient second(port(), wish);
    EXPECT_TRUE(second.resumed());
    EXPECT_EQ(second.Ask(GetRequest("/")).body, expected);
  }
}

TEST_F(TlsTest, AClientWithoutACertificateIsRefusedWhereOneIsRequired) {
  AskClients(TlsClientAuth::kRequire);
  Open();
  EXPECT_EQ(Refusal(Trusting()), "tlsv13 alert certificate required");
}

TEST_F(TlsTest, AClientMayComeWithoutACertificateWhereItIsOptional) {
  AskClients(TlsClientAuth::kOptional);
  Open();
  TlsClient without(port(), Trusting());
  EXPECT_EQ(without.Ask(GetRequest("/")).body, "/|tls|127.0.0.1||");
  TlsClient with(port(), Trusting(&client_));
  EXPECT_EQ(with.Ask(GetRequest("/")).body, "/|tls|127.0.0.1|CN=mx1.example.com,O=Rebound tests|");
}

TEST_F(TlsTest, ACertificateOfAnotherAuthorityOrOutOfDateIsRefusedEvenWhereOptional) {
  AskClients(TlsClientAuth::kOptional);
  Open();
  const Identity stranger({.name = "stranger"});
  EXPECT_EQ(Refusal(Trusting(&stranger)), "tlsv1 alert unknown ca");
  const Identity expired({.name = "late", .from_seconds = -7200, .to_seconds = -3600}, &authority_);
  EXPECT_EQ(Refusal(Trusting(&expired)), "sslv3 alert certificate expired");
}

TEST_F(TlsTest, ARevokedCertificateIsRefusedInTheHandshake) {
  const Identity revoked({.name = "lost.example.com"}, &authority_);
  for (const TlsClientAuth auth : {TlsClientAuth::kRequire, TlsClientAuth::kOptional}) {
    AskClients(auth);
    Revoke(authority_.RevocationsPem({&revoked}));
    Open();
    EXPECT_EQ(Refusal(Trusting(&revoked)), "sslv3 alert certificate revoked");
    TlsClient client(port(), Trusting(&client_));
    EXPECT_EQ(client.Ask(GetRequest("/")).status, 200);
  }
}

TEST_F(TlsTest, ARevocationCountsAfterAReloadForResumedSessionsToo) {
  AskClients(TlsClientAuth::kRequire);
  Revoke(authority_.RevocationsPem({}));
  Open();
  TlsWish wish = Trusting(&client_);
  TlsClient first(port(), wish);
  ASSERT_EQ(first.Ask(GetRequest("/")).status, 200);
  wish.session = first.session();
  Revoke(authority_.RevocationsPem({&client_}));
  EXPECT_TRUE(door_->ReloadTls());
  EXPECT_EQ(Refusal(wish), "sslv3 alert certificate revoked");
}

TEST_F(TlsTest, SeesForItselfThatTheRevocationsChanged) {
  AskClients(TlsClientAuth::kRequire);
  Revoke(authority_.RevocationsPem({}));
  TlsFiles files(options_.tls);
  const auto before = files.Current();
  const auto now = TlsFiles::Clock::now();
  Revoke(authority_.RevocationsPem({&client_}));
  files.Look(now);
  files.Look(now);
  EXPECT_NE(files.Current(), before);
}

TEST_F(TlsTest, RefusesRevocationsThatWouldShutEverybodyOutAndKeepsTheOld) {
  AskClients(TlsClientAuth::kRequire);
  const Identity other({.name = "another authority", .authority = true});
  const Identity impostor({.name = "clients' authority", .authority = true});
  const auto error = [&](const std::string& pem) {
    Revoke(pem);
    try {
      TlsContext context(options_.tls);
      return std::string();
    } catch (const Error& e) {
      return std::string(e.what()).substr(("TLS: " + options_.tls.client_crl.string()).size());
    }
  };
  const std::string none =
      ": there is no revocation list in it that CN=clients' authority,O=Rebound tests signed";
  EXPECT_EQ(error(authority_.RevocationsPem({})), "");
  EXPECT_EQ(error(other.RevocationsPem({}) + authority_.RevocationsPem({})), "");
  EXPECT_EQ(error(other.RevocationsPem({})), none);
  EXPECT_EQ(error(impostor.RevocationsPem({})), none);
  EXPECT_EQ(error(authority_.RevocationsPem({}, -60)),
            ": the revocation list of CN=clients' authority,O=Rebound tests is out of date: fetch "
            "the next one");
  EXPECT_EQ(error(authority_.CertificatePem()),
            ": there is no revocation list in it; PEM is expected");

  Revoke(authority_.RevocationsPem({}));
  Open();
  Revoke(other.RevocationsPem({}));
  EXPECT_FALSE(door_->ReloadTls());
  EXPECT_EQ(TlsClient(port(), Trusting(&client_)).Ask(GetRequest("/")).status, 200);
}

TEST_F(TlsTest, AnEndingRevocationListIsLogged) {
  AskClients(TlsClientAuth::kRequire);
  SetLog(LogLevel::kInfo);
  const auto log_of = [&](long seconds_left) {
    Revoke(authority_.RevocationsPem({}, seconds_left));
    testing::internal::CaptureStderr();
    TlsFiles files(options_.tls);
    return testing::internal::GetCapturedStderr();
  };
  EXPECT_EQ(log_of(7 * 24 * 3600).find("revocation"), std::string::npos);
  EXPECT_NE(log_of(3600).find("warning a TLS revocation list ends soon"), std::string::npos);
}

// The ticket outlives the certificate, the server's trust in it does not.
TEST_F(TlsTest, ASessionDoesNotOutliveTheClientsCertificate) {
  AskClients(TlsClientAuth::kRequire);
  Open();
  const Identity brief({.name = "brief", .to_seconds = 1}, &authority_);
  TlsWish wish = Trusting(&brief);
  TlsClient first(port(), wish);
  ASSERT_EQ(first.Ask(GetRequest("/")).status, 200);
  wish.session = first.session();
  std::string refusal = "let in";
  for (int i = 0; i < 200 && refusal == "let in"; ++i) {
    poll(nullptr, 0, 50);
    refusal = Refusal(wish);
  }
  EXPECT_NE(refusal, "let in");
}

TEST_F(TlsTest, SilentClientsDelayNobody) {
  options_.threads = 1;
  Open();
  std::vector<std::unique_ptr<HttpClient>> silent;
  for (int i = 0; i < 100; ++i) {
    silent.push_back(std::make_unique<HttpClient>(port()));
    if (i % 2 == 0) silent.back()->Send("\x16\x03\x01");
  }
  const auto start = std::chrono::steady_clock::now();
  TlsClient client(port(), Trusting());
  EXPECT_EQ(client.Ask(GetRequest("/")).status, 200);
  EXPECT_LT(std::chrono::steady_clock::now() - start, seconds(5));
}

TEST_F(TlsTest, AHandshakeHasADeadline) {
  options_.request_timeout = milliseconds(600);
  Open();
  HttpClient silent(port());
  HttpClient dribbling(port());
  dribbling.Send(std::string("\x16\x03\x01\x3f\x00", 5));  // a record that never ends
  while (!dribbling.Receive(milliseconds(20)) && dribbling.Send("x")) {
  }
  EXPECT_TRUE(silent.ServerCloses());
}

TEST_F(TlsTest, AHandshakeHasABoundOnItsBytes) {
  TlsSession session(std::make_shared<const TlsContext>(options_.tls));
  // A ClientHello that promises more than any has, in records that are well formed.
  std::string plain;
  std::string wire;
  const std::string record = std::string("\x16\x03\x01\x40\x00", 5) +
                             std::string("\x01\x00\xff\xff", 4) + std::string(16380, 'x');
  TlsSession::State state = TlsSession::State::kHandshake;
  size_t sent = 0;
  for (; state == TlsSession::State::kHandshake && sent < 1'000'000; sent += record.size()) {
    state = session.Receive(record, &plain, &wire);
  }
  EXPECT_EQ(state, TlsSession::State::kFailed);
  EXPECT_LE(sent, TlsSession::kMaxHandshakeBytes + 2 * record.size());
  EXPECT_EQ(plain, "");
}

TEST_F(TlsTest, RenegotiationIsRefused) {
  Open();
  TlsWish wish = Trusting();
  wish.version = TLS1_2_VERSION;
  TlsClient client(port(), wish);
  ASSERT_EQ(client.Ask(GetRequest("/")).status, 200);
  SSL_renegotiate(client.ssl());
  EXPECT_NE(SSL_do_handshake(client.ssl()), 1);
}

TEST_F(TlsTest, ABrokenRecordEndsTheConnectionAndNothingElse) {
  Open();
  TlsClient broken(port(), Trusting());
  ASSERT_EQ(broken.Ask(GetRequest("/")).status, 200);
  TlsClient honest(port(), Trusting());
  const std::string garbage = std::string("\x17\x03\x03\x00\x20", 5) + std::string(32, 'x');
  ::send(broken.fd(), garbage.data(), garbage.size(), MSG_NOSIGNAL);
  EXPECT_TRUE(broken.ServerCloses());
  EXPECT_EQ(broken.error(), "sslv3 alert bad record mac");
  EXPECT_EQ(honest.Ask(GetRequest("/")).status, 200);
}

// Every byte of a client's handshake may be its last, or be wrong.
TEST_F(TlsTest, LivesThroughHandshakesThatStopOrBreakAnywhere) {
  const auto context = std::make_shared<const TlsContext>(options_.tls);
  SSL_CTX* client_context = SSL_CTX_new(TLS_client_method());
  const auto flight = [&](TlsSession* server, size_t stop, size_t broken) {
    SSL* client = SSL_new(client_context);
    SSL_set_bio(client, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_connect_state(client);
    std::string plain;
    size_t sent = 0;
    auto state = TlsSession::State::kHandshake;
    for (int turn = 0; turn < 6 && sent < stop && state == TlsSession::State::kHandshake; ++turn) {
      SSL_do_handshake(client);
      char bytes[8192];
      const int count = BIO_read(SSL_get_wbio(client), bytes, sizeof bytes);
      if (count <= 0) break;
      std::string wire;
      for (int i = 0; i < count && sent < stop; ++i, ++sent) {
        if (sent == broken) bytes[i] = static_cast<char>(bytes[i] ^ 0x41);
        state = server->Receive({&bytes[i], 1}, &plain, &wire);
      }
      if (!wire.empty())
        BIO_write(SSL_get_rbio(client), wire.data(), static_cast<int>(wire.size()));
    }
    SSL_free(client);
    EXPECT_EQ(plain, "");
    return sent;
  };
  constexpr size_t kNever = 1'000'000;
  TlsSession whole(context);
  const size_t length = flight(&whole, kNever, kNever);
  ASSERT_EQ(whole.state(), TlsSession::State::kOpen);
  for (size_t at = 0; at < length; ++at) {
    TlsSession stopped(context);
    flight(&stopped, at, kNever);
    EXPECT_EQ(stopped.state(), TlsSession::State::kHandshake) << "stopped at " << at;
    TlsSession broken(context);
    flight(&broken, kNever, at);  // whatever comes of it
  }
  SSL_CTX_free(client_context);
}

TEST_F(TlsTest, TakesANewCertificateWithoutARestart) {
  Open();
  TlsClient before(port(), Trusting());
  ASSERT_EQ(before.server_name(), "localhost");
  const Identity renewed({.name = "renewed.example.com"});
  Install(renewed);
  EXPECT_TRUE(door_->ReloadTls());
  TlsClient after(port());
  EXPECT_EQ(after.server_name(), "renewed.example.com");
  EXPECT_EQ(before.Ask(GetRequest("/")).status, 200) << "who was there before is served on";
}

TEST_F(TlsTest, RefusesANewPairThatCannotServeAndKeepsTheOld) {
  Open();
  const Identity other;
  const auto refuses = [&](const char* what) {
    EXPECT_FALSE(door_->ReloadTls()) << what;
    TlsClient client(port(), Trusting());
    EXPECT_EQ(client.server_name(), "localhost") << what;
  };
  WriteFileDurably(options_.tls.key, other.KeyPem());
  refuses("another certificate's key");
  WriteFileDurably(options_.tls.key, "nonsense");
  refuses("no key");
  std::filesystem::remove(options_.tls.key);
  refuses("a missing key");
  Install(Identity({.name = "late", .from_seconds = -7200, .to_seconds = -3600}));
  refuses("an expired certificate");
}

TEST_F(TlsTest, SeesForItselfThatTheFilesChangedOnceTheyStandStill) {
  TlsFiles files(options_.tls);
  const auto before = files.Current();
  const auto now = TlsFiles::Clock::now();
  files.Look(now);
  EXPECT_EQ(files.Current(), before);
  Install(Identity({.name = "renewed.example.com"}));
  files.Look(now);
  EXPECT_EQ(files.Current(), before) << "they may still be changing";
  files.Look(now);
  EXPECT_EQ(files.Current()->subject(), "CN=renewed.example.com,O=Rebound tests");
}

TEST_F(TlsTest, RenewsTheTicketsKeyTwiceADay) {
  TlsFiles files(options_.tls);
  const auto before = files.Current();
  files.Look(TlsFiles::Clock::now() + std::chrono::hours(11));
  EXPECT_EQ(files.Current(), before);
  files.Look(TlsFiles::Clock::now() + std::chrono::hours(13));
  EXPECT_NE(files.Current(), before);
}

TEST_F(TlsTest, AnExpiringCertificateIsLogged) {
  const auto log_of = [&](long seconds_left) {
    Install(Identity({.to_seconds = seconds_left}));
    SetLog(LogLevel::kInfo);
    testing::internal::CaptureStderr();
    TlsFiles files(options_.tls);
    return testing::internal::GetCapturedStderr();
  };
  const long day = 24 * 3600;
  EXPECT_EQ(log_of(90 * day).find("expires soon"), std::string::npos);
  const std::string soon = log_of(5 * day + 60);
  EXPECT_NE(soon.find("warning TLS certificate expires soon"), std::string::npos) << soon;
  EXPECT_NE(soon.find("days_left=5"), std::string::npos) << soon;
  EXPECT_NE(log_of(-10).find("TLS certificate has expired"), std::string::npos);
}

TEST_F(TlsTest, SaysWhatIsWrongWithAFile) {
  const auto error = [&] {
    try {
      const TlsContext context(options_.tls);
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ErrorCode::kInvalidArgument);
      return std::string(e.what());
    }
    return std::string("taken");
  };
  const std::string certificate = options_.tls.certificate.string();
  const std::string key = options_.tls.key.string();
  EXPECT_EQ(error(), "taken");
  WriteFileDurably(key, Identity().KeyPem());
  EXPECT_EQ(error(), "TLS: " + key + ": the key is not that of the certificate in " + certificate +
                         " (key values mismatch)");
  const std::string locked =
      "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n";
  WriteFileDurably(key, locked);
  EXPECT_TRUE(error().ends_with("; PEM without a passphrase is expected")) << error();
  WriteFileDurably(certificate, "nonsense");
  EXPECT_EQ(error(), "TLS: " + certificate + ": there is no certificate in it; PEM is expected");
  std::filesystem::remove(certificate);
  EXPECT_EQ(error(), "TLS: cannot open " + certificate + ": No such file or directory");
  Install(server_);
  options_.tls.client_ca = folder_.path() / "none.pem";
  EXPECT_EQ(error(),
            "TLS: cannot open " + options_.tls.client_ca.string() + ": No such file or directory");
}

TEST_F(TlsTest, ReloadsUnderLoadFailNobody) {
  Open();
  std::atomic<bool> stop{false};
  std::atomic<int> served{0};
  std::vector<std::thread> clients;
  for (int t = 0; t < 3; ++t) {
    clients.emplace_back([&] {
      while (!stop) {
        TlsClient client(port());
        EXPECT_EQ(client.Ask(GetRequest("/")).status, 200);
        ++served;
      }
    });
  }
  const Identity other({.name = "other"});
  for (int round = 0; round < 40; ++round) {
    Install(round % 2 == 0 ? other : server_);
    EXPECT_TRUE(door_->ReloadTls());
  }
  while (served < 50) std::this_thread::yield();
  stop = true;
  for (std::thread& client : clients) client.join();
}

}  // namespace
}  // namespace rebound
