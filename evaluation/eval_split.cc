#include "evaluation/eval_split.h"

#include "base/digest.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "evaluation/split.h"
#include "tokenizer/normaliser.h"

namespace rebound {

SplitFiles WriteSplit(std::string_view jsonl, const std::vector<LabelledText>& rows,
                      const std::filesystem::path& folder) {
  std::vector<std::string> normalised;
  std::vector<std::vector<std::string>> words;
  for (const LabelledText& row : rows) {
    normalised.push_back(Normalise(row.text));
    words.push_back(SplitWords(normalised.back()));
  }
  const std::vector<size_t> groups = GroupAlike(words);
  const std::vector<bool> first = FirstHalf(words, groups);
  SplitFiles files;
  std::string learn, measure;
  size_t at = 0;
  for (const std::string_view line : Split(jsonl, '\n')) {
    if (Trim(line).empty()) continue;
    const LabelledText& row = rows[at];
    if (!first[at]) {
      measure.append(line) += '\n';
      ++files.measure;
    } else if (row.sure && !row.classes.empty()) {
      JsonWriter(&learn).Object([&](JsonWriter& w) {
        w.Key("text").String(row.text);
        w.Key("group").String("split-" + Sha256Hex(normalised[groups[at]]).substr(0, 12));
        for (const auto& [key, classes] : row.classes) w.Key(key).String(classes.front());
      });
      learn += '\n';
      ++files.learn;
    }
    ++at;
  }
  WriteFileDurably(folder / "learn.jsonl", learn);
  WriteFileDurably(folder / "measure.jsonl", measure);
  return files;
}

}  // namespace rebound
