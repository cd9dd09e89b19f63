#include "serve/metrics_text.h"

#include <charconv>
#include <cmath>

namespace rebound {
namespace {

std::string_view KindName(MetricKind kind) {
  switch (kind) {
    case MetricKind::kCounter:
      return "counter";
    case MetricKind::kGauge:
      return "gauge";
    case MetricKind::kHistogram:
      break;
  }
  return "histogram";
}

template <class Number>
void AppendNumber(Number value, std::string* out) {
  char digits[40];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  out->append(digits, end);
}

// A help text escapes all of these but the quote.
void AppendEscaped(std::string_view text, bool quotes, std::string* out) {
  for (const char c : text) {
    if (c == '\n') {
      out->append("\\n");
      continue;
    }
    if (c == '\\' || (quotes && c == '"')) out->push_back('\\');
    out->push_back(c);
  }
}

}  // namespace

void MetricsText::Begin(std::string_view name, MetricKind kind, std::string_view help) {
  name_ = name;
  out_.append("# HELP ").append(name).append(" ");
  AppendEscaped(help, false, &out_);
  out_.append("\n# TYPE ").append(name).append(" ").append(KindName(kind)).append("\n");
}

void MetricsText::StartSample(Labels labels, std::string_view suffix) {
  out_.append(name_).append(suffix);
  char before = '{';
  for (const auto& [label, value] : labels) {
    out_.push_back(before);
    before = ',';
    out_.append(label).append("=\"");
    AppendEscaped(value, true, &out_);
    out_.push_back('"');
  }
  if (labels.size() > 0) out_.push_back('}');
  out_.push_back(' ');
}

void MetricsText::Sample(Labels labels, uint64_t value, std::string_view suffix) {
  StartSample(labels, suffix);
  AppendNumber(value, &out_);
  out_.push_back('\n');
}

void MetricsText::Sample(Labels labels, double value, std::string_view suffix) {
  StartSample(labels, suffix);
  if (std::isnan(value)) {
    out_.append("NaN");
  } else if (std::isinf(value)) {
    out_.append(value > 0 ? "+Inf" : "-Inf");
  } else {
    AppendNumber(value, &out_);
  }
  out_.push_back('\n');
}

void MetricsText::Counter(std::string_view name, std::string_view help, uint64_t value) {
  Begin(name, MetricKind::kCounter, help);
  Sample({}, value);
}

void MetricsText::Gauge(std::string_view name, std::string_view help, double value) {
  Begin(name, MetricKind::kGauge, help);
  Sample({}, value);
}

}  // namespace rebound
