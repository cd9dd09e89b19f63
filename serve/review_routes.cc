#include "serve/review_routes.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "serve/prediction.h"
#include "serve/problem.h"
#include "serve/proposal_views.h"
#include "serve/texts.h"

namespace rebound {
namespace {

constexpr size_t kMostIds = 10'000;
constexpr size_t kShownDeadLetters = 20;
constexpr int64_t kMostOfACluster = 200;

[[noreturn]] void Refuse(int status, std::string_view detail) {
  throw Refusal{MakeProblem(status, detail)};
}

bool ReadFlag(const JsonValue& body, std::string_view key) {
  const JsonValue* given = FindPresent(body, key);
  if (given == nullptr) return false;
  if (!given->IsBool()) Refuse(422, "'" + std::string(key) + "' is neither true nor false");
  return given->GetBool();
}

// All of a decision but the proposals.
ReviewRequest ReadDecision(const JsonValue& body, const Call& call) {
  ReviewRequest request;
  request.reviewer = NameOf(call.caller);
  const JsonValue* status = FindPresent(body, "status");
  if (status == nullptr) Refuse(422, "key 'status' is missing");
  const std::string_view word = status->IsString() ? JsonText(*status) : std::string_view();
  if (word == "approved") {
    request.decision = ReviewDecision::kAccept;
  } else if (word == "rejected") {
    request.decision = ReviewDecision::kReject;
  } else if (word == "skipped") {
    request.decision = ReviewDecision::kSkip;
  } else {
    Refuse(422, "'status' is approved, rejected or skipped");
  }
  if (const JsonValue* notes = FindPresent(body, "notes")) {
    if (!notes->IsString()) Refuse(422, "'notes' is not a string");
    if (notes->GetStringLength() > kMaxNotesBytes) {
      Refuse(422, "'notes' has more than " + std::to_string(kMaxNotesBytes) + " bytes");
    }
    request.notes = JsonText(*notes);
  }
  request.whole_cluster = ReadFlag(body, "cluster");
  request.adjudicate = ReadFlag(body, "adjudicate");
  return request;
}

bool Any(const LabelChoice& labels) {
  return std::any_of(labels.begin(), labels.end(), [](const auto& label) { return !!label; });
}

std::vector<int64_t> ReadIds(const JsonValue& body) {
  const JsonValue* given = FindPresent(body, "ids");
  if (given == nullptr) Refuse(422, "key 'ids' is missing");
  if (!given->IsArray() || given->Empty() || given->Size() > kMostIds) {
    Refuse(422, "'ids' is an array of 1 to " + std::to_string(kMostIds) + " numbers");
  }
  std::vector<int64_t> ids;
  for (const JsonValue& id : given->GetArray()) {
    if (!id.IsInt64()) Refuse(422, "'ids' holds what is no whole number");
    ids.push_back(id.GetInt64());
  }
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return ids;
}

}  // namespace

void ReviewRoutes::AddTo(Router* router) const {
  const bool slow = contributions_ != nullptr;
  const auto add = [&](std::string_view method, std::string_view path, auto answer) {
    router->Add({method, path, Scope::kAdmin,
                 [this, answer](const Call& call) { return (this->*answer)(call); }, slow,
                 Lane::kReview});
  };
  add(kGet, "/admin/api/proposals", &ReviewRoutes::List);
  add(kGet, "/admin/api/proposals/{id}", &ReviewRoutes::Show);
  add(kPatch, "/admin/api/proposals/{id}", &ReviewRoutes::Decide);
  add(kGet, "/admin/api/proposals/{id}/cluster", &ReviewRoutes::Cluster);
  add(kPost, "/admin/api/proposals/bulk", &ReviewRoutes::DecideMany);
  add(kGet, "/admin/api/stats", &ReviewRoutes::Stats);
}

Response ReviewRoutes::List(const Call& call) const {
  StoreOrRefuse(contributions_);
  const ProposalQuery query = ReadProposalQuery(call, true);
  return AskStore(contributions_, call, [&](StorePool::Lease& session) {
    const ProposalPage page = session->proposals().List(query);
    Response response;
    JsonWriter(&response.body).Object([&](JsonWriter& w) {
      w.Key("proposals").StartArray();
      for (const ProposalView& view : page.proposals) WriteProposalView(view, true, &w);
      w.EndArray().Key("total").Int(page.total);
      w.Key("page").Int(query.page).Key("limit").Int(query.limit);
      w.Key("sort").String(OrderName(query.order));
    });
    return response;
  });
}

Response ReviewRoutes::Show(const Call& call) const {
  StoreOrRefuse(contributions_);
  CheckQuery(call.target, {});
  const int64_t id = ReadId(call, "proposal");
  return AskStore(contributions_, call, [&](StorePool::Lease& session) {
    const auto view = session->proposals().Find(id);
    if (!view) throw Error(ErrorCode::kNotFound, "no proposal " + std::to_string(id));
    Response response;
    JsonWriter writer(&response.body);
    WriteProposalView(*view, true, &writer);
    return response;
  });
}

Response ReviewRoutes::Cluster(const Call& call) const {
  StoreOrRefuse(contributions_);
  constexpr std::array<std::string_view, 1> kKnown = {"limit"};
  CheckQuery(call.target, kKnown);
  const int64_t id = ReadId(call, "proposal");
  const int64_t limit = ReadLimit(call.target, kMostOfACluster);
  return AskStore(contributions_, call, [&](StorePool::Lease& session) {
    const ClusterView cluster = session->desk().Cluster(id, limit);
    Response response;
    JsonWriter(&response.body).Object([&](JsonWriter& w) {
      w.Key("cluster_id").Int(cluster.id).Key("cluster_volume").Int(cluster.volume);
      w.Key("total").Int(cluster.total).Key("served").Int(cluster.served);
      w.Key("proposals").StartArray();
      for (const auto& [view, is_served] : cluster.proposals) {
        w.StartObject();
        WriteProposalKeys(view, true, &w);
        w.Key("served").Bool(is_served).EndObject();
      }
      w.EndArray();
    });
    return response;
  });
}

Response ReviewRoutes::Decide(const Call& call) const {
  StoreOrRefuse(contributions_);
  CheckQuery(call.target, {});
  const JsonDocument body = ReadObject(call.request);
  ReviewRequest request = ReadDecision(body, call);
  LabelChoice labels = ReadLabels(body);
  if (Any(labels) && request.decision != ReviewDecision::kAccept) {
    Refuse(422, "labels belong to the status approved");
  }
  const int64_t id = ReadId(call, "proposal");
  request.proposals = {id};
  return AskStore(contributions_, call, [&](StorePool::Lease& session) {
    if (Any(labels)) {
      // Labels that were proposed anyway are an acceptance.
      const auto before = session->proposals().Find(id);
      if (!before) throw Error(ErrorCode::kNotFound, "no proposal " + std::to_string(id));
      for (const Task task : kTasks) {
        auto& label = labels[Index(task)];
        if (label == before->labels[Index(task)]) label.reset();
      }
      if (Any(labels)) request.decision = ReviewDecision::kRelabel;
      request.labels = labels;
    }
    const ReviewResult result = session->desk().Decide(request);
    Response response;
    JsonWriter(&response.body).Object([&](JsonWriter& w) {
      w.Key("ok").Bool(true).Key("updated").Int(result.changed);
      for (const ProposalView& view : result.proposals) {
        if (view.id != id) continue;
        w.Key("proposal");
        WriteProposalView(view, true, &w);
      }
    });
    return response;
  });
}

Response ReviewRoutes::DecideMany(const Call& call) const {
  StoreOrRefuse(contributions_);
  CheckQuery(call.target, {});
  const JsonDocument body = ReadObject(call.request);
  ReviewRequest request = ReadDecision(body, call);
  request.proposals = ReadIds(body);
  return AskStore(contributions_, call, [&](StorePool::Lease& session) {
    const ReviewResult result = session->desk().Decide(request);
    Response response;
    JsonWriter(&response.body).Object([&](JsonWriter& w) {
      w.Key("ok").Bool(true).Key("updated").Int(result.changed);
    });
    return response;
  });
}

Response ReviewRoutes::Stats(const Call& call) const {
  Contributions& contributions = StoreOrRefuse(contributions_);
  CheckQuery(call.target, {});
  return AskStore(contributions_, call, [&](StorePool::Lease& session) {
    const ProposalCounts counts = session->proposals().Count();
    const Spool& spool = contributions.spool;
    Response response;
    JsonWriter(&response.body).Object([&](JsonWriter& w) {
      w.Key("statusCounts").StartObject();
      for (const auto& [status, count] : counts.by_status) w.Key(status).Int(count);
      w.EndObject().Key("labelDistribution").StartArray();
      for (const auto& [label, count] : counts.by_label) {
        w.StartObject().Key("proposed_label").String(label).Key("count").Int(count).EndObject();
      }
      w.EndArray().Key("pendingTraining").Int(counts.untrained);
      w.Key("spool").StartObject().Key("waiting").Int(spool.waiting());
      w.Key("bytes").Int(spool.bytes()).Key("dead").Int(spool.dead());
      w.Key("deadLetters").StartArray();
      for (const DeadLetter& dead : contributions.spool.DeadLetters(kShownDeadLetters)) {
        w.StartObject().Key("id").Int(dead.entry.id).Key("died_at").String(dead.died_at);
        w.Key("contributor").String(dead.entry.contributor);
        w.Key("proposals").Int(dead.entry.proposals).Key("why").String(dead.why).EndObject();
      }
      w.EndArray().EndObject();
    });
    return response;
  });
}

}  // namespace rebound
