// Plots as inline SVG. Colours come from the page's style (classes .good, .bad, .soft, ...), so
// that a plot follows light and dark. Pure, Thread-safe.
#pragma once

#include <string>

#include "evaluation/scorecard.h"

namespace rebound {

// Accuracy by stated probability, the gap to the diagonal, and below it how many rows each bin has.
std::string ReliabilitySvg(const Scorecard& scorecard);

// Rows are truths, columns predictions, shares of the truth's rows; numbers name the classes as in
// the per-class table, and every cell tells its own when pointed at.
std::string ConfusionSvg(const Scorecard& scorecard);

// Accuracy and macro-F1 over the templates learned from, on a logarithmic axis. REQUIRES: at least
// one point.
std::string LearningCurveSvg(const Scorecard& scorecard);

}  // namespace rebound
