#include "evaluation/suppress_report.h"

#include <algorithm>

#include "evaluation/interval.h"
#include "evaluation/print.h"

namespace rebound {
namespace {

constexpr size_t kWrongShown = 20;

struct Share {
  int64_t part, whole;
  double Value() const {
    return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
  }
  Interval Bounds() const { return WilsonInterval(part, whole); }
};

Share Precision(const SuppressReport& r) {
  return {r.counts[kSuppressYes][kSuppressYes], r.AnswersOf(kSuppressYes)};
}
Share Recall(const SuppressReport& r) {
  return {r.counts[kSuppressYes][kSuppressYes], r.RowsOf(kSuppressYes)};
}
// Of the rows whose recipient is not why, those that would cost it its mail.
Share FalseYes(const SuppressReport& r) { return {r.counts[0][kSuppressYes], r.RowsOf(0)}; }
Share FaultAccuracy(const SuppressReport& r) { return {r.fault_right, r.fault_rows}; }

long long Count(int64_t value) { return static_cast<long long>(value); }

void WriteShare(std::string_view key, const Share& share, JsonWriter& w) {
  const Interval bounds = share.Bounds();
  w.Key(key).Object([&](JsonWriter& o) {
    o.Key("rows").Int(share.whole);
    o.Key("value").Double(share.Value());
    o.Key("interval").Array([&](JsonWriter& a) { a.Double(bounds.low).Double(bounds.high); });
  });
}

}  // namespace

int64_t SuppressReport::Rows() const { return RowsOf(0) + RowsOf(1) + RowsOf(2); }

int64_t SuppressReport::RowsOf(size_t wanted) const {
  return counts[wanted][0] + counts[wanted][1] + counts[wanted][2];
}

int64_t SuppressReport::AnswersOf(size_t answer) const {
  return counts[0][answer] + counts[1][answer] + counts[2][answer];
}

std::string WriteSuppressText(const SuppressReport& report) {
  std::string out;
  Print(&out, "suppress (%lld sure rows, %lld more are open)\n", Count(report.Rows()),
        Count(report.open));
  const auto figure = [&out](const char* name, const Share& share) {
    const Interval bounds = share.Bounds();
    Print(&out, "  %-42s %.4f  [%.4f, %.4f]  %lld of %lld\n", name, share.Value(), bounds.low,
          bounds.high, Count(share.part), Count(share.whole));
  };
  figure("precision of yes", Precision(report));
  figure("recall of yes", Recall(report));
  figure("yes where the recipient is not why", FalseYes(report));
  figure("fault right", FaultAccuracy(report));
  Print(&out, "\n  %-26s", "right labels say");
  for (const std::string_view answer : kSuppressAnswers) Print(&out, " %13s", answer.data());
  out += "\n";
  for (size_t wanted = 0; wanted < kSuppressAnswers.size(); ++wanted) {
    Print(&out, "  %-26s", kSuppressAnswers[wanted].data());
    for (const int64_t rows : report.counts[wanted]) Print(&out, " %13lld", Count(rows));
    out += "\n";
  }
  return out;
}

void WriteSuppressJson(const SuppressReport& report, JsonWriter& w) {
  w.Key("rows").Int(report.Rows());
  w.Key("open").Int(report.open);
  WriteShare("precision", Precision(report), w);
  WriteShare("recall", Recall(report), w);
  WriteShare("yes_where_not_the_recipient", FalseYes(report), w);
  WriteShare("fault", FaultAccuracy(report), w);
  w.Key("answers").Array([](JsonWriter& a) {
    for (const std::string_view answer : kSuppressAnswers) a.String(answer);
  });
  w.Key("counts").Array([&](JsonWriter& a) {
    for (const auto& row : report.counts) {
      a.Array([&](JsonWriter& r) {
        for (const int64_t count : row) r.Int(count);
      });
    }
  });
  w.Key("wrong").Array([&](JsonWriter& a) {
    for (const WrongSuppression& wrong : report.wrong) {
      a.Object([&](JsonWriter& o) {
        o.Key("id").String(wrong.id);
        o.Key("accepted").String(wrong.accepted);
        o.Key("text").String(wrong.text);
      });
    }
  });
}

std::string WriteSuppressHtml(const SuppressReport& report) {
  std::string out = "<h2 id=\"suppress\">suppress</h2>\n";
  Print(&out,
        "<p class=\"soft\">%lld sure rows of all three tasks, %lld more whose labels are open · "
        "fault right %.3f</p>\n<div class=\"card figures\"><table><tr><th>figure</th><th>value</th>"
        "<th>95 %%</th><th>rows</th></tr>\n",
        Count(report.Rows()), Count(report.open), FaultAccuracy(report).Value());
  const auto figure = [&out](const char* name, const Share& share) {
    const Interval bounds = share.Bounds();
    Print(&out, "<tr><td>%s</td><td>%.4f</td><td>%.4f–%.4f</td><td>%lld of %lld</td></tr>\n", name,
          share.Value(), bounds.low, bounds.high, Count(share.part), Count(share.whole));
  };
  figure("precision of yes", Precision(report));
  figure("recall of yes", Recall(report));
  figure("yes where the recipient is not why", FalseYes(report));
  out += "</table></div>\n<div class=\"card figures\"><table><tr><th>right labels say</th>";
  for (const std::string_view answer : kSuppressAnswers) {
    Print(&out, "<th>%s</th>", answer.data());
  }
  out += "</tr>\n";
  for (size_t wanted = 0; wanted < kSuppressAnswers.size(); ++wanted) {
    Print(&out, "<tr><td>%s</td>", kSuppressAnswers[wanted].data());
    for (const int64_t rows : report.counts[wanted]) Print(&out, "<td>%lld</td>", Count(rows));
    out += "</tr>\n";
  }
  out += "</table></div>\n";
  if (report.wrong.empty()) return out;
  Print(&out, "<div class=\"card\"><h3>Removed without need <small>%zu</small></h3>\n",
        report.wrong.size());
  for (size_t i = 0; i < std::min(report.wrong.size(), kWrongShown); ++i) {
    const WrongSuppression& wrong = report.wrong[i];
    Print(&out, "<blockquote>%s</blockquote><small>%s, %s</small>\n",
          EscapeHtml(wrong.text).c_str(), EscapeHtml(wrong.id).c_str(),
          EscapeHtml(wrong.accepted).c_str());
  }
  return out + "</div>\n";
}

}  // namespace rebound
