#include <algorithm>
#include <map>

#include "evaluation/print.h"
#include "evaluation/report.h"
#include "evaluation/report_page.h"
#include "evaluation/report_plots.h"

namespace rebound {
namespace {

long long Count(int64_t value) { return static_cast<long long>(value); }

// A bar of `share`, and the whisker of its interval where there is one.
void Bar(double share, const Interval* interval, std::string* out) {
  Print(out, "<span class=\"track\"><i style=\"width:%.1f%%\"></i>", 100.0 * share);
  if (interval != nullptr) {
    Print(out, "<u style=\"left:%.1f%%;width:%.1f%%\"></u>", 100.0 * interval->low,
          100.0 * (interval->high - interval->low));
  }
  out->append("</span>");
}

void Tile(const TaskReport& task, std::string* out) {
  const Interval& interval = task.intervals.accuracy;
  Print(out,
        "<div class=\"card tile\"><a href=\"#%s\">%s</a><b>%.1f%%</b>right, %.1f–%.1f "
        "%%<br><small>macro recall %.3f · macro-F1 %.3f · ECE %.3f</small></div>\n",
        EscapeHtml(task.task).c_str(), EscapeHtml(task.task).c_str(), 100.0 * task.sure.accuracy,
        100.0 * interval.low, 100.0 * interval.high, task.sure.macro_recall, task.sure.macro_f1,
        task.sure.ece);
}

void FigureCell(double value, const Interval& interval, std::string* out) {
  Print(out, "<td>%.3f <small>%.3f–%.3f</small></td>", value, interval.low, interval.high);
}

void SummaryRows(const TaskReport& task, std::string* out) {
  const Scorecard& card = task.sure;
  const ScoreIntervals& intervals = task.intervals;
  Print(out, "<tr class=\"first\"><td><b>%s</b></td><td>%.3f", EscapeHtml(task.task).c_str(),
        card.accuracy);
  Bar(card.accuracy, &intervals.accuracy, out);
  Print(out, "<small>%.3f–%.3f</small></td>", intervals.accuracy.low, intervals.accuracy.high);
  FigureCell(card.macro_recall, intervals.macro_recall, out);
  FigureCell(card.macro_f1, intervals.macro_f1, out);
  FigureCell(card.ece, intervals.ece, out);
  Print(out, "<td>%.3f</td><td>%.3f</td></tr>\n", card.log_loss, task.all.accuracy);
  for (const Baseline& baseline : task.baselines) {
    Print(out, "<tr class=\"minor\"><td>%s</td><td>%.3f", EscapeHtml(baseline.name).c_str(),
          baseline.accuracy);
    Bar(baseline.accuracy, nullptr, out);
    Print(out, "</td><td>%.3f</td><td>%.3f</td><td></td><td></td><td></td></tr>\n",
          baseline.macro_recall, baseline.macro_f1);
  }
}

void Summary(const Report& report, std::string* out) {
  out->append("<div class=\"tiles\">\n");
  for (const TaskReport& task : report.tasks) Tile(task, out);
  out->append(
      "</div>\n<div class=\"card figures\"><table><tr><th>answers "
      "of</th><th>accuracy</th><th>macro "
      "recall</th><th>macro-F1</th><th>ECE</th><th>log loss</th><th>with doubtful"
      "</th></tr>\n");
  for (const TaskReport& task : report.tasks) SummaryRows(task, out);
  out->append("</table></div>\n");
}

void Classes(const Scorecard& card, std::string* out) {
  out->append(
      "<div class=\"card classes\"><h3>Classes</h3><table><tr><th>class</th><th>rows</th><th>"
      "answers</th><th>recall</th><th>precision</th><th>F1</th></tr>\n");
  for (size_t i = 0; i < card.classes.size(); ++i) {
    const ClassScore& score = card.classes[i];
    Print(out, "<tr%s><td class=\"code\">%zu %s</td><td>%lld</td><td>%lld</td>",
          score.support == 0 ? " class=\"minor\"" : "", i + 1, EscapeHtml(score.label).c_str(),
          Count(score.support), Count(score.predicted));
    const auto cell = [&](double value, bool defined) {
      if (!defined) return out->append("<td>–</td>");
      Print(out, "<td>%.2f", value);
      Bar(value, nullptr, out);
      return out->append("</td>");
    };
    cell(score.recall, score.support > 0);
    cell(score.precision, score.predicted > 0);
    cell(score.f1, score.support > 0);
    out->append("</tr>\n");
  }
  out->append("</table></div>\n");
}

void Confusions(const TaskReport& task, std::string* out) {
  const std::vector<Confusion> worst = WorstConfusions(task.sure, kConfusionsShown);
  out->append("<div class=\"card\"><h3>Most frequent mistakes</h3>\n");
  if (worst.empty()) out->append("<p>None.</p>");
  for (size_t i = 0; i < worst.size(); ++i) {
    Print(out,
          "<details%s><summary><b>%lld</b> × <span class=\"code\">%s</span> answered as <span "
          "class=\"code\">%s</span></summary>\n",
          i < 2 ? " open" : "", Count(worst[i].rows),
          EscapeHtml(task.sure.classes[worst[i].truth].label).c_str(),
          EscapeHtml(task.sure.classes[worst[i].predicted].label).c_str());
    size_t shown = 0;
    for (const Mistake& mistake : task.mistakes) {
      if (mistake.truth != worst[i].truth || mistake.predicted != worst[i].predicted) continue;
      if (++shown > kExamplesShown) break;
      Print(out, "<blockquote>%s</blockquote><small>%s, probability %.2f</small>\n",
            EscapeHtml(mistake.text).c_str(), EscapeHtml(mistake.id).c_str(), mistake.probability);
    }
    out->append("</details>\n");
  }
  out->append("</div>\n");
}

void TrainingRun(const Scorecard& run, std::string* out) {
  if (run.rows == 0) return;
  Print(out,
        "<div class=\"card\"><h3>The training run, on its held-out templates</h3><p>%lld texts: "
        "accuracy %.3f, macro-F1 %.3f, ECE %.3f.</p>\n",
        Count(run.rows), run.accuracy, run.macro_f1, run.ece);
  if (!run.baselines.empty()) {
    out->append("<table><tr><th>baseline</th><th>accuracy</th><th>macro-F1</th></tr>\n");
    for (const Baseline& baseline : run.baselines) {
      Print(out, "<tr><td>%s</td><td>%.3f</td><td>%.3f</td></tr>\n",
            EscapeHtml(baseline.name).c_str(), baseline.accuracy, baseline.macro_f1);
    }
    out->append("</table>\n");
  }
  if (!run.learning_curve.empty()) out->append(LearningCurveSvg(run));
  out->append("</div>\n");
}

void Section(const TaskReport& task, std::string* out) {
  Print(out,
        "<h2 id=\"%s\">%s</h2>\n<p class=\"soft\">%lld rows, %lld sure; %lld answered by the "
        "status code",
        EscapeHtml(task.task).c_str(), EscapeHtml(task.task).c_str(), Count(task.all.rows),
        Count(task.sure.rows), Count(task.by_status_code));
  for (const auto& [name, value] : task.facts) {
    Print(out, " · %s %s", EscapeHtml(name).c_str(), EscapeHtml(value).c_str());
  }
  Print(out,
        "</p>\n<div class=\"row\"><div class=\"card\"><h3>Reliability <small>ECE %.3f, Brier "
        "%.3f</small></h3>",
        task.sure.ece, task.sure.brier);
  out->append(ReliabilitySvg(task.sure) + "</div>\n");
  Confusions(task, out);
  out->append("</div>\n");
  Classes(task.sure, out);
  out->append("<div class=\"card\"><h3>Confusion <small>per cent of the truth’s rows</small></h3>" +
              ConfusionSvg(task.sure) + "</div>\n");
  TrainingRun(task.run, out);
}

using SlicesOf = const std::vector<Slice>& (*)(const TaskReport&);

// One row of a table of slices: what each task answers right of it.
struct SliceRow {
  std::string name;
  int64_t rows = 0;  // of the task that has most
  std::vector<Slice> by_task;
};

// Names by size; where many have few rows, those stand together in the last line.
std::vector<SliceRow> JoinSlices(const Report& report, SlicesOf slices_of) {
  constexpr int64_t kFew = 5;
  std::map<std::string, SliceRow> by_name;
  for (size_t task = 0; task < report.tasks.size(); ++task) {
    for (const Slice& slice : slices_of(report.tasks[task])) {
      SliceRow& row = by_name[slice.name];
      row.name = slice.name;
      row.rows = std::max(row.rows, slice.rows);
      row.by_task.resize(report.tasks.size());
      row.by_task[task] = slice;
    }
  }
  std::vector<SliceRow> rows;
  for (auto& [name, row] : by_name) rows.push_back(std::move(row));
  std::stable_sort(rows.begin(), rows.end(),
                   [](const SliceRow& a, const SliceRow& b) { return a.rows > b.rows; });
  const auto few =
      std::find_if(rows.begin(), rows.end(), [](const SliceRow& row) { return row.rows < kFew; });
  if (rows.end() - few < 4) return rows;
  SliceRow others{std::to_string(rows.end() - few) + " others", 0, {}};
  others.by_task.resize(report.tasks.size());
  for (auto row = few; row != rows.end(); ++row) {
    others.rows += row->rows;
    for (size_t task = 0; task < row->by_task.size(); ++task) {
      others.by_task[task].rows += row->by_task[task].rows;
      others.by_task[task].right += row->by_task[task].right;
    }
  }
  rows.erase(few, rows.end());
  rows.push_back(std::move(others));
  return rows;
}

void Slices(const Report& report, const char* title, SlicesOf slices_of, std::string* out) {
  const auto none = [&](const TaskReport& task) { return slices_of(task).empty(); };
  if (std::all_of(report.tasks.begin(), report.tasks.end(), none)) return;
  Print(out, "<div class=\"card slices\"><h3>%s</h3><table><tr><th></th><th>rows</th>", title);
  for (const TaskReport& task : report.tasks) {
    Print(out, "<th>%s right</th>", EscapeHtml(task.task).c_str());
  }
  out->append("</tr>\n");
  for (const SliceRow& row : JoinSlices(report, slices_of)) {
    Print(out, "<tr><td>%s</td><td>%lld</td>", EscapeHtml(row.name).c_str(), Count(row.rows));
    for (const Slice& slice : row.by_task) {
      if (slice.rows == 0) {
        out->append("<td>–</td>");
        continue;
      }
      const Interval interval = WilsonInterval(slice.right, slice.rows);
      const double share = static_cast<double>(slice.right) / static_cast<double>(slice.rows);
      Print(out, "<td title=\"%lld of %lld, %.2f–%.2f\">%.2f", Count(slice.right),
            Count(slice.rows), interval.low, interval.high, share);
      Bar(share, &interval, out);
      out->append("</td>");
    }
    out->append("</tr>\n");
  }
  out->append("</table></div>\n");
}

}  // namespace

std::string WriteHtmlReport(const Report& report) {
  std::string out(kPageHead);
  Print(&out,
        "<h1>Rebound evaluation</h1>\n<p class=\"soft\">%s · %lld rows, %lld sure · sha256 <span "
        "class=\"code\">%s</span></p>\n",
        EscapeHtml(report.data).c_str(), Count(report.rows), Count(report.sure_rows),
        EscapeHtml(report.data_sha256.substr(0, 16)).c_str());
  Summary(report, &out);
  for (const TaskReport& task : report.tasks) Section(task, &out);
  if (report.suppress) out += WriteSuppressHtml(*report.suppress);
  out += "<h2>Where the texts come from</h2>\n";
  Slices(
      report, "By source",
      [](const TaskReport& task) -> const std::vector<Slice>& { return task.sources; }, &out);
  Slices(
      report, "By language, or by script where the file names none",
      [](const TaskReport& task) -> const std::vector<Slice>& { return task.languages; }, &out);
  return out.append(kPageFoot);
}

}  // namespace rebound
