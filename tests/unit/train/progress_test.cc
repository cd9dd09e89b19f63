#include "train/progress.h"

#include <gtest/gtest.h>

#include "base/json.h"

namespace rebound {
namespace {

EpochReport Report() {
  EpochReport report{"bag", 2, 30, 50, 100};
  report.loss = 0.25;
  report.samples_per_second = 12345.6;
  report.seconds_left = 65.2;
  report.finished = true;
  report.judged = true;
  report.accuracy = 0.9;
  report.macro_f1 = 0.8;
  return report;
}

TEST(ProgressTest, JsonLinesHoldNumbersAsNumbers) {
  testing::internal::CaptureStdout();
  {
    Progress progress(ProgressMode::kJson, "bnac");
    progress.TellEpoch(Report());
    progress.Tell("result", {{"promoted", "true"}, {"reason", "007 is no number"}, {"n", "007"}});
  }
  const std::string out = testing::internal::GetCapturedStdout();
  const size_t end = out.find('\n');
  const JsonDocument epoch = ParseJson(out.substr(0, end));
  EXPECT_EQ(GetJsonString(epoch, "event"), "epoch");
  EXPECT_EQ(GetJsonString(epoch, "task"), "bnac");
  EXPECT_EQ(GetJsonInt(epoch, "epoch"), 2);
  EXPECT_EQ(GetJsonDouble(epoch, "loss"), 0.25);
  EXPECT_EQ(GetJsonInt(epoch, "samples_per_second"), 12346);
  const JsonDocument result = ParseJson(out.substr(end + 1));
  EXPECT_TRUE(GetJsonBool(result, "promoted"));
  EXPECT_EQ(GetJsonString(result, "reason"), "007 is no number");
  EXPECT_EQ(GetJsonString(result, "n"), "007");
}

TEST(ProgressTest, PlainLinesNameTheTaskAndDrawNoBar) {
  testing::internal::CaptureStderr();
  {
    Progress progress(ProgressMode::kPlain, "bnac");
    EpochReport running = Report();
    running.finished = false;
    progress.TellEpoch(running);
    progress.Tell("tokenizer", {{"reused", "action version 3"}});
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "bnac: tokenizer  reused action version 3\n");
}

TEST(ProgressTest, ATableGoesToStandardOutputAndNeverBetweenJsonLines) {
  for (const auto& [mode, expected] :
       {std::pair{ProgressMode::kPlain, "bnac: on 5 texts\n  a  b\n"},
        std::pair{ProgressMode::kJson, ""}}) {
    testing::internal::CaptureStdout();
    Progress(mode, "bnac").TellTable("on 5 texts", "  a  b\n");
    EXPECT_EQ(testing::internal::GetCapturedStdout(), expected);
  }
}

TEST(ProgressTest, TheBarSaysEpochSpeedAndTimeLeftAndIsCleared) {
  testing::internal::CaptureStderr();
  {
    Progress progress(ProgressMode::kBar, "bnac");
    EpochReport running = Report();
    running.finished = false;
    progress.TellEpoch(running);
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "\rbnac: bag epoch 2/30 [###############...............] 12,346 samples/s, at most "
            "1:05 left\x1b[K\r\x1b[K");
}

TEST(ProgressTest, NumbersReadWell) {
  EXPECT_EQ(ClockText(3599.6), "60:00");
  EXPECT_EQ(ClockText(-1), "0:00");
  EXPECT_EQ(CountText(999), "999");
  EXPECT_EQ(CountText(1234567), "1,234,567");
  EXPECT_EQ(FigureText(0.98765), "0.9877");
}

}  // namespace
}  // namespace rebound
