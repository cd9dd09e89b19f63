#include "evaluation/report.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>

namespace rebound {
namespace {

constexpr size_t kConfusionsShown = 12;

__attribute__((format(printf, 2, 3))) void Append(std::string* out, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  char line[1024];
  std::vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  out->append(line);
}

std::string EscapeHtml(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

size_t LongestLabel(const Scorecard& card) {
  size_t longest = 5;
  for (const ClassScore& score : card.classes) longest = std::max(longest, score.label.size());
  return longest;
}

struct Figure {
  const char* name;
  double value;
};

std::vector<Figure> Figures(const ReportSection& section) {
  return {{"accuracy (sure)", section.sure.accuracy},
          {"macro recall (sure, one class accepted)", section.sure.macro_recall},
          {"macro-F1 (sure)", section.sure.macro_f1},
          {"ECE (sure)", section.sure.ece},
          {"Brier (sure)", section.sure.brier},
          {"log loss (sure)", section.sure.log_loss},
          {"accuracy (all)", section.all.accuracy}};
}

}  // namespace

std::string WriteTextReport(const ReportSection& section) {
  const Scorecard& card = section.sure;
  std::string out = section.title + " (" + section.subtitle + ")\n";
  for (const Figure& figure : Figures(section)) {
    Append(&out, "  %-42s %.4f\n", figure.name, figure.value);
  }
  const int width = static_cast<int>(LongestLabel(card));
  Append(&out, "\n  %-*s  precision  recall      F1  rows  predicted\n", width, "class");
  for (const ClassScore& score : card.classes) {
    Append(&out, "  %-*s      %.3f   %.3f   %.3f  %4lld       %4lld\n", width, score.label.c_str(),
           score.precision, score.recall, score.f1, static_cast<long long>(score.support),
           static_cast<long long>(score.predicted));
  }
  const std::vector<Confusion> worst = WorstConfusions(card, kConfusionsShown);
  if (!worst.empty()) out += "\n  most frequent mistakes (truth -> predicted)\n";
  for (const Confusion& mistake : worst) {
    Append(&out, "  %4lld  %s -> %s\n", static_cast<long long>(mistake.rows),
           card.classes[mistake.truth].label.c_str(),
           card.classes[mistake.predicted].label.c_str());
  }
  return out;
}

std::string ReliabilitySvg(const Scorecard& scorecard) {
  constexpr double kSide = 300.0;
  constexpr double kLeft = 40.0;
  constexpr double kTop = 10.0;
  std::string out;
  Append(&out,
         "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\" width=\"%.0f\" "
         "role=\"img\" aria-label=\"Reliability diagram\" font-size=\"11\">\n",
         kSide + 60.0, kSide + 50.0, kSide + 60.0);
  Append(&out, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"#f6f7f9\"/>\n",
         kLeft, kTop, kSide, kSide);
  const double step = kSide / static_cast<double>(kReliabilityBins);
  for (size_t i = 0; i < scorecard.bins.size(); ++i) {
    const ReliabilityBin& bin = scorecard.bins[i];
    if (bin.rows == 0) continue;
    const double height = bin.accuracy * kSide;
    Append(&out,
           "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"#3b6fb6\">"
           "<title>%lld rows, confidence %.3f, accuracy %.3f</title></rect>\n",
           kLeft + step * static_cast<double>(i) + 1.0, kTop + kSide - height, step - 2.0, height,
           static_cast<long long>(bin.rows), bin.confidence, bin.accuracy);
    Append(&out, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\" fill=\"#d1495b\"/>\n",
           kLeft + bin.confidence * kSide, kTop + kSide - height);
  }
  Append(&out,
         "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"#555\" "
         "stroke-dasharray=\"4 3\"/>\n",
         kLeft, kTop + kSide, kLeft + kSide, kTop);
  for (int tick = 0; tick <= 4; ++tick) {
    const double at = tick / 4.0;
    Append(&out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%.2f</text>\n",
           kLeft + at * kSide, kTop + kSide + 14.0, at);
    Append(&out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">%.2f</text>\n", kLeft - 4.0,
           kTop + kSide - at * kSide + 4.0, at);
  }
  Append(&out,
         "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">probability of the predicted class "
         "(ECE %.3f)</text>\n</svg>\n",
         kLeft + kSide / 2.0, kTop + kSide + 32.0, scorecard.ece);
  return out;
}

std::string ConfusionSvg(const Scorecard& scorecard) {
  constexpr double kCell = 22.0;
  const size_t count = scorecard.classes.size();
  const double left = 7.0 * static_cast<double>(LongestLabel(scorecard)) + 10.0;
  const double side = kCell * static_cast<double>(count);
  std::string out;
  Append(&out,
         "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\" width=\"%.0f\" "
         "role=\"img\" aria-label=\"Confusion matrix\" font-size=\"10\" "
         "font-family=\"monospace\">\n",
         left + side + 10.0, left + side + 10.0, left + side + 10.0);
  for (size_t i = 0; i < count; ++i) {
    const double at = kCell * (static_cast<double>(i) + 0.65);
    const std::string label = EscapeHtml(scorecard.classes[i].label);
    Append(&out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">%s</text>\n", left - 5.0, at,
           label.c_str());
    Append(&out, "<text transform=\"translate(%.1f %.1f) rotate(60)\">%s</text>\n", left + at - 8.0,
           side + 8.0, label.c_str());
    for (size_t j = 0; j < count; ++j) {
      const int64_t rows = scorecard.confusion[i][j];
      const int64_t support = scorecard.classes[i].support;
      const double share =
          support == 0 ? 0.0 : static_cast<double>(rows) / static_cast<double>(support);
      const char* colour = i == j ? "59,111,182" : "209,73,91";
      const double x = left + kCell * static_cast<double>(j);
      const double y = kCell * static_cast<double>(i);
      Append(&out,
             "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" "
             "fill=\"rgba(%s,%.3f)\" stroke=\"#ddd\"/>\n",
             x, y, kCell, kCell, colour, share);
      if (rows == 0) continue;
      Append(&out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%lld</text>\n",
             x + kCell / 2.0, y + kCell * 0.65, static_cast<long long>(rows));
    }
  }
  out += "</svg>\n";
  return out;
}

std::string WriteMarkdownReport(const std::vector<ReportSection>& sections) {
  std::string out = "# Evaluation\n";
  for (const ReportSection& section : sections) {
    const Scorecard& card = section.sure;
    out += "\n## " + section.title + "\n\n" + section.subtitle +
           "\n\n| figure | value |\n| --- | --- |\n";
    for (const Figure& figure : Figures(section)) {
      Append(&out, "| %s | %.4f |\n", figure.name, figure.value);
    }
    out += "\n| class | precision | recall | F1 | rows |\n| --- | --- | --- | --- | --- |\n";
    for (const ClassScore& score : card.classes) {
      Append(&out, "| %s | %.3f | %.3f | %.3f | %lld |\n", score.label.c_str(), score.precision,
             score.recall, score.f1, static_cast<long long>(score.support));
    }
    out += "\n| rows | truth | predicted |\n| --- | --- | --- |\n";
    for (const Confusion& mistake : WorstConfusions(card, kConfusionsShown)) {
      Append(&out, "| %lld | %s | %s |\n", static_cast<long long>(mistake.rows),
             card.classes[mistake.truth].label.c_str(),
             card.classes[mistake.predicted].label.c_str());
    }
    const std::string name = section.title.substr(0, section.title.find_first_of(" ,"));
    out += "\n![reliability](" + name + "-reliability.svg)\n\n![confusion](" + name +
           "-confusion.svg)\n";
  }
  return out;
}

std::string WriteHtmlReport(const std::vector<ReportSection>& sections) {
  std::string out =
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Rebound "
      "evaluation</title>\n<style>body{font:15px/1.45 system-ui,sans-serif;margin:2em auto;"
      "max-width:72em;padding:0 1em}table{border-collapse:collapse;margin:1em 0}td,th{padding:2px "
      "10px;border-bottom:1px solid #ddd;text-align:right}td:first-child,th:first-child{text-align:"
      "left}svg{max-width:100%;height:auto}</style></head><body>\n<h1>Evaluation</h1>\n";
  for (const ReportSection& section : sections) {
    const Scorecard& card = section.sure;
    out += "<h2>" + EscapeHtml(section.title) + "</h2>\n<p>" + EscapeHtml(section.subtitle) +
           "</p>\n<table>\n";
    for (const Figure& figure : Figures(section)) {
      Append(&out, "<tr><td>%s</td><td>%.4f</td></tr>\n", figure.name, figure.value);
    }
    out += "</table>\n" + ReliabilitySvg(card) +
           "<table><tr><th>class</th><th>precision</th><th>recall</th><th>F1</th><th>rows</th>"
           "</tr>\n";
    for (const ClassScore& score : card.classes) {
      Append(&out, "<tr><td>%s</td><td>%.3f</td><td>%.3f</td><td>%.3f</td><td>%lld</td></tr>\n",
             EscapeHtml(score.label).c_str(), score.precision, score.recall, score.f1,
             static_cast<long long>(score.support));
    }
    out += "</table>\n" + ConfusionSvg(card);
  }
  out += "</body></html>\n";
  return out;
}

}  // namespace rebound
