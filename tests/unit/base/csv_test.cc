#include "base/csv.h"

#include <gtest/gtest.h>

#include <sstream>

namespace rebound {
namespace {

// Rows as "line:field|field" or "line!fault".
std::vector<std::string> Read(const std::string& text, CsvComments comments = CsvComments::kNone) {
  std::istringstream input(text);
  CsvReader reader(input, comments);
  CsvRow row;
  std::vector<std::string> rows;
  while (reader.Next(&row)) {
    std::string told = std::to_string(row.line) + (row.fault.empty() ? ":" : "!" + row.fault);
    if (row.fault.empty()) {
      for (size_t i = 0; i < row.fields.size(); ++i) told += (i > 0 ? "|" : "") + row.fields[i];
    }
    rows.push_back(told);
  }
  return rows;
}

using Rows = std::vector<std::string>;

TEST(Csv, ReadsPlainFieldsWithEitherLineEnd) {
  EXPECT_EQ(Read("a,b\r\nc,\n,d"), (Rows{"1:a|b", "2:c|", "3:|d"}));
}

TEST(Csv, ReadsCommasQuotesAndLineBreaksInQuotedFields) {
  EXPECT_EQ(Read("\"a,b\",\"say \"\"no\"\"\",\"two\nlines\"\nnext,\"\",x\n"),
            (Rows{"1:a,b|say \"no\"|two\nlines", "3:next||x"}));
}

TEST(Csv, PassesOverAByteOrderMarkAndEmptyLines) {
  EXPECT_EQ(Read("\xEF\xBB\xBF"
                 "a,b\n\n\r\nc,d\n"),
            (Rows{"1:a|b", "4:c|d"}));
}

TEST(Csv, AQuoteInAnUnquotedFieldIsABadRowAndTheNextOneIsRead) {
  EXPECT_EQ(Read("a\"b,c\nd,e\n"),
            (Rows{"1!a quote stands in a field that does not start with one", "2:d|e"}));
}

TEST(Csv, TextAfterAClosingQuoteIsABadRow) {
  EXPECT_EQ(Read("\"a\"b,c\nd,e\n"), (Rows{"1!text stands after a closing quote", "2:d|e"}));
}

TEST(Csv, AQuotedFieldWithoutEndIsABadRow) {
  EXPECT_EQ(Read("a,b\n\"c,d\n"), (Rows{"1:a|b", "2!a quoted field does not end"}));
}

TEST(Csv, AFieldWithoutEndNeedsNoUnboundedMemory) {
  const Rows rows = Read("\"" + std::string(CsvReader::kMaxRowBytes + 10, 'x') + "\na,b\n");
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0], "1!the row is larger than 16 MiB: is a quote missing?");
  EXPECT_EQ(rows[1], "2:a|b");
}

TEST(Csv, PassesOverCommentsWhereAskedFor) {
  const std::string text =
      "# rules\na,#b\n#x,\"y\n\"# no comment\",c\n\"two\n# lines\",d\n #e,f\n#end";
  EXPECT_EQ(Read(text, CsvComments::kHash),
            (Rows{"2:a|#b", "4:# no comment|c", "5:two\n# lines|d", "7: #e|f"}));
  EXPECT_EQ(Read("#a,b\n"), Rows{"1:#a|b"});
  EXPECT_TRUE(Read("#", CsvComments::kHash).empty());
}

TEST(Csv, AnEmptyFileHasNoRow) {
  EXPECT_TRUE(Read("").empty());
  EXPECT_TRUE(Read("\xEF\xBB\xBF").empty());
}

}  // namespace
}  // namespace rebound
