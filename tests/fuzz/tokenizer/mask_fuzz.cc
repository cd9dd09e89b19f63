// Mask is idempotent and keeps the canonical form, whatever the text.
//
// Arguments: how many texts.
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "base/text.h"
#include "tests/fuzz/tokenizer/texts.h"
#include "tokenizer/mask.h"
#include "tokenizer/normaliser.h"

namespace rebound {
namespace {

size_t texts_to_try = 200000;

std::string Visible(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c >= ' ' && c < 0x7f && c != '\\') {
      out.push_back(c);
    } else {
      char buffer[8];
      std::snprintf(buffer, sizeof(buffer), "\\x%02x", static_cast<unsigned char>(c));
      out.append(buffer);
    }
  }
  return out;
}

bool IsStable(const std::string& text) {
  const std::string masked = Mask(text);
  const std::string canonical = Normalise(text);
  return Mask(masked) == masked && Normalise(masked) == canonical && IsValidUtf8(masked) &&
         IsValidUtf8(canonical) && masked.size() <= kMaxTextBytes;
}

// A smallest part of a text that fails, so that the message can be read.
std::string Shrink(std::string text) {
  for (size_t length = text.size() / 2; length > 0; length /= 2) {
    for (size_t at = 0; at + length <= text.size();) {
      std::string shorter = text;
      shorter.erase(at, length);
      if (IsStable(shorter)) {
        at += length;
      } else {
        text = shorter;
      }
    }
  }
  return text;
}

void ExpectStable(const std::string& text, uint64_t seed) {
  if (IsStable(text)) return;
  const std::string small = Shrink(text);
  const std::string masked = Mask(small);
  FAIL() << "seed " << seed << "\ntext:                  " << Visible(small)
         << "\nmasked:                " << Visible(masked)
         << "\nmasked twice:          " << Visible(Mask(masked))
         << "\nnormalised:            " << Visible(Normalise(small))
         << "\nmasked and normalised: " << Visible(Normalise(masked));
}

TEST(MaskFuzz, MaskedTextsStayAsTheyAreAndKeepTheCanonicalForm) {
  for (uint64_t seed = 1; seed <= texts_to_try; ++seed) {
    Random random(seed);
    const std::string text = MakeText(&random);
    ExpectStable(seed % 2 == 0 ? text : Damage(text, &random), seed);
    if (HasFatalFailure()) return;
  }
}

TEST(MaskFuzz, TextsBeyondTheLimitAreCutAlikeBeforeAndAfterMasking) {
  for (uint64_t seed = 1; seed <= texts_to_try / 1000; ++seed) {
    Random random(~seed);
    const size_t size = kMaxTextBytes / 4 + random.Below(kMaxTextBytes);
    std::string text;
    while (text.size() < size) text += Damage(MakeText(&random), &random);
    ExpectStable(text, seed);
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace rebound

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  if (argc > 1) rebound::texts_to_try = std::strtoull(argv[1], nullptr, 10);
  return RUN_ALL_TESTS();
}
