#include "engine/explain_json.h"

#include "base/text.h"

namespace rebound {

void WriteExplained(Task task, std::string_view text, size_t offset,
                    std::span<const ExplainedSpan> spans, JsonWriter* writer) {
  JsonWriter& w = *writer;
  w.Key(TaskKey(task)).StartArray();
  for (const ExplainedSpan& span : spans) {
    w.StartObject();
    w.Key("begin").Uint(offset + span.begin);
    w.Key("end").Uint(offset + span.end);
    w.Key("text").String(RepairUtf8(text.substr(span.begin, span.end - span.begin)));
    if (span.weight) w.Key("weight").Float(*span.weight);
    w.EndObject();
  }
  w.EndArray();
}

}  // namespace rebound
