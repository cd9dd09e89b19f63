#include "models/task.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

namespace rebound {
namespace {

TEST(Task, NamesAndKeysAreWireValues) {
  EXPECT_EQ(TaskName(Task::kBnac), "bnac");
  EXPECT_EQ(TaskName(Task::kBackoff), "backoff");
  EXPECT_EQ(TaskName(Task::kAction), "action");
  EXPECT_EQ(TaskKey(Task::kBnac), "bnac");
  EXPECT_EQ(TaskKey(Task::kBackoff), "backoff");
  EXPECT_EQ(TaskKey(Task::kAction), "label");
}

TEST(Task, ParsesItsOwnNamesOnly) {
  for (const Task task : kTasks) EXPECT_EQ(ParseTask(TaskName(task)), task);
  EXPECT_EQ(ParseTask("label"), std::nullopt);
  EXPECT_EQ(ParseTask("BNAC"), std::nullopt);
  EXPECT_EQ(ParseTask(""), std::nullopt);
}

TEST(Task, HasEighteenTwentyFourAndSixteenLabelsInAlphabeticalOrder) {
  EXPECT_EQ(TaskLabels(Task::kBnac).size(), 18U);
  EXPECT_EQ(TaskLabels(Task::kBackoff).size(), 24U);
  EXPECT_EQ(TaskLabels(Task::kAction).size(), 16U);
  for (const Task task : kTasks) {
    const auto labels = TaskLabels(task);
    EXPECT_TRUE(std::is_sorted(labels.begin(), labels.end())) << TaskName(task);
  }
}

TEST(Task, FindsEveryLabelAtItsPositionAndNoOther) {
  for (const Task task : kTasks) {
    const auto labels = TaskLabels(task);
    for (size_t i = 0; i < labels.size(); ++i) EXPECT_EQ(FindLabel(task, labels[i]), i);
    EXPECT_EQ(FindLabel(task, ""), std::nullopt);
    EXPECT_EQ(FindLabel(task, "ZZZ"), std::nullopt);
    EXPECT_EQ(FindLabel(task, "Spf"), std::nullopt);
  }
  EXPECT_EQ(FindLabel(Task::kBnac, "user_unknown"), std::nullopt);
}

TEST(Task, DescribesEveryLabelInOneLine) {
  for (const Task task : kTasks) {
    for (size_t i = 0; i < TaskLabels(task).size(); ++i) {
      const std::string_view text = LabelDescription(task, i);
      EXPECT_FALSE(text.empty());
      EXPECT_EQ(text.find('\n'), std::string_view::npos);
    }
  }
}

struct AdviceRow {
  const char* label;
  int severity;
  std::vector<std::string_view> scope;
  const char* action;
};

TEST(Task, AdvisesOnBnacClassesAsThePublishedTableDoes) {
  const std::vector<AdviceRow> rows = {
      {"BLOCK_LIST",
       5,
       {"tenantid"},
       "Recipient MTA is blocking, with third-party (e.g. Spamhaus) information"},
      {"BLOCKED",
       3,
       {"tenantid", "grouping"},
       "Recipient MTA is blocking, no third-party information"},
      {"DKIM", 3, {"tenantid", "grouping"}, "Fix DKIM"},
      {"DMARC", 3, {"tenantid", "grouping"}, "Fix DMARC"},
      {"DNS_PTR", 3, {"tenantid", "grouping"}, "Fix reverse DNS"},
      {"DOMAIN_REPUTATION", 4, {"tenantid", "grouping"}, "Slow down from this sending domain"},
      {"GRAYLISTING",
       3,
       {"tenantid", "grouping"},
       "Slow down to this recipient domain, you are at risk of being blocked"},
      {"IP_REPUTATION", 4, {"localip", "grouping"}, "Slow down from this sending IP"},
      {"MESSAGE_CONTENT", 3, {"jobid"}, "Suspend campaign and review what is sent"},
      {"MX_ERROR", 3, {"remotemx"}, "Verify your DNS resolution of this recipient domain"},
      {"PROTOCOL_ERROR", 1, {"grouping"}, "Verify the MTA configuration and protocols"},
      {"RATE_LIMIT", 3, {"grouping"}, "Slow down to this recipient domain"},
      {"RECIPIENT_ERROR",
       2,
       {"jobid", "grouping"},
       "Slow down, possible poor list quality, reduce frequency to this address"},
      {"RECIPIENT_NOT_FOUND", 1, {"recipient address"}, "Remove the address"},
      {"SPF", 3, {"tenantid", "grouping"}, "Fix SPF"},
      {"TEMPORARY_ERROR",
       1,
       {"tenantid", "grouping"},
       "Slow down sending to this recipient domain"},
      {"TLS", 3, {"tenantid", "grouping"}, "Check your TLS negotiation with this recipient domain"},
      {"VIRUS", 6, {"jobid"}, "Suspend campaign and review what is sent"},
  };
  ASSERT_EQ(rows.size(), TaskLabels(Task::kBnac).size());
  for (const AdviceRow& row : rows) {
    const auto label = FindLabel(Task::kBnac, row.label);
    ASSERT_TRUE(label) << row.label;
    const BnacAdvice& advice = AdviceOf(*label);
    EXPECT_EQ(advice.severity, row.severity) << row.label;
    EXPECT_EQ(std::vector<std::string_view>(advice.scope.begin(), advice.scope.end()), row.scope)
        << row.label;
    EXPECT_EQ(advice.suggested_action, row.action) << row.label;
  }
}

TEST(Task, RecommendsOneOfSixActionsForEveryActionLabel) {
  const std::map<std::string_view, std::string_view> expected = {
      {"user_unknown", "remove"},
      {"invalid_address", "remove"},
      {"mailbox_disabled", "remove"},
      {"mailbox_full", "retry"},
      {"greylisting", "retry"},
      {"rate_limited", "retry"},
      {"server_error", "retry"},
      {"ip_blacklisted", "retry_different_ip"},
      {"geo_blocked", "retry_different_ip"},
      {"domain_blacklisted", "fix_configuration"},
      {"auth_failure", "fix_configuration"},
      {"relay_denied", "fix_configuration"},
      {"spam_blocked", "review"},
      {"policy_blocked", "review"},
      {"unknown", "review"},
      {"virus_detected", "remove_content"},
  };
  ASSERT_EQ(expected.size(), TaskLabels(Task::kAction).size());
  for (const auto& [label, action] : expected) {
    const auto position = FindLabel(Task::kAction, label);
    ASSERT_TRUE(position) << label;
    EXPECT_EQ(RecommendedAction(*position), action) << label;
  }
}

}  // namespace
}  // namespace rebound
