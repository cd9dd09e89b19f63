#include "models/bundle.h"

#include <cmath>
#include <limits>
#include <set>

#include "base/error.h"
#include "base/json.h"

namespace rebound {
namespace {

[[noreturn]] void ThrowConfig(const std::string& what) {
  throw Error(ErrorCode::kCorrupt, "config.json: " + what);
}

void WriteStrings(JsonWriter& json, std::string_view key,
                  const std::map<std::string, std::string>& strings) {
  json.Key(key).Object([&](JsonWriter& object) {
    for (const auto& [name, value] : strings) object.Key(name).String(value);
  });
}

std::map<std::string, std::string> ReadStrings(const JsonValue& object, std::string_view key) {
  const JsonValue& value = GetJson(object, key);
  if (!value.IsObject()) ThrowConfig("key '" + std::string(key) + "' is no object");
  std::map<std::string, std::string> strings;
  for (const auto& member : value.GetObject()) {
    if (!member.value.IsString()) {
      ThrowConfig("key '" + std::string(key) + "' holds a value that is no string");
    }
    strings.emplace(JsonText(member.name), JsonText(member.value));
  }
  return strings;
}

int ReadSmallInt(const JsonValue& object, std::string_view key) {
  const int64_t value = GetJsonInt(object, key);
  if (value < 0 || value > std::numeric_limits<int>::max()) {
    ThrowConfig("key '" + std::string(key) + "' is " + std::to_string(value) +
                ", expected a count");
  }
  return static_cast<int>(value);
}

std::vector<std::string> ReadLabels(const JsonValue& object, Task task) {
  std::vector<std::string> labels = GetJsonStrings(object, "labels");
  if (labels.empty()) ThrowConfig("key 'labels' is empty");
  std::set<std::string_view> seen;
  for (const std::string& label : labels) {
    if (!FindLabel(task, label)) {
      ThrowConfig("task " + std::string(TaskName(task)) + " has no label '" + label + "'");
    }
    if (!seen.insert(label).second) ThrowConfig("label '" + label + "' stands there twice");
  }
  return labels;
}

std::vector<int32_t> ReadOutputs(const JsonValue& object, size_t labels) {
  const JsonValue& value = GetJson(object, "outputs");
  if (!value.IsArray()) ThrowConfig("key 'outputs' is no array");
  std::vector<int32_t> outputs;
  std::set<int32_t> seen;
  for (const JsonValue& output : value.GetArray()) {
    if (!output.IsInt() || output.GetInt() < 0 || static_cast<size_t>(output.GetInt()) >= labels) {
      ThrowConfig("key 'outputs' holds what is no position in 'labels'");
    }
    outputs.push_back(output.GetInt());
    seen.insert(output.GetInt());
  }
  if (seen.size() != labels) ThrowConfig("key 'outputs' leaves a label without an output");
  return outputs;
}

BundleConfig ReadConfig(const JsonValue& json) {
  BundleConfig config;
  config.format_version = ReadSmallInt(json, "format_version");
  if (config.format_version < 1 || config.format_version > kBundleFormat) {
    ThrowConfig("format " + std::to_string(config.format_version) +
                " is unknown to this program, which reads formats 1 to " +
                std::to_string(kBundleFormat));
  }
  const std::string_view task_name = GetJsonString(json, "task");
  const std::optional<Task> task = ParseTask(task_name);
  if (!task) ThrowConfig("unknown task '" + std::string(task_name) + "'");
  config.task = *task;
  config.version = ReadSmallInt(json, "version");
  config.labels = ReadLabels(json, *task);
  if (config.format_version > 1) config.outputs = ReadOutputs(json, config.labels.size());
  config.network = GetJsonString(json, "network");
  const JsonValue& sizes = GetJson(json, "sizes");
  if (!sizes.IsObject()) ThrowConfig("key 'sizes' is no object");
  for (const auto& member : sizes.GetObject()) {
    config.sizes.emplace(JsonText(member.name), GetJsonInt(sizes, JsonText(member.name)));
  }
  config.normaliser_version = ReadSmallInt(json, "normaliser_version");
  config.temperature = GetJsonDouble(json, "temperature");
  if (!(config.temperature > 0.0) || !std::isfinite(config.temperature)) {
    ThrowConfig("key 'temperature' is " + std::to_string(config.temperature) +
                ", expected a number above 0");
  }
  config.fallback_threshold = GetJsonDouble(json, "fallback_threshold");
  if (!(config.fallback_threshold >= 0.0 && config.fallback_threshold <= 1.0)) {
    ThrowConfig("key 'fallback_threshold' is " + std::to_string(config.fallback_threshold) +
                ", expected 0 to 1");
  }
  config.snapshot_id = GetJsonInt(json, "snapshot_id");
  config.snapshot_digest = GetJsonString(json, "snapshot_digest");
  const JsonValue& seed = GetJson(json, "seed");
  if (!seed.IsUint64()) ThrowConfig("key 'seed' is no unsigned integer");
  config.seed = seed.GetUint64();
  config.environment = ReadStrings(json, "environment");
  if (FindJson(json, "training") != nullptr) config.training = ReadStrings(json, "training");
  config.code_version = GetJsonString(json, "code_version");
  config.trained_at = GetJsonString(json, "trained_at");
  config.training_samples = GetJsonInt(json, "training_samples");
  config.validation_accuracy = GetJsonDouble(json, "validation_accuracy");
  config.sha256 = ReadStrings(json, "sha256");
  return config;
}

}  // namespace

std::string WriteBundleConfig(const BundleConfig& config) {
  std::string out;
  {
    JsonWriter json(&out, /*pretty=*/true);
    json.StartObject();
    json.Key("format_version").Int(config.format_version);
    json.Key("task").String(TaskName(config.task));
    json.Key("version").Int(config.version);
    json.Key("labels").Array([&](JsonWriter& labels) {
      for (const std::string& label : config.labels) labels.String(label);
    });
    if (config.format_version > 1) {
      json.Key("outputs").Array([&](JsonWriter& outputs) {
        for (size_t i = 0; i < CountOutputs(config); ++i) {
          outputs.Int(config.outputs.empty() ? static_cast<int64_t>(i) : config.outputs[i]);
        }
      });
    }
    json.Key("network").String(config.network);
    json.Key("sizes").Object([&](JsonWriter& sizes) {
      for (const auto& [name, size] : config.sizes) sizes.Key(name).Int(size);
    });
    json.Key("normaliser_version").Int(config.normaliser_version);
    json.Key("temperature").Double(config.temperature);
    json.Key("fallback_threshold").Double(config.fallback_threshold);
    json.Key("snapshot_id").Int(config.snapshot_id);
    json.Key("snapshot_digest").String(config.snapshot_digest);
    json.Key("seed").Uint(config.seed);
    WriteStrings(json, "environment", config.environment);
    if (!config.training.empty()) WriteStrings(json, "training", config.training);
    json.Key("code_version").String(config.code_version);
    json.Key("trained_at").String(config.trained_at);
    json.Key("training_samples").Int(config.training_samples);
    json.Key("validation_accuracy").Double(config.validation_accuracy);
    WriteStrings(json, "sha256", config.sha256);
    json.EndObject();
  }
  out += '\n';
  return out;
}

BundleConfig ParseBundleConfig(std::string_view json) {
  try {
    return ReadConfig(ParseJson(json));
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kCorrupt) throw;
    ThrowConfig(error.what());
  }
}

