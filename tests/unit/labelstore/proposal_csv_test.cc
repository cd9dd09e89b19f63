#include "labelstore/proposal_csv.h"

#include <gtest/gtest.h>

#include <sstream>

#include "base/error.h"

namespace rebound {
namespace {

ProposalCsv Read(const std::string& csv, size_t max_rows = kMaxCsvRows) {
  std::istringstream input(csv);
  return ReadProposalCsv(input, "key-a", max_rows);
}

std::string ErrorOf(const std::string& csv, size_t max_rows = kMaxCsvRows) {
  try {
    Read(csv, max_rows);
  } catch (const Error& e) {
    return std::string(ErrorCodeName(e.code())) + ": " + e.what();
  }
  return "no error";
}

TEST(ProposalCsv, ReadsColumnsInAnyOrder) {
  const auto csv = Read(
      "comment,message,backoff,label,bnac,other\n"
      "why,\"550 5.1.1 no, \"\"such\"\" user\",,user_unknown,RECIPIENT_NOT_FOUND,x\n"
      ",552 full,MAILBOX_FULL,,,\n");
  ASSERT_EQ(csv.proposals.size(), 2u);
  EXPECT_TRUE(csv.bad.empty());
  EXPECT_EQ(csv.rows, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(csv.proposals[0].text, "550 5.1.1 no, \"such\" user");
  EXPECT_EQ(csv.proposals[0].comment, "why");
  EXPECT_EQ(csv.proposals[0].contributor, "key-a");
  EXPECT_EQ(csv.proposals[0].labels[Index(Task::kAction)],
            FindLabel(Task::kAction, "user_unknown"));
  EXPECT_EQ(csv.proposals[0].labels[Index(Task::kBackoff)], std::nullopt);
  EXPECT_EQ(csv.proposals[1].labels[Index(Task::kBackoff)],
            FindLabel(Task::kBackoff, "MAILBOX_FULL"));
}

TEST(ProposalCsv, ReportsBadRowsByNumberAndKeepsTheOthers) {
  const auto csv = Read(
      "label,message\nuser_unknown,550 a b\nnonsense,550 a\nuser_unknown,\nuser_unknown\n"
      ",550 c\n\"x\"y,550\nmailbox_full,552 full\n");
  EXPECT_EQ(csv.rows, (std::vector<int64_t>{2, 8}));
  ASSERT_EQ(csv.bad.size(), 5u);
  EXPECT_EQ(csv.bad[0].row, 3);
  EXPECT_EQ(csv.bad[0].why, "unknown label 'nonsense'");
  EXPECT_EQ(csv.bad[1].why, "has a blank text");
  EXPECT_EQ(csv.bad[2].why, "1 fields where the header has 2");
  EXPECT_EQ(csv.bad[3].why, "has no label");
  EXPECT_EQ(csv.bad[4].row, 7);
}

TEST(ProposalCsv, RefusesAWrongHeaderAndTooManyRows) {
  const std::string header =
      "invalid_argument: the first line must name the columns: message, and at least one of label, "
      "bnac, backoff";
  for (const char* wrong : {"", "label\nx\n", "message\nx\n", "550 no,user_unknown\n"}) {
    EXPECT_EQ(ErrorOf(wrong), header) << wrong;
  }
  EXPECT_EQ(ErrorOf("label,message\nunknown,a b\nunknown,c d\n", 1),
            "too_large: more than 1 rows: send them in parts");
  EXPECT_EQ(Read("label,message\n").proposals.size(), 0u);
}

}  // namespace
}  // namespace rebound
