#include "tokenizer/mask.h"

#include <gtest/gtest.h>

#include "tokenizer/normaliser.h"

namespace rebound {
namespace {

TEST(Mask, KeepsCasePunctuationAndLines) {
  EXPECT_EQ(Mask("550-5.1.1 <Jane.Doe@Example.com>: User Unknown!\r\n550 (see: 1.2.3.4)"),
            "550-5.1.1 <__email__>: User Unknown!\r\n550 (see: __ipvfour__)");
}

TEST(Mask, LeavesNothingPersonal) {
  const std::string_view personal[] = {"jane.doe@example.com",
                                       "jane.doe@",
                                       "jane.doe @ example.com",
                                       "<jane.doe EMAIL>",
                                       "to=jane.doe@x.com",
                                       "mailto:jane.doe@x.com",
                                       "bounce+jane.doe=x.com@list.org",
                                       "http://example.com/u/jane.doe",
                                       "https://google.com/?user=jane.doe",
                                       "jane.doe.example.com"};
  for (const std::string_view text : personal) {
    EXPECT_EQ(Mask(text).find("doe"), std::string::npos) << text << " -> " << Mask(text);
  }
}

TEST(Mask, KeepsTheNamesOfProvidersAndLists) {
  EXPECT_EQ(
      Mask("Client host [1.2.3.4] blocked using zen.spamhaus.org; see https://www.spamhaus.org/x"),
      "Client host [__ipvfour__] blocked using __host__ spamhaus; see __url__ spamhaus");
}

TEST(Mask, DoesNotTouchProviderCodes) {
  for (const std::string_view text : {"XGEMAIL_0003", "[TSS04]", "S3150", "OFR_506", "AUP#1260",
                                      "(SC-001)", "RESOLVER.ADR.RecipNotFound"}) {
    EXPECT_EQ(Mask(text), text);
  }
}

TEST(Mask, PartsTokensFromWordsThatTouchThem) {
  EXPECT_EQ(Mask("url=http://example.com/x"), "url= __url__");
  EXPECT_EQ(Mask("x[email protected]y"), "x __email__ y");
  EXPECT_EQ(Mask("25MB."), "__num__ MB.");
}

TEST(Mask, RepairsInvalidBytes) { EXPECT_EQ(Mask("a\xff"), "a\xef\xbf\xbd"); }

TEST(Mask, IsStableOnTextsThatOnceWereNot) {
  // Each of these was found by the fuzz test.
  for (const std::string_view text :
       {"3'T", "300 second:ftp://a", "1@@\t",
        "0\xe5\x88\x86"
        "2",
        "http://aka.ms/@", "s://aka.ms:http://g", "[email protected][email protected]",
        "<ftp://a.bc/?p=NoSuchUserNoSuchUserNoSuchUserNoSuchUserNo EMAIL>", "5B'\xd8\xaa.et/",
        "__id__?spamhaus.org/O@", "http://::1",
        "550-5.7.1;550\x82"
        "5.7.1 ",
        "n\xe2\x80\x99\x8b"}) {
    const std::string masked = Mask(text);
    EXPECT_EQ(Mask(masked), masked) << text;
    EXPECT_EQ(Normalise(masked), Normalise(text)) << text;
  }
}

TEST(Mask, HoldsTheLimitWhereTokensAreLongerThanWhatTheyHide) {
  std::string text;
  while (text.size() < kMaxTextBytes) text += "1 ";
  const std::string masked = Mask(text);
  EXPECT_LE(masked.size(), kMaxTextBytes);
  EXPECT_EQ(Normalise(masked), Normalise(text));
}

}  // namespace
}  // namespace rebound
