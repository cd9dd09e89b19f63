#include "base/json.h"
#include "evaluation/report.h"

namespace rebound {
namespace {

void WriteInterval(std::string_view key, const Interval& interval, JsonWriter& w) {
  w.Key(key).Array([&](JsonWriter& a) { a.Double(interval.low).Double(interval.high); });
}

void WriteSlices(std::string_view key, const std::vector<Slice>& slices, JsonWriter& w) {
  w.Key(key).Array([&](JsonWriter& a) {
    for (const Slice& slice : slices) {
      a.Object([&](JsonWriter& o) {
        o.Key("name").String(slice.name);
        o.Key("rows").Int(slice.rows);
        o.Key("right").Int(slice.right);
        WriteInterval("interval", WilsonInterval(slice.right, slice.rows), o);
      });
    }
  });
}

void WriteTask(const TaskReport& task, JsonWriter& w) {
  w.Key("bundle").Object([&](JsonWriter& o) {
    for (const auto& [name, value] : task.facts) o.Key(name).String(value);
  });
  w.Key("by_status_code").Int(task.by_status_code);
  w.Key("sure").Raw(WriteScorecard(task.sure));
  w.Key("intervals").Object([&](JsonWriter& o) {
    WriteInterval("accuracy", task.intervals.accuracy, o);
    WriteInterval("macro_recall", task.intervals.macro_recall, o);
    WriteInterval("macro_f1", task.intervals.macro_f1, o);
    WriteInterval("ece", task.intervals.ece, o);
  });
  w.Key("all").Raw(WriteScorecard(task.all));
  w.Key("baselines").Array([&](JsonWriter& a) {
    for (const Baseline& baseline : task.baselines) {
      a.Object([&](JsonWriter& o) {
        o.Key("name").String(baseline.name);
        o.Key("accuracy").Double(baseline.accuracy);
        o.Key("macro_f1").Double(baseline.macro_f1);
        o.Key("macro_recall").Double(baseline.macro_recall);
      });
    }
  });
  if (task.run.rows > 0) w.Key("training_run").Raw(WriteScorecard(task.run));
  WriteSlices("sources", task.sources, w);
  WriteSlices("languages", task.languages, w);
  w.Key("mistakes").Array([&](JsonWriter& a) {
    for (const Mistake& mistake : task.mistakes) {
      a.Object([&](JsonWriter& o) {
        o.Key("id").String(mistake.id);
        o.Key("accepted").String(mistake.accepted);
        o.Key("predicted").String(task.sure.classes[mistake.predicted].label);
        o.Key("probability").Float(mistake.probability);
        o.Key("text").String(mistake.text);
      });
    }
  });
}

}  // namespace

std::string WriteJsonReport(const Report& report) {
  std::string out;
  JsonWriter(&out).Object([&](JsonWriter& w) {
    w.Key("data").Object([&](JsonWriter& o) {
      o.Key("file").String(report.data);
      o.Key("sha256").String(report.data_sha256);
      o.Key("rows").Int(report.rows);
      o.Key("sure_rows").Int(report.sure_rows);
    });
    w.Key("tasks").Object([&](JsonWriter& o) {
      for (const TaskReport& task : report.tasks) {
        o.Key(task.task).Object([&](JsonWriter& t) { WriteTask(task, t); });
      }
    });
    if (!report.suppress) return;
    w.Key("suppress").Object([&](JsonWriter& o) { WriteSuppressJson(*report.suppress, o); });
  });
  return out + "\n";
}

}  // namespace rebound
