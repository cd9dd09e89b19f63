#include "serve/shadow_report.h"

#include <algorithm>
#include <string>
#include <utility>

namespace rebound {
namespace {

double Mean(double sum, uint64_t count) {
  return count == 0 ? 0 : sum / static_cast<double>(count);
}

void WriteDisagreements(Task task, const ShadowCounts& counts, JsonWriter* writer) {
  std::vector<std::pair<std::pair<size_t, size_t>, ShadowCounts::Disagreement>> pairs(
      counts.by_labels.begin(), counts.by_labels.end());
  std::stable_sort(pairs.begin(), pairs.end(),
                   [](const auto& a, const auto& b) { return a.second.texts > b.second.texts; });
  JsonWriter& w = *writer;
  const auto labels = TaskLabels(task);
  w.Key("disagreements").StartArray();
  for (const auto& [pair, of] : pairs) {
    w.StartObject().Key("incumbent").String(labels[pair.first]);
    w.Key("candidate").String(labels[pair.second]).Key("texts").Uint(of.texts);
    w.Key("incumbent_probability").Double(Mean(of.incumbent_probability, of.texts));
    w.Key("candidate_probability").Double(Mean(of.candidate_probability, of.texts)).EndObject();
  }
  w.EndArray();
}

void WriteCounts(Task task, const ShadowCounts& counts, bool whole, JsonWriter* writer) {
  JsonWriter& w = *writer;
  w.Key("compared").Uint(counts.compared).Key("agreed").Uint(counts.agreed());
  w.Key("disagreed").Uint(counts.disagreed).Key("model_disagreed").Uint(counts.model_disagreed);
  if (!whole) return;
  w.Key("disagreement_rate").Double(Mean(static_cast<double>(counts.disagreed), counts.compared));
  w.Key("incumbent_probability").Double(Mean(counts.IncumbentProbability(), counts.disagreed));
  w.Key("candidate_probability").Double(Mean(counts.CandidateProbability(), counts.disagreed));
  w.Key("candidate_microseconds").Double(Mean(counts.candidate_seconds * 1e6, counts.compared));
  WriteDisagreements(task, counts, writer);
  w.Key("reviews").StartObject().Key("sent").Uint(counts.sent);
  w.Key("repeated").Uint(counts.repeated).Key("over_rate").Uint(counts.over_rate);
  w.Key("refused").Uint(counts.refused).EndObject();
}

}  // namespace

void WriteShadow(const ShadowStatus& status, double sample, bool whole, JsonWriter* writer) {
  JsonWriter& w = *writer;
  if (status.version != 0) w.Key("version").Int(status.version);
  w.Key("running").Bool(status.running);
  if (!status.running) {
    w.Key("error").String(status.problem);
    return;
  }
  w.Key("hash").String(status.hash);
  if (status.incumbent != 0) {
    w.Key("incumbent").Int(status.incumbent).Key("incumbent_hash").String(status.incumbent_hash);
  }
  w.Key("since").String(status.since).Key("sample").Double(sample);
  WriteCounts(status.task, status.counts, whole, writer);
}

void WriteShadowMetrics(const std::vector<ShadowStatus>& statuses, uint64_t dropped,
                        MetricsText* text) {
  text->Begin("rebound_shadow_running", MetricKind::kGauge,
              "1 where a task's shadow is compared, 0 where it could not be loaded.");
  for (const ShadowStatus& status : statuses) {
    text->Sample({{"task", TaskName(status.task)},
                  {"version", std::to_string(status.version)},
                  {"incumbent", std::to_string(status.incumbent)}},
                 uint64_t{status.running});
  }
  const auto each = [&](const char* name, const char* help, auto value) {
    text->Begin(name, MetricKind::kCounter, help);
    for (const ShadowStatus& status : statuses) {
      text->Sample({{"task", TaskName(status.task)}}, value(status.counts));
    }
  };
  each("rebound_shadow_compared_total", "Texts that incumbent and candidate both answered.",
       [](const ShadowCounts& counts) { return counts.compared; });
  each("rebound_shadow_agreed_total", "Texts for which users would have got the same label.",
       [](const ShadowCounts& counts) { return counts.agreed(); });
  each("rebound_shadow_model_disagreements_total",
       "Texts of which the models alone say another label.",
       [](const ShadowCounts& counts) { return counts.model_disagreed; });
  each("rebound_shadow_candidate_seconds_total", "Processor time of the candidate.",
       [](const ShadowCounts& counts) { return counts.candidate_seconds; });
  text->Begin("rebound_shadow_disagreements_total", MetricKind::kCounter,
              "Texts for which users would have got another label; pairs that came up.");
  for (const ShadowStatus& status : statuses) {
    const auto labels = TaskLabels(status.task);
    for (const auto& [pair, of] : status.counts.by_labels) {
      text->Sample({{"task", TaskName(status.task)},
                    {"incumbent", labels[pair.first]},
                    {"candidate", labels[pair.second]}},
                   of.texts);
    }
  }
  text->Begin("rebound_shadow_disagreement_probability_total", MetricKind::kCounter,
              "How sure both were where they disagreed, added up.");
  for (const ShadowStatus& status : statuses) {
    const std::string_view task = TaskName(status.task);
    text->Sample({{"task", task}, {"of", "incumbent"}}, status.counts.IncumbentProbability());
    text->Sample({{"task", task}, {"of", "candidate"}}, status.counts.CandidateProbability());
  }
  text->Begin("rebound_shadow_reviews_total", MetricKind::kCounter,
              "Disagreements by what became of them as proposals for review.");
  for (const ShadowStatus& status : statuses) {
    const std::string_view task = TaskName(status.task);
    const ShadowCounts& counts = status.counts;
    text->Sample({{"task", task}, {"outcome", "sent"}}, counts.sent);
    text->Sample({{"task", task}, {"outcome", "repeated"}}, counts.repeated);
    text->Sample({{"task", task}, {"outcome", "over_rate"}}, counts.over_rate);
    text->Sample({{"task", task}, {"outcome", "refused"}}, counts.refused);
  }
  text->Counter("rebound_shadow_dropped_total",
                "Texts that were not compared because others waited.", dropped);
}

}  // namespace rebound
