#include "tests/support/metrics_page.h"

#include <cmath>
#include <cstdlib>
#include <limits>
#include <set>
#include <stdexcept>
#include <utility>

namespace rebound::test {
namespace {

[[noreturn]] void Bad(std::string_view line, const std::string& what) {
  throw std::runtime_error(what + ": " + std::string(line));
}

bool IsName(std::string_view name, bool colons) {
  if (name.empty() || (name[0] >= '0' && name[0] <= '9')) return false;
  for (const char c : name) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    if (!letter && !(c >= '0' && c <= '9') && !(colons && c == ':')) return false;
  }
  return true;
}

// A number as Go's ParseFloat reads it, without its exotic forms.
double ReadNumber(std::string_view text, std::string_view line) {
  if (text == "+Inf") return std::numeric_limits<double>::infinity();
  if (text == "-Inf") return -std::numeric_limits<double>::infinity();
  if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (text.empty() || text.find_first_not_of("0123456789.eE+-") != std::string_view::npos) {
    Bad(line, "no number");
  }
  const std::string owned(text);
  char* end = nullptr;
  const double value = std::strtod(owned.c_str(), &end);
  if (end != owned.c_str() + owned.size()) Bad(line, "no number");
  return value;
}

std::string Unescape(std::string_view* rest, std::string_view line) {
  std::string value;
  for (;;) {
    if (rest->empty()) Bad(line, "a label's value does not end");
    char c = rest->front();
    rest->remove_prefix(1);
    if (c == '"') return value;
    if (c == '\\') {
      if (rest->empty()) Bad(line, "a label's value does not end");
      c = rest->front();
      rest->remove_prefix(1);
      if (c == 'n') {
        c = '\n';
      } else if (c != '\\' && c != '"') {
        Bad(line, "an unknown escape");
      }
    }
    value.push_back(c);
  }
}

MetricSample ReadSample(std::string_view line) {
  MetricSample sample;
  const size_t name_end = line.find_first_of("{ ");
  if (name_end == std::string_view::npos) Bad(line, "no value");
  sample.name = line.substr(0, name_end);
  if (!IsName(sample.name, true)) Bad(line, "no name");
  std::string_view rest = line.substr(name_end);
  if (rest.front() == '{') {
    rest.remove_prefix(1);
    for (bool more = true; more;) {
      const size_t equals = rest.find("=\"");
      if (equals == std::string_view::npos) Bad(line, "no label");
      const std::string label(rest.substr(0, equals));
      if (!IsName(label, false) || label.substr(0, 2) == "__") Bad(line, "a bad label");
      rest.remove_prefix(equals + 2);
      if (!sample.labels.emplace(label, Unescape(&rest, line)).second) Bad(line, "a label twice");
      if (rest.empty()) Bad(line, "labels do not end");
      more = rest.front() == ',';
      if (!more && rest.front() != '}') Bad(line, "labels do not end");
      rest.remove_prefix(1);
    }
  }
  if (rest.empty() || rest.front() != ' ') Bad(line, "no value");
  sample.value = ReadNumber(rest.substr(1), line);
  return sample;
}

std::string BaseOf(const std::string& name, const std::string& family, const std::string& type) {
  if (type != "histogram") return name;
  for (const char* suffix : {"_bucket", "_sum", "_count"}) {
    if (name == family + suffix) return family;
  }
  return name;
}

void CheckHistogram(const std::string& name, const MetricFamily& family) {
  struct Series {
    double last_end = -std::numeric_limits<double>::infinity();
    double last_count = 0;
    double sum = -1;
    double count = -1;
  };
  std::map<std::map<std::string, std::string>, Series> all;
  for (const MetricSample& sample : family.samples) {
    auto labels = sample.labels;
    if (sample.name == name + "_bucket") {
      const auto le = labels.extract("le");
      if (le.empty()) Bad(name, "a bucket without le");
      Series& series = all[labels];
      const double end = ReadNumber(le.mapped(), name);
      if (!(end > series.last_end)) Bad(name, "buckets do not ascend");
      if (sample.value < series.last_count) Bad(name, "buckets are not cumulative");
      series.last_end = end;
      series.last_count = sample.value;
    } else if (sample.name == name + "_sum") {
      all[labels].sum = sample.value;
    } else if (sample.name == name + "_count") {
      all[labels].count = sample.value;
    } else {
      Bad(name, "a histogram's sample is called " + sample.name);
    }
  }
  for (const auto& [labels, series] : all) {
    if (!std::isinf(series.last_end)) Bad(name, "no bucket +Inf");
    if (series.count != series.last_count) Bad(name, "the count is not the last bucket's");
    if (!(series.sum >= 0)) Bad(name, "no sum");
  }
}

void CheckFamily(const std::string& name, const MetricFamily& family) {
  if (family.type.empty()) Bad(name, "no TYPE");
  if (family.help.empty()) Bad(name, "no HELP");
  const bool total = name.size() > 6 && name.substr(name.size() - 6) == "_total";
  if (total != (family.type == "counter")) Bad(name, "counters, and they alone, are called _total");
  if (family.type == "histogram") return CheckHistogram(name, family);
  std::set<std::map<std::string, std::string>> seen;
  for (const MetricSample& sample : family.samples) {
    if (!seen.insert(sample.labels).second) Bad(name, "a series twice");
    if (family.type == "counter" && !(sample.value >= 0)) Bad(name, "a counter below 0");
  }
}

}  // namespace

