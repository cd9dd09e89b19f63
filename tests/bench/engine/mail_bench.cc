// What reading mail costs: a line of each log format, a delivery report, a free text.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "engine/mail/log_line.h"
#include "engine/mail/message.h"

namespace rebound {
namespace {

const std::vector<std::string> kPostfix = {
    "May  1 10:00:00 mail postfix/smtpd[12]: connect from client.example.com[192.0.2.80]",
    "May  1 10:00:00 mail postfix/qmgr[7]: 4F9D195432C: from=<s@example.com>, size=4711, nrcpt=1",
    "May  1 10:00:00 mail postfix/smtp[1234]: 4F9D195432C: to=<user@example.net>, relay=mx.example"
    ".net[192.0.2.7]:25, delay=0.5, delays=0.1/0/0.2/0.2, dsn=5.1.1, status=bounced (host "
    "mx.example.net[192.0.2.7] said: 550 5.1.1 <user@example.net>: Recipient address rejected: "
    "User unknown in virtual mailbox table (in reply to RCPT TO command))",
    "May  1 10:00:00 mail postfix/qmgr[7]: 4F9D195432C: removed"};
const std::vector<std::string> kExim = {
    "2024-05-01 10:00:00 1s2bCD-0003Ef-4G <= s@example.com H=client.example.com [192.0.2.80] "
    "P=esmtps S=4711 id=m1@sender.example.com",
    "2024-05-01 10:00:00 1s2bCD-0003Ef-4G ** user@example.net F=<s@example.com> R=dnslookup "
    "T=remote_smtp H=mx.example.net [192.0.2.7] X=TLS1.3:TLS_AES_256_GCM_SHA384:256 CV=yes: SMTP "
    "error from remote mail server after RCPT TO:<user@example.net>: 550 5.1.1 User unknown",
    "2024-05-01 10:00:00 1s2bCD-0003Ef-4G Completed"};
const std::vector<std::string> kPowerMta = {
    "b,2024-05-01 10:00:00+0000,s@example.com,user@example.net,failed,5.1.1 (bad destination "
    "mailbox address),\"smtp;550 5.1.1 user unknown, sorry\",mx.example.net (192.0.2.7),"
    "bad-mailbox,job7"};
const std::vector<std::string> kKumo = {
    R"({"type":"Bounce","id":"d7ef132b5d7711eea8c8000c29c33806","sender":"s@example.com",)"
    R"("recipient":"user@example.net","queue":"example.net","site":"unspecified->mx.example.net@)"
    R"(smtp_client","size":1047,"response":{"code":550,"enhanced_code":{"class":5,"subject":1,)"
    R"("detail":1},"content":"<user@example.net>: Recipient address rejected: User unknown",)"
    R"("command":"RCPT TO:<user@example.net>"},"peer_address":{"name":"mx.example.net.","addr":)"
    R"("192.0.2.7"},"timestamp":1714550400,"created":1714550399,"num_attempts":0,)"
    R"("bounce_classification":"InvalidRecipient","egress_pool":"pool1","egress_source":"ip1",)"
    R"("feedback_report":null,"meta":{"tenant":"t1"},"headers":{"Subject":"Hello"},)"
    R"("delivery_protocol":"ESMTP","reception_protocol":"HTTP","nodeid":"557f3ad4-2c8c-11ee"})"};

void Lines(benchmark::State& state, MailLogFormat format, const std::vector<std::string>& lines) {
  LogReader reader(format);
  if (format == MailLogFormat::kPowerMta) {
    reader.Parse("type,timeLogged,orig,rcpt,dsnAction,dsnStatus,dsnDiag,dsnMta,bounceCat,jobId");
  }
  size_t bytes = 0;
  for (auto _ : state) {
    for (const std::string& line : lines) {
      benchmark::DoNotOptimize(reader.Parse(line));
      bytes += line.size() + 1;
    }
  }
  if (reader.counts().bounced == 0) state.SkipWithError("no bounce was read");
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()) *
                          static_cast<int64_t>(lines.size()));
  state.SetBytesProcessed(static_cast<int64_t>(bytes));
}

const std::string kReport =
    "From: MAILER-DAEMON@mail.example.com\nSubject: Undelivered Mail Returned to Sender\n"
    "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\n"
    "This is the mail system at host mail.example.com.\n\n<user@example.net>: host mx.example.net"
    "[192.0.2.7] said: 550 5.1.1 User unknown (in reply to RCPT TO command)\n\n--b\n"
    "Content-Type: message/delivery-status\n\nReporting-MTA: dns; mail.example.com\n\n"
    "Final-Recipient: rfc822; user@example.net\nAction: failed\nStatus: 5.1.1\n"
    "Diagnostic-Code: smtp; 550 5.1.1 User unknown\n\n--b--\n";
const std::string kWords =
    "From: MAILER-DAEMON@mail.example.com\nSubject: failure notice\n\n"
    "Hi. This is the qmail-send program at mail.example.com.\n"
    "I'm afraid I wasn't able to deliver your message to the following addresses.\n\n"
    "<user@example.net>:\n192.0.2.7 does not like recipient.\nRemote host said: 550 5.1.1 User "
    "unknown\nGiving up on 192.0.2.7.\n\n--- Below this line is a copy of the message.\n\n";

void Message(benchmark::State& state, const std::string& message) {
  if (ParseMessage(message).recipients.size() != 1) state.SkipWithError("wrong recipients");
  for (auto _ : state) benchmark::DoNotOptimize(ParseMessage(message));
}

BENCHMARK_CAPTURE(Lines, postfix, MailLogFormat::kPostfix, kPostfix);
BENCHMARK_CAPTURE(Lines, postfix_bounces_alone, MailLogFormat::kPostfix, {kPostfix[2]});
BENCHMARK_CAPTURE(Lines, exim, MailLogFormat::kExim, kExim);
BENCHMARK_CAPTURE(Lines, exim_bounces_alone, MailLogFormat::kExim, {kExim[1]});
BENCHMARK_CAPTURE(Lines, powermta, MailLogFormat::kPowerMta, kPowerMta);
BENCHMARK_CAPTURE(Lines, kumomta, MailLogFormat::kKumoMta, kKumo);
BENCHMARK_CAPTURE(Message, report, kReport);
BENCHMARK_CAPTURE(Message, words, kWords);
BENCHMARK_CAPTURE(Message, report_of_a_megabyte, kReport + std::string(1 << 20, 'x'));

}  // namespace
}  // namespace rebound

BENCHMARK_MAIN();
