// Messages that were made to hurt: each is read as far as it goes, or refused with the reason.
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "engine/mail/message.h"
#include "tests/support/cpu_time.h"

namespace rebound {
namespace {

std::string Repeat(std::string_view piece, size_t times) {
  std::string out;
  out.reserve(piece.size() * times);
  for (size_t i = 0; i < times; ++i) out += piece;
  return out;
}

const std::string kReport =
    "Content-Type: message/delivery-status\n\n"
    "Reporting-MTA: dns; mail.example.com\n\n"
    "Final-Recipient: rfc822; user@example.net\nAction: failed\nStatus: 5.1.1\n"
    "Diagnostic-Code: smtp; 550 5.1.1 User unknown\n";
const std::string kHead =
    "From: MAILER-DAEMON@mail.example.com\nSubject: failure notice\n"
    "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n";
const std::string kBounce = kHead + "\n--b\n" + kReport + "--b--\n";

MessageLimits Large() {
  MessageLimits limits;
  limits.max_bytes = kFileMessageBytes;
  return limits;
}

void ExpectError(const std::string& message, ErrorCode code, const std::string& what) {
  try {
    ParseMessage(message);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code);
    EXPECT_EQ(error.what(), what);
  }
}

void ExpectTheBounce(const BounceReport& report) {
  EXPECT_EQ(MessageKindName(report.kind), "dsn");
  ASSERT_EQ(report.recipients.size(), 1U);
  EXPECT_EQ(report.recipients[0].recipient, "user@example.net");
  EXPECT_EQ(report.recipients[0].text, "550 5.1.1 User unknown");
}

double CpuSecondsToRead(std::string_view piece, const std::string& type, size_t bytes) {
  std::string message = "From: MAILER-DAEMON@x\nContent-Type: " + type + "\n\n";
  while (message.size() < bytes) message += piece;
  return test::CpuSecondsOf([&] { ParseMessage(message); });
}

TEST(HostileMail, NothingIsRefused) {
  const std::string what = "the message is empty: give a whole message, header and body";
  ExpectError("", ErrorCode::kInvalidArgument, what);
  ExpectError(" \r\n\t\r\n", ErrorCode::kInvalidArgument, what);
  ExpectError(std::string(100, '\0'), ErrorCode::kInvalidArgument, what);
}

TEST(HostileMail, MoreBytesThanTheLimitAreRefused) {
  ExpectError(kBounce + std::string(10 << 20, 'x'), ErrorCode::kTooLarge,
              "the message has " + std::to_string(kBounce.size() + (10 << 20)) +
                  " bytes, the limit is 10485760");
}

TEST(HostileMail, FiftyMegabytesOfAttachmentAreNotInTheWay) {
  const std::string line = Repeat("QUJD", 19) + "\n";
  const std::string message = kHead + "\n--b\n" + kReport +
                              "--b\nContent-Type: application/zip\n"
                              "Content-Transfer-Encoding: base64\n\n" +
                              Repeat(line, (size_t{50} << 20) / line.size()) + "--b--\n";
  const BounceReport report = ParseMessage(message, Large());
  ExpectTheBounce(report);
  EXPECT_FALSE(report.truncated);
}

TEST(HostileMail, AHundredThousandHeadersAreCutAndTold) {
  for (const char* header : {"X-A: b\n", "To: a@b, c@d\n", "Content-Type: text/plain\n", "A:\n"}) {
    const BounceReport report = ParseMessage(kHead + Repeat(header, 100'000) + kBounce);
    EXPECT_TRUE(report.truncated) << header;
  }
}

TEST(HostileMail, AHeaderOfHalfAMillionAddressesIsCut) {
  // GMime's parser of addresses would recurse a million times.
  for (const char* addresses : {"a@b,\n ", "a:", "("}) {
    SCOPED_TRACE(addresses);
    const BounceReport report = ParseMessage("To: " + Repeat(addresses, 500'000) + "\n" + kBounce);
    ExpectTheBounce(report);
    EXPECT_TRUE(report.truncated);
  }
}

TEST(HostileMail, NestedPartsAreReadAsDeepAsTheLimit) {
  std::string message;
  for (int depth = 0; depth < 3000; ++depth) {
    const std::string boundary = "b" + std::to_string(depth);
    message += "Content-Type: multipart/mixed; boundary=" + boundary + "\n\n--" + boundary + "\n";
  }
  const BounceReport report = ParseMessage("From: a@b\n" + message + kReport);
  EXPECT_NE(report.kind, MessageKind::kMdn);
  ParseMessage("From: a@b\n" + message + Repeat("--x\n", 1'000'000));
}

TEST(HostileMail, AMessageInAMessageIsFoundSixDeepAndNotFurther) {
  const std::string wrap = "From: a@example.org\nContent-Type: message/rfc822\n\n";
  ExpectTheBounce(ParseMessage(Repeat(wrap, 6) + kBounce));
  EXPECT_EQ(ParseMessage(Repeat(wrap, 7) + kBounce).kind, MessageKind::kNone);
  EXPECT_EQ(ParseMessage(Repeat(wrap, 20'000) + kBounce).kind, MessageKind::kNone);
}

TEST(HostileMail, AHundredThousandPartsAreCutAndTold) {
  const std::string parts = Repeat("--b\nContent-Type: text/plain\n\nhello\n", 100'000);
  const BounceReport first = ParseMessage(kHead + "\n--b\n" + kReport + parts);
  ExpectTheBounce(first);
  EXPECT_TRUE(first.truncated);
}

TEST(HostileMail, RecipientsBeyondTheLimitAreLeftOutAndTold) {
  std::string status = "Reporting-MTA: dns; x\n";
  for (int i = 0; i < 20'000; ++i) {
    status += "\nFinal-Recipient: rfc822; u" + std::to_string(i) +
              "@example.net\nAction: failed\nStatus: 5.1.1\n";
  }
  const BounceReport report = ParseMessage(
      kHead + "\n--b\nContent-Type: message/delivery-status\n\n" + status + "\n--b--\n");
  EXPECT_EQ(report.recipients.size(), 10'000U);
  EXPECT_TRUE(report.truncated);
  EXPECT_EQ(report.recipients[9'999].recipient, "u9999@example.net");
}

TEST(HostileMail, BinaryAndNulsAreReadAround) {
  std::string message = kBounce;
  message.insert(message.find("550"), std::string("\0\xFF\xC3(\x01", 5));
  const BounceReport report = ParseMessage(message);
  ASSERT_EQ(report.recipients.size(), 1U);
  EXPECT_TRUE(IsValidUtf8(report.recipients[0].text));
  std::string binary;
  for (int i = 0; i < 100'000; ++i) binary += static_cast<char>(i * 7919 >> 3);
  EXPECT_EQ(ParseMessage(binary).kind, MessageKind::kNone);
}

TEST(HostileMail, AMessageCutAnywhereIsReadAsFarAsItGoes) {
  for (size_t end = 1; end < kBounce.size(); ++end) ParseMessage(kBounce.substr(0, end));
}

TEST(HostileMail, UnknownAndWrongCharsetsDoNotStop) {
  for (const char* charset : {"no-such-charset", "utf-16", "utf-7", "", "utf-8", "x\"y"}) {
    const BounceReport report = ParseMessage(
        "From: MAILER-DAEMON@mail.example.com\nSubject: failure notice\n"
        "Content-Type: text/plain; charset=\"" +
        std::string(charset) + "\"\n\n<user@example.net>:\n550 5.1.1 Unknown \xFC\n");
    for (const RecipientReport& recipient : report.recipients) {
      EXPECT_TRUE(IsValidUtf8(recipient.text)) << charset;
    }
  }
}

TEST(HostileMail, WordsOfOneLetterRepeatedCostTheirSize) {
  for (const char* piece : {"@",
                            "<a@",
                            "a@b:",
                            "<a@b>: 550 ",
                            "<a@b>\n",
                            "(generated from a@b)\n",
                            "----- transcript\n",
                            "550-5.1.1 ",
                            "... ",
                            ">>> RCPT a@b\n<<< 550 5.1.1 x\n",
                            "<",
                            "&#",
                            "<!--",
                            "<a@\n",
                            "host ",
                            "=?utf-8?Q?",
                            "Final-Recipient: a@b\n",
                            "--",
                            "\n",
                            "\r",
                            " ",
                            "a@b ",
                            "\"a\"@b\n"}) {
    for (const char* type : {"text/plain", "text/html", "message/delivery-status"}) {
      // Four times the bytes take about four times the work; were it quadratic, sixteen times.
      const double some = CpuSecondsToRead(piece, type, 32 << 10);
      const double more = CpuSecondsToRead(piece, type, 128 << 10);
      EXPECT_LT(more, 10 * some + 0.2) << piece << " as " << type;
    }
  }
}

TEST(HostileMail, MessagesAreReadByManyThreadsAtOnce) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([] {
      for (int round = 0; round < 50; ++round) ExpectTheBounce(ParseMessage(kBounce));
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace rebound
