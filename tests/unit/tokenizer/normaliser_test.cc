#include "tokenizer/normaliser.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace rebound {
namespace {

// text -> canonical form
struct Case {
  std::string_view text;
  std::string_view canonical;
};

template <size_t n>
void ExpectAll(const Case (&cases)[n]) {
  for (const Case& c : cases) EXPECT_EQ(Normalise(c.text), c.canonical) << c.text;
}

TEST(Normaliser, MatchesTheGoldenPairButForIdAndPageName) {
  EXPECT_EQ(
      Normalise(
          "550 5.7.1 The email account that you tried to reach does not exist. Please try "
          "double-checking the recipient's email address for typos or unnecessary spaces. For "
          "more information, go to https://support.google.com/mail/?p=NoSuchUser "
          "38308e7fff4ca-317d13bdb9esi41173941fa.224 - gsmtp"),
      "550 5_7_1 the email account that you tried to reach does not exist please try double "
      "checking the recipient's email address for typos or unnecessary spaces for more information "
      "go to __url__ google nosuchuser __id__ gsmtp");
}

TEST(Normaliser, JoinsTheLinesOfAReply) {
  ExpectAll({
      {"550-5.7.1 first line\n550-second line\n550 third",
       "550 5_7_1 first line second line third"},
      {"550-5.7.1 first\r\n550 5.7.1 second", "550 5_7_1 first second"},
      {"550 5.7.1 first\n550 5.7.1 second", "550 5_7_1 first second"},
      {"550-5.7.1 first 550-5.7.1 second 550 5.7.1 third", "550 5_7_1 first second third"},
      {"550-5.7.1 first\\n550 5.7.1 second\\r\\n550 third", "550 5_7_1 first second third"},
      {"smtp;550-5.1.1 first\n550-5.1.1 second", "smtp 550 5_1_1 first second"},
  });
}

TEST(Normaliser, KeepsCodesThatDifferFromTheFirst) {
  ExpectAll({
      {"550-5.7.1 first\n554 5.7.1 second", "550 5_7_1 first 554 5_7_1 second"},
      {"550-5.7.1 first\n550 5.1.1 second", "550 5_7_1 first 5_1_1 second"},
      {"552 5.2.2 said: 552 5.2.2 full", "552 5_2_2 said 552 5_2_2 full"},
  });
}

TEST(Normaliser, KeepsReplyAndEnhancedCodes) {
  ExpectAll({
      {"550 5.7.1 no", "550 5_7_1 no"},
      {"(5.7.1) #5.1.1 5.7.26: 4.7.28.", "5_7_1 5_1_1 5_7_26 4_7_28"},
      {"250 599 249 600", "250 599 __num__ __num__"},
      {"Status:5.1.1", "status 5_1_1"},
      {"DSN=4.2.2", "dsn 4_2_2"},
  });
}

TEST(Normaliser, NeverTakesACodeFromAnAddressOrALongerNumber) {
  ExpectAll({
      {"550 IP 5.7.1.100 is blacklisted", "550 ip __ipvfour__ is blacklisted"},
      {"550 5.7.1.0 not a code", "550 __ipvfour__ not a code"},
      {"5.7.1.300", "__num__"},
      {"1550 5500 15.7.1 3.7.1", "__num__ __num__ __num__ __num__"},
  });
}

TEST(Normaliser, KeepsProviderCodes) {
  ExpectAll({
      {"[TSS04] S3150 OFR_506 IB212 CXBL HM08", "tss04 s3150 ofr_506 ib212 cxbl hm08"},
      {"AUP#1260 SC-001 DOC-1369", "aup_1260 sc_001 doc_1369"},
      {"XGEMAIL_0003 LPN105_404", "xgemail_0003 lpn105_404"},
      {"MI:SPB DT:SPM HL:ITC", "mi spb dt spm hl itc"},
      {"AS(201806281)", "as __num__"},
      {"5xx 8BITMIME TLSv1 smtp2go", "5xx 8bitmime tlsv1 smtp2go"},
  });
}

TEST(Normaliser, MasksAddresses) {
  ExpectAll({
      {"<user@example.com>: no", "__email__ no"},
      {"<[email protected]>: no", "__email__ no"},
      {"[email\xc2\xa0protected] [email&#160;protected]", "__email__ __email__"},
      {"user@ <jane.r EMAIL> john @ example.com", "__email__ __email__ __email__"},
      {"key:addr@host to=x@y.com bounce+u=d.com@list.org", "key __email__ to __email__ __email__"},
      {"&lt;a@b.com&gt;", "__email__"},
      {"jörg@müller.de почта@пример.рф o'brien@x.com", "__email__ __email__ __email__"},
      {"MAILTO:A@B.C.", "mailto __email__"},
      {"jane@gmail.com jane@example.com", "__email__ gmail __email__"},
  });
}

TEST(Normaliser, MasksIpAddresses) {
  ExpectAll({
      {"[1.2.3.4] (192.0.2.0/24) 1.2.3.4:25", "__ipvfour__ __ipvfour__ __ipvfour__ __num__"},
      {"2001:db8::1 IPv6:2001:db8::2: ::1 [fe80::1%eth0]",
       "__ipvsix__ __ipvsix__ __ipvsix__ __ipvsix__"},
      {"::ffff:1.2.3.4", "__ipvsix__"},
      {"1:2:3:4:5:6:7:8", "__ipvsix__"},
  });
}

TEST(Normaliser, MasksHostsAndKeepsTheNamesOfThoseKnown) {
  ExpectAll({
      {"mx1.example.org", "__host__"},
      {"blocked using zen.spamhaus.org;", "blocked using __host__ spamhaus"},
      {"gmail-smtp-in.l.google.com", "__host__ google"},
      {"AM5EUR02FT0.eop-EUR02.prod.protection.outlook.com", "__host__ outlook"},
      {"listed on rbl.example.org", "listed on __host__ dnsbl"},
      {"4.3.2.1.bl.spamcop.net", "__host__ spamcop"},
      {"mx.notspamhaus.org spamhaus.org.example.com", "__host__ __host__"},
      {"Mail.Ru почта.рф xn--e1afmkfd.xn--p1ai", "__host__ mailru __host__ __host__"},
      {"服务器mx1.qq.com拒绝", "服务器 __host__ qq 拒绝"},
  });
}

TEST(Normaliser, DoesNotMaskDottedWords) {
  ExpectAll({
      {"RESOLVER.ADR.RecipNotFound; not found", "resolver adr recipnotfound not found"},
      {"STOREDRV.Deliver.Exception:X", "storedrv deliver exception x"},
      {"User.Unknown", "user unknown"},
      {"found.It was full.To be", "found it was full to be"},
      {"e.g. a.m.", "e g a m"},
  });
}

TEST(Normaliser, MasksWebAddresses) {
  ExpectAll({
      {"see https://www.spamhaus.org/query/ip/1.2.3.4", "see __url__ spamhaus"},
      {"(http://example.com/a,b;c(d)).", "__url__"},
      {"https://aka.ms/EXOSmtpErrors", "__url__ microsoft exosmtperrors"},
      {"www.example.com/x support.google.com/mail", "__url__ __url__ google"},
      {"<URL:ftp://ftp.isi.edu/in-notes/rfc1035.txt>", "url __url__"},
      {"见http://mail.163.com/help，谢谢", "见 __url__ netease 谢谢"},
      {"https://example.com/johnsmith", "__url__"},
      {"http://", "http"},
  });
}

TEST(Normaliser, MasksIdsAndUuids) {
  ExpectAll({
      {"123e4567-e89b-12d3-a456-426614174000", "__uuid__"},
      {"9441D8220E 4BcXyz1234 1mpXYZ-0001Ab-Cd j7KAB1cD012345", "__id__ __id__ __id__ __id__"},
      {"x84si12345678wrp.3 - gsmtp", "__id__ gsmtp"},
      {"a640c23a62f3a-ab96f6c5b47si1234567866b.123", "__id__"},
  });
}

TEST(Normaliser, MasksNumbersDatesAndDurations) {
  ExpectAll({
      {"12345 7 3.14 +49-30-1234 1,234", "__num__ __num__ __num__ __num__ __num__ __num__"},
      {"25MB 50 MB 10kb", "__num__ mb __num__ mb __num__ kb"},
      {"300 seconds 5 minutes 1h 15m30s 00:05:00",
       "__duration__ __duration__ __duration__ __duration__ __duration__"},
      {"5 Minuten 10 минут 3 heures 10 分钟后 300秒",
       "__duration__ __duration__ __duration__ __duration__ 后 __duration__"},
      {"2021-11-22 22/11/2021 22-Nov-2021 2021-11-22T01:14:43.123Z 14:05",
       "__date__ __date__ __date__ __date__ __date__"},
      {"on Mon, 22 Nov 2021 01:14:43 +0000 (UTC)", "on __date__ utc"},
      {"Nov 22 01:14:43 mx", "__date__ mx"},
      {"you may 5 times", "you may __num__ times"},
  });
}

TEST(Normaliser, LowersEveryScriptAndDropsPunctuation) {
  ExpectAll({
      {"ÜBERFÜLLT! Ящик ПЕРЕПОЛНЕН... ΧΡΉΣΤΗΣ χρήστης",
       "überfüllt ящик переполнен χρήστησ χρήστησ"},
      {"it's, doesn’t, з’єднання 'quoted'", "it's doesn't з'єднання quoted"},
      {"double-checking over_quota", "double checking over quota"},
      {"收件人不存在，请检查。", "收件人不存在 请检查"},
      {"المستخدم غير موجود", "المستخدم غير موجود"},
  });
}

TEST(Normaliser, KeepsMaskTokensThatAreThereAlready) {
  ExpectAll({
      {"<__email__>: at __host__ spamhaus, __num__", "__email__ at __host__ spamhaus __num__"},
      {"x__num__y", "x num y"},
  });
}

TEST(Normaliser, GivesNothingForTextsWithoutWords) {
  ExpectAll({{"", ""},
             {"   \r\n\t", ""},
             {".,;:-()[]<>@@//__", ""},
             {"\xff\xfe\x80", ""},
             {"。，“”", ""}});
}

TEST(Normaliser, ReadsInvalidUtf8AsASeparator) {
  EXPECT_EQ(Normalise("user\xff unknown\xe2\x82"), "user unknown");
  EXPECT_EQ(Normalise("a\xed\xa0\x80"
                      "b"),
            "a b");
}

TEST(Normaliser, CutsLongTextsAndStaysFast) {
  const std::string letters(10 << 20, 'a');
  EXPECT_EQ(Normalise(letters), letters.substr(0, kMaxTextBytes));
  for (const std::string_view hostile : {"1,", "a@", "<", "550-", "x.y-", "http://", "://", "5 ",
                                         "\xe2\x80\x99"
                                         "a",
                                         "_", "__num__", "a=b:c/", "@ "}) {
    std::string text;
    while (text.size() < size_t{10} << 20) text += hostile;
    EXPECT_TRUE(IsValidUtf8(Normalise(text))) << hostile;
  }
}

TEST(Normaliser, ReusesTheMemoryOfItsOutput) {
  std::string out(500, 'x');
  const char* memory = out.data();
  Normalise("550 5.1.1 <user@example.com>: User unknown", &out);
  EXPECT_EQ(out, "550 5_1_1 __email__ user unknown");
  EXPECT_EQ(out.data(), memory);
}

}  // namespace
}  // namespace rebound
