// The two files of rebound-eval --split. Thread-safe.
#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

#include "evaluation/labelled_text.h"

namespace rebound {

struct SplitFiles {
  size_t learn = 0;    // texts in learn.jsonl
  size_t measure = 0;  // texts in measure.jsonl
};

// Writes folder/learn.jsonl, the sure rows of one half as `rebound-labels import` reads them (the
// first accepted class, and a group that keeps texts of nearly the same words together), and
// folder/measure.jsonl, the lines of the other half as they are. `rows` are those of `jsonl`.
SplitFiles WriteSplit(std::string_view jsonl, const std::vector<LabelledText>& rows,
                      const std::filesystem::path& folder);

}  // namespace rebound
