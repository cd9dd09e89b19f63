// A strict reader of Prometheus' text format 0.0.4, to hold our page to it.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace rebound::test {

struct MetricSample {
  std::string name;  // with the suffix
  std::map<std::string, std::string> labels;
  double value = 0;
};

struct MetricFamily {
  std::string type;
  std::string help;
  std::vector<MetricSample> samples;
};

struct MetricsPage {
  std::map<std::string, MetricFamily> families;

  // The sample of this name and these labels; -1 where there is none.
  double Value(const std::string& name,
               const std::map<std::string, std::string>& labels = {}) const;
  // Every name that a query may use: families, and of histograms _bucket, _sum and _count.
  bool Has(const std::string& name) const;
};

// Throws std::runtime_error naming the line for whatever the format does not allow, and for what
// Prometheus' own linter finds: no HELP, no TYPE, a counter that is not called _total, samples of
// one family apart, a series twice, a histogram whose buckets do not grow or lack +Inf.
MetricsPage ReadMetricsPage(std::string_view text);

}  // namespace rebound::test
