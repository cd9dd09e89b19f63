// Data files to measure with: one JSON object a line,
//   {"id", "text", "bnac": [..], "backoff": [..], "label": [..], "sure": bool}
// where a class list may be one plain string. Pure, Thread-safe.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace rebound {

struct LabelledText {
  std::string id;  // the line number where the file gives none
  std::string text;
  std::map<std::string, std::vector<std::string>> classes;  // by key; absent: not labelled for it
  bool sure = true;
};

// Every row of `jsonl`; blank lines are skipped. `keys` are the names that hold classes.
// Throws kInvalidArgument naming the line and what is wrong with it.
std::vector<LabelledText> ParseLabelledTexts(std::string_view jsonl,
                                             const std::vector<std::string>& keys);

}  // namespace rebound
