#include "train/data_set.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <unordered_map>

namespace rebound {

Causes FindCauses(const Corpus& corpus) {
  std::vector<LabelTriple> learned;
  std::vector<LabelTriple> judged;
  for (const CorpusRow& row : corpus.rows) {
    (row.side == Side::kJudge ? judged : learned).push_back(row.labels);
  }
  return Causes(learned, judged);
}

DataSet MakeDataSet(const Corpus& corpus, const Causes& causes, std::initializer_list<Side> sides,
                    const Encoder& encoder, size_t copies) {
  DataSet data;
  data.pieces = std::make_shared<PieceTable>(encoder);
  data.patterns = causes.patterns();
  Encoder::Scratch scratch;
  std::vector<int32_t> ids;
  std::vector<size_t> taken(static_cast<size_t>(corpus.groups), 0);
  for (size_t i = 0; i < corpus.rows.size(); ++i) {
    const CorpusRow& row = corpus.rows[i];
    const bool wanted = std::find(sides.begin(), sides.end(), row.side) != sides.end();
    const bool labelled =
        std::any_of(row.labels.begin(), row.labels.end(), [](int16_t label) { return label >= 0; });
    if (!wanted || !labelled) continue;
    if (copies != 0 && taken[static_cast<size_t>(row.group)]++ >= copies) continue;
    encoder.Encode(row.normalised, &scratch, &ids);
    data.tokens.insert(data.tokens.end(), ids.begin(), ids.end());
    data.offsets.push_back(data.tokens.size());
    data.labels.push_back(causes.Pattern(row.labels));
    data.groups.push_back(row.group);
    data.corpus_rows.push_back(i);
  }
  return data;
}

namespace {

void CopyRow(const DataSet& from, size_t row, int32_t label, DataSet* to) {
  to->tokens.insert(to->tokens.end(),
                    from.tokens.begin() + static_cast<std::ptrdiff_t>(from.offsets[row]),
                    from.tokens.begin() + static_cast<std::ptrdiff_t>(from.offsets[row + 1]));
  to->offsets.push_back(to->tokens.size());
  to->labels.push_back(label);
  to->groups.push_back(from.groups[row]);
  to->corpus_rows.push_back(from.corpus_rows[row]);
}

}  // namespace

DataSet SelectTask(const DataSet& data, const Corpus& corpus, Task task) {
  DataSet part;
  part.pieces = data.pieces;
  for (size_t row = 0; row < data.rows(); ++row) {
    const int16_t label = corpus.rows[data.corpus_rows[row]].labels[Index(task)];
    if (label >= 0) CopyRow(data, row, label, &part);
  }
  return part;
}

DataSet SelectGroups(const DataSet& data, const std::unordered_set<int32_t>& groups) {
  DataSet part;
  part.pieces = data.pieces;
  part.patterns = data.patterns;
  for (size_t row = 0; row < data.rows(); ++row) {
    if (groups.contains(data.groups[row])) CopyRow(data, row, data.labels[row], &part);
  }
  return part;
}

void ClearBatch(Batch* batch) {
  batch->tokens.clear();
  batch->offsets.assign(1, 0);
  batch->labels.clear();
  batch->weights.clear();
}

void AppendRow(const DataSet& data, size_t row, Batch* batch) {
  batch->tokens.insert(batch->tokens.end(),
                       data.tokens.begin() + static_cast<std::ptrdiff_t>(data.offsets[row]),
                       data.tokens.begin() + static_cast<std::ptrdiff_t>(data.offsets[row + 1]));
  batch->offsets.push_back(static_cast<int32_t>(batch->tokens.size()));
  batch->labels.push_back(data.labels[row]);
  batch->weights.push_back(1.0F);
}

BatchSource::BatchSource(const DataSet& data, const SamplingOptions& options, uint64_t seed)
    : data_(data), options_(options), prng_(seed), weights_(data.rows(), 1.0F) {
  // By group number, so that the order does not hang on a hash table.
  std::map<int32_t, std::vector<size_t>> by_group;
  for (size_t i = 0; i < data.rows(); ++i) by_group[data.groups[i]].push_back(i);
  std::unordered_map<int32_t, double> class_mass;
  for (auto& [group, rows] : by_group) {
    const size_t shown = options.copies_per_epoch == 0
                             ? rows.size()
                             : std::min(rows.size(), options.copies_per_epoch);
    rows_per_epoch_ += shown;
    const double weight = std::pow(static_cast<double>(shown), -options.group_power);
    for (const size_t row : rows) {
      weights_[row] = static_cast<float>(weight);
      class_mass[data.labels[row]] +=
          weight * static_cast<double>(shown) / static_cast<double>(rows.size());
    }
    rows_by_group_.push_back(std::move(rows));
  }
  double sum = 0.0;
  for (size_t i = 0; i < data.rows(); ++i) {
    weights_[i] *= static_cast<float>(std::pow(class_mass[data.labels[i]], -options.class_power));
    sum += weights_[i];
  }
  const auto scale = static_cast<float>(static_cast<double>(data.rows()) / sum);
  for (float& weight : weights_) weight *= scale;
}

void BatchSource::StartEpoch() {
  order_.clear();
  position_ = 0;
  for (std::vector<size_t>& rows : rows_by_group_) {
    size_t shown = rows.size();
    if (options_.copies_per_epoch != 0 && options_.copies_per_epoch < shown) {
      shown = options_.copies_per_epoch;
      for (size_t i = 0; i < shown; ++i) {
        std::swap(rows[i], rows[i + prng_.Below(rows.size() - i)]);
      }
    }
    order_.insert(order_.end(), rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(shown));
  }
  prng_.Shuffle(&order_);
}

void BatchSource::AppendAugmented(size_t row, Batch* batch) {
  size_t begin = data_.offsets[row];
  size_t end = data_.offsets[row + 1];
  // A bounce is often quoted in part: show a stretch of at least half of it.
  if (end - begin >= 6 && prng_.Uniform() < options_.crop) {
    const size_t keep = (end - begin) / 2 + prng_.Below((end - begin) / 2);
    begin += prng_.Below(end - begin - keep + 1);
    end = begin + keep;
  }
  const size_t before = batch->tokens.size();
  const bool without_codes = data_.pieces != nullptr && prng_.Uniform() < options_.code_dropout;
  for (size_t i = begin; i < end; ++i) {
    if (prng_.Uniform() < options_.word_dropout) continue;
    if (without_codes && data_.pieces->has_digit(data_.tokens[i])) continue;
    AppendToken(data_.tokens[i], batch);
  }
  // Never nothing of something.
  if (batch->tokens.size() == before && end > begin) {
    batch->tokens.push_back(data_.tokens[begin + prng_.Below(end - begin)]);
  }
  batch->offsets.push_back(static_cast<int32_t>(batch->tokens.size()));
  batch->labels.push_back(data_.labels[row]);
  batch->weights.push_back(weights_[row]);
}

void BatchSource::AppendToken(int32_t token, Batch* batch) {
  const bool split = options_.split > 0.0F && data_.pieces != nullptr &&
                     !data_.pieces->splits(token).empty() && prng_.Uniform() < options_.split;
  if (!split) {
    batch->tokens.push_back(token);
    return;
  }
  const auto halves = data_.pieces->splits(token);
  const auto [left, right] = halves[prng_.Below(halves.size())];
  AppendToken(left, batch);
  AppendToken(right, batch);
}

bool BatchSource::Next(Batch* batch) {
  ClearBatch(batch);
  const size_t end = std::min(position_ + options_.batch_rows, order_.size());
  for (; position_ < end; ++position_) AppendAugmented(order_[position_], batch);
  return batch->rows() > 0;
}

}  // namespace rebound
