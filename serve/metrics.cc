#include "serve/metrics.h"

#include <algorithm>
#include <array>
#include <utility>

namespace rebound {
namespace {

// Statuses that the server answers; any other is counted as the last.
constexpr std::array<int, 24> kCodes = {200, 201, 202, 204, 304, 400, 401, 403, 404, 405, 406, 408,
                                        409, 413, 415, 417, 422, 429, 431, 500, 501, 503, 505, 0};
constexpr std::array<std::string_view, kCodes.size()> kCodeNames = {
    "200", "201", "202", "204", "304", "400", "401", "403", "404", "405", "406", "408",
    "409", "413", "415", "417", "422", "429", "431", "500", "501", "503", "505", "other"};

constexpr size_t ColumnOf(int status) {
  size_t column = 0;
  while (column + 1 < kCodes.size() && kCodes[column] != status) ++column;
  return column;
}
constexpr size_t kTooManyColumn = ColumnOf(429);

constexpr int64_t kMicro = 1'000;
constexpr int64_t kMilli = 1'000'000;
constexpr int64_t kSecond = 1'000'000'000;
constexpr std::array<int64_t, 17> kBuckets = {
    50 * kMicro,  100 * kMicro, 250 * kMicro,  500 * kMicro, 1 * kMilli,   2500 * kMicro,
    5 * kMilli,   10 * kMilli,  25 * kMilli,   50 * kMilli,  100 * kMilli, 250 * kMilli,
    500 * kMilli, 1 * kSecond,  2500 * kMilli, 5 * kSecond,  10 * kSecond};
// As they stand in `le`.
constexpr std::array<std::string_view, kBuckets.size()> kBucketNames = {
    "5e-05", "0.0001", "0.00025", "0.0005", "0.001", "0.0025", "0.005", "0.01", "0.025",
    "0.05",  "0.1",    "0.25",    "0.5",    "1",     "2.5",    "5",     "10"};
constexpr size_t kBucketCells = kBuckets.size() + 1;
constexpr size_t kCellsOfRow = kCodes.size() + kBucketCells + 1;

constexpr std::string_view kNoRoute = "none";

constexpr std::array<AnswerSource, 2> kSources = {AnswerSource::kModel, AnswerSource::kStatusCode};

// Cells of answers: by task, label and source, then by task the low ones.
constexpr size_t kMostLabels = 32;
size_t AnswerCell(Task task, size_t label, AnswerSource source) {
  return (Index(task) * kMostLabels + label) * kSources.size() + static_cast<size_t>(source);
}
size_t LowCell(Task task) { return kTaskCount * kMostLabels * kSources.size() + Index(task); }
constexpr size_t kAnswerCells = kTaskCount * kMostLabels * kSources.size() + kTaskCount;

// Below this the model alone is not believed.
double ThresholdOf(const Classifier& model, Task task) {
  const double guess = task == Task::kAction ? kActionGuess : 0;
  return std::max(model.config().fallback_threshold, guess);
}

double Seconds(uint64_t nanoseconds) { return static_cast<double>(nanoseconds) / kSecond; }

}  // namespace

CounterTable::CounterTable(size_t cells)
    : stride_((cells + 15) / 16 * 16 + 16),  // 64 bytes and more between two shards
      cells_(new std::atomic<uint64_t>[kShards * stride_]()) {}

size_t CounterTable::ShardOfThread() {
  static std::atomic<size_t> next{0};
  thread_local const size_t shard = next++ % kShards;
  return shard;
}

uint64_t CounterTable::Sum(size_t cell) const {
  uint64_t sum = 0;
  for (size_t shard = 0; shard < kShards; ++shard) {
    sum += cells_[shard * stride_ + cell].load(std::memory_order_relaxed);
  }
  return sum;
}

std::span<const int64_t> Metrics::Buckets() { return kBuckets; }

Metrics::Metrics(Router* router) : router_(*router), answers_(kAnswerCells) {
  router->Add({kGet, "/metrics", Scope::kMetrics, [this](const Call&) {
                 Response response;
                 response.content_type = kMetricsContentType;
                 response.body = Page();
                 return response;
               }});
  rows_.push_back(kNoRoute);
  for (const Route& route : router_.routes()) {
    const auto row = std::find(rows_.begin(), rows_.end(), route.path);
    row_of_route_.push_back(static_cast<size_t>(row - rows_.begin()));
    if (row == rows_.end()) rows_.push_back(route.path);
  }
  table_ = std::make_unique<CounterTable>(rows_.size() * kCellsOfRow);
}

size_t Metrics::RowOf(const Route* route) const {
  if (route == nullptr) return 0;
  return row_of_route_[static_cast<size_t>(route - router_.routes().data())];
}

size_t Metrics::CodeCell(size_t row, size_t column) const { return row * kCellsOfRow + column; }

size_t Metrics::BucketCell(size_t row, size_t bucket) const {
  return row * kCellsOfRow + kCodes.size() + bucket;
}

size_t Metrics::SumCell(size_t row) const { return (row + 1) * kCellsOfRow - 1; }

void Metrics::CountRequest(const Route* route, int status, std::chrono::nanoseconds taken) {
  const size_t row = RowOf(route);
  const int64_t count = std::max<int64_t>(taken.count(), 0);
  // A request is short: from the front.
  const auto bucket =
      std::find_if(kBuckets.begin(), kBuckets.end(), [&](int64_t end) { return count <= end; });
  table_->Add(CodeCell(row, ColumnOf(status)));
  table_->Add(BucketCell(row, static_cast<size_t>(bucket - kBuckets.begin())));
  table_->Add(SumCell(row), static_cast<uint64_t>(count));
}

void Metrics::CountDoorAnswer(int status) { table_->Add(CodeCell(0, ColumnOf(status))); }

void Metrics::CountAnswer(const ModelSet& models, Task task, const Prediction& prediction,
                          const TaskAnswer& answer) {
  answers_.Add(AnswerCell(task, answer.label, answer.source));
  if (prediction.probability < ThresholdOf(*models.Get(task), task)) answers_.Add(LowCell(task));
}

void Metrics::AddSource(MetricSource source) {
  const std::lock_guard lock(mutex_);
  sources_.push_back(std::move(source));
}

std::string Metrics::Page() const {
  std::string page;
  page.reserve(32 * 1024);
  MetricsText text(&page);
  WriteRequests(&text);
  WriteDurations(&text);
  WriteAnswers(&text);
  const std::lock_guard lock(mutex_);
  for (const MetricSource& source : sources_) source(&text);
  return page;
}

void Metrics::WriteRequests(MetricsText* text) const {
  uint64_t limited = 0;
  text->Begin("rebound_requests_total", MetricKind::kCounter,
              "Requests answered, by the route's pattern and the status.");
  for (size_t row = 0; row < rows_.size(); ++row) {
    for (size_t column = 0; column < kCodes.size(); ++column) {
      const uint64_t count = table_->Sum(CodeCell(row, column));
      // Without a route it was the door, for connections.
      if (column == kTooManyColumn && row > 0) limited += count;
      // A series that is there from the start loses no first increase.
      const bool from_start = row > 0 && kCodes[column] == 200;
      if (count == 0 && !from_start) continue;
      text->Sample({{"route", rows_[row]}, {"code", kCodeNames[column]}}, count);
    }
  }
  text->Counter("rebound_rate_limited_total",
                "Requests answered 429 because the caller had used up its rate.", limited);
}

void Metrics::WriteDurations(MetricsText* text) const {
  std::array<uint64_t, kBucketCells> all{};
  uint64_t all_sum = 0;
  text->Begin("rebound_route_duration_seconds", MetricKind::kHistogram,
              "Time from a whole request to its answer, by route; routes that were asked.");
  for (size_t row = 0; row < rows_.size(); ++row) {
    std::array<uint64_t, kBucketCells> counts;
    for (size_t i = 0; i < kBucketCells; ++i) {
      counts[i] = table_->Sum(BucketCell(row, i));
      all[i] += counts[i];
    }
    const uint64_t sum = table_->Sum(SumCell(row));
    all_sum += sum;
    uint64_t below = 0;
    for (const uint64_t count : counts) below += count;
    if (below == 0) continue;
    below = 0;
    for (size_t i = 0; i < kBuckets.size(); ++i) {
      below += counts[i];
      text->Sample({{"route", rows_[row]}, {"le", kBucketNames[i]}}, below, "_bucket");
    }
    below += counts.back();
    text->Sample({{"route", rows_[row]}, {"le", "+Inf"}}, below, "_bucket");
    text->Sample({{"route", rows_[row]}}, Seconds(sum), "_sum");
    text->Sample({{"route", rows_[row]}}, below, "_count");
  }
  text->Begin("rebound_request_duration_seconds", MetricKind::kHistogram,
              "Time from a whole request to its answer.");
  uint64_t below = 0;
  for (size_t i = 0; i < kBuckets.size(); ++i) {
    below += all[i];
    text->Sample({{"le", kBucketNames[i]}}, below, "_bucket");
  }
  below += all.back();
  text->Sample({{"le", "+Inf"}}, below, "_bucket");
  text->Sample({}, Seconds(all_sum), "_sum");
  text->Sample({}, below, "_count");
}

void Metrics::WriteAnswers(MetricsText* text) const {
  text->Begin("rebound_predictions_total", MetricKind::kCounter,
              "Texts answered, by task, class and what decided.");
  for (const Task task : kTasks) {
    for (size_t label = 0; label < TaskLabels(task).size(); ++label) {
      for (const AnswerSource source : kSources) {
        const uint64_t count = answers_.Sum(AnswerCell(task, label, source));
        if (count == 0 && source != AnswerSource::kModel) continue;
        text->Sample({{"task", TaskName(task)},
                      {"class", TaskLabels(task)[label]},
                      {"source", SourceName(source)}},
                     count);
      }
    }
  }
  text->Begin("rebound_low_confidence_total", MetricKind::kCounter,
              "Texts whose model was below the probability from which it is believed.");
  for (const Task task : kTasks) {
    text->Sample({{"task", TaskName(task)}}, answers_.Sum(LowCell(task)));
  }
}

}  // namespace rebound
