#include "engine/verdict.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace rebound {
namespace {

struct Reply {
  std::string_view code, enhanced;
};
constexpr Reply kReplies[] = {{"", ""},      {"550", "5.1.1"}, {"550", ""},
                              {"", "5.1.1"}, {"450", "4.1.1"}, {"421", ""},
                              {"", "4.4.7"}, {"450", "5.1.1"}, {"550", "4.1.1"}};

bool IsTransient(const Reply& reply) {
  return reply.code.starts_with('4') || reply.enhanced.starts_with('4');
}

std::string_view Name(Task task, const Labels& labels) {
  return TaskLabels(task)[labels[Index(task)]];
}

std::string Show(const VerdictInput& input) {
  std::string shown;
  for (const Task task : kTasks) {
    shown.append(Name(task, input.labels)).append(input.sure[Index(task)] ? " sure " : " ");
  }
  return shown.append(input.reply_code).append(" ").append(input.enhanced_code);
}

bool IsOneOf(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Every label of every task, sure or not, with every kind of reply.
template <class Function>
void ForEachInput(Function function) {
  VerdictInput input;
  for (size_t bnac = 0; bnac < TaskLabels(Task::kBnac).size(); ++bnac) {
    for (size_t backoff = 0; backoff < TaskLabels(Task::kBackoff).size(); ++backoff) {
      for (size_t action = 0; action < TaskLabels(Task::kAction).size(); ++action) {
        input.labels = {bnac, backoff, action};
        for (unsigned sure = 0; sure < 8; ++sure) {
          input.sure = {(sure & 1) != 0, (sure & 2) != 0, (sure & 4) != 0};
          for (const Reply& reply : kReplies) {
            input.reply_code = reply.code;
            input.enhanced_code = reply.enhanced;
            function(input);
          }
        }
      }
    }
  }
}

VerdictInput Input(std::string_view bnac, std::string_view backoff, std::string_view action,
                   Reply reply = {"550", ""}) {
  VerdictInput input;
  input.labels = {FindLabel(Task::kBnac, bnac).value(), FindLabel(Task::kBackoff, backoff).value(),
                  FindLabel(Task::kAction, action).value()};
  input.sure = {true, true, true};
  input.reply_code = reply.code;
  input.enhanced_code = reply.enhanced;
  return input;
}

std::string Judge(const VerdictInput& input) {
  const Verdict verdict = JudgeBounce(input);
  return std::string(FaultName(verdict.fault)) + ", " + std::string(SuppressName(verdict.suppress));
}

TEST(Verdict, SuppressesExactlyWhereAllThreeSurelySayThatTheAddressIsNotThere) {
  size_t suppressed = 0;
  ForEachInput([&suppressed](const VerdictInput& input) {
    const bool gone =
        Name(Task::kBnac, input.labels) == "RECIPIENT_NOT_FOUND" &&
        Name(Task::kBackoff, input.labels) == "RECIPIENT_ERROR" &&
        IsOneOf(Name(Task::kAction, input.labels), {"user_unknown", "invalid_address"});
    const bool sure = input.sure[0] && input.sure[1] && input.sure[2];
    const bool transient = IsTransient({input.reply_code, input.enhanced_code});
    const bool yes = JudgeBounce(input).suppress == Suppress::kYes;
    ASSERT_EQ(yes, gone && sure && !transient) << Show(input);
    suppressed += yes ? 1 : 0;
  });
  EXPECT_EQ(suppressed, 2u * 4u) << "two causes, four replies that are not transient";
}

TEST(Verdict, ACauseThatIsNotTheRecipientsIsNeverHeldAgainstIt) {
  ForEachInput([](const VerdictInput& input) {
    const Verdict verdict = JudgeBounce(input);
    if (verdict.suppress == Suppress::kNo) return;
    ASSERT_EQ(verdict.fault, Fault::kRecipient) << Show(input);
    const std::string_view bnac = Name(Task::kBnac, input.labels);
    const std::string_view backoff = Name(Task::kBackoff, input.labels);
    const std::string_view action = Name(Task::kAction, input.labels);
    ASSERT_TRUE(IsOneOf(bnac, {"RECIPIENT_NOT_FOUND", "RECIPIENT_ERROR", "MX_ERROR"}))
        << Show(input);
    ASSERT_TRUE(IsOneOf(backoff, {"RECIPIENT_ERROR", "MAILBOX_FULL", "INFRASTRUCTURE_ERROR"}))
        << Show(input);
    ASSERT_TRUE(
        IsOneOf(action, {"user_unknown", "invalid_address", "mailbox_disabled", "mailbox_full"}))
        << Show(input);
    // The way to a domain is the recipient's only where all three say that there is no domain.
    const bool way = bnac == "MX_ERROR" || backoff == "INFRASTRUCTURE_ERROR";
    ASSERT_TRUE(!way || (bnac == "MX_ERROR" && backoff == "INFRASTRUCTURE_ERROR" &&
                         action == "invalid_address"))
        << Show(input);
  });
}

TEST(Verdict, LabelsThatContradictEachOtherNeverSuppress) {
  ForEachInput([](const VerdictInput& input) {
    const bool known = CauseOf(input.labels).labels == input.labels;
    ASSERT_TRUE(known || JudgeBounce(input).suppress != Suppress::kYes) << Show(input);
  });
  EXPECT_EQ(Judge(Input("SPF", "RECIPIENT_ERROR", "user_unknown")), "recipient, no");
  EXPECT_EQ(Judge(Input("RECIPIENT_NOT_FOUND", "RECIPIENT_ERROR", "policy_blocked")), "policy, no");
  EXPECT_EQ(Judge(Input("RECIPIENT_NOT_FOUND", "RECIPIENT_ERROR", "mailbox_disabled")),
            "recipient, after_repeats");
}

TEST(Verdict, BeingLessSureOrTransientNeverSuppressesMore) {
  ForEachInput([](const VerdictInput& input) {
    const Suppress here = JudgeBounce(input).suppress;
    VerdictInput surer = input;
    surer.sure = {true, true, true};
    ASSERT_LE(here, JudgeBounce(surer).suppress) << Show(input);
    surer.reply_code = surer.enhanced_code = "";
    ASSERT_LE(here, JudgeBounce(surer).suppress) << Show(input);
    ASSERT_EQ(JudgeBounce(input).fault, JudgeBounce(surer).fault) << "codes change no fault";
  });
}

TEST(Verdict, WhatSendersExpectOfEachCause) {
  struct Case {
    const char *bnac, *backoff, *action;
    Reply reply;
    const char* expected;
  };
  constexpr const char* kSpfFail = "POLICY_VIOLATION_SPF_DMARC__SPF_OR_DMARC_FAIL";
  const Case cases[] = {
      {"RECIPIENT_NOT_FOUND",
       "RECIPIENT_ERROR",
       "user_unknown",
       {"550", "5.1.1"},
       "recipient, yes"},
      {"RECIPIENT_NOT_FOUND", "RECIPIENT_ERROR", "user_unknown", {"", ""}, "recipient, yes"},
      {"RECIPIENT_NOT_FOUND",
       "RECIPIENT_ERROR",
       "user_unknown",
       {"450", "4.1.1"},
       "recipient, after_repeats"},
      {"RECIPIENT_NOT_FOUND", "RECIPIENT_ERROR", "invalid_address", {"501", ""}, "recipient, yes"},
      {"RECIPIENT_ERROR",
       "RECIPIENT_ERROR",
       "mailbox_disabled",
       {"550", "5.2.1"},
       "recipient, after_repeats"},
      {"RECIPIENT_ERROR",
       "MAILBOX_FULL",
       "mailbox_full",
       {"552", "5.2.2"},
       "recipient, after_repeats"},
      {"RECIPIENT_ERROR", "MAILBOX_FULL", "mailbox_full", {"452", ""}, "recipient, after_repeats"},
      {"MX_ERROR",
       "INFRASTRUCTURE_ERROR",
       "invalid_address",
       {"550", "5.4.4"},
       "recipient, after_repeats"},
      {"MX_ERROR", "INFRASTRUCTURE_ERROR", "server_error", {"", ""}, "network, no"},
      {"RECIPIENT_ERROR", "RECIPIENT_ERROR", "policy_blocked", {"550", ""}, "policy, no"},
      {"SPF", kSpfFail, "auth_failure", {"550", "5.7.23"}, "sender_identity, no"},
      {"DNS_PTR", "INFRASTRUCTURE_BLOCK", "ip_blacklisted", {"550", ""}, "sender_identity, no"},
      {"BLOCK_LIST",
       "INFRASTRUCTURE_BLOCK",
       "ip_blacklisted",
       {"550", "5.1.1"},
       "sender_reputation, no"},
      {"RATE_LIMIT", "RATE_LIMIT__RECIPIENT_LIMIT", "rate_limited", {"450", ""}, "policy, no"},
      {"MESSAGE_CONTENT", "CONTENT_REJECTED_SPAM", "spam_blocked", {"550", ""}, "content, no"},
      {"VIRUS", "CONTENT_REJECTED_VIRUS", "virus_detected", {"550", ""}, "content, no"},
      {"TLS", "CONNECTION_FAILURE", "server_error", {"", ""}, "network, no"},
      {"TEMPORARY_ERROR", "CONNECTION_FAILURE", "server_error", {"", "4.4.7"}, "network, no"},
      {"TEMPORARY_ERROR", "TEMPORARY_SYSTEM_FAILURE", "server_error", {"451", ""}, "receiver, no"},
      {"BLOCKED", "GENERIC_BLOCK", "unknown", {"550", ""}, "policy, no"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(Judge(Input(c.bnac, c.backoff, c.action, c.reply)), c.expected)
        << c.bnac << " " << c.action << " " << c.reply.code;
  }
}

TEST(Verdict, ADoubtInOneAnswerIsEnoughToWaitForRepeats) {
  for (const Task task : kTasks) {
    VerdictInput input = Input("RECIPIENT_NOT_FOUND", "RECIPIENT_ERROR", "user_unknown");
    input.sure[Index(task)] = false;
    EXPECT_EQ(Judge(input), "recipient, after_repeats") << TaskName(task);
  }
}

TEST(VerdictOfOverrides, TenThirtyAndNinetySuppressAndNoOtherCodeDoes) {
  const VerdictInput gone = Input("RECIPIENT_NOT_FOUND", "RECIPIENT_ERROR", "user_unknown");
  for (int code = 1; code <= 120; ++code) {
    VerdictInput input = gone;
    input.override_code = code;
    if (const MomentumMeaning* meaning = FindMomentumMeaning(code);
        meaning != nullptr && meaning->cause != nullptr) {
      input.labels = meaning->cause->labels;
    }
    const Suppress suppress = JudgeBounce(input).suppress;
    EXPECT_EQ(suppress == Suppress::kYes, code == 10 || code == 30 || code == 90) << code;
    EXPECT_EQ(suppress == Suppress::kAfterRepeats, code == 22) << code;
  }
}

TEST(VerdictOfOverrides, NoneSuppressesWhereTheReceiverSaysThatItMayChange) {
  for (const int code : {10, 30, 90}) {
    VerdictInput input =
        Input("RECIPIENT_NOT_FOUND", "RECIPIENT_ERROR", "user_unknown", {"450", "4.1.1"});
    input.override_code = code;
    EXPECT_EQ(Judge(input), "recipient, after_repeats") << code;
  }
}

TEST(VerdictOfOverrides, AnswersThatAreNoBouncesTakeNoRecipientAway) {
  for (const int code : {60, 80, 100, 99}) {
    VerdictInput input = Input("RECIPIENT_ERROR", "MAILBOX_FULL", "mailbox_full", {"", ""});
    input.override_code = code;
    EXPECT_EQ(Judge(input), "recipient, no") << code;
  }
  VerdictInput input = Input("VIRUS", "CONTENT_REJECTED_VIRUS", "virus_detected", {"", ""});
  input.override_code = 90;
  EXPECT_EQ(Judge(input), "recipient, yes")
      << "whoever unsubscribes gets no more, whatever it says";
}

TEST(SureOfRecipient, IsAboveBothThresholdsOrSaidByPeople) {
  EXPECT_TRUE(IsSureOfRecipient(0.9F, 0.6, false));
  EXPECT_FALSE(IsSureOfRecipient(0.89F, 0.6, false));
  EXPECT_FALSE(IsSureOfRecipient(0.91F, 0.95, false)) << "a bundle that asks for more";
  EXPECT_TRUE(IsSureOfRecipient(0.0F, 0.6, true));
}

}  // namespace
}  // namespace rebound
