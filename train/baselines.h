// What something simpler than the run's model is worth on the rows that judge it: the class that is
// trained most, the status codes, and fastText (Joulin and others, *Bag of tricks for efficient
// text classification*, 2016) trained on the very rows that the model learned from. Thread-safe.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "evaluation/scorecard.h"
#include "train/corpus.h"
#include "train/data_set.h"

namespace rebound {

// "majority class, NAME" answers with the class that most rows of `train` have; "status codes,
// which fix N %" answers what the codes of a text stand for, and the majority class where they fix
// nothing. {} where no row judges. REQUIRES: train.rows() > 0.
std::vector<Baseline> MeasureSimpleBaselines(const Corpus& corpus, Task task, const DataSet& train,
                                             const DataSet& judge);

// fastText's own defaults (rate 0.1, softmax, words that occur once are kept) but for these: pairs
// of words too, 64 dimensions, 200,000 buckets for the pairs, 25 epochs; one thread and a seed, so
// that it repeats.
std::vector<std::string> FastTextCommand(const std::filesystem::path& program,
                                         const std::filesystem::path& input,
                                         const std::filesystem::path& output, uint64_t seed);

// One line a row of `data`, "__label__3 the normalised text"; without the label where `labelled` is
// false.
std::string WriteFastTextRows(const Corpus& corpus, const DataSet& data, bool labelled);

// The labels that `fasttext predict` printed for `rows` rows; -1 for a row without one that is
// below `labels`. nullopt for another number of lines.
std::optional<std::vector<int32_t>> ParseFastTextLabels(std::string_view printed, size_t rows,
                                                        size_t labels);

// Runs `program` (fasttext) on the normalised texts: learns from `train`, answers `judge`, and the
// majority class of `train` where it says nothing. nullopt, with the reason in `*why_not`, where
// the program is not there (an empty path), fails or prints something else. Throws kCancelled on
// `stop`. REQUIRES: rows in both.
std::optional<Baseline> MeasureFastText(const std::filesystem::path& program, const Corpus& corpus,
                                        Task task, const DataSet& train, const DataSet& judge,
                                        uint64_t seed, const std::function<bool()>& stop,
                                        std::string* why_not);

}  // namespace rebound
