#include "serve/siphash.h"

#include <gtest/gtest.h>

#include <string>

namespace rebound {
namespace {

// The published test: key 00 01 … 0f, message 00 01 … of each length. These are the sixteen bytes
// of the output as two little-endian words, as `openssl mac -macopt size:16 … SIPHASH` gives them.
TEST(SipHash, GivesTheReferencesValues) {
  const SipSecret secret{0x0706050403020100, 0x0f0e0d0c0b0a0908};
  const struct {
    size_t length;
    SipHash hash;
  } cases[] = {
      {0, {0xe6a825ba047f81a3, 0x930255c71472f66d}},
      {1, {0x44af996bd8c187da, 0x45fc229b11597634}},
      {7, {0x53c1dbd8beebf1a1, 0x3982f01fa64ab8c0}},
      {8, {0x61f55862baa9623b, 0xb49714f364e2830f}},
      {15, {0x11a8b03399e99354, 0xd9c3cf970fec087e}},
      {16, {0xbb54b067caa4e26e, 0x77052385bf1533fd}},
      {63, {0x4a83502f77d15051, 0x7cbd3f979a063e50}},
  };
  for (const auto& expected : cases) {
    std::string message;
    for (size_t i = 0; i < expected.length; ++i) message.push_back(static_cast<char>(i));
    EXPECT_EQ(HashOf(secret, message).low, expected.hash.low) << expected.length;
    EXPECT_EQ(HashOf(secret, message).high, expected.hash.high) << expected.length;
  }
}

TEST(SipHash, EverySecretIsAnother) { EXPECT_FALSE(NewSipSecret() == NewSipSecret()); }

}  // namespace
}  // namespace rebound
