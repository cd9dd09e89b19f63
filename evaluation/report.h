// What an evaluation found, for people: text for terminals, a self-contained HTML page with plots,
// and the same as JSON. Figures are over the rows that a careful person was sure of where nothing
// else is said. Pure, Thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "evaluation/interval.h"
#include "evaluation/scorecard.h"
#include "evaluation/suppress_report.h"

namespace rebound {

// The rows of one source or language.
struct Slice {
  std::string name;
  int64_t rows = 0;
  int64_t right = 0;
};

// A row answered wrongly.
struct Mistake {
  std::string id;
  std::string accepted;  // "SPF or DMARC"
  size_t truth = 0;      // positions as in Scorecard::classes
  size_t predicted = 0;
  float probability = 0.0F;  // of the predicted class
  std::string text;          // masked
};

struct TaskReport {
  std::string task;                                        // "bnac"
  std::vector<std::pair<std::string, std::string>> facts;  // of the bundle: {"version", "7"}...
  Scorecard sure;
  Scorecard all;  // the doubtful rows with them
  ScoreIntervals intervals;
  // Answers that the status code gave. Without --no-fallback, what the model alone is worth is a
  // baseline.
  int64_t by_status_code = 0;
  std::vector<Baseline> baselines;  // on the same rows
  // From the bundle's scorecard: on the held-out templates of its training run.
  Scorecard run;
  std::vector<Slice> sources, languages;  // most rows first
  std::vector<Mistake> mistakes;          // in the order of the file
};

struct Report {
  std::string data;  // name of the file
  std::string data_sha256;
  int64_t rows = 0;
  int64_t sure_rows = 0;
  std::vector<TaskReport> tasks;
  std::optional<SuppressReport> suppress;  // where all three tasks were measured
};

// "bnac, version 7": figures, a per-class table and the worst confusions.
std::string WriteTextReport(const TaskReport& report);
// What a training run measured beside its model, as a table: the learning curve and the baselines.
// "" where it measured neither.
std::string WriteRunTable(const Scorecard& run);
// One page that asks nothing of the network, readable in light and dark.
std::string WriteHtmlReport(const Report& report);
std::string WriteJsonReport(const Report& report);

inline constexpr size_t kConfusionsShown = 12;
inline constexpr size_t kExamplesShown = 3;

}  // namespace rebound
