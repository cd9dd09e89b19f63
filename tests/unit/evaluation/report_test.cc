#include "evaluation/report.h"

#include <gtest/gtest.h>

#include <array>

#include "base/json.h"
#include "evaluation/print.h"
#include "evaluation/report_plots.h"

namespace rebound {
namespace {

TaskReport MakeTask(const std::string& name) {
  ScorecardBuilder builder({"a<b", "c"});
  const std::array<size_t, 1> first = {0};
  builder.Add(first, 0, std::array<float, 2>{0.9F, 0.1F});
  builder.Add(first, 1, std::array<float, 2>{0.3F, 0.7F});
  TaskReport task;
  task.task = name;
  task.facts = {{"version", "3"}};
  task.sure = task.all = builder.Finish();
  task.intervals = MeasureIntervals(builder.scored_rows(), 2);
  task.baselines = {{"majority class", 0.25, 0.1, 0.2}};
  task.sources = {{"log", 2, 1}};
  task.languages = {{"Latin", 2, 1}};
  task.mistakes = {{"row-7", "a<b", 0, 1, 0.7F, "550 <script>alert('x')</script>"}};
  return task;
}

Report MakeReport() {
  Report report;
  report.data = "data.jsonl";
  report.data_sha256 = std::string(64, 'f');
  report.rows = report.sure_rows = 2;
  report.tasks = {MakeTask("bnac"), MakeTask("action")};
  return report;
}

size_t Count(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST(ReportTest, TheTextSaysFiguresClassesAndMistakes) {
  const std::string text = WriteTextReport(MakeTask("bnac"));
  EXPECT_EQ(text.find("bnac, version 3 (2 rows, 2 sure, 0 answered by the status code)"), 0u);
  EXPECT_NE(text.find("accuracy (sure)                            0.5000  [0.0945, 0.9055]"),
            std::string::npos);
  EXPECT_NE(text.find("accuracy of: majority class                0.2500"), std::string::npos);
  EXPECT_NE(text.find("   1  a<b -> c"), std::string::npos);
}

TEST(ReportTest, TheReliabilityDiagramHasABarAndACountForEveryBinWithRows) {
  const std::string svg = ReliabilitySvg(MakeTask("bnac").all);
  EXPECT_EQ(Count(svg, "<title>1 rows: mean probability"), 2u);
  EXPECT_EQ(Count(svg, "class=\"count\""), 2u);
  EXPECT_EQ(Count(svg, "</svg>"), 1u);
}

TEST(ReportTest, TheConfusionMatrixHasACellForEveryPairAndEscapesLabels) {
  const std::string svg = ConfusionSvg(MakeTask("bnac").all);
  EXPECT_EQ(Count(svg, "class=\"cell\""), 4u);
  EXPECT_NE(svg.find("<title>a&lt;b answered as c: 1 of 2</title>"), std::string::npos);
  EXPECT_EQ(Count(svg, "a<b"), 0u);
}

TEST(ReportTest, ThePageHasBothPlotsOfEveryTaskAndItsSlices) {
  const std::string page = WriteHtmlReport(MakeReport());
  EXPECT_EQ(Count(page, "<svg"), 4u);
  EXPECT_EQ(Count(page, "<h2 id=\"bnac\">"), 1u);
  EXPECT_NE(page.find("<td>log</td><td>2</td>"), std::string::npos);
  EXPECT_NE(page.find("majority class"), std::string::npos);
}

SuppressReport MakeSuppress() {
  SuppressReport suppress;
  suppress.counts = {{{90, 5, 1}, {2, 20, 3}, {1, 4, 16}}};
  suppress.open = 7;
  suppress.fault_rows = 100;
  suppress.fault_right = 93;
  suppress.wrong = {{"row-9", "SPF, <b>, auth_failure", "550 <script>x</script>"}};
  return suppress;
}

TEST(ReportTest, SuppressHasItsSharesAndItsTable) {
  const std::string text = WriteSuppressText(MakeSuppress());
  EXPECT_EQ(text.find("suppress (142 sure rows, 7 more are open)\n"), 0u) << text;
  EXPECT_NE(text.find("precision of yes                           0.8000  [0.5840, 0.9193]  16 of "
                      "20\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("recall of yes                              0.7619"), std::string::npos);
  EXPECT_NE(text.find("yes where the recipient is not why         0.0104"), std::string::npos);
  EXPECT_NE(text.find("fault right                                0.9300"), std::string::npos);
  EXPECT_NE(text.find("  after_repeats                          2            20             3\n"),
            std::string::npos)
      << text;
}

TEST(ReportTest, SuppressIsInTheJsonAndThePageOnlyWhereItWasMeasured) {
  Report report = MakeReport();
  EXPECT_EQ(FindJson(ParseJson(WriteJsonReport(report)), "suppress"), nullptr);
  EXPECT_EQ(Count(WriteHtmlReport(report), "suppress"), 0u);
  report.suppress = MakeSuppress();
  const JsonDocument json = ParseJson(WriteJsonReport(report));
  const JsonValue& suppress = GetJson(json, "suppress");
  EXPECT_EQ(GetJsonInt(suppress, "rows"), 142);
  EXPECT_DOUBLE_EQ(GetJsonDouble(GetJson(suppress, "precision"), "value"), 0.8);
  EXPECT_EQ(GetJsonInt(GetJson(suppress, "yes_where_not_the_recipient"), "rows"), 96);
  EXPECT_EQ(GetJson(suppress, "counts")[2][1].GetInt(), 4);
  const std::string page = WriteHtmlReport(report);
  EXPECT_NE(page.find("<tr><td>after_repeats</td><td>2</td><td>20</td><td>3</td></tr>"),
            std::string::npos);
  EXPECT_EQ(Count(page, "<script"), 0u);
  EXPECT_EQ(Count(page, "<b>, auth"), 0u);
}

TEST(ReportTest, ThePageAsksNothingOfTheNetworkAndRunsNoTextOfTheData) {
  const std::string page = WriteHtmlReport(MakeReport());
  for (const char* foreign : {"http:", "https:", "<script", "src=", "url(", "@import", "<link"}) {
    EXPECT_EQ(Count(page, foreign), 0u) << foreign;
  }
  EXPECT_EQ(Count(page, "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;"), 2u);
  EXPECT_EQ(Count(page, "default-src 'none'"), 1u);
  EXPECT_EQ(Count(page, "prefers-color-scheme:dark"), 1u);
}

TEST(ReportTest, ALearningCurveStandsWhereTheBundleCarriesOne) {
  Report report = MakeReport();
  report.tasks[0].run = report.tasks[0].sure;
  EXPECT_EQ(Count(WriteHtmlReport(report), "Learning curve"), 0u);
  report.tasks[0].run.learning_curve = {{100, 900, 0.5, 0.4, 0.4}, {200, 1800, 0.7, 0.6, 0.6}};
  report.tasks[0].run.baselines = {{"fastText", 0.61, 0.5, 0.5}};
  const std::string page = WriteHtmlReport(report);
  EXPECT_EQ(Count(page, "Learning curve"), 1u);
  EXPECT_EQ(Count(page, "<title>200 templates, 1800 texts: accuracy 0.700</title>"), 1u);
  EXPECT_EQ(Count(page, "<td>fastText</td><td>0.610</td>"), 1u);
}

TEST(ReportTest, WhatARunMeasuredIsATableForTerminalsToo) {
  Scorecard run;
  EXPECT_EQ(WriteRunTable(run), "");
  run.learning_curve = {{100, 900, 0.5, 0.4, 0.3}, {200, 1800, 0.7, 0.6, 0.55}};
  run.baselines = {{"fastText on the same rows", 0.61, 0.5, 0.45}};
  EXPECT_EQ(WriteRunTable(run),
            "  learned from                      accuracy  macro-F1  macro recall\n"
            "  100 groups, 900 texts               0.5000    0.4000        0.3000\n"
            "  200 groups, 1800 texts              0.7000    0.6000        0.5500\n"
            "  fastText on the same rows           0.6100    0.5000        0.4500\n");
  TaskReport task = MakeReport().tasks[0];
  EXPECT_EQ(WriteTextReport(task).find("the training run"), std::string::npos);
  task.run = run;
  EXPECT_NE(WriteTextReport(task).find("\n  the training run, on its held-out templates\n" +
                                       WriteRunTable(run)),
            std::string::npos);
}

TEST(ReportTest, WithoutSourcesOrLanguagesThereIsNoEmptyTable) {
  Report report = MakeReport();
  for (TaskReport& task : report.tasks) task.sources.clear();
  EXPECT_EQ(WriteHtmlReport(report).find("By source"), std::string::npos);
}

TEST(ReportTest, ManySourcesWithFewRowsStandTogether) {
  Report report = MakeReport();
  report.tasks[0].sources = {{"big", 9, 9}, {"p", 2, 1}, {"q", 2, 1}, {"r", 2, 1}, {"s", 2, 1}};
  report.tasks[1].sources = report.tasks[0].sources;
  const std::string page = WriteHtmlReport(report);
  EXPECT_NE(page.find("<td>4 others</td><td>8</td><td title=\"4 of 8,"), std::string::npos);
  EXPECT_EQ(page.find("<td>q</td>"), std::string::npos);
}

TEST(ReportTest, TheJsonHasTheSame) {
  const JsonDocument json = ParseJson(WriteJsonReport(MakeReport()));
  EXPECT_EQ(GetJsonInt(GetJson(json, "data"), "rows"), 2);
  const JsonValue& bnac = GetJson(GetJson(json, "tasks"), "bnac");
  EXPECT_EQ(GetJsonString(GetJson(bnac, "bundle"), "version"), "3");
  EXPECT_DOUBLE_EQ(GetJsonDouble(GetJson(bnac, "sure"), "accuracy"), 0.5);
  EXPECT_NEAR(GetJson(GetJson(bnac, "intervals"), "accuracy")[0].GetDouble(), 0.0945, 1e-4);
  EXPECT_EQ(GetJsonString(GetJson(bnac, "sources")[0], "name"), "log");
  EXPECT_EQ(GetJsonString(GetJson(bnac, "mistakes")[0], "predicted"), "c");
  EXPECT_EQ(FindJson(bnac, "training_run"), nullptr);
}

TEST(EscapeHtmlTest, LeavesNoMarkupAndNoControlCharacters) {
  EXPECT_EQ(EscapeHtml("<a href=\"x\">&'\x01\n"), "&lt;a href=&quot;x&quot;&gt;&amp;&#39;\n");
}

}  // namespace
}  // namespace rebound
