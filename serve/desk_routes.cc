#include "serve/desk_routes.h"

#include <algorithm>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "serve/prediction.h"
#include "serve/problem.h"
#include "serve/proposal_views.h"
#include "serve/texts.h"

namespace rebound {
namespace {

constexpr size_t kMostUndoneShown = 1000;
constexpr int64_t kMostReviewers = 20;

[[noreturn]] void Refuse(int status, std::string_view detail) {
  throw Refusal{MakeProblem(status, detail)};
}

Response WriteSettings(ReviewDesk& desk) {
  Response response;
  JsonWriter(&response.body).Object([&](JsonWriter& w) { w.Key("overlap").Uint(desk.Overlap()); });
  return response;
}

int64_t ReadOverlap(const Call& call) {
  const JsonDocument body = ReadObject(call.request);
  const JsonValue* given = FindPresent(body, "overlap");
  if (given == nullptr) Refuse(422, "key 'overlap' is missing");
  if (!given->IsInt64() || given->GetInt64() < 1 || given->GetInt64() > kMostReviewers) {
    Refuse(422, "'overlap' is a whole number of 1 to " + std::to_string(kMostReviewers) +
                    ": so many reviewers must agree");
  }
  return given->GetInt64();
}

void WriteAgreement(const TaskAgreement& agreement, JsonWriter& w) {
  w.StartObject().Key("task").String(TaskKey(agreement.task));
  w.Key("proposals").Int(agreement.proposals).Key("reviewers").Int(agreement.reviewers);
  if (agreement.cohen) w.Key("cohen").Double(*agreement.cohen);
  if (agreement.fleiss) w.Key("fleiss").Double(*agreement.fleiss);
  w.EndObject();
}

void WriteContributor(const ContributorRecord& record, JsonWriter& w) {
  w.StartObject().Key("name").String(record.name).Key("weight").Double(record.weight);
  w.Key("agreed").Int(record.agreed).Key("disagreed").Int(record.disagreed);
  w.Key("proposals").StartObject();
  for (const auto& [status, count] : record.proposals) w.Key(status).Int(count);
  w.EndObject();
  if (!record.held_reason.empty()) w.Key("held_reason").String(record.held_reason);
  w.EndObject();
}

void WriteHit(const QuarantineHit& hit, JsonWriter& w) {
  w.StartObject().Key("id").Int(hit.id).Key("contributor").String(hit.contributor);
  w.Key("rule").String(hit.rule).Key("detail").String(hit.detail);
  w.Key("proposals").Int(hit.proposals).Key("hit_at").String(hit.hit_at);
  if (!hit.released_at.empty()) {
    w.Key("released_at").String(hit.released_at).Key("released_by").String(hit.released_by);
  }
  w.EndObject();
}

}  // namespace

void DeskRoutes::AddTo(Router* router) const {
  const bool slow = contributions_ != nullptr;
  const auto add = [&](std::string_view method, std::string_view path, auto answer) {
    router->Add({method, path, Scope::kAdmin,
                 [this, answer](const Call& call) {
                   StoreOrRefuse(contributions_);
                   CheckQuery(call.target, {});
                   return (this->*answer)(call);
                 },
                 slow, Lane::kReview});
  };
  add(kGet, "/admin/api/proposals/{id}/history", &DeskRoutes::History);
  add(kPost, "/admin/api/proposals/undo", &DeskRoutes::Undo);
  add(kGet, "/admin/api/agreement", &DeskRoutes::Agreement);
  add(kGet, "/admin/api/settings", &DeskRoutes::Settings);
  add(kPatch, "/admin/api/settings", &DeskRoutes::ChangeSettings);
  add(kGet, "/admin/api/contributors", &DeskRoutes::Contributors);
  add(kGet, "/admin/api/quarantine", &DeskRoutes::Quarantine);
  add(kPost, "/admin/api/contributors/{name}/release", &DeskRoutes::Release);
}

Response DeskRoutes::History(const Call& call) const {
  const int64_t id = ReadId(call, "proposal");
  return AskStore(contributions_, call, [&](StorePool::Lease& session) {
    const std::vector<HistoryEntry> history = session->desk().History(id);
    Response response;
    JsonWriter(&response.body).Object([&](JsonWriter& w) {
      w.Key("history").StartArray();
      for (const HistoryEntry& entry : history) {
        w.StartObject().Key("at").String(entry.at).Key("actor").String(entry.actor);
        w.Key("entity").String(entry.entity).Key("action").String(entry.action);
        if (!entry.before.empty()) w.Key("before").Raw(entry.before);
        if (!entry.after.empty()) w.Key("after").Raw(entry.after);
        w.EndObject();
      }
      w.EndArray();
    });
    return response;
  });
}

Response DeskRoutes::Undo(const Call& call) const {
  CheckEmptyBody(call);
  return AskStore(contributions_, call, [&](StorePool::Lease& session) {
    const ReviewResult result = session->desk().Undo(NameOf(call.caller));
    Response response;
    JsonWriter(&response.body).Object([&](JsonWriter& w) {
      w.Key("ok").Bool(true);
      if (result.batch != 0) w.Key("batch").Int(result.batch);
      w.Key("updated").Int(result.changed);
      if (result.batch == 0) return;
      w.Key("proposals").StartArray();
      const size_t shown = std::min(result.proposals.size(), kMostUndoneShown);
      for (size_t i = 0; i < shown; ++i) WriteProposalView(result.proposals[i], true, &w);
      w.EndArray();
    });
    return response;
  });
}

Response DeskRoutes::Agreement(const Call& call) const {
  return AskStore(contributions_, call, [&](StorePool::Lease& session) {
    ReviewDesk& desk = session->desk();
    const size_t overlap = desk.Overlap();
    const std::vector<TaskAgreement> agreements = desk.Agreement();
    Response response;
    JsonWriter(&response.body).Object([&](JsonWriter& w) {
      w.Key("overlap").Uint(overlap).Key("agreement").StartArray();
      for (const TaskAgreement& agreement : agreements) WriteAgreement(agreement, w);
      w.EndArray();
    });
    return response;
  });
}

Response DeskRoutes::Settings(const Call& call) const {
  return AskStore(contributions_, call,
                  [](StorePool::Lease& session) { return WriteSettings(session->desk()); });
}

Response DeskRoutes::ChangeSettings(const Call& call) const {
  const int64_t overlap = ReadOverlap(call);
  return AskStore(contributions_, call, [&](StorePool::Lease& session) {
    session->desk().SetOverlap(static_cast<size_t>(overlap), NameOf(call.caller));
    return WriteSettings(session->desk());
  });
}

Response DeskRoutes::Contributors(const Call& call) const {
  return AskStore(contributions_, call, [&](StorePool::Lease& session) {
    const std::vector<ContributorRecord> records = session->desk().Contributors();
    Response response;
    JsonWriter(&response.body).Object([&](JsonWriter& w) {
      w.Key("contributors").StartArray();
      for (const ContributorRecord& record : records) WriteContributor(record, w);
      w.EndArray();
    });
    return response;
  });
}

Response DeskRoutes::Quarantine(const Call& call) const {
  return AskStore(contributions_, call, [&](StorePool::Lease& session) {
    const std::vector<QuarantineHit> hits = session->desk().QuarantineHits();
    Response response;
    JsonWriter(&response.body).Object([&](JsonWriter& w) {
      w.Key("hits").StartArray();
      for (const QuarantineHit& hit : hits) WriteHit(hit, w);
      w.EndArray();
    });
    return response;
  });
}

Response DeskRoutes::Release(const Call& call) const {
  CheckEmptyBody(call);
  if (call.parameter.find('\0') != std::string_view::npos) {
    Refuse(404, "no contributor has a NUL in the name");
  }
  const std::string name = RepairUtf8(call.parameter);
  return AskStore(contributions_, call, [&](StorePool::Lease& session) {
    const int64_t released = session->desk().Release(name, NameOf(call.caller));
    Response response;
    JsonWriter(&response.body).Object([&](JsonWriter& w) {
      w.Key("ok").Bool(true).Key("released").Int(released);
    });
    return response;
  });
}

}  // namespace rebound
