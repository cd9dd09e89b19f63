#include "serve/access_log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"

namespace rebound {
namespace {

using namespace std::chrono_literals;

AccessRecord Record() {
  AccessRecord record;
  record.time = std::chrono::sys_days(std::chrono::year(2027) / 3 / 31) + 12h + 7ms;
  record.taken = 1'234'567ns;
  record.request_id = "id";
  record.method = "POST";
  record.route = "/v1/bnac";
  record.status = 200;
  record.bytes_in = 10;
  record.bytes_out = 20;
  record.texts = 3;
  record.key = "mta-1";
  record.peer = "192.0.2.7";
  return record;
}

TEST(AccessLine, TellsWhoWhatAndHowItWent) {
  AccessRecord record = Record();
  record.trace = TraceParent{"0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"};
  record.tls = true;
  AccessLogOptions options;
  options.sample = 0.25;
  EXPECT_EQ(AccessLine(record, options),
            R"({"time":"2027-03-31T12:00:00.007Z","request_id":"id",)"
            R"("trace_id":"0af7651916cd43dd8448eb211c80319c","parent_id":"b7ad6b7169203331",)"
            R"("method":"POST","route":"/v1/bnac","status":200,"ms":1.235,"bytes_in":10,)"
            R"("bytes_out":20,"texts":3,"key":"mta-1","peer":"192.0.2.0/24","tls":true,)"
            R"("sample":0.25})"
            "\n");
}

TEST(AccessLine, LeavesOutWhatDoesNotApply) {
  AccessRecord record = Record();
  record.route = record.key = record.peer = "";
  record.texts = 0;
  record.status = 404;
  record.method = "virus-user@example.com";
  AccessLogOptions options;
  options.sample = 0.25;
  EXPECT_EQ(AccessLine(record, options),
            R"({"time":"2027-03-31T12:00:00.007Z","request_id":"id","method":"other",)"
            R"("status":404,"ms":1.235,"bytes_in":10,"bytes_out":20,"tls":false})"
            "\n");
}

TEST(AccessLine, ShowsAsMuchOfTheAddressAsWasAsked) {
  AccessLogOptions options;
  const auto peer = [&](PeerDetail detail) {
    options.peer = detail;
    const JsonDocument line = ParseJson(Trim(AccessLine(Record(), options)));
    const JsonValue* found = FindJson(line, "peer");
    return found == nullptr ? "" : std::string(JsonText(*found));
  };
  EXPECT_EQ(peer(PeerDetail::kNone), "");
  EXPECT_EQ(peer(PeerDetail::kMasked), "192.0.2.0/24");
  EXPECT_EQ(peer(PeerDetail::kFull), "192.0.2.7");
}

class LogFile : public testing::Test {
 protected:
  AccessLogOptions Options(double sample = 1) const {
    AccessLogOptions options;
    options.file = path_;
    options.sample = sample;
    return options;
  }
  static size_t Lines(const std::filesystem::path& path) {
    const std::string text = ReadFile(path);
    return static_cast<size_t>(std::count(text.begin(), text.end(), '\n'));
  }

  TempFolder folder_;
  const std::filesystem::path path_ = folder_.path() / "access.log";
};

TEST_F(LogFile, EveryErrorIsTakenAndOfTheRestTheSample) {
  const AccessLog none(Options(0));
  const AccessLog tenth(Options(0.1));
  const AccessLog all(Options(1));
  int taken = 0;
  for (int i = 0; i < 20'000; ++i) {
    EXPECT_FALSE(none.Takes(200));
    EXPECT_TRUE(all.Takes(200));
    EXPECT_TRUE(none.Takes(400));
    taken += tenth.Takes(204) ? 1 : 0;
  }
  EXPECT_NEAR(taken, 2000, 300);
  EXPECT_TRUE(none.Takes(503));
}

TEST_F(LogFile, LinesOfThreadsArriveWhole) {
  AccessLog log(Options());
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 500; ++i) log.Write(Record());
    });
  }
  for (std::thread& thread : threads) thread.join();
  log.Flush();
  const std::string text = ReadFile(path_);
  int lines = 0;
  for (const std::string_view line : Split(text, '\n')) {
    if (line.empty()) continue;
    EXPECT_EQ(GetJsonInt(ParseJson(line), "status"), 200);
    ++lines;
  }
  EXPECT_EQ(lines, 2000);
  EXPECT_EQ(log.dropped(), 0u);
}

