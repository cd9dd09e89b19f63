#include "evaluation/interval.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/error.h"

namespace rebound {
namespace {

constexpr double kZ = 1.959963984540054;  // 97.5 % of the normal distribution

// splitmix64: the draws are the same on every machine.
struct Draws {
  uint64_t state = 1;
  size_t Below(size_t limit) {
    state += 0x9e3779b97f4a7c15;
    uint64_t z = state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    z ^= z >> 31;
    return static_cast<size_t>(((z >> 32) * limit) >> 32);
  }
};

struct ClassCount {
  int64_t rows = 0, predicted = 0, right = 0, single_rows = 0, single_right = 0;
};
struct BinCount {
  int64_t rows = 0;
  double gap = 0.0;  // sum of right minus confidence
};

// The figures of one draw; counts as Scorecard does.
class Counter {
 public:
  explicit Counter(size_t labels) : classes_(labels) {}

  void Clear() {
    std::fill(classes_.begin(), classes_.end(), ClassCount());
    bins_.fill(BinCount());
    rows_ = 0;
  }
  void Add(const ScoredRow& row) {
    const int64_t right = row.truth == row.predicted ? 1 : 0;
    ClassCount& truth = classes_[row.truth];
    ++rows_;
    ++truth.rows;
    ++classes_[row.predicted].predicted;
    truth.right += right;
    if (row.single) {
      ++truth.single_rows;
      truth.single_right += right;
    }
    BinCount& bin = bins_[BinOf(row.confidence)];
    ++bin.rows;
    bin.gap += static_cast<double>(right) - row.confidence;
  }
  double Accuracy() const {
    int64_t right = 0;
    for (const ClassCount& each : classes_) right += each.right;
    return rows_ == 0 ? 0.0 : static_cast<double>(right) / static_cast<double>(rows_);
  }
  // NaN where the class has no rows: there is no figure.
  double ClassF1(size_t label) const {
    const ClassCount& c = classes_[label];
    if (c.rows == 0) return std::numeric_limits<double>::quiet_NaN();
    return 2.0 * static_cast<double>(c.right) / static_cast<double>(c.rows + c.predicted);
  }
  double MacroRecall() const {
    return Mean([](const ClassCount& c) { return c.single_right; },
                [](const ClassCount& c) { return c.single_rows; },
                [](const ClassCount& c) { return c.single_rows > 0; });
  }
  double MacroF1() const {
    return Mean([](const ClassCount& c) { return 2 * c.right; },
                [](const ClassCount& c) { return c.rows + c.predicted; },
                [](const ClassCount& c) { return c.rows > 0; });
  }
  double Ece() const {
    double sum = 0.0;
    for (const BinCount& bin : bins_) sum += std::abs(bin.gap);
    return rows_ == 0 ? 0.0 : sum / static_cast<double>(rows_);
  }

 private:
  template <class Part, class Whole, class Counts>
  double Mean(Part part, Whole whole, Counts counts) const {
    double sum = 0.0;
    int64_t classes = 0;
    for (const ClassCount& each : classes_) {
      if (!counts(each)) continue;
      ++classes;
      sum += static_cast<double>(part(each)) / static_cast<double>(whole(each));
    }
    return classes == 0 ? 0.0 : sum / static_cast<double>(classes);
  }

