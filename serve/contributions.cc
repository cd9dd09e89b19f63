#include "serve/contributions.h"

namespace rebound {

void Contributions::WriteMetrics(MetricsText* text) const {
  counters.WriteMetrics(text);
  text->Gauge("rebound_spool_depth", "Requests that wait in the spool for the label store.",
              static_cast<double>(spool.waiting()));
  text->Gauge("rebound_spool_bytes", "What the spool holds, refused requests counted.",
              static_cast<double>(spool.bytes()));
  text->Gauge("rebound_spool_dead", "Spooled requests that the label store refused for good.",
              static_cast<double>(spool.dead()));
}

}  // namespace rebound
