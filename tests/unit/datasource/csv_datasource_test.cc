#include <gtest/gtest.h>

#include <filesystem>

#include "base/file.h"
#include "tests/support/datasources.h"

namespace rebound {
namespace {

using test::ReadAll;
using test::ReadError;
using test::Rows;

class CsvDatasource : public testing::Test {
 protected:
  std::string Write(const std::string& name, const std::string& text) {
    WriteFileDurably(folder_.path() / name, text);
    return (folder_.path() / name).string();
  }
  std::string Folder() const { return "csv:" + folder_.path().string(); }

  TempFolder folder_;
};

TEST_F(CsvDatasource, AFileGivesItsRowsWithoutComments) {
  const std::string file =
      Write("r.csv", "# domain,code,rule\n,10,\"user, unknown\"\r\n\nexample.org,20,a|b\n");
  EXPECT_EQ(ReadAll("csv:" + file, "", 3),
            (Rows{{"", "10", "user, unknown"}, {"example.org", "20", "a|b"}}));
}

TEST_F(CsvDatasource, AFolderIsAskedForAFile) {
  Write("r.csv", "a,1\n");
  std::filesystem::create_directory(folder_.path() / "eu");
  Write("eu/r.csv", "b,2\n");
  EXPECT_EQ(ReadAll(Folder(), "r.csv", 2), (Rows{{"a", "1"}}));
  EXPECT_EQ(ReadAll(Folder(), " eu/r.csv ", 2), (Rows{{"b", "2"}}));
  EXPECT_EQ(ReadAll(Folder(), "eu/r.csv?2", 1), (Rows{{"2"}}));
}

TEST_F(CsvDatasource, AFolderShowsNothingOutsideItself) {
  const std::string outside = Write("r.csv", "a\n");
  std::filesystem::create_directory(folder_.path() / "eu");
  for (const std::string& query : {std::string("../r.csv"), std::string("x/../../r.csv"), outside,
                                   std::string(""), std::string("?1")}) {
    EXPECT_EQ(ReadError(Folder() + "/eu", query, 1),
              "invalid_argument: the query to CSV " + folder_.path().string() +
                  "/eu must name a file in that folder, such as rules.csv or "
                  "rules.csv?domain,bounce_code,rule");
  }
}

TEST_F(CsvDatasource, ColumnsAreChosenByNumberOrName) {
  const std::string file = Write("r.csv", "rule, domain ,note\nx,a.org,n\ny,b.org\n");
  EXPECT_EQ(ReadAll("csv:" + file, "domain, rule", 2), (Rows{{"a.org", "x"}, {"b.org", "y"}}));
  EXPECT_EQ(ReadAll("csv:" + file, "2,rule", 2), (Rows{{"a.org", "x"}, {"b.org", "y"}}));
  EXPECT_EQ(ReadAll("csv:" + file, "1", 1), (Rows{{"rule"}, {"x"}, {"y"}}));
}

TEST_F(CsvDatasource, ARowOfAnotherWidthIsToldByItsLine) {
  const std::string file = Write("r.csv", "# c\na,b\nc\n");
  EXPECT_EQ(ReadError("csv:" + file, "", 2),
            "invalid_argument: " + file + ", line 3: 1 columns where 2 are wanted");
  EXPECT_EQ(ReadError("csv:" + file, "1,2", 2),
            "invalid_argument: " + file + ", line 3: no column 2");
  EXPECT_EQ(ReadError("csv:" + file, "1,2", 3),
            "invalid_argument: the query to CSV " + file + " gives 2 columns where 3 are wanted");
  EXPECT_EQ(ReadError("csv:" + file, "a,x", 2),
            "invalid_argument: " + file +
                " has no column 'x': the first line must name the columns, or give their numbers");
  EXPECT_EQ(ReadError("csv:" + file, "1,,2", 3),
            "invalid_argument: the query to CSV " + file +
                " has an empty column: list numbers (from 1) or names, such as 1,2,3 or "
                "domain,bounce_code,rule");
}

TEST_F(CsvDatasource, ABadQuoteIsToldByItsLine) {
  const std::string file = Write("r.csv", "a,b\n\"c,d\n");
  EXPECT_EQ(ReadError("csv:" + file, "", 2),
            "invalid_argument: " + file + ", line 2: a quoted field does not end");
}

TEST_F(CsvDatasource, WhatIsMissingOrNoFileIsToldAtOnce) {
  const std::string path = folder_.path();
  EXPECT_TRUE(Holds(ReadError(Folder(), "r.csv", 1), "not_found: cannot "));
  EXPECT_TRUE(Holds(ReadError("csv:" + path + "/x.csv", "", 1), path + "/x.csv"));
  EXPECT_EQ(ReadError("csv:/dev/zero", "", 1), "invalid_argument: /dev/zero is no regular file");
}

TEST_F(CsvDatasource, AFileIsReadAnewEachTime) {
  const std::string file = Write("r.csv", "a\n");
  const auto source = OpenDatasource("csv:" + file);
  EXPECT_EQ(ReadAll(source.get(), "", 1), (Rows{{"a"}}));
  Write("r.csv", "b\nc\n");
  EXPECT_EQ(ReadAll(source.get(), "", 1), (Rows{{"b"}, {"c"}}));
  std::filesystem::remove(file);
  EXPECT_TRUE(Holds(ErrorOf([&] { ReadAll(source.get(), "", 1); }), "not_found: "));
  Write("r.csv", "");
  EXPECT_EQ(ReadAll(source.get(), "", 1), Rows{});
}

TEST_F(CsvDatasource, BytesPassAsTheyAre) {
  const std::string bytes("\xFF\x00\xC3", 3);
  const std::string file = Write("r.csv", bytes + ",b\n");
  EXPECT_EQ(ReadAll("csv:" + file, "", 2), (Rows{{bytes, "b"}}));
}

TEST_F(CsvDatasource, KeepsTheLimits) {
  const std::string file = Write("r.csv", "aaaa\nbbbb\ncccc\n");
  DatasourceLimits limits;
  limits.max_rows = 2;
  EXPECT_EQ(ReadError("csv:" + file, "", 1, limits),
            "too_large: CSV " + file + " gives more than 2 rows: narrow the query");
  limits.max_bytes = 10;
  EXPECT_TRUE(Holds(ReadError("csv:" + file, "", 1, limits), "too_large: "));
}

TEST_F(CsvDatasource, WhatTheRowThrowsPassesThrough) {
  const std::string file = Write("r.csv", "a\n");
  EXPECT_EQ(ErrorOf([&] {
              OpenDatasource("csv:" + file)->Read("", 1, [](std::span<const std::string_view>) {
                throw Error(ErrorCode::kConflict, "mine");
              });
            }),
            "conflict: mine");
}

}  // namespace
}  // namespace rebound
