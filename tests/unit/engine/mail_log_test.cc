#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/error.h"
#include "engine/mail/log_line.h"
#include "tests/support/counting_new.h"

namespace rebound {
namespace {

struct Seen {
  std::string outcome, recipient, domain, host, text, dsn, time, queue_id;
};
Seen See(const LogEvent& event) {
  return {std::string(LogOutcomeName(event.outcome)),
          std::string(event.recipient),
          std::string(event.domain),
          std::string(event.host),
          std::string(event.text),
          std::string(event.dsn),
          std::string(event.time),
          std::string(event.queue_id)};
}
// REQUIRES: the line is a delivery.
Seen One(MailLogFormat format, const std::string& line) {
  LogReader reader(format);
  const std::optional<LogEvent> event = reader.Parse(line);
  EXPECT_TRUE(event.has_value()) << line;
  return event ? See(*event) : Seen{};
}
LogCounts CountsOf(MailLogFormat format, const std::vector<std::string>& lines) {
  LogReader reader(format);
  for (const std::string& line : lines) reader.Parse(line);
  return reader.counts();
}

const std::string kPostfix =
    "May  1 10:00:00 mail postfix/smtp[1234]: 4F9D195432C: to=<user@example.net>, "
    "orig_to=<alias@example.com>, relay=mx.example.net[192.0.2.7]:25, conn_use=2, delay=0.5, "
    "delays=0.1/0/0.2/0.2, dsn=5.1.1, status=bounced (host mx.example.net[192.0.2.7] said: 550 "
    "5.1.1 <user@example.net>: Recipient address rejected: User unknown (in reply to RCPT TO "
    "command))";
const std::string kExim =
    "2024-05-01 10:00:00 1s2bCD-0003Ef-4G ** user@example.net <alias@example.com> "
    "F=<sender@example.com> P=<sender@example.com> R=dnslookup T=remote_smtp H=mx.example.net "
    "[192.0.2.7]:25 X=TLS1.3:TLS_AES_256_GCM_SHA384:256 CV=yes DN=\"C=US,CN=mx: one\": SMTP error "
    "from remote mail server after RCPT TO:<user@example.net>: 550 5.1.1 User unknown";
const std::string kPowerMtaHeader =
    "type,timeLogged,orig,rcpt,dsnAction,dsnStatus,dsnDiag,dsnMta,bounceCat,jobId";
const std::string kPowerMta =
    "b,2024-05-01 10:00:00+0000,sender@example.com,user@example.net,failed,\"5.1.1 (bad "
    "destination mailbox address)\",\"smtp;550 5.1.1 \"\"user\"\" unknown, sorry\",mx.example.net "
    "(192.0.2.7),bad-mailbox,job7";
const std::string kKumo =
    R"({"type":"Bounce","id":"d7ef132b5d7711eea8c8000c29c33806","sender":"s@example.com",)"
    R"("recipient":"user@example.net","queue":"example.net","site":"mx","size":1047,"response":)"
    R"({"code":550,"enhanced_code":{"class":5,"subject":1,"detail":1},"content":"User \"user\")"
    R"( unknown\u0021","command":"RCPT TO:<user@example.net>"},"peer_address":{"name":)"
    R"("mx.example.net.","addr":"192.0.2.7"},"timestamp":1714550400,"created":1714550399,)"
    R"("num_attempts":0,"bounce_classification":"InvalidRecipient","meta":{"a":["b",{}]}})";

TEST(PostfixLog, ABounceHasAllThatItsLineTells) {
  const Seen seen = One(MailLogFormat::kPostfix, kPostfix);
  EXPECT_EQ(seen.outcome, "bounced");
  EXPECT_EQ(seen.recipient, "user@example.net");
  EXPECT_EQ(seen.domain, "example.net");
  EXPECT_EQ(seen.host, "mx.example.net");
  EXPECT_EQ(seen.dsn, "5.1.1");
  EXPECT_EQ(seen.time, "May  1 10:00:00");
  EXPECT_EQ(seen.queue_id, "4F9D195432C");
  EXPECT_EQ(seen.text,
            "host mx.example.net[192.0.2.7] said: 550 5.1.1 <user@example.net>: Recipient address "
            "rejected: User unknown (in reply to RCPT TO command)");
}

TEST(PostfixLog, TimesOfRfc3339AndInstancesOfOtherNamesAreRead) {
  const Seen seen = One(MailLogFormat::kPostfix,
                        "2024-05-01T10:00:00.123456+02:00 mail postfix-out/relay/smtp[9]: "
                        "3VZxYz1qW7z9rvq: to=<\"a b>, c\"@example.net>, relay=none, delay=1, "
                        "dsn=4.4.1, status=deferred (connect to mx.example.net[192.0.2.7]:25: "
                        "Connection timed out)");
  EXPECT_EQ(seen.outcome, "deferred");
  EXPECT_EQ(seen.time, "2024-05-01T10:00:00.123456+02:00");
  EXPECT_EQ(seen.host, "mx.example.net");
  EXPECT_EQ(seen.queue_id, "3VZxYz1qW7z9rvq");
  EXPECT_EQ(seen.text, "connect to mx.example.net[192.0.2.7]:25: Connection timed out");
}

TEST(PostfixLog, LocalAgentsHaveNoHostAndCutLinesKeepTheirText) {
  const Seen local = One(MailLogFormat::kPostfix,
                         "May 11 10:00:00 mail postfix/local[1]: ABCDEF: to=<bob@example.com>, "
                         "relay=local, delay=0, dsn=5.1.1, status=bounced (unknown user: \"bob");
  EXPECT_EQ(local.host, "");
  EXPECT_EQ(local.text, "unknown user: \"bob");
  const Seen sent = One(MailLogFormat::kPostfix,
                        "<22>1 2024-05-01T10:00:00Z mail postfix/lmtp 12 - - ABCDEF: "
                        "to=<bob@example.com>, relay=[2001:db8::1]:24, dsn=2.0.0, status=sent "
                        "(250 2.0.0 Saved)");
  EXPECT_EQ(sent.outcome, "delivered");
  EXPECT_EQ(sent.host, "2001:db8::1");
  EXPECT_EQ(sent.time, "2024-05-01T10:00:00Z");
}

TEST(PostfixLog, OtherLinesAreCountedAndBrokenOnesNamedByNumber) {
  const LogCounts counts = CountsOf(
      MailLogFormat::kPostfix,
      {"", kPostfix + "\r",
       "May  1 10:00:00 mail postfix/smtpd[1]: NOQUEUE: reject: RCPT from x[192.0.2.1]: 554 5.7.1 "
       "<a@b>: Relay access denied; from=<c@d> to=<a@b> proto=ESMTP",
       "May  1 10:00:00 mail postfix/qmgr[1]: 4F9D195432C: from=<>, status=expired, returned to "
       "sender",
       "May  1 10:00:00 mail postfix/smtp[1]: 4F9D195432C: host mx[192.0.2.7] said: 451 later",
       "   a line that goes on",
       "May  1 10:00:00 mail postfix/smtp[1]: 4F9D1: to=<user@example.net>, relay=x, dsn=",
       "May  1 10:00:00 mail postfix/smtp[1]: 4F9D1: to=<user@example.net>, status=odd (x)",
       "May  1 10:00:00 mail postfix/smtp[1]: 4F9D1: to=<user@example.net>, dsn=2.1.5, "
       "status=deliverable (250 2.1.5 ok)"});
  EXPECT_EQ(counts.lines, 9U);
  EXPECT_EQ(counts.bounced, 1U);
  EXPECT_EQ(counts.deliveries(), 1U);
  EXPECT_EQ(counts.other, 6U);
  EXPECT_EQ(counts.malformed, 2U);
  EXPECT_EQ(counts.first_malformed[0], 7U);
  EXPECT_EQ(counts.first_malformed[1], 8U);
  EXPECT_EQ(counts.first_malformed[2], 0U);
}

TEST(EximLog, ABounceHasAllThatItsLineTells) {
  const Seen seen = One(MailLogFormat::kExim, kExim);
  EXPECT_EQ(seen.outcome, "bounced");
  EXPECT_EQ(seen.recipient, "user@example.net");
  EXPECT_EQ(seen.host, "mx.example.net");
  EXPECT_EQ(seen.queue_id, "1s2bCD-0003Ef-4G");
  EXPECT_EQ(seen.time, "2024-05-01 10:00:00");
  EXPECT_EQ(seen.dsn, "5.1.1");
  EXPECT_EQ(seen.text,
            "SMTP error from remote mail server after RCPT TO:<user@example.net>: 550 5.1.1 User "
            "unknown");
}

TEST(EximLog, AReasonMayStandDirectlyBehindTheAddress) {
  const Seen seen = One(MailLogFormat::kExim,
                        "2024-05-01 10:00:00.123 +0200 [77] 1s2bCD-000000003Ef-4G7h ** "
                        "user@nowhere.example: Unrouteable address");
  EXPECT_EQ(seen.recipient, "user@nowhere.example");
  EXPECT_EQ(seen.time, "2024-05-01 10:00:00.123 +0200");
  EXPECT_EQ(seen.text, "Unrouteable address");
  const Seen transport = One(MailLogFormat::kExim,
                             "2024-05-01 10:00:00 1s2bCD-0003Ef-4G ** bob <bob@example.com> "
                             "R=local T=local_delivery: mailbox is full (MTA-imposed quota)");
  EXPECT_EQ(transport.recipient, "bob@example.com");
  EXPECT_EQ(transport.text, "mailbox is full (MTA-imposed quota)");
}

TEST(EximLog, DeferralsAndDeliveriesAreTold) {
  const Seen deferred = One(MailLogFormat::kExim,
                            "2024-05-01 10:00:00 1s2bCD-0003Ef-4G == user@example.net R=dnslookup "
                            "T=remote_smtp defer (-53): retry time not reached for any host");
  EXPECT_EQ(deferred.outcome, "deferred");
  EXPECT_EQ(deferred.text, "retry time not reached for any host");
  const Seen greylisted = One(
      MailLogFormat::kExim,
      "2024-05-01 10:00:00 1s2bCD-0003Ef-4G == user@example.net R=dnslookup T=remote_smtp defer "
      "(-44) H=mx.example.net [192.0.2.7]: SMTP error from remote mail server after RCPT "
      "TO:<user@example.net>: 451 4.7.1 Greylisted: wait");
  EXPECT_EQ(greylisted.host, "mx.example.net");
  EXPECT_EQ(greylisted.dsn, "4.7.1");
  const Seen delivered = One(MailLogFormat::kExim,
                             "2024-05-01 10:00:00 1s2bCD-0003Ef-4G => user@example.net R=dnslookup "
                             "T=remote_smtp H=mx.example.net [192.0.2.7] C=\"250 OK \\\"id\\\"\"");
  EXPECT_EQ(delivered.outcome, "delivered");
  EXPECT_EQ(delivered.text, "250 OK \\\"id\\\"");
  const Seen by_syslog = One(MailLogFormat::kExim,
                             "May  1 10:00:00 mail exim[77]: 1s2bCD-0003Ef-4G -> user@example.net "
                             "R=dnslookup T=remote_smtp H=[192.0.2.7]");
  EXPECT_EQ(by_syslog.time, "May  1 10:00:00");
  EXPECT_EQ(by_syslog.recipient, "user@example.net");
}

TEST(EximLog, OtherLinesAreCounted) {
  const LogCounts counts = CountsOf(
      MailLogFormat::kExim,
      {"2024-05-01 10:00:00 1s2bCD-0003Ef-4G <= s@example.com U=root P=local S=400",
       "2024-05-01 10:00:00 1s2bCD-0003Ef-4G Completed",
       "2024-05-01 10:00:00 1s2bCD-0003Ef-4G H=mx.example.net [192.0.2.7]: SMTP error from remote "
       "mail server after RCPT TO:<user@example.net>: 451 later",
       "2024-05-01 10:00:00 H=x [192.0.2.1] F=<> rejected RCPT <user@example.com>: no",
       "2024-05-01 10:00:00 Start queue run: pid=7", "2024-05-01 10:00:00 1s2bCD-0003Ef-4G ** "});
  EXPECT_EQ(counts.other, 5U);
  EXPECT_EQ(counts.malformed, 1U);
  EXPECT_EQ(counts.first_malformed[0], 6U);
}

TEST(PowerMtaLog, ColumnsStandInAnyOrderAndQuotesAreRead) {
  LogReader reader(MailLogFormat::kPowerMta);
  EXPECT_FALSE(reader.Parse(kPowerMtaHeader));
  const std::optional<LogEvent> event = reader.Parse(kPowerMta);
  ASSERT_TRUE(event);
  const Seen seen = See(*event);
  EXPECT_EQ(seen.outcome, "bounced");
  EXPECT_EQ(seen.recipient, "user@example.net");
  EXPECT_EQ(seen.host, "mx.example.net");
  EXPECT_EQ(seen.dsn, "5.1.1");
  EXPECT_EQ(seen.text, "550 5.1.1 \"user\" unknown, sorry");
  EXPECT_EQ(seen.queue_id, "job7");
  EXPECT_EQ(seen.time, "2024-05-01 10:00:00+0000");

  EXPECT_FALSE(reader.Parse("type,rcpt,dsnDiag,timeLogged,dsnStatus"));
  const std::optional<LogEvent> next = reader.Parse("t,u@example.org,,now,4.4.1 (no answer)");
  ASSERT_TRUE(next);
  EXPECT_EQ(next->outcome, LogOutcome::kDeferred);
  EXPECT_EQ(next->recipient, "u@example.org");
  EXPECT_EQ(next->text, "4.4.1 (no answer)");
  reader.Finish();
}

TEST(PowerMtaLog, RecordsOfAnotherShapeAreMalformed) {
  const LogCounts counts = CountsOf(
      MailLogFormat::kPowerMta, {kPowerMtaHeader, "b,too,few", "b,\"open", "r,1,2,3,4,5,6,7,8,9",
                                 "b,1,2,,4,5,6,7,8,9", "type,orig"});
  EXPECT_EQ(counts.malformed, 4U);
  EXPECT_EQ(counts.other, 2U);
}

TEST(PowerMtaLog, WithoutItsHeaderNothingCanBeRead) {
  LogReader reader(MailLogFormat::kPowerMta);
  EXPECT_FALSE(reader.Parse(kPowerMta));
  try {
    reader.Finish();
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    EXPECT_STREQ(error.what(),
                 "the accounting file has no header line that names its columns (type, rcpt, "
                 "dsnStatus, dsnDiag, ...): put it before the records");
  }
}

TEST(KumoMtaLog, ABounceHasAllThatItsLineTells) {
  const Seen seen = One(MailLogFormat::kKumoMta, kKumo);
  EXPECT_EQ(seen.outcome, "bounced");
  EXPECT_EQ(seen.recipient, "user@example.net");
  EXPECT_EQ(seen.host, "mx.example.net");
  EXPECT_EQ(seen.dsn, "5.1.1");
  EXPECT_EQ(seen.text, "550 5.1.1 User \"user\" unknown!");
  EXPECT_EQ(seen.time, "1714550400");
  EXPECT_EQ(seen.queue_id, "d7ef132b5d7711eea8c8000c29c33806");
}

TEST(KumoMtaLog, BatchesNamesAndNullsAreRead) {
  LogReader reader(MailLogFormat::kKumoMta);
  const std::optional<LogEvent> event = reader.Parse(
      R"({"recipient": ["a@example.net", "b@example.net"], "response": {"code": 421, "content": )"
      R"("busy \ud83d\ude00\n", "enhanced_code": null}, "peer_address": null, )"
      R"("type": "TransientFailure", "event_time": "2024-05-01T10:00:00Z"})");
  ASSERT_TRUE(event);
  EXPECT_EQ(event->recipient, "a@example.net");
  EXPECT_EQ(event->more_recipients, 1U);
  EXPECT_EQ(event->text, "421 busy \U0001F600\n");
  EXPECT_EQ(event->outcome, LogOutcome::kDeferred);
  EXPECT_EQ(event->time, "2024-05-01T10:00:00Z");
  EXPECT_EQ(event->host, "");
}

TEST(KumoMtaLog, ReceptionsAreOthersAndNoJsonIsMalformed) {
  const std::string deep(5000, '[');
  const LogCounts counts =
      CountsOf(MailLogFormat::kKumoMta,
               {R"({"type":"Reception","recipient":"user@example.net"})", R"({"type":"Bounce"})",
                R"({"type":"Bounce","recipient":"a@b")", R"({"type":"Bounce","recipient":"a@b\x"})",
                R"({"type":"Bounce","recipient":"a@b","x":)" + deep, "plain",
                R"({"type":"Bounce","recipient":"a@b"} x)"});
  EXPECT_EQ(counts.other, 1U);
  EXPECT_EQ(counts.malformed, 6U);
}

TEST(LogReader, KnowsTheFormatFromTheFirstLineThatHasOne) {
  for (const auto& [line, format] :
       {std::pair{kPostfix, MailLogFormat::kPostfix}, std::pair{kExim, MailLogFormat::kExim},
        std::pair{kPowerMtaHeader, MailLogFormat::kPowerMta},
        std::pair{kKumo, MailLogFormat::kKumoMta}}) {
    LogReader reader;
    reader.Parse("May  1 09:59:59 mail kernel: something else");
    EXPECT_EQ(reader.format(), MailLogFormat::kAuto);
    reader.Parse(line);
    EXPECT_EQ(LogFormatName(reader.format()), LogFormatName(format));
    reader.Finish();
  }
}

TEST(LogReader, GivesUpOnALogOfNoKnownFormat) {
  LogReader reader;
  for (uint64_t i = 1; i < LogReader::kAutoLines; ++i) reader.Parse("what");
  try {
    reader.Parse("what");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    EXPECT_STREQ(error.what(),
                 "the first 1000 lines are of no known log format: name it, one of auto, postfix, "
                 "exim, powermta, kumomta");
  }
  LogReader few;
  few.Parse("what");
  EXPECT_THROW(few.Finish(), Error);
  LogReader().Finish();  // an empty log is a log
}

TEST(LogReader, RefusesAFormatOfAnotherName) {
  EXPECT_EQ(ParseLogFormat("exim"), MailLogFormat::kExim);
  try {
    ParseLogFormat("sendmail");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    EXPECT_STREQ(error.what(),
                 "no log format 'sendmail': it is one of auto, postfix, exim, powermta, kumomta");
  }
}

TEST(LogReader, LinesBeyondTheLimitAreMalformed) {
  const LogCounts counts =
      CountsOf(MailLogFormat::kPostfix, {kPostfix + std::string(LogReader::kLongestLine, 'x')});
  EXPECT_EQ(counts.malformed, 1U);
}

TEST(LogReader, AllocatesNothingOnceItsBuffersHaveGrown) {
  for (const auto& [format, line] :
       {std::pair{MailLogFormat::kPostfix, kPostfix}, std::pair{MailLogFormat::kExim, kExim},
        std::pair{MailLogFormat::kPowerMta, kPowerMta},
        std::pair{MailLogFormat::kKumoMta, kKumo}}) {
    LogReader reader(format);
    if (format == MailLogFormat::kPowerMta) reader.Parse(kPowerMtaHeader);
    reader.Parse(line);
    const size_t before = test::Allocations();
    for (int i = 0; i < 100; ++i) ASSERT_TRUE(reader.Parse(line));
    EXPECT_EQ(test::Allocations(), before) << LogFormatName(format);
  }
}

}  // namespace
}  // namespace rebound