  std::vector<ClassCount> classes_;  // [labels]
  std::array<BinCount, kReliabilityBins> bins_ = {};
  int64_t rows_ = 0;
};

Interval Percentiles(std::vector<double>* values) {
  std::sort(values->begin(), values->end());
  const double last = static_cast<double>(values->size() - 1);
  const auto at = [&](double share) {
    return (*values)[static_cast<size_t>(std::lround(share * last))];
  };
  return {at(0.025), at(0.975)};
}

// The figures that a pair of models is compared by: macro-F1, accuracy, ECE, F1 of each class.
std::vector<double> Figures(const Counter& counter, size_t labels) {
  std::vector<double> figures = {counter.MacroF1(), counter.Accuracy(), counter.Ece()};
  for (size_t label = 0; label < labels; ++label) figures.push_back(counter.ClassF1(label));
  return figures;
}

// Below, draws of one class are always the same ones: that is no certainty.
constexpr size_t kFewestClusters = 3;

// How many clusters have a row of the class.
size_t CountClusters(std::span<const ScoredRow> rows,
                     const std::vector<std::vector<size_t>>& clusters, size_t label) {
  return static_cast<size_t>(
      std::count_if(clusters.begin(), clusters.end(), [&](const std::vector<size_t>& cluster) {
        return std::any_of(cluster.begin(), cluster.end(),
                           [&](size_t row) { return rows[row].truth == label; });
      }));
}

// The positions of the rows of each cluster, in order of first appearance.
std::vector<std::vector<size_t>> GatherClusters(std::span<const int32_t> clusters) {
  std::vector<std::vector<size_t>> rows;
  std::unordered_map<int32_t, size_t> place;
  for (size_t row = 0; row < clusters.size(); ++row) {
    const auto [at, is_new] = place.emplace(clusters[row], rows.size());
    if (is_new) rows.emplace_back();
    rows[at->second].push_back(row);
  }
  return rows;
}

}  // namespace

Interval WilsonInterval(int64_t right, int64_t rows) {
  if (rows == 0) return {0.0, 1.0};
  const double n = static_cast<double>(rows);
  const double share = static_cast<double>(right) / n;
  const double centre = (share + kZ * kZ / (2.0 * n)) / (1.0 + kZ * kZ / n);
  const double half =
      kZ / (1.0 + kZ * kZ / n) * std::sqrt(share * (1.0 - share) / n + kZ * kZ / (4.0 * n * n));
  return {std::max(0.0, centre - half), std::min(1.0, centre + half)};
}

ScoreIntervals MeasureIntervals(std::span<const ScoredRow> rows, size_t labels, int draws) {
  ScoreIntervals intervals;
  int64_t right = 0;
  Counter counter(labels);
  for (const ScoredRow& row : rows) {
    right += row.truth == row.predicted ? 1 : 0;
    counter.Add(row);
  }
  intervals.accuracy = WilsonInterval(right, static_cast<int64_t>(rows.size()));
  if (rows.empty() || draws < 1) {
    intervals.macro_recall = intervals.macro_f1 = intervals.ece = {0.0, 1.0};
    return intervals;
  }
  const double ece = counter.Ece();
  std::vector<double> recalls, f1s, eces;
  Draws random;
  for (int draw = 0; draw < draws; ++draw) {
    counter.Clear();
    for (size_t i = 0; i < rows.size(); ++i) counter.Add(rows[random.Below(rows.size())]);
    recalls.push_back(counter.MacroRecall());
    f1s.push_back(counter.MacroF1());
    eces.push_back(counter.Ece());
  }
  intervals.macro_recall = Percentiles(&recalls);
  intervals.macro_f1 = Percentiles(&f1s);
  const Interval drawn = Percentiles(&eces);
  intervals.ece = {std::max(0.0, 2.0 * ece - drawn.high), std::max(ece, 2.0 * ece - drawn.low)};
  return intervals;
}

ScoreDifferences MeasureDifferences(std::span<const ScoredRow> candidate,
                                    std::span<const ScoredRow> incumbent,
                                    std::span<const int32_t> clusters, size_t labels, int draws) {
  if (candidate.size() != incumbent.size() || candidate.size() != clusters.size()) {
    throw Error(ErrorCode::kInvalidArgument,
                "candidate and incumbent were judged on different rows: " +
                    std::to_string(candidate.size()) + " and " + std::to_string(incumbent.size()));
  }
  Counter ours(labels), theirs(labels);
  for (const ScoredRow& row : candidate) ours.Add(row);
  for (const ScoredRow& row : incumbent) theirs.Add(row);
  const std::vector<double> our_figures = Figures(ours, labels);
  const std::vector<double> their_figures = Figures(theirs, labels);
  const size_t count = our_figures.size();
  std::vector<std::vector<double>> drawn(count);  // [figures][draws]
  const std::vector<std::vector<size_t>> gathered = GatherClusters(clusters);
  Draws random;
  for (int draw = 0; draw < draws && !gathered.empty(); ++draw) {
    ours.Clear();
    theirs.Clear();
    for (size_t i = 0; i < gathered.size(); ++i) {
      for (const size_t row : gathered[random.Below(gathered.size())]) {
        ours.Add(candidate[row]);
        theirs.Add(incumbent[row]);
      }
    }
    const std::vector<double> a = Figures(ours, labels);
    const std::vector<double> b = Figures(theirs, labels);
    for (size_t i = 0; i < count; ++i) {
      // A draw without the class says nothing of it.
      if (!std::isnan(a[i] - b[i])) drawn[i].push_back(a[i] - b[i]);
    }
  }
  const auto difference = [&](size_t i) {
    Difference found;
    found.value = our_figures[i] - their_figures[i];
    if (std::isnan(found.value)) found.value = 0.0;
    if (!drawn[i].empty()) found.interval = Percentiles(&drawn[i]);
    return found;
  };
  ScoreDifferences differences{difference(0), difference(1), difference(2), {}};
  for (size_t label = 0; label < labels; ++label) {
    differences.class_f1.push_back(difference(3 + label));
    if (CountClusters(candidate, gathered, label) < kFewestClusters) {
      differences.class_f1.back().interval = {-1.0, 1.0};
    }
  }
  return differences;
}

}  // namespace rebound
