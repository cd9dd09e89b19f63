// What parts of the server tell Prometheus of themselves when a page is made. Thread-safe.
#pragma once

#include <string_view>
#include <vector>

#include "engine/overrides/overrides.h"
#include "engine/text_rules.h"
#include "serve/cache.h"
#include "serve/door/door.h"
#include "serve/metrics_text.h"
#include "serve/reload.h"

namespace rebound {

void WriteCacheMetrics(const Cache& cache, MetricsText* text);
void WriteModelMetrics(const std::vector<TaskStatus>& statuses, MetricsText* text);
// By kind and list; a rule's text is never a label. Nothing of a part that is not there.
void WriteRuleMetrics(const Overrides* overrides, const TextRuleFile& text_rules,
                      MetricsText* text);
void WriteDoorMetrics(const DoorStats& stats, MetricsText* text);

void WriteBuildMetrics(std::string_view version, MetricsText* text);
// The process, by the names that all exporters use. Linux's /proc; what it does not tell is left
// out.
void WriteProcessMetrics(MetricsText* text);

}  // namespace rebound