double MetricsPage::Value(const std::string& name,
                          const std::map<std::string, std::string>& labels) const {
  for (const auto& [family_name, family] : families) {
    if (name.rfind(family_name, 0) != 0) continue;
    for (const MetricSample& sample : family.samples) {
      if (sample.name == name && sample.labels == labels) return sample.value;
    }
  }
  return -1;
}

bool MetricsPage::Has(const std::string& name) const {
  for (const auto& [family_name, family] : families) {
    if (family.type != "histogram" && name == family_name) return true;
    if (family.type == "histogram" && BaseOf(name, family_name, family.type) == family_name) {
      if (name != family_name) return true;
    }
  }
  return false;
}

MetricsPage ReadMetricsPage(std::string_view text) {
  MetricsPage page;
  std::string current;  // the family that samples belong to
  if (text.empty() || text.back() != '\n') Bad("", "the last line has no end");
  while (!text.empty()) {
    const size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (line.empty() || line.find('\r') != std::string_view::npos) Bad(line, "a bad line");
    if (line[0] != '#') {
      MetricSample sample = ReadSample(line);
      MetricFamily& family = page.families[current];
      if (current.empty() || BaseOf(sample.name, current, family.type) != current) {
        Bad(line, "a sample outside its family");
      }
      if (family.type.empty()) Bad(line, "a sample before its TYPE");
      family.samples.push_back(std::move(sample));
      continue;
    }
    const bool help = line.substr(0, 7) == "# HELP ";
    if (!help && line.substr(0, 7) != "# TYPE ") Bad(line, "a comment");
    const size_t name_end = line.find(' ', 7);
    if (name_end == std::string_view::npos) Bad(line, "a name alone");
    const std::string name(line.substr(7, name_end - 7));
    if (!IsName(name, true)) Bad(line, "no name");
    if (help) {
      if (!page.families.emplace(name, MetricFamily()).second) Bad(line, "a family twice");
      page.families[name].help = line.substr(name_end + 1);
    } else {
      const std::string type(line.substr(name_end + 1));
      if (name != current || !page.families[name].type.empty()) Bad(line, "TYPE not after HELP");
      if (type != "counter" && type != "gauge" && type != "histogram") Bad(line, "no type");
      page.families[name].type = type;
    }
    current = name;
  }
  for (const auto& [name, family] : page.families) CheckFamily(name, family);
  return page;
}

}  // namespace rebound::test
