// Hostile bytes for a TlsSession: whatever comes, it hands out what the client wrote and no more.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <random>
#include <string>

#include "serve/door/tls.h"
#include "tests/unit/serve/tls_client.h"

namespace rebound {
namespace {

using Random = std::mt19937;
using State = TlsSession::State;

int Rounds(int quick) {
  const char* factor = std::getenv("REBOUND_FUZZ");
  return quick * (factor == nullptr ? 1 : std::max(1, std::atoi(factor)));
}

size_t Below(size_t bound, Random* random) {
  return std::uniform_int_distribution<size_t>(0, bound - 1)(*random);
}

void Mutate(std::string* bytes, Random* random) {
  if (bytes->empty()) return;
  const size_t at = Below(bytes->size(), random);
  switch (Below(4, random)) {
    case 0:
      (*bytes)[at] = static_cast<char>(Below(256, random));
      break;
    case 1:
      bytes->erase(at, 1 + Below(20, random));
      break;
    case 2:
      bytes->insert(at, 1 + Below(20, random), static_cast<char>(Below(256, random)));
      break;
    default:
      bytes->insert(at, bytes->substr(Below(bytes->size(), random), Below(200, random)));  // replay
  }
}

TEST(FuzzTls, ASessionHandsOutWhatTheClientWroteAndNothingElse) {
  const TempFolder folder;
  TlsOptions options;
  options.certificate = folder.path() / "cert.pem";
  options.key = folder.path() / "key.pem";
  test::WriteIdentity(test::Identity(), options.certificate, options.key);
  const auto context = std::make_shared<const TlsContext>(options);
  SSL_CTX* client_context = SSL_CTX_new(TLS_client_method());
  Random random(20240502);
  int broken = 0;
  for (int round = 0; round < Rounds(600); ++round) {
    TlsSession server(context);
    SSL* client = SSL_new(client_context);
    if (round % 2 == 0) SSL_set_max_proto_version(client, TLS1_2_VERSION);
    SSL_set_bio(client, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_connect_state(client);
    const size_t mutation = Below(12, &random);  // in which turn, if it comes to that
    std::string written;
    std::string plain;
    for (size_t turn = 0; turn < 10; ++turn) {
      if (SSL_do_handshake(client) == 1 && turn > 1) {
        const std::string text(1 + Below(30'000, &random), static_cast<char>('a' + turn));
        if (SSL_write(client, text.data(), static_cast<int>(text.size())) > 0) written += text;
        if (Below(6, &random) == 0) SSL_key_update(client, SSL_KEY_UPDATE_REQUESTED);
        if (Below(20, &random) == 0) SSL_shutdown(client);
      }
      std::string wire(BIO_ctrl_pending(SSL_get_wbio(client)), '\0');
      BIO_read(SSL_get_wbio(client), wire.data(), static_cast<int>(wire.size()));
      if (turn == mutation) Mutate(&wire, &random);
      std::string back;
      while (!wire.empty()) {
        const size_t length = 1 + Below(wire.size(), &random);
        server.Receive(std::string_view(wire).substr(0, length), &plain, &back);
        wire.erase(0, length);
      }
      if (server.state() == State::kOpen) {
        EXPECT_TRUE(server.Send("answer", &back));
      }
      BIO_write(SSL_get_rbio(client), back.data(), static_cast<int>(back.size()));
      char read[4096];
      while (SSL_is_init_finished(client) && SSL_read(client, read, sizeof read) > 0) {
      }
    }
    ASSERT_TRUE(written.starts_with(plain)) << "round " << round;
    if (mutation >= 10) {
      ASSERT_EQ(plain, written) << "round " << round << ": " << server.error();
    }
    broken += server.state() == State::kFailed;
    std::string last;
    server.Close(&last);
    EXPECT_FALSE(server.Send("late", &last)) << "nothing follows close_notify";
    SSL_free(client);
  }
  EXPECT_GT(broken, Rounds(600) / 10);
  SSL_CTX_free(client_context);
}

}  // namespace
}  // namespace rebound