TEST_F(LogFile, IsReadableByItsOwnerAndGroupAlone) {
  const AccessLog log(Options());
  struct stat info {};
  ASSERT_EQ(stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0007, 0u);
}

TEST_F(LogFile, ARotatedFileIsLeftAtTheReopening) {
  LineWriter writer(path_);
  writer.Put("one\n");
  writer.Flush();
  const auto old = folder_.path() / "access.log.1";
  std::filesystem::rename(path_, old);
  writer.Put("two\n");
  writer.Reopen();
  writer.Flush();
  writer.Put("three\n");
  writer.Flush();
  EXPECT_EQ(ReadFile(old), "one\ntwo\n");
  EXPECT_EQ(ReadFile(path_), "three\n");
}

TEST_F(LogFile, AReopeningThatFailsKeepsTheOldFile) {
  const auto sub = folder_.path() / "logs";
  std::filesystem::create_directory(sub);
  LineWriter writer(sub / "access.log");
  const auto moved = folder_.path() / "moved";
  std::filesystem::rename(sub, moved);
  writer.Reopen();
  writer.Put("one\n");
  writer.Flush();
  EXPECT_EQ(ReadFile(moved / "access.log"), "one\n");
}

TEST_F(LogFile, OneThatCannotBeOpenedIsAnError) {
  try {
    LineWriter writer(folder_.path() / "missing" / "access.log");
    FAIL() << "it was opened";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kInvalidArgument);
    EXPECT_NE(std::string(e.what()).find("No such file or directory"), std::string::npos);
  }
}

// A pipe that nobody reads stands for the slowest disk.
TEST_F(LogFile, ADiskThatTakesNothingBlocksNobodyAndTheLossIsCounted) {
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  const int reader = open(path_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  ASSERT_GE(reader, 0);
  const std::string line = std::string(1023, 'x') + "\n";
  uint64_t dropped = 0;
  size_t arrived = 0;
  {
    LineWriter writer(path_, 64 * 1024);
    for (int i = 0; i < 2000; ++i) writer.Put(line);
    dropped = writer.dropped();
    EXPECT_GT(dropped, 1000u);
    // Who reads on gets what was kept, whole.
    std::string text;
    char buffer[65536];
    while (text.size() < (2000 - dropped) * line.size()) {
      const ssize_t count = read(reader, buffer, sizeof buffer);
      if (count > 0) text.append(buffer, static_cast<size_t>(count));
      std::this_thread::yield();
    }
    arrived = text.size() / line.size();
    for (size_t at = 0; at < text.size(); at += line.size()) {
      ASSERT_EQ(text.compare(at, line.size(), line), 0);
    }
    EXPECT_EQ(writer.dropped(), dropped);
  }
  EXPECT_EQ(arrived + dropped, 2000u);
  close(reader);
}

TEST_F(LogFile, ADiskThatTakesNothingHoldsNoStop) {
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  const int reader = open(path_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  ASSERT_GE(reader, 0);
  const auto start = std::chrono::steady_clock::now();
  {
    LineWriter writer(path_);
    for (int i = 0; i < 200; ++i) writer.Put(std::string(1023, 'x') + "\n");
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, 10s);
  close(reader);
}

TEST_F(LogFile, AFullDiskLosesLinesAndNothingElse) {
  LineWriter writer("/dev/full");
  for (int i = 0; i < 10; ++i) writer.Put("line\n");
  writer.Flush();
  EXPECT_EQ(writer.dropped(), 10u);
}

}  // namespace
}  // namespace rebound
