#include <algorithm>

#include "evaluation/print.h"
#include "evaluation/report.h"

namespace rebound {

std::string WriteRunTable(const Scorecard& run) {
  if (run.learning_curve.empty() && run.baselines.empty()) return "";
  size_t longest = 0;
  for (const Baseline& baseline : run.baselines) longest = std::max(longest, baseline.name.size());
  const int width = std::max(static_cast<int>(longest), 32);
  std::string out;
  Print(&out, "  %-*s  accuracy  macro-F1  macro recall\n", width, "learned from");
  const auto line = [&](const std::string& name, double accuracy, double f1, double recall) {
    Print(&out, "  %-*s    %.4f    %.4f        %.4f\n", width, name.c_str(), accuracy, f1, recall);
  };
  for (const LearningPoint& point : run.learning_curve) {
    line(std::to_string(point.groups) + " groups, " + std::to_string(point.texts) + " texts",
         point.accuracy, point.macro_f1, point.macro_recall);
  }
  for (const Baseline& baseline : run.baselines) {
    line(baseline.name, baseline.accuracy, baseline.macro_f1, baseline.macro_recall);
  }
  return out;
}

std::string WriteTextReport(const TaskReport& report) {
  const Scorecard& card = report.sure;
  std::string out = report.task;
  for (const auto& [name, value] : report.facts) {
    if (name == "version") out += ", version " + value;
  }
  Print(&out, " (%lld rows, %lld sure, %lld answered by the status code)\n",
        static_cast<long long>(report.all.rows), static_cast<long long>(card.rows),
        static_cast<long long>(report.by_status_code));
  const auto figure = [&](const char* name, double value, const Interval& interval) {
    Print(&out, "  %-42s %.4f  [%.4f, %.4f]\n", name, value, interval.low, interval.high);
  };
  figure("accuracy (sure)", card.accuracy, report.intervals.accuracy);
  figure("macro recall (sure, one class accepted)", card.macro_recall,
         report.intervals.macro_recall);
  figure("macro-F1 (sure)", card.macro_f1, report.intervals.macro_f1);
  figure("ECE (sure)", card.ece, report.intervals.ece);
  Print(&out, "  %-42s %.4f\n", "Brier (sure)", card.brier);
  Print(&out, "  %-42s %.4f\n", "log loss (sure)", card.log_loss);
  Print(&out, "  %-42s %.4f\n", "accuracy (all)", report.all.accuracy);
  for (const Baseline& baseline : report.baselines) {
    Print(&out, "  %-42s %.4f\n", ("accuracy of: " + baseline.name).c_str(), baseline.accuracy);
  }
  size_t longest = 5;
  for (const ClassScore& score : card.classes) longest = std::max(longest, score.label.size());
  const int width = static_cast<int>(longest);
  Print(&out, "\n  %-*s  precision  recall      F1  rows  predicted\n", width, "class");
  for (const ClassScore& score : card.classes) {
    Print(&out, "  %-*s      %.3f   %.3f   %.3f  %4lld       %4lld\n", width, score.label.c_str(),
          score.precision, score.recall, score.f1, static_cast<long long>(score.support),
          static_cast<long long>(score.predicted));
  }
  if (const std::string table = WriteRunTable(report.run); !table.empty()) {
    out += "\n  the training run, on its held-out templates\n" + table;
  }
  const std::vector<Confusion> worst = WorstConfusions(card, kConfusionsShown);
  if (!worst.empty()) out += "\n  most frequent mistakes (truth -> predicted)\n";
  for (const Confusion& mistake : worst) {
    Print(&out, "  %4lld  %s -> %s\n", static_cast<long long>(mistake.rows),
          card.classes[mistake.truth].label.c_str(), card.classes[mistake.predicted].label.c_str());
  }
  return out;
}

}  // namespace rebound
