// A scorecard for people: text for terminals, markdown and HTML with inline SVG plots. Pure,
// Thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "evaluation/scorecard.h"

namespace rebound {

// One scorecard and what it is about.
struct ReportSection {
  std::string title;     // "bnac, version 7"
  std::string subtitle;  // rows, file, fallback...
  Scorecard all;         // over every row
  Scorecard sure;        // over the rows a careful person was sure of
};

// Figures, a per-class table and the worst confusions, for a terminal.
std::string WriteTextReport(const ReportSection& section);
std::string WriteMarkdownReport(const std::vector<ReportSection>& sections);
// One self-contained page with reliability diagram and confusion matrix.
std::string WriteHtmlReport(const std::vector<ReportSection>& sections);

std::string ReliabilitySvg(const Scorecard& scorecard);
std::string ConfusionSvg(const Scorecard& scorecard);

}  // namespace rebound
