// The text in which Prometheus reads figures (exposition format 0.0.4).
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace rebound {

inline constexpr std::string_view kMetricsContentType = "text/plain; version=0.0.4; charset=utf-8";

enum class MetricKind { kCounter, kGauge, kHistogram };

// Appends to a string: Begin a metric, then all its samples. Thread-compatible.
class MetricsText {
 public:
  using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

  explicit MetricsText(std::string* out) : out_(*out) {}

  // Each name once.
  void Begin(std::string_view name, MetricKind kind, std::string_view help);
  // Of the metric that was begun; `suffix` is of histograms: "_bucket", "_sum", "_count".
  void Sample(Labels labels, uint64_t value, std::string_view suffix = "");
  void Sample(Labels labels, double value, std::string_view suffix = "");

  // A metric of one sample.
  void Counter(std::string_view name, std::string_view help, uint64_t value);
  void Gauge(std::string_view name, std::string_view help, double value);

 private:
  void StartSample(Labels labels, std::string_view suffix);

  std::string& out_;
  std::string name_;
};

}  // namespace rebound