std::string WriteGoldens(const std::vector<Golden>& goldens) {
  std::string out;
  for (const Golden& golden : goldens) {
    JsonWriter(&out).Object([&](JsonWriter& json) {
      json.Key("text").String(golden.text);
      json.Key("class").String(golden.label);
      json.Key("probability").Float(golden.probability);
    });
    out += '\n';
  }
  return out;
}

std::vector<Golden> ParseGoldens(std::string_view jsonl) {
  std::vector<Golden> goldens;
  size_t line = 0;
  while (!jsonl.empty()) {
    ++line;
    const size_t end = std::min(jsonl.find('\n'), jsonl.size());
    const std::string_view text = jsonl.substr(0, end);
    jsonl.remove_prefix(std::min(end + 1, jsonl.size()));
    if (text.empty()) continue;
    try {
      const JsonDocument json = ParseJson(text);
      Golden golden;
      golden.text = GetJsonString(json, "text");
      golden.label = GetJsonString(json, "class");
      golden.probability = static_cast<float>(GetJsonDouble(json, "probability"));
      goldens.push_back(std::move(golden));
    } catch (const Error& error) {
      throw Error(ErrorCode::kCorrupt,
                  "golden.jsonl: line " + std::to_string(line) + ": " + error.what());
    }
  }
  return goldens;
}

}  // namespace rebound
