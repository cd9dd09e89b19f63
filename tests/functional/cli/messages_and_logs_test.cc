// `rebound classify --eml` and `--log`.
#include <gtest/gtest.h>

#include "base/text.h"
#include "tests/functional/cli/rebound_program.h"

namespace rebound {
namespace {

using test::Ran;

class MessagesAndLogsTest : public ReboundTest {
 protected:
  static std::string Sample(const std::string& name) {
    return "'" + test::SourcePath("tests/testdata/mail/" + name) + "'";
  }
  static std::string Report(const std::string& recipient, const std::string& diagnostic) {
    return "From: MAILER-DAEMON@mail.example.com\nSubject: Undelivered\nMIME-Version: 1.0\n"
           "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n"
           "--b\nContent-Type: text/plain\n\nSorry.\n--b\n"
           "Content-Type: message/delivery-status\n\nReporting-MTA: dns; mail.example.com\n\n"
           "Final-Recipient: rfc822; " +
           recipient +
           "\nAction: failed\nStatus: 5.1.1\nRemote-MTA: dns; mx.example.net\n"
           "Diagnostic-Code: smtp; " +
           diagnostic + "\n\n--b--\n";
  }
};

TEST_F(MessagesAndLogsTest, EveryRecipientOfAReportHasARow) {
  const Ran ran = Classify("--eml " + Sample("dsn/several-recipients.eml"));
  ASSERT_EQ(ran.exit_code, 0) << ran.errors;
  const auto lines = Split(ran.output, '\n');
  ASSERT_EQ(lines.size(), 6u) << ran.output;
  EXPECT_NE(lines[1].find("one@example.net  failed  5.2.2  552 5.2.2 Mailbox full"),
            std::string::npos);
  EXPECT_NE(lines[2].find("Two@Example.ORG  delayed  4.4.1  "), std::string::npos);
  EXPECT_EQ(lines[3].substr(0, 2), "- ") << "nothing to classify";
  EXPECT_NE(lines[3].find("three@example.com  delivered  2.0.0  nothing failed"),
            std::string::npos);
}

TEST_F(MessagesAndLogsTest, JsonHasTheReportBesideTheAnswer) {
  Write("b.eml", Report("user@Example.net", "550 5.1.1 user unknown"));
  const Ran ran = Classify("--json --eml b.eml");
  ASSERT_EQ(ran.exit_code, 0) << ran.errors;
  const auto lines = Lines(ran.output);
  ASSERT_EQ(lines.size(), 1u);
  for (const auto& [key, value] : {std::pair("message", "550 5.1.1 user unknown"),
                                   {"file", "b.eml"},
                                   {"kind", "dsn"},
                                   {"recipient", "user@Example.net"},
                                   {"domain", "example.net"},
                                   {"dsn_action", "failed"},
                                   {"status", "5.1.1"},
                                   {"remote_mta", "mx.example.net"},
                                   {"label", "user_unknown"},
                                   {"suppress", "yes"}}) {
    EXPECT_EQ(GetJsonString(lines[0], key), value);
  }
  EXPECT_EQ(FindJson(lines[0], "original_recipient"), nullptr);
}

TEST_F(MessagesAndLogsTest, TheRecipientsDomainPicksTheOverride) {
  Write("rules.ovr", "example.net,51,unknown\n");
  Write("b.eml", Report("user@example.net", "550 user unknown"));
  const auto lines = Lines(Classify("--json --overrides rules.ovr --eml b.eml").output);
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(GetJsonInt(GetJson(lines[0], "override"), "bounce_code"), 51);
}

TEST_F(MessagesAndLogsTest, WhatIsNoBounceIsToldAndNotClassified) {
  const Ran ran = Classify("--json --eml " + Sample("answers/out-of-office.eml") + " " +
                           Sample("answers/mdn.eml") + " " + Sample("answers/arf.eml") + " " +
                           Sample("other/plain-mail.eml"));
  ASSERT_EQ(ran.exit_code, 0) << ran.errors;
  const auto lines = Lines(ran.output);
  ASSERT_EQ(lines.size(), 4u);
  const char* const kinds[] = {"auto_reply", "mdn", "arf", "none"};
  const char* const notes[] = {"an automatic answer, no bounce",
                               "a disposition notification, no bounce",
                               "a feedback report (abuse), no bounce: the message was delivered",
                               "no report, no bounce in words and no automatic answer"};
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(GetJsonString(lines[i], "kind"), kinds[i]);
    EXPECT_EQ(GetJsonString(lines[i], "note"), notes[i]);
    EXPECT_EQ(FindJson(lines[i], "suppress"), nullptr) << "a holiday removes nobody";
  }
}

TEST_F(MessagesAndLogsTest, ARuleForMessagesSpeaksOfAnAutomaticAnswer) {
  Write("mdn.rules", "60,out of the office\n");
  Write("overrides.conf",
        "bounce_classifier_override {\n  user_mdn_classification_override = \"mdn.rules\"\n}\n");
  const auto lines = Lines(
      Classify("--json --overrides overrides.conf --eml " + Sample("answers/out-of-office.eml"))
          .output);
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(GetJsonString(GetJson(lines[0], "momentum_code"), "name"), "Auto-Reply");
  EXPECT_EQ(GetJsonString(lines[0], "suppress"), "no");
}

TEST_F(MessagesAndLogsTest, AnMboxIsSplitAtItsFromLines) {
  const std::string from = "From MAILER-DAEMON Wed May  1 10:00:00 2024\n";
  Write("mbox", from + Report("one@example.net", "550 unknown") + "\nFrom here on it is text\n\n" +
                    from + Report("two@example.net", "451 greylisting"));
  const auto lines = Lines(Classify("--json --eml mbox").output);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(GetJsonString(lines[0], "recipient"), "one@example.net");
  EXPECT_EQ(GetJsonString(lines[1], "recipient"), "two@example.net");
  EXPECT_EQ(GetJsonInt(lines[1], "number"), 2);
}

TEST_F(MessagesAndLogsTest, AMessageThatCannotBeReadIsAFaultAndTheOthersGoOn) {
  Write("empty.eml", "");
  Write("blank.eml", " \n\n");
  Write("b.eml", Report("user@example.net", "550 unknown"));
  const Ran ran = Classify("--json --eml nothere.eml --eml empty.eml --eml blank.eml b.eml");
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_NE(ran.errors.find("cannot open nothere.eml: No such file or directory\n"),
            std::string::npos)
      << ran.errors;
  EXPECT_NE(ran.errors.find("empty.eml: the file is empty\n"), std::string::npos) << ran.errors;
  const auto lines = Lines(ran.output);
  ASSERT_EQ(lines.size(), 4u) << ran.output;
  EXPECT_NE(FindJson(lines[2], "error"), nullptr);
  EXPECT_EQ(GetJsonString(lines[3], "label"), "user_unknown");
}

TEST_F(MessagesAndLogsTest, AMessageIsReadFromStandardInput) {
  const auto lines =
      Lines(Classify("--json --eml -", Report("user@example.net", "550 unknown")).output);
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(GetJsonString(lines[0], "file"), "standard input");
}

std::string PostfixLine(const std::string& recipient, const std::string& status,
                        const std::string& reply) {
  return "May  1 10:00:00 mail postfix/smtp[1]: 4F9D195432C: to=<" + recipient +
         ">, relay=mx.example.net[192.0.2.7]:25, delay=0.5, delays=0.1/0/0.2/0.2, dsn=5.1.1, "
         "status=" +
         status + " (" + reply + ")\n";
}
std::string Log() {
  return PostfixLine("a@example.net", "sent", "250 ok") +
         PostfixLine("b@Example.net", "bounced", "550 unknown") +
         "May  1 10:00:00 mail postfix/qmgr[1]: 4F9D195432C: removed\n" +
         PostfixLine("c@example.org", "deferred", "451 greylisting") +
         "May  1 10:00:00 mail postfix/smtp[1]: 4F9D195432C: to=<x>, status=odd\n";
}

TEST_F(MessagesAndLogsTest, FailuresOfALogAreClassifiedAndDeliveriesCounted) {
  Write("mail.log", Log());
  const Ran ran = Classify("--json --summary --log auto mail.log");
  ASSERT_EQ(ran.exit_code, 0) << ran.errors;
  const auto lines = Lines(ran.output);
  ASSERT_EQ(lines.size(), 3u) << ran.output;
  EXPECT_EQ(GetJsonString(lines[0], "recipient"), "b@Example.net");
  EXPECT_EQ(GetJsonInt(lines[0], "line"), 2);
  EXPECT_EQ(GetJsonString(lines[0], "outcome"), "bounced");
  EXPECT_EQ(GetJsonString(lines[0], "remote_mta"), "mx.example.net");
  EXPECT_EQ(GetJsonString(lines[0], "label"), "user_unknown");
  EXPECT_EQ(GetJsonString(lines[1], "label"), "greylisting");
  const JsonValue& summary = GetJson(lines[2], "summary");
  EXPECT_EQ(GetJsonInt(summary, "texts"), 2);
  const JsonValue& log = GetJson(summary, "log");
  EXPECT_EQ(GetJsonInt(log, "lines"), 5);
  EXPECT_EQ(GetJsonInt(log, "delivered"), 1);
  EXPECT_EQ(GetJsonInt(log, "bounced"), 1);
  EXPECT_EQ(GetJsonInt(log, "deferred"), 1);
  EXPECT_EQ(GetJsonInt(log, "malformed"), 1);
  EXPECT_EQ(GetJsonInt(GetJson(log, "first_malformed")[0], "line"), 5);
  const JsonValue& domain = GetJson(log, "domains")[0];
  EXPECT_EQ(GetJsonString(domain, "domain"), "example.net");
  EXPECT_EQ(GetJsonInt(domain, "delivered"), 1);
}

TEST_F(MessagesAndLogsTest, TheSummaryOfALogStandsUnderItsTable) {
  Write("mail.log", Log());
  const Ran ran = Classify("--quiet --log postfix mail.log");
  ASSERT_EQ(ran.exit_code, 0) << ran.errors;
  EXPECT_EQ(ran.output.find("b@Example.net"), std::string::npos);
  EXPECT_NE(ran.output.find("recipient domains                     delivered      bounced     "
                            "deferred\n  example.net                                 1"),
            std::string::npos)
      << ran.output;
  EXPECT_NE(ran.output.find("5 lines, 1 of them no deliveries, 1 malformed, first mail.log:5\n"),
            std::string::npos)
      << ran.output;
}

TEST_F(MessagesAndLogsTest, AllTellsOfDeliveriesToo) {
  Write("mail.log", Log());
  const auto lines = Lines(Classify("--json --all --log postfix mail.log").output);
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(GetJsonString(lines[0], "outcome"), "delivered");
  EXPECT_EQ(GetJsonString(lines[0], "note"), "nothing failed");
}

TEST_F(MessagesAndLogsTest, ALogOfNoKnownFormatIsAFaultAndTheNextOneGoesOn) {
  Write("words.log", "one\ntwo\n");
  Write("mail.log", Log());
  const Ran ran = Classify("--csv --log auto words.log mail.log");
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_EQ(ran.errors,
            "words.log: no line is of a known log format: name it, one of auto, postfix, exim, "
            "powermta, kumomta\n");
  const auto lines = Split(ran.output, '\n');
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_EQ(lines[1].substr(0, 33), "mail.log,2,bounced,b@Example.net,");
}

TEST_F(MessagesAndLogsTest, ALogThatGoesOnIsAnsweredAsItGrows) {
  Write("mail.log", Log());
  const Ran ran = Shell("mkfifo in out; exec 9<>in; REBOUND_MODELS='" + models().string() +
                        "' rebound classify --json --log postfix <in >out 9>&- & exec 8<out; "
                        "cat mail.log >&9; head -2 <&8 | grep -c label; exec 9>&-; wait");
  EXPECT_EQ(ran.output, "2\n") << ran.errors;
}

}  // namespace
}  // namespace rebound
