#include "tokenizer/recognise.h"

#include <gtest/gtest.h>

#include "tokenizer/known_names.h"

namespace rebound {
namespace {

TEST(Recognise, Ipv6AddressesInAllTheirForms) {
  for (const std::string_view text : {"::1", "1::", "2001:db8::1", "1:2:3:4:5:6:7:8",
                                      "::ffff:1.2.3.4", "IPv6:fe80::1", "1:2:3:4:5:6:1.2.3.4"}) {
    EXPECT_TRUE(IsIpv6(text)) << text;
  }
  for (const std::string_view text :
       {"::", ":", "1:2:3", "1:2:3:4:5:6:7:8:9", "12345::", "g::1", "1::2::3",
        "1:2:3:4:5:6:7:", "::1.2.3", "01:14:43", "1:::2"}) {
    EXPECT_FALSE(IsIpv6(text)) << text;
  }
}

TEST(Recognise, HostsByTheirTopLevelDomain) {
  for (const std::string_view text :
       {"a.com", "mx-1.b_c.co.uk", "x.museum", "found.it", "host.local"}) {
    EXPECT_TRUE(IsHost(text)) << text;
  }
  for (const std::string_view text :
       {"a", "a.", ".com", "a..com", "a.b", "a.123", "found.It", "x.RecipNotFound", "a b.com"}) {
    EXPECT_FALSE(IsHost(text)) << text;
  }
}

TEST(Recognise, WordsOfLettersAndDigits) {
  EXPECT_EQ(ClassifyWord("550"), WordKind::kReply);
  EXPECT_EQ(ClassifyWord("12345"), WordKind::kNumber);
  EXPECT_EQ(ClassifyWord("tss04"), WordKind::kWord);
  EXPECT_EQ(ClassifyWord("5_7_1"), WordKind::kWord);
  EXPECT_EQ(ClassifyWord("25MB"), WordKind::kSize);
  EXPECT_EQ(SizeUnit("25MB"), "MB");
  EXPECT_EQ(ClassifyWord("1h30m"), WordKind::kDuration);
  EXPECT_EQ(ClassifyWord("9441D8220E"), WordKind::kId);
  EXPECT_EQ(ClassifyWord("si41173941"), WordKind::kId);
}

TEST(Recognise, PhrasesEndAtTheBorderOfAWord) {
  EXPECT_EQ(MatchDuration("300 seconds."), 11U);
  EXPECT_EQ(MatchDuration("300 secondsx"), 0U);
  EXPECT_EQ(MatchDuration("550-second"), 0U);
  EXPECT_EQ(MatchDuration("5-minute delay"), 8U);
  EXPECT_EQ(MatchDate("22 Nov 2021, 5 times"), 11U);
  EXPECT_EQ(MatchDate("22 Novx"), 0U);
  EXPECT_EQ(MatchDate("Monday"), 0U);
}

TEST(KnownNames, BelongToTheLongestDomainOnALabelBorder) {
  EXPECT_EQ(NameOfHost("zen.spamhaus.org"), "spamhaus");
  EXPECT_EQ(NameOfHost("SPAMHAUS.ORG"), "spamhaus");
  EXPECT_EQ(NameOfHost("dbl.spamhaus.org"), "spamhausdbl") << "a list of domains";
  EXPECT_EQ(NameOfHost("dbl.nobody.example"), "uribl");
  EXPECT_EQ(NameOfHost("bl.nobody.example"), "dnsbl");
  EXPECT_EQ(NameOfHost("notspamhaus.org"), "");
  EXPECT_EQ(NameOfHost("mx.exmail.qq.com"), "qq");
  EXPECT_EQ(NameOfHost("dnsbl.example.net"), "dnsbl");
  EXPECT_EQ(NameOfHost("mail.marblehead.com"), "");
  EXPECT_EQ(NameOfHost(""), "");
}

}  // namespace
}  // namespace rebound
