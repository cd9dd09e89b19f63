#include "serve/model_status.h"

#include "base/error.h"
#include "serve/shadow_report.h"

namespace rebound {
namespace {

std::string_view OutcomeName(TaskStatus::Outcome outcome) {
  switch (outcome) {
    case TaskStatus::Outcome::kLoaded:
      return "loaded";
    case TaskStatus::Outcome::kFailed:
      return "failed";
    case TaskStatus::Outcome::kNone:
      break;
  }
  return "none";
}

void WriteTraining(const BundleConfig& config, JsonWriter* writer) {
  JsonWriter& w = *writer;
  w.Key("snapshot").StartObject().Key("id").Int(config.snapshot_id);
  w.Key("digest").String(config.snapshot_digest).EndObject();
  w.Key("training_samples").Int(config.training_samples);
  w.Key("validation_accuracy").Double(config.validation_accuracy);
}

void WriteVersions(const BundleStore& store, Task task, JsonWriter* writer) {
  std::vector<int> versions;
  try {
    versions = store.Versions(task);
  } catch (const Error&) {
    return;  // `error` of the task tells that the folder cannot be read
  }
  writer->Key("versions").StartArray();
  for (const int version : versions) writer->Int(version);
  writer->EndArray();
}

void WriteReload(const TaskStatus& status, JsonWriter* writer) {
  JsonWriter& w = *writer;
  w.Key("last_reload").StartObject().Key("outcome").String(OutcomeName(status.last_outcome));
  if (status.last_outcome != TaskStatus::Outcome::kNone) {
    w.Key("version").Int(status.last_version).Key("at").String(status.last_at);
  }
  if (!status.last_error.empty()) w.Key("error").String(status.last_error);
  w.EndObject();
}

void WriteShadowOf(Task task, const std::vector<ShadowStatus>& shadows, double sample,
                   JsonWriter* writer) {
  for (const ShadowStatus& shadow : shadows) {
    if (shadow.task != task) continue;
    writer->Key("shadow").StartObject();
    WriteShadow(shadow, sample, false, writer);
    writer->EndObject();
  }
}

// `store` and `shadow`: null for the short form.
std::string Write(const std::vector<TaskStatus>& statuses, const BundleStore* store,
                  const std::optional<RegistryStatus>& registry, const Shadow* shadow) {
  std::vector<ShadowStatus> shadows;
  if (shadow != nullptr) shadows = shadow->Statuses();
  std::string json;
  JsonWriter w(&json);
  w.StartArray();
  for (const TaskStatus& status : statuses) {
    w.StartObject().Key("task").String(TaskName(status.task));
    w.Key("serving").Bool(status.serving != nullptr);
    if (status.serving != nullptr) {
      const BundleConfig& config = status.serving->config();
      w.Key("version").Int(config.version).Key("hash").String(status.serving->hash());
      w.Key("trained_at").String(config.trained_at);
      if (store != nullptr) WriteTraining(config, &w);
    }
    if (store != nullptr) {
      WriteVersions(*store, status.task, &w);
      WriteReload(status, &w);
    }
    if (const RegistryTask* task = registry ? registry->Find(status.task) : nullptr) {
      w.Key("registry");
      WriteRegistryTask(*registry, *task, &w);
    }
    if (shadow != nullptr) WriteShadowOf(status.task, shadows, shadow->sample(), &w);
    if (!status.problem.empty()) w.Key("error").String(status.problem);
    w.EndObject();
  }
  w.EndArray();
  return json;
}

}  // namespace

std::string ModelsJson(const std::vector<TaskStatus>& statuses) {
  return Write(statuses, nullptr, std::nullopt, nullptr);
}

std::string ModelsJson(const std::vector<TaskStatus>& statuses, const BundleStore& store,
                       const std::optional<RegistryStatus>& registry, const Shadow* shadow) {
  return Write(statuses, &store, registry, shadow);
}

}  // namespace rebound
