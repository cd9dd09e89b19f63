#include "labelstore/import.h"

#include <gtest/gtest.h>

#include <sstream>
#include <vector>

#include "base/error.h"

namespace rebound {
namespace {

struct Imported {
  ImportReport report;
  std::vector<std::string> bad;
  std::vector<SnapshotRow> rows;
};

Imported Read(ImportFormat format, const std::string& text, size_t block = 2) {
  const auto store = MakeMemoryLabelStore();
  Imported imported;
  ImportOptions options;
  options.contributor = "alice";
  options.block = block;
  options.on_bad_row = [&](int64_t line, const std::string& why) {
    imported.bad.push_back(std::to_string(line) + ": " + why);
  };
  std::istringstream input(text);
  imported.report = Import(input, format, options, store.get());
  store->ReadSnapshot(store->MakeSnapshot().id,
                      [&](const SnapshotRow& row) { imported.rows.push_back(row); });
  return imported;
}

using Bad = std::vector<std::string>;

TEST(ImportCsv, ReadsColumnsByTheirNamesInAnyOrder) {
  const Imported imported = Read(ImportFormat::kCsv,
                                 "label,Message,other,bnac\n"
                                 "user_unknown,\"550 no such user, sorry\",x,RECIPIENT_NOT_FOUND\n"
                                 ",421 busy,,RATE_LIMIT\n");
  EXPECT_EQ(imported.report.rows, 2);
  EXPECT_EQ(imported.report.result.inserted, 2);
  EXPECT_TRUE(imported.bad.empty());
  ASSERT_EQ(imported.rows.size(), 2u);
}

TEST(ImportCsv, ReportsBadRowsByLineAndTakesTheOthers) {
  const Imported imported = Read(ImportFormat::kCsv,
                                 "text,bnac\n"
                                 "550 one,BLOCKED\n"
                                 "550 two,blocked\n"
                                 "550 three\n"
                                 ",BLOCKED\n"
                                 "550 four,\n"
                                 "550 fi\"ve,SPF\n"
                                 "\x01\x02,SPF\n"
                                 "550 six,SPF\n");
  EXPECT_EQ(imported.bad,
            (Bad{"3: unknown bnac label 'blocked'", "4: 1 fields where the header has 2",
                 "5: no text (key message or text)", "6: no label (keys bnac, backoff, label)",
                 "7: a quote stands in a field that does not start with one",
                 "8: no text (key message or text)"}));
  EXPECT_EQ(imported.report.rows, 8);
  EXPECT_EQ(imported.report.bad_rows, 6);
  EXPECT_EQ(imported.report.result.inserted, 2);
}

TEST(ImportCsv, AHeaderWithoutTheColumnsIsRefused) {
  for (const char* text : {"bnac,backoff\n", "text,class\n", "550 x,BLOCKED\n"}) {
    try {
      Read(ImportFormat::kCsv, text);
      FAIL() << text;
    } catch (const Error& e) {
      EXPECT_EQ(
          std::string(e.what()),
          "the first line must name the columns: message (or text) and bnac, backoff or label");
    }
  }
}

TEST(ImportJsonLines, ReadsBothNamesOfTheText) {
  const Imported imported =
      Read(ImportFormat::kJsonLines, R"({"message":"550 one","bnac":"BLOCKED"})"
                                     "\n\n"
                                     R"({"text":"550 two","label":"unknown","bnac":null,"x":[1]})");
  EXPECT_TRUE(imported.bad.empty());
  EXPECT_EQ(imported.report.result.inserted, 2);
}

TEST(ImportJsonLines, ReportsBadLinesAndTakesTheOthers) {
  const Imported imported = Read(ImportFormat::kJsonLines,
                                 "[1]\n"
                                 R"({"message":1,"bnac":"SPF"})"
                                 "\n"
                                 R"({"message":"550 a","bnac":["SPF"]})"
                                 "\n"
                                 R"({"message":"550 a","backoff":"NOPE"})"
                                 "\n{\n"
                                 R"({"message":"550 a","bnac":"SPF"})"
                                 "\n");
  ASSERT_EQ(imported.bad.size(), 5u);
  EXPECT_EQ(imported.bad[0], "1: no JSON object");
  EXPECT_EQ(imported.bad[3], "4: unknown backoff label 'NOPE'");
  EXPECT_EQ(imported.report.result.inserted, 1);
}

TEST(ImportJsonLines, RepairsInvalidBytesBeforeItParses) {
  const Imported imported =
      Read(ImportFormat::kJsonLines, "{\"message\":\"550 \xff no\",\"bnac\":\"SPF\"}\n");
  EXPECT_TRUE(imported.bad.empty());
  EXPECT_EQ(imported.report.result.inserted, 1);
}

TEST(Import, ARowThatTheStoreRefusesDoesNotTakeItsBlockWithIt) {
  const Imported imported = Read(ImportFormat::kJsonLines,
                                 R"({"message":"550 a","bnac":"SPF"})"
                                 "\n"
                                 R"({"message":"550 b","bnac":"SPF","group":"a\u0000b"})"
                                 "\n"
                                 R"({"message":"550 c d","bnac":"SPF"})"
                                 "\n",
                                 100);
  EXPECT_EQ(imported.bad,
            (Bad{"2: submission 0 has a contributor or group that is no valid text"}));
  EXPECT_EQ(imported.report.result.inserted, 2);
}

TEST(Export, IsReadBackByImport) {
  SnapshotRow row;
  row.text = "550 \"x\"\n__email__";
  row.group = "g";
  row.labels = {0, -1, 15};
  std::string line;
  AppendExportLine(row, &line);
  EXPECT_EQ(line,
            "{\"text\":\"550 \\\"x\\\"\\n__email__\",\"group\":\"g\",\"held_out\":false,"
            "\"origin\":\"seed\",\"bnac\":\"BLOCKED\",\"label\":\"virus_detected\"}\n");
  const Imported imported = Read(ImportFormat::kJsonLines, line);
  ASSERT_EQ(imported.rows.size(), 1u);
  EXPECT_EQ(imported.rows[0].text, row.text);
  EXPECT_EQ(imported.rows[0].group, "g");
  EXPECT_EQ(imported.rows[0].labels, row.labels);
}

TEST(FormatOf, GoesByTheEnding) {
  EXPECT_EQ(FormatOf("a/b.CSV"), ImportFormat::kCsv);
  EXPECT_EQ(FormatOf("x.jsonl"), ImportFormat::kJsonLines);
  EXPECT_EQ(FormatOf("x.txt"), std::nullopt);
  EXPECT_EQ(FormatOf(""), std::nullopt);
}

}  // namespace
}  // namespace rebound
