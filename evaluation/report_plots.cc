#include "evaluation/report_plots.h"

#include <algorithm>
#include <cmath>

#include "evaluation/print.h"

namespace rebound {
namespace {

void Open(double width, double height, const char* label, std::string* out) {
  Print(out,
        "<svg viewBox=\"0 0 %.0f %.0f\" style=\"width:%.0fpx\" role=\"img\" aria-label=\"%s\">\n",
        width, height, width, label);
}

void Text(double x, double y, const char* anchor, const std::string& text, std::string* out) {
  Print(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>\n", x, y, anchor,
        EscapeHtml(text).c_str());
}

void Line(double x1, double y1, double x2, double y2, const char* style, std::string* out) {
  Print(out, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" class=\"%s\"/>\n", x1, y1, x2,
        y2, style);
}

std::string Percent(double share) {
  std::string out;
  Print(&out, "%.0f%%", 100.0 * share);
  return out;
}

// Per cent; a mistake is never shown as none.
std::string CellText(double share) {
  std::string out;
  if (share < 0.005) return "&lt;1";
  Print(&out, "%.0f", 100.0 * share);
  return out;
}

// A square frame with shares on its left.
constexpr double kSide = 320.0;
constexpr double kLeft = 44.0;
constexpr double kTop = 12.0;

void ShareAxis(double width, std::string* out) {
  for (int tick = 0; tick <= 5; ++tick) {
    const double y = kTop + kSide * (1.0 - tick / 5.0);
    Line(kLeft, y, kLeft + width, y, "grid", out);
    Text(kLeft - 6.0, y + 4.0, "end", Percent(tick / 5.0), out);
  }
}

void ReliabilityBar(const ReliabilityBin& bin, double x, double width, std::string* out) {
  const auto part = [&](double low, double high, const char* style) {
    Print(out, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" class=\"%s\"/>", x,
          kTop + kSide * (1.0 - high), width, kSide * (high - low), style);
  };
  out->append("<g>");
  part(0.0, std::min(bin.accuracy, bin.confidence), "good");
  if (bin.accuracy < bin.confidence) {
    part(bin.accuracy, bin.confidence, "bad gap");  // too sure
  } else {
    part(bin.confidence, bin.accuracy, "good gap");  // too modest
  }
  Print(out, "<title>%lld rows: mean probability %.3f, right %.3f</title></g>\n",
        static_cast<long long>(bin.rows), bin.confidence, bin.accuracy);
}

}  // namespace

std::string ReliabilitySvg(const Scorecard& scorecard) {
  constexpr double kCounts = 46.0;  // height of the histogram
  constexpr double kCountsBase = kTop + kSide + 30.0 + kCounts;
  std::string out;
  Open(kLeft + kSide + 14.0, kCountsBase + 22.0, "Reliability diagram", &out);
  ShareAxis(kSide, &out);
  const double step = kSide / static_cast<double>(kReliabilityBins);
  int64_t most = 1;
  for (const ReliabilityBin& bin : scorecard.bins) most = std::max(most, bin.rows);
  for (size_t i = 0; i < scorecard.bins.size(); ++i) {
    const ReliabilityBin& bin = scorecard.bins[i];
    if (bin.rows == 0) continue;
    const double x = kLeft + step * static_cast<double>(i) + 1.0;
    ReliabilityBar(bin, x, step - 2.0, &out);
    const double height = kCounts * static_cast<double>(bin.rows) / static_cast<double>(most);
    Print(&out,
          "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" class=\"count\">"
          "<title>%lld rows</title></rect>\n",
          x, kCountsBase - height, step - 2.0, height, static_cast<long long>(bin.rows));
  }
  Line(kLeft, kTop + kSide, kLeft + kSide, kTop, "ideal", &out);
  Line(kLeft, kCountsBase, kLeft + kSide, kCountsBase, "axis", &out);
  for (int tick = 0; tick <= 4; ++tick) {
    Text(kLeft + kSide * tick / 4.0, kTop + kSide + 16.0, "middle", Percent(tick / 4.0), &out);
  }
  Text(kLeft - 6.0, kCountsBase - kCounts / 2.0 + 4.0, "end", "rows", &out);
  Text(kLeft + kSide / 2.0, kCountsBase + 16.0, "middle", "stated probability of the answer", &out);
  return out + "</svg>\n";
}

std::string ConfusionSvg(const Scorecard& scorecard) {
  constexpr double kCell = 30.0;
  constexpr double kLetter = 6.7;  // width of a letter of the labels
  constexpr double kHead = 22.0;
  const size_t count = scorecard.classes.size();
  size_t longest = 5;
  for (const ClassScore& score : scorecard.classes) longest = std::max(longest, score.label.size());
  const double left = kLetter * static_cast<double>(longest + 4);
  const double side = kCell * static_cast<double>(count);
  std::string out;
  Open(left + side + 4.0, kHead + side + 4.0, "Confusion matrix", &out);
  for (size_t i = 0; i < count; ++i) {
    const std::string number = std::to_string(i + 1);
    const double middle = kCell * (static_cast<double>(i) + 0.5);
    Print(&out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\" class=\"label\">%s</text>\n",
          left - 8.0, kHead + middle + 4.0,
          EscapeHtml(scorecard.classes[i].label + "  " + number).c_str());
    Text(left + middle, kHead - 7.0, "middle", number, &out);
  }
  for (size_t i = 0; i < count; ++i) {
    const int64_t support = scorecard.classes[i].support;
    for (size_t j = 0; j < count; ++j) {
      const int64_t rows = scorecard.confusion[i][j];
      const double share =
          support == 0 ? 0.0 : static_cast<double>(rows) / static_cast<double>(support);
      // Rare confusions must be seen, too: the root lifts small shares.
      const double strength = i == j ? share : std::sqrt(share);
      const double x = left + kCell * static_cast<double>(j);
      const double y = kHead + kCell * static_cast<double>(i);
      Print(&out, "<g><rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" class=\"cell\"/>",
            x, y, kCell, kCell);
      if (rows > 0) {
        Print(&out,
              "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" class=\"%s\" "
              "fill-opacity=\"%.2f\"/>"
              "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\"%s>%s</text>",
              x + 0.5, y + 0.5, kCell - 1.0, kCell - 1.0, i == j ? "good" : "bad", strength,
              x + kCell / 2.0, y + kCell / 2.0 + 4.0, strength > 0.55 ? " class=\"on\"" : "",
              CellText(share).c_str());
      }
      Print(&out, "<title>%s answered as %s: %lld of %lld</title></g>\n",
            EscapeHtml(scorecard.classes[i].label).c_str(),
            EscapeHtml(scorecard.classes[j].label).c_str(), static_cast<long long>(rows),
            static_cast<long long>(support));
    }
  }
  return out + "</svg>\n";
}

namespace {

using FigureOf = double (*)(const LearningPoint&);

void Curve(const std::vector<LearningPoint>& points, const std::vector<double>& xs, FigureOf figure,
           const char* style, const char* name, int row, std::string* out) {
  const auto y = [&](const LearningPoint& point) { return kTop + kSide * (1.0 - figure(point)); };
  Print(out, "<polyline class=\"curve %s\" points=\"", style);
  for (size_t i = 0; i < points.size(); ++i) Print(out, "%.1f,%.1f ", xs[i], y(points[i]));
  out->append("\"/>\n");
  for (size_t i = 0; i < points.size(); ++i) {
    Print(out,
          "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4\" class=\"%s\"><title>%lld templates, %lld texts: "
          "%s %.3f</title></circle>\n",
          xs[i], y(points[i]), style, static_cast<long long>(points[i].groups),
          static_cast<long long>(points[i].texts), name, figure(points[i]));
  }
  // The legend stands where a rising curve leaves room.
  const double below = kTop + kSide - 44.0 + 20.0 * row;
  Print(out,
        "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4\" class=\"%s\"/><text x=\"%.1f\" y=\"%.1f\">%s, "
        "%.3f with all</text>\n",
        xs.back() - 160.0, below, style, xs.back() - 150.0, below + 4.0, name,
        figure(points.back()));
}

}  // namespace

std::string LearningCurveSvg(const Scorecard& scorecard) {
  constexpr double kWidth = 560.0;
  const std::vector<LearningPoint>& points = scorecard.learning_curve;
  const auto place = [](const LearningPoint& point) {
    return std::log2(static_cast<double>(std::max<int64_t>(point.groups, 1)));
  };
  const double first = place(points.front());
  const double span = std::max(place(points.back()) - first, 1.0);
  std::string out;
  Open(kLeft + kWidth + 14.0, kTop + kSide + 44.0, "Learning curve", &out);
  ShareAxis(kWidth, &out);
  std::vector<double> xs;
  for (const LearningPoint& point : points) {
    xs.push_back(kLeft + 12.0 + (kWidth - 24.0) * (place(point) - first) / span);
    Text(xs.back(), kTop + kSide + 18.0, "middle", std::to_string(point.groups), &out);
  }
  Text(kLeft + kWidth / 2.0, kTop + kSide + 38.0, "middle", "templates learned from", &out);
  Curve(
      points, xs, [](const LearningPoint& p) { return p.macro_f1; }, "bad", "macro-F1", 1, &out);
  Curve(
      points, xs, [](const LearningPoint& p) { return p.accuracy; }, "good", "accuracy", 0, &out);
  return out + "</svg>\n";
}

}  // namespace rebound
