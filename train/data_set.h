// The rows of some sides as flat token ids, and batches drawn from them.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <unordered_set>
#include <vector>

#include "tokenizer/encoder.h"
#include "train/causes.h"
#include "train/corpus.h"
#include "train/network.h"
#include "train/piece_table.h"
#include "train/prng.h"

namespace rebound {

// Immutable once made.
struct DataSet {
  std::vector<int32_t> tokens;        // of all rows, one behind the other
  std::vector<size_t> offsets = {0};  // [rows + 1]
  // [rows] numbers of Causes::patterns, or positions in TaskLabels where `patterns` is null
  std::vector<int32_t> labels;
  std::vector<int32_t> groups;      // [rows]
  std::vector<size_t> corpus_rows;  // [rows] positions in Corpus::rows
  std::shared_ptr<const std::vector<std::vector<int32_t>>> patterns;
  std::shared_ptr<const PieceTable> pieces;  // of `tokens`; nullptr: none known

  size_t rows() const { return labels.size(); }
};

// What the rows of a corpus know: those that may train are learned, the others judged.
Causes FindCauses(const Corpus& corpus);

// The rows of `sides` that have a label of any task, at most `copies` of a group (the first ones;
// 0: all), so that a template with a thousand copies judges no more than one with ten.
DataSet MakeDataSet(const Corpus& corpus, const Causes& causes, std::initializer_list<Side> sides,
                    const Encoder& encoder, size_t copies);

// The rows of `data` that have a label of `task`, labelled with it.
DataSet SelectTask(const DataSet& data, const Corpus& corpus, Task task);

// The rows whose group is in `groups`.
DataSet SelectGroups(const DataSet& data, const std::unordered_set<int32_t>& groups);

// Appends row `row` as it is to `*batch`, with weight 1.
void AppendRow(const DataSet& data, size_t row, Batch* batch);
// Empty, with its memory kept.
void ClearBatch(Batch* batch);

struct SamplingOptions {
  size_t batch_rows = 256;
  size_t copies_per_epoch = 32;  // of one group, drawn anew each epoch; 0: all
  float word_dropout = 0.1F;     // share of tokens left out, so that no phrase stands on one word
  float crop = 0.0F;             // share of rows of which only a random stretch is shown
  float split = 0.25F;           // share of tokens shown as two smaller pieces, each again so
  float code_dropout = 0.0F;     // share of rows of which no piece with a digit is shown
  float group_power = 0.5F;      // a row counts copies^-power: 0 by rows, 1 by groups
  float class_power = 0.25F;     // a class counts rows^-power: 0 as it is, 1 balanced
};

// Shuffled batches of a data set, epoch by epoch. Deterministic by seed. Thread-compatible.
class BatchSource {
 public:
  // `data` must outlive the source. REQUIRES: data.rows() > 0.
  BatchSource(const DataSet& data, const SamplingOptions& options, uint64_t seed);

  void StartEpoch();
  // False at the end of the epoch.
  bool Next(Batch* batch);
  size_t rows_per_epoch() const { return rows_per_epoch_; }

 private:
  void AppendAugmented(size_t row, Batch* batch);
  void AppendToken(int32_t token, Batch* batch);

  const DataSet& data_;
  SamplingOptions options_;
  Prng prng_;
  std::vector<std::vector<size_t>> rows_by_group_;
  std::vector<float> weights_;  // [rows]
  std::vector<size_t> order_;
  size_t position_ = 0;
  size_t rows_per_epoch_ = 0;
};

}  // namespace rebound
