// Masking of contributions, whatever the text: valid, within the limit, the same when it comes
// again, without the addresses that Mask hides, and in time that grows with the text alone.
//
// Arguments: how many texts.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <string>

#include "base/random.h"
#include "base/text.h"
#include "labelstore/contributed_text.h"
#include "tests/support/cpu_time.h"
#include "tests/support/masking_fixtures.h"
#include "tokenizer/mask.h"
#include "tokenizer/normaliser.h"

namespace rebound {
namespace {

size_t texts_to_try = 40000;

// What the steps look for, and halves of it.
constexpr std::string_view kFragments[] = {"550",
                                           "5.1.1",
                                           "550-5.7.1",
                                           "User",
                                           "unknown",
                                           "mailbox",
                                           "Jane",
                                           "Roe",
                                           "jane",
                                           "jroe",
                                           "Mark",
                                           "Young",
                                           "J.",
                                           "Dr.",
                                           "van",
                                           "Müller",
                                           "Łukasz",
                                           "田中",
                                           "太郎",
                                           "用户",
                                           "Дмитрий",
                                           "محمد",
                                           "สมชาย",
                                           "jane.roe",
                                           "<jane@example.org>",
                                           "jane@example.org",
                                           "j***@g***.com",
                                           "jane@",
                                           "@",
                                           "＠",
                                           "[at]",
                                           " at ",
                                           "(dot)",
                                           " dot ",
                                           "_at_",
                                           "&#64;",
                                           "%40",
                                           "=40",
                                           " @ ",
                                           ".org",
                                           " .org",
                                           " . org",
                                           "Dear",
                                           "Herr",
                                           "To:",
                                           "From:",
                                           "From",
                                           "Regards,",
                                           "via",
                                           "cn=",
                                           "user=",
                                           "S=",
                                           "G=",
                                           "name=",
                                           "ou=",
                                           "=",
                                           "/home/",
                                           "/var/mail/",
                                           "C:\\Users\\",
                                           "~",
                                           "/",
                                           "\\",
                                           "Maildir",
                                           ".lock",
                                           ".exe",
                                           "+49 30",
                                           "(555) 438-2291",
                                           "call",
                                           "Tel.",
                                           "12345678",
                                           "JANE-PC",
                                           "DESKTOP-",
                                           "-laptop",
                                           "=?",
                                           "?=",
                                           "?Q?",
                                           "=?utf-8?Q?J=C3=B6rg?=",
                                           "__email__",
                                           "__host__ google",
                                           "__url__ google JaneRoe",
                                           "__id__",
                                           "__",
                                           "_",
                                           "...",
                                           "… ",
                                           "mailto:",
                                           "https://google.com/JaneRoe",
                                           "zen.spamhaus.org",
                                           "1.2.3.4",
                                           "2001:db8::1",
                                           "<jroe>",
                                           "EMAIL",
                                           "user",
                                           "account",
                                           "is",
                                           "not found",
                                           "\xff",
                                           "\xe2\x82",
                                           "\xed\xa0\x80",
                                           "\xcc\x81",
                                           "’",
                                           "Roe, Jane",
                                           "\"Jane Roe\"",
                                           "'jroe'",
                                           "a",
                                           "é",
                                           "の",
                                           "。",
                                           "（"};
constexpr std::string_view kJoints[] = {" ", " ",  " ",  "",  "",  "<", ">", "\"",
                                        "'", "(",  ")",  "[", "]", ":", ",", ";",
                                        ".", "\n", "\t", "-", "=", "@", "  "};

std::string MakeText(Random* random, size_t most) {
  std::string text;
  for (size_t parts = 1 + random->Below(most); parts > 0; --parts) {
    const std::string_view fragment = random->Pick(kFragments);
    const size_t cut =
        random->Below(10) == 0 ? random->Below(fragment.size() + 1) : fragment.size();
    text.append(fragment.substr(0, cut)).append(random->Pick(kJoints));
  }
  return text;
}

std::string Damage(std::string text, Random* random) {
  for (size_t times = random->Below(4); times > 0 && !text.empty(); --times) {
    const size_t at = random->Below(text.size());
    switch (random->Below(4)) {
      case 0:
        text[at] = static_cast<char>(random->Below(256));
        break;
      case 1:
        text.erase(at, 1 + random->Below(3));
        break;
      case 2:
        text.insert(at, text.substr(random->Below(text.size()), random->Below(8)));
        break;
      default:
        std::swap(text[at], text[random->Below(text.size())]);
    }
  }
  return text;
}

std::string FaultOf(const std::string& text, std::string (*mask)(std::string_view)) {
  const std::string masked = mask(text);
  if (!IsValidUtf8(masked)) return "is no valid UTF-8: " + masked;
  if (masked.size() > kMaxTextBytes) return "is too long";
  if (masked.find('\0') != std::string::npos) return "holds a NUL";
  const std::string again = mask(masked);
  if (again != masked) return "is masked once as\n" + masked + "\nand twice as\n" + again;
  if (Mask(masked) != masked) return "leaves something to Mask:\n" + masked;
  return "";
}

std::string Shrink(std::string text, std::string (*mask)(std::string_view)) {
  for (size_t length = text.size() / 2; length > 0; length /= 2) {
    for (size_t at = 0; at + length <= text.size();) {
      std::string shorter = text;
      shorter.erase(at, length);
      if (FaultOf(shorter, mask).empty()) {
        at += length;
      } else {
        text = shorter;
      }
    }
  }
  return text;
}

void ExpectMasked(const std::string& text, uint64_t seed) {
  for (const auto mask : {MaskContribution, MaskComment}) {
    if (FaultOf(text, mask).empty()) continue;
    const std::string small = Shrink(text, mask);
    FAIL() << "seed " << seed << ": the text\n" << small << "\n" << FaultOf(small, mask);
  }
}

TEST(ContributionFuzz, MaskedTextsStayAsTheyAre) {
  for (uint64_t seed = 1; seed <= texts_to_try; ++seed) {
    Random random(seed);
    const std::string text = MakeText(&random, random.Below(8) == 0 ? 40 : 10);
    ExpectMasked(seed % 2 == 0 ? text : Damage(text, &random), seed);
    if (HasFatalFailure()) return;
  }
}

TEST(ContributionFuzz, FixturesThatWereDamagedAreMaskedOnceAndForAll) {
  auto fixtures = test::LoadPersonalTexts();
  for (const std::string& text : test::LoadServerTexts()) fixtures.push_back({text, {}, {}});
  for (uint64_t seed = 1; seed <= texts_to_try / 4; ++seed) {
    Random random(~seed);
    const std::string& text = fixtures[random.Below(fixtures.size())].text;
    const std::string& other = fixtures[random.Below(fixtures.size())].text;
    ExpectMasked(Damage(text + (seed % 2 == 0 ? " " + other : ""), &random), seed);
    if (HasFatalFailure()) return;
  }
}

TEST(ContributionFuzz, LongTextsAreCutAndMaskedOnceAndForAll) {
  for (uint64_t seed = 1; seed <= texts_to_try / 1000; ++seed) {
    Random random(seed << 32);
    std::string text;
    const size_t size = kMaxTextBytes / 2 + random.Below(kMaxTextBytes);
    while (text.size() < size) text += MakeText(&random, 10);
    ExpectMasked(text, seed);
    if (HasFatalFailure()) return;
  }
}

double SecondsOf(const std::string& text) {
  double best = 1e9;
  for (int i = 0; i < 2; ++i) {
    best = std::min(best, test::CpuSecondsOf([&] { MaskContribution(text); }));
  }
  return best;
}

// Repetitions of one fragment are what makes looking back costly. Eight times the text takes 64
// times as long where time grows with the square; it may take more rounds, which are few.
TEST(ContributionFuzz, HostileTextsTakeTimeInProportionToTheirLength) {
  for (const std::string_view fragment : kFragments) {
    for (const std::string_view joint : {"", " ", "<", "\"", "@", "="}) {
      std::string text;
      while (text.size() + fragment.size() + joint.size() <= kMaxTextBytes) {
        text.append(fragment).append(joint);
      }
      const double whole = SecondsOf(text);
      if (whole < 0.02) continue;  // 10 KB in 20 ms: no matter
      EXPECT_LT(whole, 40 * SecondsOf(text.substr(0, text.size() / 8))) << fragment << joint;
    }
  }
}

}  // namespace
}  // namespace rebound

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  if (argc > 1) rebound::texts_to_try = std::strtoull(argv[1], nullptr, 10);
  return RUN_ALL_TESTS();
}
