#include "tests/fuzz/tokenizer/texts.h"

#include <iterator>

namespace rebound {
namespace {

constexpr std::string_view kFragments[] = {
    "550",
    "5.7.1",
    "4.2.2",
    "421",
    "250",
    "599",
    "600",
    "5.7.26",
    "550-5.7.1",
    "550-",
    "#5.1.1",
    "(5.7.1)",
    "5.7.1.100",
    "User",
    "unknown",
    "mailbox",
    "full",
    "the",
    "recipient's",
    "don’t",
    "double-checking",
    "john.doe@example.com",
    "<a@b>",
    "user@",
    "@",
    "x=y@z.de",
    "to=foo@bar.com",
    "bounce+a=b.com@c.org",
    "jane.r EMAIL>",
    "<jane.r EMAIL>",
    "[email protected]",
    "[email&#160;protected]",
    "john @ example.com",
    "1.2.3.4",
    "192.168.0.1/24",
    "10.0.0.256",
    "::1",
    "2001:db8::1",
    "fe80::",
    "IPv6:2001:db8:0:0:1:2:3:4",
    "aa:bb:cc:dd:ee:ff",
    "zen.spamhaus.org",
    "mx1.google.com",
    "gmail-smtp-in.l.google.com",
    "foo.bar",
    "RESOLVER.ADR.RecipNotFound",
    "found.It",
    "mail.ru",
    "rbl.example.net",
    "http://x.com/a,b;c(d)",
    "https://support.google.com/mail/?p=NoSuchUser",
    "http://",
    "www.spamcop.net/bl",
    "https://aka.ms/EXOSmtpErrors",
    "https://google.com/August",
    "https://google.com/EMAIL",
    "://",
    "ftp://a.b/c",
    "9441D8220E",
    "38308e7fff4ca-317d13bdb9esi41173941fa.224",
    "1mpXYZ-0001Ab-Cd",
    "TSS04",
    "S3150",
    "OFR_506",
    "AUP#1260",
    "SC-001",
    "LPN105_404",
    "XGEMAIL_0003",
    "AM5EUR02FT0",
    "8bitmime",
    "oauth2",
    "5_7_1",
    "AS(201806281)",
    "MI:SPB",
    "123e4567-e89b-12d3-a456-426614174000",
    "12345",
    "7",
    "25MB",
    "300s",
    "1h30m",
    "300 seconds",
    "5 minutes",
    "5-minute",
    "00:05:00",
    "14:05",
    "2021-11-22",
    "22/11/2021",
    "22-Nov-2021",
    "2021-11-22T01:14:43Z",
    "Mon, 22 Nov 2021 01:14:43 +0000",
    "Nov 22 01:14:43",
    "May",
    "5",
    "2021",
    "GMT",
    "10 分钟",
    "收件人不存在",
    "почтовый",
    "ящик",
    "Ü",
    "ß",
    "İ",
    "المستخدم",
    "받는",
    "e\xcc\x81",
    "__num__",
    "__email__",
    "__url__",
    "__host__ google",
    "__id__",
    "__num",
    "num__",
    "__",
    "_",
    "___",
    "&lt;",
    "&amp;",
    "&",
    "\\n",
    "\\r\\n",
    "\xff",
    "\xe2\x82",
    "\xed\xa0\x80",
    "\xef\xbf\xbd",
    "▁",
    "\xe2\x80\x8b",
    "smtp;",
    "RCPT TO:",
    "a",
    "b.c",
    "x1",
    "-1",
    "+49-30-1234",
    "0x1f",
    "50%",
    "$5",
    "C:\\new",
    "é@é.fr",
};
constexpr std::string_view kJoints[] = {" ",  " ",    " ",  " ",  " ",   "",    "",   ".",  "-",
                                        "_",  "@",    "+",  ":",  "=",   "/",   "#",  "?",  "'",
                                        "~",  ",",    ";",  "(",  ")",   "<",   ">",  "[",  "]",
                                        "\n", "\r\n", "\t", "  ", " @ ", "://", "\"", "，", "’"};

}  // namespace

std::string MakeText(Random* random) {
  std::string text;
  const size_t parts = 1 + random->Below(random->Below(8) == 0 ? 40 : 8);
  for (size_t i = 0; i < parts; ++i) {
    const std::string_view fragment = kFragments[random->Below(std::size(kFragments))];
    if (random->Below(12) == 0) {
      const size_t at = random->Below(fragment.size() + 1);
      text.append(fragment.substr(random->Below(2) == 0 ? 0 : at, at));
    } else {
      text.append(fragment);
    }
    text.append(kJoints[random->Below(std::size(kJoints))]);
  }
  return text;
}

std::string Damage(std::string text, Random* random) {
  const size_t times = random->Below(4);
  for (size_t i = 0; i < times && !text.empty(); ++i) {
    const size_t at = random->Below(text.size());
    switch (random->Below(5)) {
      case 0:
        text[at] = static_cast<char>(random->Below(256));
        break;
      case 1:
        text.erase(at, 1 + random->Below(3));
        break;
      case 2:
        text.insert(at, text.substr(random->Below(text.size()), random->Below(8)));
        break;
      case 3:
        text[at] = " .-_@:=/+'09aZ\n"[random->Below(15)];
        break;
      default:
        std::swap(text[at], text[random->Below(text.size())]);
    }
  }
  return text;
}

}  // namespace rebound
