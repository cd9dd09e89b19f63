// Data files to measure with: one JSON object a line,
//   {"id", "text", "bnac": [..], "backoff": [..], "label": [..], "sure": bool, "source", "lang"}
// where a class list may be one plain string and all but the text may be missing. Pure,
// Thread-safe.
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
  std::string source;    // where it was found, as the file says it; empty: not said
  std::string language;  // "lang"; empty: not said
};

// The name to count a source by: the host of a URL, else the words before ':' or '['. "not said"
// for "".
std::string SourceName(std::string_view source);

// The script that most letters of `text` are of: "Latin", "Latin with accents", "Cyrillic", "Han",
// "Japanese", "Hangul", "Greek", "Arabic", "Hebrew", "Thai", "other"; what stands in for a language
// where the file names none.
std::string ScriptOf(std::string_view text);

// Every row of `jsonl`; blank lines are skipped. `keys` are the names that hold classes.
// Throws kInvalidArgument naming the line and what is wrong with it.
std::vector<LabelledText> ParseLabelledTexts(std::string_view jsonl,
                                             const std::vector<std::string>& keys);

}  // namespace rebound
