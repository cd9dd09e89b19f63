#include "serve/metrics_sources.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <string>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"

namespace rebound {
namespace {

uint64_t Unsigned(int64_t count) { return static_cast<uint64_t>(std::max<int64_t>(count, 0)); }

double UnixSeconds(std::chrono::system_clock::time_point time) {
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

// The fields of /proc/self/stat behind the program's name, which may hold spaces; the first is the
// third of proc(5). Empty where there is none.
std::vector<std::string> StatFields() {
  std::string stat;
  try {
    stat = ReadFile("/proc/self/stat");
  } catch (const Error&) {
    return {};
  }
  const size_t end = stat.rfind(')');
  if (end == std::string::npos) return {};
  std::vector<std::string> fields;
  for (const std::string_view field : Split(Trim(std::string_view(stat).substr(end + 1)), ' ')) {
    fields.emplace_back(field);
  }
  return fields;
}

}  // namespace

void WriteCacheMetrics(const Cache& cache, MetricsText* text) {
  const CacheStats stats = cache.Stats();
  text->Counter("rebound_cache_hits_total", "Texts whose prediction stood in the cache.",
                stats.hits);
  text->Counter("rebound_cache_misses_total", "Texts whose prediction had to be made.",
                stats.misses);
  text->Counter("rebound_cache_evictions_total", "Entries that made room for others.",
                stats.evictions);
  text->Gauge("rebound_cache_entries", "Predictions in the cache.",
              static_cast<double>(stats.elements));
  text->Gauge("rebound_cache_bytes", "Memory that the cache takes.",
              static_cast<double>(stats.bytes));
  text->Gauge("rebound_cache_max_bytes", "Memory that the cache may take (--cache-size).",
              cache.enabled() ? static_cast<double>(cache.max_bytes()) : 0);
}

void WriteModelMetrics(const std::vector<TaskStatus>& statuses, MetricsText* text) {
  text->Begin("rebound_model_info", MetricKind::kGauge, "1 for the model that serves a task.");
  for (const TaskStatus& status : statuses) {
    if (status.serving == nullptr) continue;
    text->Sample({{"task", TaskName(status.task)},
                  {"version", std::to_string(status.serving->config().version)},
                  {"hash", status.serving->hash()}},
                 uint64_t{1});
  }
  text->Begin("rebound_model_serving", MetricKind::kGauge,
              "1 where the task has a model, 0 where it has none and the server is not ready.");
  for (const TaskStatus& status : statuses) {
    text->Sample({{"task", TaskName(status.task)}}, uint64_t{status.serving != nullptr});
  }
  text->Begin("rebound_model_stale", MetricKind::kGauge,
              "1 where what serves is not what CURRENT names; /v3/models tells why.");
  for (const TaskStatus& status : statuses) {
    text->Sample({{"task", TaskName(status.task)}}, uint64_t{!status.problem.empty()});
  }
  text->Begin("rebound_model_reloads_total", MetricKind::kCounter,
              "Bundles that were loaded, and that were refused.");
  for (const TaskStatus& status : statuses) {
    text->Sample({{"task", TaskName(status.task)}, {"outcome", "loaded"}}, status.loads);
    text->Sample({{"task", TaskName(status.task)}, {"outcome", "failed"}}, status.failures);
  }
}

void WriteRuleMetrics(const Overrides* overrides, const TextRuleFile& text_rules,
                      MetricsText* text) {
  if (overrides != nullptr) {
    const std::vector<OverrideListStatus> lists = overrides->Status();
    const auto sample = [&](const OverrideListStatus& list, uint64_t value) {
      text->Sample(
          {{"kind", BounceKindName(list.kind)}, {"list", list.is_user ? "user" : "system"}}, value);
    };
    text->Begin("rebound_override_hits_total", MetricKind::kCounter,
                "Texts that a rule of the list decided.");
    for (const OverrideListStatus& list : lists) sample(list, list.hits);
    text->Begin("rebound_override_rules", MetricKind::kGauge, "Rules of the list in force.");
    for (const OverrideListStatus& list : lists) sample(list, list.rules);
    text->Begin("rebound_override_stale", MetricKind::kGauge,
                "1 where the list could not be read the last time; /v3/overrides tells why.");
    for (const OverrideListStatus& list : lists) sample(list, !list.last_error.empty());
    text->Begin("rebound_override_bad_lines", MetricKind::kGauge,
                "Lines of the list that are no rules and are left out.");
    for (const OverrideListStatus& list : lists) sample(list, list.bad_count);
  }
  const TextRuleFile::Status status = text_rules.GetStatus();
  if (status.file.empty()) return;
  text->Gauge("rebound_text_rules", "Rules of --text-rules in force.",
              static_cast<double>(status.rules));
  text->Gauge("rebound_text_rules_stale",
              "1 where --text-rules could not be read the last time; /v3/overrides tells why.",
              status.last_error.empty() ? 0 : 1);
}

void WriteDoorMetrics(const DoorStats& stats, MetricsText* text) {
  text->Gauge("rebound_open_connections", "Connections of clients.",
              static_cast<double>(stats.open_connections));
  text->Gauge("rebound_requests_in_flight", "Requests that arrive or are answered.",
              static_cast<double>(stats.in_flight));
  text->Gauge("rebound_buffered_bytes", "Bytes of requests and answers that are held.",
              static_cast<double>(stats.buffered_bytes));
  text->Gauge("rebound_wait_seconds", "How long bytes that come now wait for a worker.",
              std::chrono::duration<double>(stats.wait).count());
  text->Counter("rebound_shed_requests_total", "Requests answered 503 for load.",
                Unsigned(stats.shed));
  text->Counter("rebound_refused_requests_total",
                "Requests that were bad, late or too large HTTP, and connections too many.",
                Unsigned(stats.refused));
  text->Counter("rebound_tls_handshakes_total", "TLS handshakes that were done.",
                Unsigned(stats.tls_handshakes));
  text->Counter("rebound_tls_handshake_failures_total", "TLS handshakes that failed.",
                Unsigned(stats.tls_failures));
  if (stats.certificate_ends) {
    text->Gauge("rebound_tls_certificate_expiry_timestamp_seconds",
                "When the server's certificate ends.", UnixSeconds(*stats.certificate_ends));
  }
}

void WriteBuildMetrics(std::string_view version, MetricsText* text) {
  text->Begin("rebound_build_info", MetricKind::kGauge, "1, labelled with the server's version.");
  text->Sample({{"version", version}}, uint64_t{1});
}

void WriteProcessMetrics(MetricsText* text) {
  // Positions in proc(5) less three.
  constexpr size_t kUserTicks = 11;
  constexpr size_t kSystemTicks = 12;
  constexpr size_t kThreads = 17;
  constexpr size_t kStartTicks = 19;
  constexpr size_t kVirtualBytes = 20;
  constexpr size_t kResidentPages = 21;
  const std::vector<std::string> fields = StatFields();
  const auto ticks_per_second = static_cast<double>(sysconf(_SC_CLK_TCK));
  const auto number = [&](size_t field) { return std::stod(fields[field]); };
  if (fields.size() > kResidentPages) {
    text->Begin("process_cpu_seconds_total", MetricKind::kCounter,
                "Processor time, of the user and the system.");
    text->Sample({}, (number(kUserTicks) + number(kSystemTicks)) / ticks_per_second);
    text->Gauge("process_resident_memory_bytes", "Memory in RAM.",
                number(kResidentPages) * static_cast<double>(sysconf(_SC_PAGESIZE)));
    text->Gauge("process_virtual_memory_bytes", "Address space.", number(kVirtualBytes));
    text->Gauge("process_threads", "Threads.", number(kThreads));
    timespec boot{};
    timespec now{};
    if (clock_gettime(CLOCK_BOOTTIME, &boot) == 0 && clock_gettime(CLOCK_REALTIME, &now) == 0) {
      const auto seconds = [](const timespec& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
      };
      const double age = seconds(boot) - number(kStartTicks) / ticks_per_second;
      text->Gauge("process_start_time_seconds", "When the process began, since 1970.",
                  seconds(now) - age);
      text->Gauge("rebound_uptime_seconds", "Since the process began.", age);
    }
  }
  std::error_code error;
  std::filesystem::directory_iterator open_files("/proc/self/fd", error);
  if (!error) {
    const auto count = std::distance(begin(open_files), std::filesystem::directory_iterator());
    text->Gauge("process_open_fds", "Open file descriptors.", static_cast<double>(count));
  }
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    text->Gauge("process_max_fds", "File descriptors that may be open.",
                static_cast<double>(limit.rlim_cur));
  }
}

}  // namespace rebound
