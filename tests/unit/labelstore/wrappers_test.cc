#include "labelstore/wrappers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rebound {
namespace {

std::string Wrap(std::string_view name, const std::string& text) {
  static const SlotLists lists = LoadSlotLists(FindSeedFolder() / "slots");
  Random random(11);
  Scene scene(lists, &random);
  NoiseContext context{&random, &scene};
  std::string wrapped = text;
  for (const Wrapper& wrapper : Wrappers()) {
    if (wrapper.name == name) wrapper.function(context, &wrapped);
  }
  return wrapped;
}

// TEXT in the form stands for the text, a dot for a line break too.
void ExpectForm(std::string_view name, std::string form) {
  form.replace(form.find("TEXT"), 4, "550 5.1.1 no such user");
  EXPECT_THAT(Wrap(name, "550 5.1.1 no such user"), testing::MatchesRegex(form)) << name;
}

TEST(Wrappers, EachHasTheFormOfItsServer) {
  ExpectForm("host_said", R"(host \S+\[[0-9.]+\] said: TEXT \(in reply to .* command\))");
  ExpectForm("smtp_prefix", R"((smtp|SMTP); ?TEXT)");
  ExpectForm("remote_host_said",
             R"((Remote host said: |Remote server replied: |The remote server responded:.)TEXT)");
  ExpectForm("exim_error",
             R"(SMTP error from remote mail server after .*: host \S+ \[[0-9.]+\]: TEXT)");
  ExpectForm("dsn_stat", R"(dsn=5\.1\.1, stat=TEXT)");
  ExpectForm("address_prefix", R"(<\S+@\S+>: TEXT)");
  ExpectForm("diagnostic_code", R"(Diagnostic-Code: (smtp; |SMTP;)TEXT)");
  ExpectForm("reason", R"(\(reason: TEXT\))");
  ExpectForm("while_talking", R"(\.\.\. while talking to \S+\.:.>>> RCPT To:<\S+@\S+>.<<< TEXT)");
  ExpectForm(
      "status_report",
      R"(Final-Recipient: rfc822; \S+@\S+.Action: failed.Status: 5.1.1.Diagnostic-Code: smtp; TEXT)");
  ExpectForm(
      "postfix_log",
      R"(to=<\S+@\S+>, relay=\S+\[[0-9.]+\]:25, delay=0\.[0-9]+, dsn=5.1.1, status=bounced \(host \S+\[[0-9.]+\] said: TEXT \(in reply to .* command\)\))");
  ExpectForm("short_prefix", R"([A-Za-z ]+: TEXT)");
  ExpectForm("host_colon", R"(\S+ \[[0-9.]+\]: TEXT)");
}

TEST(Wrappers, AStatusIsNeverInvented) {
  EXPECT_EQ(Wrap("dsn_stat", "no such user"), "no such user");
  EXPECT_EQ(Wrap("dsn_stat", "421 busy"), "dsn=4.0.0, stat=421 busy");
  EXPECT_NE(Wrap("status_report", "421 busy").find("Action: delayed"), std::string::npos);
  EXPECT_NE(Wrap("postfix_log", "421 busy").find("status=deferred"), std::string::npos);
}

TEST(LeadingCodes, AreFoundOnlyWhereTheyLead) {
  EXPECT_EQ(LeadingReplyCode("550 5.1.1 x"), "550");
  EXPECT_EQ(LeadingReplyCode("550-x"), "550");
  EXPECT_EQ(LeadingReplyCode("5501 x"), "");
  EXPECT_EQ(LeadingReplyCode("x 550 y"), "");
  EXPECT_EQ(LeadingReplyCode("1550"), "");
  EXPECT_EQ(LeadingEnhancedCode("550 5.1.1 x"), "5.1.1");
  EXPECT_EQ(LeadingEnhancedCode("5.7.509 x"), "5.7.509");
  EXPECT_EQ(LeadingEnhancedCode("550 #5.1.1"), "5.1.1");
  EXPECT_EQ(LeadingEnhancedCode("5.1.1.2 is an address"), "");
  EXPECT_EQ(LeadingEnhancedCode("550 x 5.1.1"), "");
  EXPECT_EQ(LeadingEnhancedCode(""), "");
}

}  // namespace
}  // namespace rebound
