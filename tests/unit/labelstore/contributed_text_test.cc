#include "labelstore/contributed_text.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "tokenizer/mask.h"
#include "tokenizer/normaliser.h"

namespace rebound {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

void ExpectMasked(const Pairs& pairs) {
  for (const auto& [text, expected] : pairs) {
    const std::string masked = MaskContribution(text);
    EXPECT_EQ(masked, expected) << text;
    EXPECT_EQ(MaskContribution(masked), masked) << text;
  }
}

TEST(MaskContribution, HidesAddressesHoweverTheyWereBroken) {
  ExpectMasked({{"550 <jane.r EMAIL> unknown", "550 <__email__> unknown"},
                {"550 jane.roe @ example.com unknown", "550 __email__ unknown"},
                {"550 jane.roe@ example .com unknown", "550 __email__ unknown"},
                {"550 jane.roe@example .com unknown", "550 __email__ unknown"},
                {"550 jane.roe@localhost unknown", "550 __email__ unknown"},
                {"550 rcpt:jane.roe@mailserver unknown", "550 rcpt:__email__ unknown"},
                {"550 to=jane.roe@example.com;x", "550 to=__email__;x"},
                {"550 <j***e@example.com> unknown", "550 <__email__> unknown"},
                {"550 jane.roe[at]example[dot]com unknown", "550 __email__ unknown"},
                {"550 jane.roe (at) example (dot) com: no", "550 __email__: no"}});
}

TEST(MaskContribution, HidesAddressesOfEveryScript) {
  ExpectMasked({{"550 <jürgen.müller@exämple.de> unbekannt", "550 <__email__> unbekannt"},
                {"550 <дмитрий@почта.рф>: не существует", "550 <__email__>: не существует"},
                {"550 <用户@例子.广告> unknown", "550 <__email__> unknown"},
                {"550 jane.roe＠example.com unknown", "550 __email__ unknown"}});
}

TEST(MaskContribution, HidesQuotedLocalParts) {
  ExpectMasked({{"550 \"Jane Roe\"@example.com unknown", "550 __email__ unknown"},
                {"550 <\"jane roe\"@example.com> unknown", "550 <__email__> unknown"}});
}

TEST(MaskContribution, HidesNamesBesideAnAddress) {
  ExpectMasked({{"550 \"Jane Roe\" <jane@example.com> unknown", "550 <__email__> unknown"},
                {"550 'Jane Roe' <jane@example.com> unknown", "550 <__email__> unknown"},
                {"550 \"Roe, Jane\" <jane@example.com> unknown", "550 <__email__> unknown"},
                {"550 \"Łukasz Żak\" <l@example.com> unknown", "550 <__email__> unknown"},
                {"To: Jane van Roe <jane@example.com>", "To: <__email__>"},
                {"To: Jane Roe <jane@example.com>", "To: <__email__>"},
                {"=?utf-8?Q?Jane_Roe?= <jane@example.com>", "<__email__>"}});
}

TEST(MaskContribution, KeepsWhatAServerSaysBesideAnAddress) {
  for (const char* text : {"550 \"User unknown\" <__email__>", "550 'Mailbox full' <__email__>",
                           "Sender: Delivery failed <__email__>", "550 Recipient <__email__>",
                           "550 Invalid Recipient: User Unknown <__email__>"}) {
    EXPECT_EQ(MaskContribution(text), text);
  }
}

TEST(MaskContribution, HidesMachinesNamedAfterPeople) {
  ExpectMasked({{"550 host JANE-PC refused", "550 host __host__ refused"},
                {"550 EHLO DESKTOP-4F2K9QX refused", "550 EHLO __host__ refused"},
                {"550 janes-macbook-pro.local refused", "550 __host__ refused"},
                {"550 jane-laptop.example.com refused", "550 __host__ refused"}});
}

TEST(MaskContribution, KeepsCodesProvidersAndLists) {
  ExpectMasked(
      {{"550 5.7.1 XGEMAIL_0003 Command rejected", "550 5.7.1 XGEMAIL_0003 Command rejected"},
       {"550 blocked using zen.spamhaus.org", "550 blocked using __host__ spamhaus"},
       {"550 [AM6EUR05FT068.eop-eur05.prod.protection.outlook.com]", "550 [__host__ outlook]"},
       {"[TSS04] OFR_506 S3150 AUP#1260 (SC-001)", "[TSS04] OFR_506 S3150 AUP#1260 (SC-001)"}});
}

TEST(MaskContribution, ABlankTextGivesNothing) {
  for (const char* blank : {"", " \t\r\n", "\x01\x02"}) EXPECT_EQ(MaskContribution(blank), "");
}

TEST(MaskContribution, AddsNothingToMaskWhereThereIsNothingMoreToHide) {
  for (const char* text :
       {"550-5.1.1 <a@b.example>: User unknown\r\n550 5.1.1 see https://x.example",
        "451 4.7.1 Greylisted, try again in 300 seconds", "请联系 admin@example.com 获取"}) {
    EXPECT_EQ(MaskContribution(text), Mask(text));
    EXPECT_EQ(Normalise(MaskContribution(text)), Normalise(text));
  }
}

TEST(MaskContribution, IsStableOnHostileTexts) {
  Random random(7);
  const std::string_view bits[] = {"@",         "\xef\xbc\xa0",
                                   "[at]",      "(dot)",
                                   " ",         "\"",
                                   "<",         ">",
                                   "'",         "=?",
                                   "?=",        ":",
                                   "To: ",      "\xe7\x94\xa8",
                                   "\xd0\x94",  "Jane",
                                   "a",         "9",
                                   ".com",      "-PC",
                                   "__email__", "\n",
                                   "\xff",      ",",
                                   "EMAIL"};
  for (int i = 0; i < 5000; ++i) {
    std::string text;
    for (size_t parts = 1 + random.Below(14); parts > 0; --parts) text += random.Pick(bits);
    const std::string masked = MaskContribution(text);
    EXPECT_EQ(MaskContribution(masked), masked) << text;
  }
}

TEST(MaskContribution, HoldsTheLimit) {
  std::string text;
  while (text.size() < 2 * kMaxTextBytes) text += "1 \"Jane Roe\" <jane@example.com> ";
  const std::string masked = MaskContribution(text);
  EXPECT_LE(masked.size(), kMaxTextBytes);
  EXPECT_EQ(MaskContribution(masked), masked);
}

}  // namespace
}  // namespace rebound
