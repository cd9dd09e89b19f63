#include "train/data_set.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "tests/support/bundles.h"

namespace rebound {
namespace {

// Row i holds the one token i; groups and labels as given.
DataSet MakeRows(const std::vector<int32_t>& groups, const std::vector<int32_t>& labels) {
  DataSet data;
  for (size_t i = 0; i < groups.size(); ++i) {
    data.tokens.push_back(static_cast<int32_t>(i));
    data.offsets.push_back(data.tokens.size());
    data.labels.push_back(labels[i]);
    data.groups.push_back(groups[i]);
    data.corpus_rows.push_back(i);
  }
  return data;
}

SamplingOptions Plain() {
  SamplingOptions options;
  options.batch_rows = 3;
  options.copies_per_epoch = 0;
  options.word_dropout = 0.0F;
  options.group_power = 0.0F;
  options.class_power = 0.0F;
  return options;
}

std::vector<int32_t> EpochTokens(BatchSource* source) {
  std::vector<int32_t> tokens;
  Batch batch;
  source->StartEpoch();
  while (source->Next(&batch)) {
    tokens.insert(tokens.end(), batch.tokens.begin(), batch.tokens.end());
  }
  return tokens;
}

TEST(SelectGroupsTest, KeepsTheRowsOfTheseGroupsWithAllThatBelongsToThem) {
  DataSet data = MakeRows({7, 8, 7, 9}, {0, 1, 2, 3});
  data.tokens = {10, 20, 21, 30, 40};
  data.offsets = {0, 1, 3, 4, 5};
  const DataSet part = SelectGroups(data, {8, 9, 100});
  EXPECT_EQ(part.tokens, (std::vector<int32_t>{20, 21, 40}));
  EXPECT_EQ(part.offsets, (std::vector<size_t>{0, 2, 3}));
  EXPECT_EQ(part.labels, (std::vector<int32_t>{1, 3}));
  EXPECT_EQ(part.groups, (std::vector<int32_t>{8, 9}));
  EXPECT_EQ(part.corpus_rows, (std::vector<size_t>{1, 3}));
  EXPECT_EQ(SelectGroups(data, {}).rows(), 0u);
}

TEST(BatchSourceTest, AnEpochShowsEveryRowOnceInBatches) {
  const DataSet data = MakeRows({0, 0, 1, 2, 2, 2, 3}, {0, 0, 1, 0, 0, 0, 1});
  BatchSource source(data, Plain(), 1);
  EXPECT_EQ(source.rows_per_epoch(), 7u);
  const std::vector<int32_t> tokens = EpochTokens(&source);
  EXPECT_EQ(tokens.size(), 7u);
  EXPECT_EQ(std::set<int32_t>(tokens.begin(), tokens.end()).size(), 7u);
  Batch batch;
  source.StartEpoch();
  std::vector<size_t> sizes;
  while (source.Next(&batch)) {
    sizes.push_back(batch.rows());
    EXPECT_EQ(batch.offsets.size(), batch.rows() + 1);
    EXPECT_EQ(batch.offsets.back(), static_cast<int32_t>(batch.tokens.size()));
  }
  EXPECT_EQ(sizes, (std::vector<size_t>{3, 3, 1}));
}

TEST(BatchSourceTest, TheSeedDecidesTheOrder) {
  const DataSet data = MakeRows({0, 1, 2, 3, 4, 5, 6, 7}, {0, 0, 0, 0, 0, 0, 0, 0});
  BatchSource first(data, Plain(), 5);
  BatchSource same(data, Plain(), 5);
  BatchSource other(data, Plain(), 6);
  const std::vector<int32_t> tokens = EpochTokens(&first);
  EXPECT_EQ(tokens, EpochTokens(&same));
  EXPECT_NE(tokens, EpochTokens(&other));
  EXPECT_NE(tokens, EpochTokens(&first)) << "the next epoch has another order";
}

TEST(BatchSourceTest, AGroupShowsAtMostItsCopiesAndAllOfThemOverTheEpochs) {
  const DataSet data = MakeRows({0, 0, 0, 0, 0, 0, 1}, {0, 0, 0, 0, 0, 0, 1});
  SamplingOptions options = Plain();
  options.copies_per_epoch = 2;
  BatchSource source(data, options, 3);
  EXPECT_EQ(source.rows_per_epoch(), 3u);
  std::set<int32_t> seen;
  for (int epoch = 0; epoch < 30; ++epoch) {
    const std::vector<int32_t> tokens = EpochTokens(&source);
    ASSERT_EQ(tokens.size(), 3u);
    seen.insert(tokens.begin(), tokens.end());
  }
  EXPECT_EQ(seen.size(), 7u);
}

std::map<int32_t, float> WeightsByToken(const DataSet& data, const SamplingOptions& options) {
  BatchSource source(data, options, 1);
  std::map<int32_t, float> weights;
  Batch batch;
  source.StartEpoch();
  while (source.Next(&batch)) {
    for (size_t i = 0; i < batch.rows(); ++i) weights[batch.tokens[i]] = batch.weights[i];
  }
  return weights;
}

TEST(BatchSourceTest, CopiesOfAGroupShareItsWeight) {
  SamplingOptions options = Plain();
  options.group_power = 1.0F;
  const auto weights = WeightsByToken(MakeRows({0, 0, 0, 0, 1}, {0, 0, 0, 0, 0}), options);
  EXPECT_NEAR(weights.at(4) / weights.at(0), 4.0F, 1e-5);
  float sum = 0;
  for (const auto& [token, weight] : weights) sum += weight;
  EXPECT_NEAR(sum, 5.0F, 1e-5) << "the mean weight is 1";
}

TEST(BatchSourceTest, RareClassesWeighMore) {
  SamplingOptions options = Plain();
  options.class_power = 0.5F;
  const auto weights = WeightsByToken(MakeRows({0, 1, 2, 3, 4}, {0, 0, 0, 0, 1}), options);
  EXPECT_NEAR(weights.at(4) / weights.at(0), 2.0F, 1e-5);
}

TEST(BatchSourceTest, WordDropoutLeavesItsShareOutButNeverEverything) {
  DataSet data;
  for (size_t row = 0; row < 200; ++row) {
    for (int32_t i = 0; i < 20; ++i) data.tokens.push_back(i);
    data.offsets.push_back(data.tokens.size());
    data.labels.push_back(0);
    data.groups.push_back(static_cast<int32_t>(row));
    data.corpus_rows.push_back(row);
  }
  SamplingOptions options = Plain();
  options.word_dropout = 0.25F;
  BatchSource quarter(data, options, 1);
  EXPECT_NEAR(static_cast<double>(EpochTokens(&quarter).size()), 3000.0, 120.0);
  options.word_dropout = 1.0F;
  BatchSource all(data, options, 1);
  EXPECT_EQ(EpochTokens(&all).size(), 200u);
}

TEST(BatchSourceTest, ATextWithoutTokensIsARowOfItsOwn) {
  DataSet data = MakeRows({0, 1}, {0, 1});
  data.tokens.pop_back();
  data.offsets.back() = 1;
  SamplingOptions options = Plain();
  options.crop = 1.0F;
  BatchSource source(data, options, 1);
  Batch batch;
  source.StartEpoch();
  ASSERT_TRUE(source.Next(&batch));
  EXPECT_EQ(batch.rows(), 2u);
  EXPECT_EQ(batch.tokens.size(), 1u);
}

class PieceSamplingTest : public testing::Test {
 protected:
  // One text as a data set, with the pieces of the test tokenizer.
  DataSet Encode(std::string_view text) const {
    Corpus corpus;
    corpus.groups = 1;
    corpus.rows.push_back({std::string(text), std::string(text), 0, Side::kTrain, {1, -1, 3}});
    return MakeDataSet(corpus, FindCauses(corpus), {Side::kTrain}, *encoder_, 0);
  }
  std::string TextOf(const std::vector<int32_t>& tokens) const {
    std::string text;
    for (const int32_t token : tokens) text += encoder_->piece(token);
    return text;
  }

