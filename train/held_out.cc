#include "train/held_out.h"

#include <algorithm>
#include <map>

#include "evaluation/labelled_text.h"
#include "train/chosen_network.h"

namespace rebound {

TaskReport JudgeHeldOut(const Classifier& classifier, const Corpus& corpus, Task task,
                        const DataSet& judge, std::vector<ScoredRow>* scored) {
  const std::vector<std::string> labels = LabelNames(task);
  ScorecardBuilder builder(labels);
  TaskReport report;
  report.task = TaskName(task);
  std::map<std::string, Slice> scripts;
  Classifier::Scratch scratch;
  Encoder::Scratch encoder_scratch;
  std::vector<int32_t> ids;
  std::vector<float> scores(classifier.config().labels.size());
  std::vector<float> probabilities(labels.size());
  for (size_t row = 0; row < judge.rows(); ++row) {
    const CorpusRow& text = corpus.rows[judge.corpus_rows[row]];
    classifier.encoder().Encode(text.normalised, &encoder_scratch, &ids);
    classifier.Score(ids, &scratch, scores);
    std::fill(probabilities.begin(), probabilities.end(), 0.0F);
    for (size_t i = 0; i < scores.size(); ++i) probabilities[classifier.task_label(i)] = scores[i];
    const auto best = static_cast<size_t>(
        std::max_element(probabilities.begin(), probabilities.end()) - probabilities.begin());
    const size_t truth[] = {static_cast<size_t>(judge.labels[row])};
    builder.Add(truth, best, probabilities);
    Slice& slice = scripts[ScriptOf(text.text)];
    ++slice.rows;
    slice.right += best == truth[0] ? 1 : 0;
    if (best == truth[0]) continue;
    report.mistakes.push_back({"held-out row " + std::to_string(row + 1), labels[truth[0]],
                               truth[0], best, probabilities[best], text.text});
  }
  report.sure = report.all = builder.Finish();
  if (scored != nullptr) *scored = builder.scored_rows();
  report.intervals = MeasureIntervals(builder.scored_rows(), labels.size());
  for (auto& [name, slice] : scripts) {
    slice.name = name;
    report.languages.push_back(slice);
  }
  std::stable_sort(report.languages.begin(), report.languages.end(),
                   [](const Slice& a, const Slice& b) { return a.rows > b.rows; });
  return report;
}

}  // namespace rebound
