#include "models/status_code.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"

namespace rebound {
namespace {

struct Found {
  std::string_view text, reply, enhanced;
};

TEST(FindStatusCodes, FindsTheFirstOfEachAndNeverPartOfAnAddressOrNumber) {
  const std::vector<Found> cases = {
      {"550 User unknown", "550", ""},
      {"550 5.1.1 User unknown", "550", "5.1.1"},
      {"550-5.1.1 User unknown", "550", "5.1.1"},
      {"550 5.7.23 SPF validation failed", "550", "5.7.23"},
      {"Connection refused", "", ""},
      {"550 IP 5.7.1.100 is blacklisted", "550", ""},
      {"Server at 5.2.2.50 rejected", "", ""},
      {"550 5.7.1.0 not a code", "550", ""},
      {"v1.2 5.7.1 result", "", "5.7.1"},
      // where codes stand in the texts of real servers
      {"smtp;451 4.7.1 <a@example.com>: Greylisting", "451", "4.7.1"},
      {"smtp; 550 #5.1.0 Address rejected", "550", "5.1.0"},
      {"#550 5.1.1 RESOLVER.ADR.RecipNotFound", "550", "5.1.1"},
      {"host mx.example.com said: 554 5.7.1 refused (in reply to RCPT)", "554", "5.7.1"},
      {"host mx.example.com[192.0.2.5]: 421-4.7.0 deferred", "421", "4.7.0"},
      {"(5.4.6) too many hops", "", "5.4.6"},
      {"550\r\n5.1.1", "550", "5.1.1"},
      {"550", "550", ""},
      {"5.1.1", "", "5.1.1"},
      {"Status: 5.1.1.", "", "5.1.1"},
      {"450: try later", "450", ""},
      {"550, 5.1.1, no", "550", "5.1.1"},
      {"550 first 421 second 5.1.1 4.2.2", "550", "5.1.1"},
      // numbers that are no codes
      {"", "", ""},
      {"4", "", ""},
      {"5.", "", ""},
      {"5.1.", "", ""},
      {"250 2.1.5 OK", "", ""},
      {"354 go ahead", "", ""},
      {"wait 450 seconds", "", ""},
      {"Try again in 500 min", "", ""},
      {"message of 552 KB", "", ""},
      {"5501 or 1550 or 550x or x550", "", ""},
      {"550.5 and 550,000 and .550", "", ""},
      {"call 1-555-0100", "", ""},
      {"https://example.com/docs/DOC-1369#550", "", ""},
      {"at 12:450 or 10:551", "", ""},
      {"Exim 4.94.2 and 5.15.0-91 and 4.8.1 and 15.20.5.1", "", ""},
      {"192.5.7.1 and 1.5.7.1", "", ""},
      {"5.7.1.* and 5.7.1.x and 5.7.1.xxx and 5.7.1.XXX, 5.7.1/24, 5.7.1/8", "", ""},
      {"5.1.1.xylophones are gone", "", "5.1.1"},
      {"5.1.1/550 and 550/5.1.1", "", "5.1.1"},
      {"5.7.1a and a5.7.1 and 5.7.1_2 and 5.7.1000", "", ""},
      {"6.1.1 and 1.1.1 and 5.8.1", "", ""},
  };
  for (const Found& expected : cases) {
    const StatusCodes codes = FindStatusCodes(expected.text);
    EXPECT_EQ(codes.reply, expected.reply) << expected.text;
    EXPECT_EQ(codes.enhanced, expected.enhanced) << expected.text;
  }
}

TEST(FindStatusCodes, ReturnsViewsIntoTheText) {
  const std::string text = "smtp;550 5.1.1 no such user";
  const StatusCodes codes = FindStatusCodes(text);
  EXPECT_EQ(codes.reply.data(), text.data() + 5);
  EXPECT_EQ(codes.enhanced.data(), text.data() + 9);
}

TEST(FindStatusCodes, ReadsAnyBytes) {
  std::string text;
  for (unsigned i = 0; i < 100000; ++i) text += static_cast<char>((i * 2654435761U) >> 13);
  FindStatusCodes(text);
  const StatusCodes codes = FindStatusCodes(
      "\xff\x80"
      "550 \xff"
      "5.1.1\x80");
  EXPECT_EQ(codes.reply, "");
  EXPECT_EQ(codes.enhanced, "");
}

struct Fixed {
  std::string_view reply, enhanced, bnac, backoff, action;
};

constexpr std::string_view kSpfFail = "POLICY_VIOLATION_SPF_DMARC__SPF_OR_DMARC_FAIL";
constexpr std::string_view kDkimFail = "POLICY_VIOLATION_SPF_DMARC__DKIM_FAIL";

std::string_view LabelName(Task task, const StatusCodes& codes) {
  const auto label = LabelOfStatusCodes(task, codes);
  return label ? TaskLabels(task)[*label] : std::string_view();
}

TEST(LabelOfStatusCodes, FollowsTheRegistryWhereACodeFixesALabel) {
  const std::vector<Fixed> cases = {
      {"550", "5.1.1", "RECIPIENT_NOT_FOUND", "RECIPIENT_ERROR", "user_unknown"},
      {"450", "4.1.1", "RECIPIENT_NOT_FOUND", "RECIPIENT_ERROR", "user_unknown"},
      {"550", "5.1.2", "MX_ERROR", "INFRASTRUCTURE_ERROR", "invalid_address"},
      {"501", "5.1.3", "RECIPIENT_NOT_FOUND", "RECIPIENT_ERROR", "invalid_address"},
      {"550", "5.1.6", "RECIPIENT_ERROR", "RECIPIENT_ERROR", "mailbox_disabled"},
      {"550", "5.1.8", "BLOCKED", "SENDER_REPUTATION__SENDER_ADDRESS", "policy_blocked"},
      {"556", "5.1.10", "MX_ERROR", "INFRASTRUCTURE_ERROR", "invalid_address"},
      {"550", "5.2.1", "RECIPIENT_ERROR", "RECIPIENT_ERROR", "mailbox_disabled"},
      {"552", "5.2.2", "RECIPIENT_ERROR", "MAILBOX_FULL", "mailbox_full"},
      {"452", "4.2.2", "RECIPIENT_ERROR", "MAILBOX_FULL", "mailbox_full"},
      {"552", "5.2.3", "MESSAGE_CONTENT", "CONTENT_REJECTED_OTHER", "policy_blocked"},
      {"452", "4.3.1", "TEMPORARY_ERROR", "TEMPORARY_SYSTEM_FAILURE", "server_error"},
      {"552", "5.3.4", "MESSAGE_CONTENT", "CONTENT_REJECTED_OTHER", "policy_blocked"},
      {"", "4.4.1", "TEMPORARY_ERROR", "CONNECTION_FAILURE", "server_error"},
      {"", "4.4.2", "TEMPORARY_ERROR", "CONNECTION_FAILURE", "server_error"},
      {"", "4.4.3", "MX_ERROR", "INFRASTRUCTURE_ERROR", "server_error"},
      {"550", "5.4.4", "MX_ERROR", "INFRASTRUCTURE_ERROR", "invalid_address"},
      {"", "4.4.4", "MX_ERROR", "INFRASTRUCTURE_ERROR", "server_error"},
      {"451", "4.4.5", "TEMPORARY_ERROR", "RATE_LIMIT__SERVER_BUSY", "server_error"},
      {"554", "5.4.6", "MX_ERROR", "INFRASTRUCTURE_ERROR", "server_error"},
      {"", "4.4.7", "TEMPORARY_ERROR", "CONNECTION_FAILURE", "server_error"},
      {"502", "5.5.1", "PROTOCOL_ERROR", "PROTOCOL_ERROR", "policy_blocked"},
      {"452", "4.5.3", "RATE_LIMIT", "RATE_LIMIT__RECIPIENT_LIMIT", "rate_limited"},
      {"550", "5.6.7", "PROTOCOL_ERROR", "PROTOCOL_ERROR", "policy_blocked"},
      {"535", "5.7.8", "PROTOCOL_ERROR", "AUTHENTICATION_ERROR", "relay_denied"},
      {"523", "5.7.10", "TLS", "CONNECTION_FAILURE", "policy_blocked"},
      {"551", "5.7.17", "RECIPIENT_NOT_FOUND", "RECIPIENT_ERROR", "user_unknown"},
      {"550", "5.7.20", "DKIM", kDkimFail, "auth_failure"},
      {"550", "5.7.21", "DKIM", kDkimFail, "auth_failure"},
      {"550", "5.7.22", "DKIM", kDkimFail, "auth_failure"},
      {"550", "5.7.23", "SPF", kSpfFail, "auth_failure"},
      {"451", "4.7.24", "SPF", kSpfFail, "auth_failure"},
      {"550", "5.7.25", "DNS_PTR", "INFRASTRUCTURE_BLOCK", "ip_blacklisted"},
      {"550", "5.7.26", "DMARC", kSpfFail, "auth_failure"},
      {"550", "5.7.27", "BLOCKED", "SENDER_REPUTATION__SENDER_ADDRESS", "policy_blocked"},
      {"421", "4.7.28", "RATE_LIMIT", "RATE_LIMIT__GENERAL", "rate_limited"},
      // the reply code decides where there is no enhanced code, or one that says nothing
      {"552", "", "RECIPIENT_ERROR", "MAILBOX_FULL", "mailbox_full"},
      {"552", "5.0.0", "RECIPIENT_ERROR", "MAILBOX_FULL", "mailbox_full"},
      {"421", "", "TEMPORARY_ERROR", "TEMPORARY_SYSTEM_FAILURE", "server_error"},
      {"451", "4.0.0", "TEMPORARY_ERROR", "TEMPORARY_SYSTEM_FAILURE", "server_error"},
      {"500", "", "PROTOCOL_ERROR", "PROTOCOL_ERROR", "policy_blocked"},
      {"503", "", "PROTOCOL_ERROR", "PROTOCOL_ERROR", "policy_blocked"},
      {"535", "", "PROTOCOL_ERROR", "AUTHENTICATION_ERROR", "relay_denied"},
      {"551", "", "RECIPIENT_NOT_FOUND", "RECIPIENT_ERROR", "user_unknown"},
      {"556", "", "MX_ERROR", "INFRASTRUCTURE_ERROR", "invalid_address"},
  };
  for (const Fixed& expected : cases) {
    const StatusCodes codes{expected.reply, expected.enhanced};
    const std::string name = std::string(expected.reply) + " " + std::string(expected.enhanced);
    EXPECT_EQ(LabelName(Task::kBnac, codes), expected.bnac) << name;
    EXPECT_EQ(LabelName(Task::kBackoff, codes), expected.backoff) << name;
    EXPECT_EQ(LabelName(Task::kAction, codes), expected.action) << name;
  }
}

TEST(StatusCodeMeanings, NameTheirSourceAndAreWhatDecides) {
  for (const StatusCodeMeaning& row : StatusCodeMeanings()) {
    EXPECT_FALSE(row.source.empty()) << row.code;
    const bool enhanced = row.code.find('.') != std::string::npos;
    const std::string code =
        row.code.front() == 'x' ? "5" + row.code.substr(1) : row.code;  // either class
    const std::string_view view = code;
    const StatusCodes codes{enhanced ? "" : view, enhanced ? view : ""};
    for (const Task task : kTasks) {
      EXPECT_EQ(LabelName(task, codes), row.labels[Index(task)]) << row.code;
    }
  }
}

// The account of docs/status-codes.md stays true, row by row.
TEST(StatusCodeMeanings, StandInTheDocuments) {
  const std::string page =
      ReadFile(std::string(std::getenv("REBOUND_SOURCE")) + "/docs/status-codes.md");
  for (const StatusCodeMeaning& row : StatusCodeMeanings()) {
    std::string wanted = "| " + row.code + " |";
    for (const std::string_view label : row.labels) wanted += " " + std::string(label) + " |";
    wanted += " " + std::string(row.source) + " |";
    EXPECT_NE(page.find(wanted), std::string::npos) << "docs/status-codes.md lacks: " << wanted;
  }
}

TEST(LabelOfStatusCodes, ListensToAReplyCodeAloneOnlyWhereThereAreNoWords) {
  const auto label = [](std::string_view text) {
    return LabelName(Task::kBnac, FindStatusCodes(text));
  };
  EXPECT_EQ(label("552 (#552)"), "RECIPIENT_ERROR");
  EXPECT_EQ(label("smtp; 552 error"), "RECIPIENT_ERROR");
  EXPECT_EQ(label("552 something that nobody has ever said before"), "");
  EXPECT_EQ(label("552 \xE8\xAF\xA5\xE8\xA1\x8C"), "RECIPIENT_ERROR") << "two letters";
  EXPECT_EQ(label("552 5.2.2 something that nobody has ever said before"), "RECIPIENT_ERROR");
}

TEST(LabelOfStatusCodes, SaysNothingForCodesThatStandForEverything) {
  const std::vector<StatusCodes> cases = {
      {"", ""},
      {"550", ""},
      {"450", ""},
      {"553", ""},
      {"554", ""},
      {"530", ""},
      {"454", ""},
      {"599", ""},
      {"550", "5.0.0"},
      {"450", "4.0.0"},
      {"550", "5.7.1"},
      {"550", "5.7.2"},
      {"451", "4.7.1"},
      {"450", "4.2.1"},
      {"550", "5.4.1"},
      {"550", "5.7.13"},
      {"550", "5.7.99"},
      {"550", "5.7.999"},
      // another cause than the reply code's
      {"552", "5.7.0"},
      {"421", "4.7.0"},
      {"451", "4.7.650"},
  };
  for (const StatusCodes& codes : cases) {
    for (const Task task : kTasks) {
      EXPECT_EQ(LabelOfStatusCodes(task, codes), std::nullopt)
          << codes.reply << " " << codes.enhanced;
    }
  }
}

TEST(LabelOfStatusCodes, FixesAllThreeLabelsOrNone) {
  // A word of the table that is no label would leave its task without an answer.
  for (const char* cls : {"4", "5"}) {
    for (int subject = 0; subject <= 7; ++subject) {
      for (int detail = 0; detail <= 40; ++detail) {
        const std::string enhanced =
            std::string(cls) + "." + std::to_string(subject) + "." + std::to_string(detail);
        int fixed = 0;
        for (const Task task : kTasks) fixed += LabelOfStatusCodes(task, {"", enhanced}) ? 1 : 0;
        EXPECT_TRUE(fixed == 0 || fixed == 3) << enhanced;
      }
    }
  }
  for (int reply = 400; reply <= 599; ++reply) {
    const std::string code = std::to_string(reply);
    int fixed = 0;
    for (const Task task : kTasks) fixed += LabelOfStatusCodes(task, {code, ""}) ? 1 : 0;
    EXPECT_TRUE(fixed == 0 || fixed == 3) << code;
  }
}

}  // namespace
}  // namespace rebound
