#include "labelstore/wrappers.h"

#include <gtest/gtest.h>

#include <regex>

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

void ExpectForm(std::string_view name, const std::string& form) {
  const std::string wrapped = Wrap(name, "550 5.1.1 no such user");
  EXPECT_TRUE(std::regex_match(wrapped, std::regex(form))) << wrapped;
}

TEST(Wrappers, EachHasTheFormOfItsServer) {
  ExpectForm("host_said",
             R"(host \S+\[[\d.]+\] said: 550 5.1.1 no such user \(in reply to .* command\))");
  ExpectForm("smtp_prefix", R"((smtp|SMTP); ?550 5.1.1 no such user)");
  ExpectForm(
      "remote_host_said",
      R"((Remote host said: |Remote server replied: |The remote server responded:\n)550 5.1.1 no such user)");
  ExpectForm(
      "exim_error",
      R"(SMTP error from remote mail server after .*: host \S+ \[[\d.]+\]: 550 5.1.1 no such user)");
  ExpectForm("dsn_stat", R"(dsn=5\.1\.1, stat=550 5.1.1 no such user)");
  ExpectForm("address_prefix", R"(<\S+@\S+>: 550 5.1.1 no such user)");
  ExpectForm("diagnostic_code", R"(Diagnostic-Code: (smtp; |SMTP;)550 5.1.1 no such user)");
  ExpectForm("reason", R"(\(reason: 550 5.1.1 no such user\))");
  ExpectForm(
      "while_talking",
      R"(\.\.\. while talking to \S+\.:\n>>> RCPT To:<\S+@\S+>\n<<< 550 5.1.1 no such user)");
  ExpectForm(
      "status_report",
      R"(Final-Recipient: rfc822; \S+@\S+\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 no such user)");
  ExpectForm(
      "postfix_log",
      R"(to=<\S+@\S+>, relay=\S+\[[\d.]+\]:25, delay=0\.\d+, dsn=5.1.1, status=bounced \(host \S+\[[\d.]+\] said: 550 5.1.1 no such user \(in reply to .* command\)\))");
  ExpectForm("short_prefix", R"([A-Za-z ]+: 550 5.1.1 no such user)");
  ExpectForm("host_colon", R"(\S+ \[[\d.]+\]: 550 5.1.1 no such user)");
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
