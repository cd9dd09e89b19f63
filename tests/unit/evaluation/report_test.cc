#include "evaluation/report.h"

#include <gtest/gtest.h>

#include <array>

namespace rebound {
namespace {

ReportSection Section() {
  ScorecardBuilder builder({"a<b", "c"});
  const std::array<size_t, 1> first = {0};
  builder.Add(first, 0, std::array<float, 2>{0.9F, 0.1F});
  builder.Add(first, 1, std::array<float, 2>{0.3F, 0.7F});
  return {"bnac, version 3", "2 rows", builder.Finish(), builder.Finish()};
}

size_t Count(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST(ReportTest, TheTextSaysFiguresClassesAndMistakes) {
  const std::string text = WriteTextReport(Section());
  EXPECT_NE(text.find("bnac, version 3 (2 rows)"), std::string::npos);
  EXPECT_NE(text.find("accuracy (sure)                            0.5000"), std::string::npos);
  EXPECT_NE(text.find("   1  a<b -> c"), std::string::npos);
}

TEST(ReportTest, TheReliabilityDiagramHasABarForEveryBinWithRows) {
  const std::string svg = ReliabilitySvg(Section().all);
  EXPECT_EQ(Count(svg, "<circle"), 2u);
  EXPECT_EQ(Count(svg, "<svg"), 1u);
  EXPECT_EQ(Count(svg, "</svg>"), 1u);
}

TEST(ReportTest, TheConfusionMatrixHasACellForEveryPairAndEscapesLabels) {
  const std::string svg = ConfusionSvg(Section().all);
  EXPECT_EQ(Count(svg, "<rect"), 4u);
  EXPECT_EQ(Count(svg, "a<b"), 0u);
  EXPECT_EQ(Count(svg, "a&lt;b"), 2u);
}

TEST(ReportTest, ThePageHoldsBothPlotsOfEveryTask) {
  const std::string page = WriteHtmlReport({Section(), Section()});
  EXPECT_EQ(Count(page, "<svg"), 4u);
  EXPECT_EQ(Count(page, "<h2>bnac, version 3</h2>"), 2u);
  const std::string markdown = WriteMarkdownReport({Section()});
  EXPECT_NE(markdown.find("![reliability](bnac-reliability.svg)"), std::string::npos);
}

}  // namespace
}  // namespace rebound