  std::shared_ptr<const Encoder> encoder_ = Encoder::Parse(test::MakeTestTokenizer());
};

TEST_F(PieceSamplingTest, SplitPiecesStillSpellTheText) {
  DataSet data = Encode("user unknown");
  for (int32_t id = 0; id < encoder_->size(); ++id) {
    if (!data.pieces->splits(id).empty()) data.tokens.push_back(id);
  }
  data.offsets.back() = data.tokens.size();
  SamplingOptions options = Plain();
  options.split = 0.5F;
  BatchSource source(data, options, 1);
  std::set<std::vector<int32_t>> seen;
  for (int epoch = 0; epoch < 50; ++epoch) {
    const std::vector<int32_t> tokens = EpochTokens(&source);
    EXPECT_EQ(TextOf(tokens), TextOf(data.tokens));
    seen.insert(tokens);
  }
  EXPECT_GT(seen.size(), 1u) << "not always the same splits";
}

TEST_F(PieceSamplingTest, CodeDropoutLeavesOutEveryPieceWithADigit) {
  const DataSet data = Encode("550 5.1.1 user unknown 42");
  SamplingOptions options = Plain();
  options.code_dropout = 1.0F;
  BatchSource source(data, options, 1);
  const std::string text = TextOf(EpochTokens(&source));
  EXPECT_EQ(text.find_first_of("0123456789"), std::string::npos) << text;
  EXPECT_NE(text.find("unknown"), std::string::npos) << text;
}

TEST_F(PieceSamplingTest, ARowWithoutAnyLabelIsLeftOut) {
  Corpus corpus;
  corpus.groups = 2;
  corpus.rows.push_back({"user", "user", 0, Side::kTrain, {-1, -1, -1}});
  corpus.rows.push_back({"unknown", "unknown", 1, Side::kTrain, {-1, 2, -1}});
  const Causes causes = FindCauses(corpus);
  const DataSet data = MakeDataSet(corpus, causes, {Side::kTrain}, *encoder_, 0);
  EXPECT_EQ(data.corpus_rows, (std::vector<size_t>{1}));
  EXPECT_EQ(data.patterns, causes.patterns());
}

TEST_F(PieceSamplingTest, OneTasksRowsBearItsLabels) {
  Corpus corpus;
  corpus.groups = 3;
  corpus.rows.push_back({"user", "user", 0, Side::kTrain, {4, 2, 1}});
  corpus.rows.push_back({"unknown", "unknown", 1, Side::kTrain, {-1, 2, -1}});
  corpus.rows.push_back({"user unknown", "user unknown", 2, Side::kTrain, {5, 3, -1}});
  const DataSet all = MakeDataSet(corpus, FindCauses(corpus), {Side::kTrain}, *encoder_, 0);
  const DataSet bnac = SelectTask(all, corpus, Task::kBnac);
  EXPECT_EQ(bnac.labels, (std::vector<int32_t>{4, 5}));
  EXPECT_EQ(bnac.corpus_rows, (std::vector<size_t>{0, 2}));
  EXPECT_EQ(bnac.patterns, nullptr);
  EXPECT_EQ(
      std::vector<int32_t>(bnac.tokens.begin(),
                           bnac.tokens.begin() + static_cast<std::ptrdiff_t>(bnac.offsets[1])),
      std::vector<int32_t>(all.tokens.begin(),
                           all.tokens.begin() + static_cast<std::ptrdiff_t>(all.offsets[1])));
  EXPECT_EQ(SelectTask(all, corpus, Task::kAction).rows(), 1u);
}

TEST(BatchSourceTest, ACropShowsAConnectedStretchOfAtLeastHalf) {
  DataSet data;
  for (int32_t i = 0; i < 40; ++i) data.tokens.push_back(i);
  data.offsets.push_back(40);
  data.labels = {0};
  data.groups = {0};
  data.corpus_rows = {0};
  SamplingOptions options = Plain();
  options.crop = 1.0F;
  BatchSource source(data, options, 9);
  for (int epoch = 0; epoch < 100; ++epoch) {
    const std::vector<int32_t> tokens = EpochTokens(&source);
    ASSERT_GE(tokens.size(), 20u);
    for (size_t i = 1; i < tokens.size(); ++i) ASSERT_EQ(tokens[i], tokens[i - 1] + 1);
  }
}

}  // namespace
}  // namespace rebound
