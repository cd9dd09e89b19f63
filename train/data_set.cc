#include "train/data_set.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <unordered_map>

namespace rebound {

DataSet MakeDataSet(const Corpus& corpus, Task task, std::initializer_list<Side> sides,
                    const Encoder& encoder, size_t copies) {
  DataSet data;
  data.pieces = std::make_shared<PieceTable>(encoder);
  data.other_tasks = kTaskCount - 1;
  Encoder::Scratch scratch;
  std::vector<int32_t> ids;
  std::vector<size_t> taken(static_cast<size_t>(corpus.groups), 0);
  for (size_t i = 0; i < corpus.rows.size(); ++i) {
    const CorpusRow& row = corpus.rows[i];
    const int16_t label = row.labels[Index(task)];
    const bool wanted = std::find(sides.begin(), sides.end(), row.side) != sides.end();
    if (!wanted || label < 0) continue;
    if (copies != 0 && taken[static_cast<size_t>(row.group)]++ >= copies) continue;
    encoder.Encode(row.normalised, &scratch, &ids);
    data.tokens.insert(data.tokens.end(), ids.begin(), ids.end());
    data.offsets.push_back(data.tokens.size());
    data.labels.push_back(label);
    data.groups.push_back(row.group);
    data.corpus_rows.push_back(i);
    for (const Task other : kTasks) {
      if (other != task) data.others.push_back(row.labels[Index(other)]);
    }
  }
  return data;
}

DataSet SelectGroups(const DataSet& data, const std::unordered_set<int32_t>& groups) {
  DataSet part;
  part.pieces = data.pieces;
  part.other_tasks = data.other_tasks;
  const auto append = [](const auto& from, size_t begin, size_t end, auto* to) {
    to->insert(to->end(), from.begin() + static_cast<std::ptrdiff_t>(begin),
               from.begin() + static_cast<std::ptrdiff_t>(end));
  };
  for (size_t row = 0; row < data.rows(); ++row) {
    if (!groups.contains(data.groups[row])) continue;
    append(data.tokens, data.offsets[row], data.offsets[row + 1], &part.tokens);
    part.offsets.push_back(part.tokens.size());
    part.labels.push_back(data.labels[row]);
    part.groups.push_back(data.groups[row]);
    part.corpus_rows.push_back(data.corpus_rows[row]);
    append(data.others, row * data.other_tasks, (row + 1) * data.other_tasks, &part.others);
  }
  return part;
}

namespace {

void AppendOthers(const DataSet& data, size_t row, Batch* batch) {
  const auto begin = data.others.begin() + static_cast<std::ptrdiff_t>(row * data.other_tasks);
  batch->others.insert(batch->others.end(), begin,
                       begin + static_cast<std::ptrdiff_t>(data.other_tasks));
}

}  // namespace

void ClearBatch(Batch* batch) {
  batch->tokens.clear();
  batch->offsets.assign(1, 0);
  batch->labels.clear();
  batch->weights.clear();
  batch->others.clear();
}

void AppendRow(const DataSet& data, size_t row, Batch* batch) {
  batch->tokens.insert(batch->tokens.end(),
                       data.tokens.begin() + static_cast<std::ptrdiff_t>(data.offsets[row]),
                       data.tokens.begin() + static_cast<std::ptrdiff_t>(data.offsets[row + 1]));
  batch->offsets.push_back(static_cast<int32_t>(batch->tokens.size()));
  batch->labels.push_back(data.labels[row]);
  batch->weights.push_back(1.0F);
  AppendOthers(data, row, batch);
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
  AppendOthers(data_, row, batch);
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
