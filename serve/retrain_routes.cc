#include "serve/retrain_routes.h"

#include <array>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "models/task.h"
#include "serve/problem.h"
#include "serve/texts.h"

namespace rebound {
namespace {

[[noreturn]] void Refuse(int status, std::string_view detail) {
  throw Refusal{MakeProblem(status, detail)};
}

// The words of the body for rebound-train. All may be left out, and so may the body.
std::vector<std::string> ArgumentsOf(const Request& request) {
  std::vector<std::string> arguments;
  std::string task = "all";
  if (!request.body.empty()) {
    const JsonDocument body = ReadObject(request);
    const auto word = [&](std::string_view key, std::span<const std::string_view> known,
                          std::string* value) {
      const JsonValue* given = FindPresent(body, key);
      if (given == nullptr) return false;
      if (given->IsString()) {
        for (const std::string_view one : known) {
          if (one != JsonText(*given)) continue;
          *value = one;
          return true;
        }
      }
      Refuse(422, "'" + std::string(key) + "' has no such value");
    };
    constexpr std::array<std::string_view, 4> kTaskWords = {"all", "bnac", "backoff", "action"};
    constexpr std::array<std::string_view, 3> kPromote = {"auto", "always", "never"};
    word("task", kTaskWords, &task);
    std::string promote;
    if (word("promote", kPromote, &promote)) {
      arguments.insert(arguments.end(), {"--promote", promote});
    }
    if (const JsonValue* seed = FindPresent(body, "seed"); seed != nullptr) {
      if (!seed->IsUint64()) Refuse(422, "'seed' is not a whole number");
      arguments.insert(arguments.end(), {"--seed", std::to_string(seed->GetUint64())});
    }
  }
  arguments.insert(arguments.end(), {"--task", task});
  return arguments;
}

void WriteText(std::string_view key, const std::string& value, JsonWriter* writer) {
  writer->Key(key);
  if (value.empty()) {
    writer->Null();
  } else {
    writer->String(value);
  }
}

}  // namespace

void RetrainRoutes::AddTo(Router* router) const {
  router->Add({kPost, "/admin/api/retrain", Scope::kAdmin,
               [this](const Call& call) { return Retrain(call); }, true});
  router->Add({kGet, "/admin/api/retrain/status", Scope::kAdmin,
               [this](const Call&) { return Status(); }, true});
}

Trainer& RetrainRoutes::TrainerOrRefuse() const {
  if (trainer_ == nullptr) {
    Refuse(503, "this server has no label store to train from; it was started without --store");
  }
  return *trainer_;
}

Response RetrainRoutes::Retrain(const Call& call) const {
  Trainer& trainer = TrainerOrRefuse();
  const std::vector<std::string> arguments = ArgumentsOf(call.request);
  try {
    if (!trainer.Start(arguments)) Refuse(409, "Retrain already in progress");
  } catch (const Error& e) {
    Log(LogLevel::kError, "retraining was not started",
        {{"request_id", std::string(call.request_id)}, {"cause", e.what()}});
    Refuse(503,
           "the training run could not be started; the log tells more under this request's id");
  }
  Log(LogLevel::kInfo, "retraining started",
      {{"request_id", std::string(call.request_id)}, {"by", call.caller.name}});
  Response response;
  JsonWriter(&response.body).Object([](JsonWriter& w) {
    w.Key("ok").Bool(true).Key("message").String("Retrain started");
  });
  return response;
}

Response RetrainRoutes::Status() const {
  const TrainerStatus status = TrainerOrRefuse().Status();
  Response response;
  JsonWriter(&response.body).Object([&](JsonWriter& w) {
    w.Key("running").Bool(status.running);
    w.Key("progress");
    if (status.running && !status.last_event.empty()) {
      w.Raw(status.last_event);
    } else {
      w.Null();
    }
    w.Key("lastLog").String(status.log_tail);
    w.Key("lastRun");
    if (status.started_at.empty()) {
      w.Null();
      return;
    }
    w.StartObject();
    WriteText("startedAt", status.started_at, &w);
    WriteText("endedAt", status.ended_at, &w);
    WriteText("outcome", status.outcome, &w);
    w.Key("exitCode");
    if (status.exit_code) {
      w.Int(*status.exit_code);
    } else {
      w.Null();
    }
    w.EndObject();
  });
  return response;
}

}  // namespace rebound
