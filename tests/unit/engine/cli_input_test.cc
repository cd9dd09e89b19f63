// What `rebound` reads: streams, lines, and batches of texts over threads.
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>

#include "base/error.h"
#include "base/file.h"
#include "engine/cli/batch_pool.h"
#include "engine/cli/byte_stream.h"
#include "engine/cli/terminal.h"
#include "engine/cli/text_source.h"

namespace rebound {
namespace {

class CliInput : public testing::Test {
 protected:
  std::string Write(const std::string& bytes) {
    const auto path = folder_.path() / "input";
    std::ofstream(path, std::ios::binary) << bytes;
    return path.string();
  }
  // The lines of a file that holds `bytes`.
  std::vector<std::string> LinesOf(const std::string& bytes, size_t longest) {
    ByteStream stream(Write(bytes));
    LineReader reader(&stream, longest);
    std::vector<std::string> lines;
    for (std::string_view line; reader.Next(&line);) lines.emplace_back(line);
    return lines;
  }
  TempFolder folder_;
};

using Strings = std::vector<std::string>;

TEST_F(CliInput, LinesAreSplitAtLfAndTheLastNeedsNone) {
  EXPECT_EQ(LinesOf("", 10), Strings());
  EXPECT_EQ(LinesOf("\n", 10), Strings({""}));
  EXPECT_EQ(LinesOf("a\n\nbc", 10), Strings({"a", "", "bc"}));
  EXPECT_EQ(LinesOf("a\r\n", 10), Strings({"a\r"}));
}

TEST_F(CliInput, OfALineBeyondTheLongestOneByteMoreComesAndTheNextOnesAreWhole) {
  EXPECT_EQ(LinesOf("12345\nabcdef\nxy\n", 5), Strings({"12345", "abcdef", "xy"}));
  EXPECT_EQ(LinesOf("12345678\nabcdef", 5), Strings({"123456", "abcdef"}));
  const std::string huge(5 << 20, 'x');
  EXPECT_EQ(LinesOf(huge + "\nabc\n" + huge, 1 << 20),
            Strings({huge.substr(0, (1 << 20) + 1), "abc", huge.substr(0, (1 << 20) + 1)}));
}

TEST_F(CliInput, LinesOverManyBuffersAreWhole) {
  std::string bytes;
  Strings expected;
  for (int i = 0; i < 40'000; ++i) {
    expected.push_back(std::to_string(i) + std::string(static_cast<size_t>(i % 97), 'y'));
    bytes += expected.back() + "\n";
  }
  EXPECT_EQ(LinesOf(bytes, 1000), expected);
}

TEST_F(CliInput, BytesThatOnlyBeginLikePackedOnesAreThemselves) {
  EXPECT_EQ(LinesOf("BZ", 10), Strings({"BZ"}));
  EXPECT_EQ(LinesOf("\x1F", 10), Strings({"\x1F"}));
  EXPECT_EQ(LinesOf("\xFD"
                    "7zap\n",
                    10),
            Strings({"\xFD"
                     "7zap"}));
}

TEST_F(CliInput, WhatOnlyPretendsToBePackedIsRefused) {
  try {
    LinesOf(std::string("\x1F\x8B\x08\x00nothing", 11), 10);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kCorrupt);
    EXPECT_NE(std::string(e.what()).find("input: cannot be unpacked: "), std::string::npos);
  }
}

TEST_F(CliInput, AFileThatIsNotThereIsNamed) {
  try {
    ByteStream stream("/nonexistent/x");
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kNotFound);
    EXPECT_STREQ(e.what(), "cannot open /nonexistent/x: No such file or directory");
  }
}

TEST_F(CliInput, ABadRowOfCsvIsAFaultAndTheNextOneGoesOn) {
  const std::string path = Write("reply,id\n550,1\n\"551,2\n552\n553,4\n");
  const auto source = MakeCsvSource(path, "reply", "");
  EXPECT_EQ(source->Columns(), Strings({"id"}));
  SourceItem item;
  ASSERT_TRUE(source->Next(&item));
  EXPECT_EQ(item.text, "550");
  EXPECT_EQ(item.fields[0].value, "1");
  size_t faults = 0;
  while (source->Next(&item)) faults += item.fault.empty() ? 0 : 1;
  EXPECT_GE(faults, 1u);
}

TEST(BatchPool, BatchesComeBackInOrderWhateverTheirTime) {
  BatchPool pool(4, [](size_t, Batch* batch) {
    // Early ones take longer.
    std::atomic<int> spin{0};
    while (spin.fetch_add(1) < static_cast<int>(200'000 / (1 + batch->count))) {
    }
    batch->rows = std::to_string(batch->count);
  });
  size_t taken = 0;
  for (size_t i = 0; i < 200; ++i) {
    auto batch = std::make_unique<Batch>();
    batch->count = i;
    pool.Start(std::move(batch));
    while (pool.IsFull()) EXPECT_EQ(pool.Take()->rows, std::to_string(taken++));
  }
  while (pool.size() > 0) EXPECT_EQ(pool.Take()->rows, std::to_string(taken++));
  EXPECT_EQ(taken, 200u);
}

TEST(BatchPool, WhatTheWorkThrowsComesOutWithItsBatch) {
  BatchPool pool(2, [](size_t, Batch* batch) {
    if (batch->count == 1) throw Error(ErrorCode::kInternal, "one");
  });
  for (size_t i = 0; i < 3; ++i) {
    auto batch = std::make_unique<Batch>();
    batch->count = i;
    pool.Start(std::move(batch));
  }
  EXPECT_EQ(pool.Take()->count, 0u);
  EXPECT_THROW(pool.Take(), Error);
  EXPECT_EQ(pool.Take()->count, 2u);
}

TEST(Terminal, ALineOfSomebodyElseHoldsNoControls) {
  EXPECT_EQ(OneLine("a\033[31mb\r\n\tc"), "a [31mb c");
  EXPECT_EQ(OneLine("a\u202Eb\u0085c"), "a b c");
  EXPECT_EQ(OneLine("\xFFü"), "\uFFFDü");
}

}  // namespace
}  // namespace rebound
