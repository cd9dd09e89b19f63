#include "serve/snapshot_routes.h"

#include <array>
#include <ostream>
#include <streambuf>
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

constexpr int64_t kMostListed = 1000;
constexpr int64_t kMostBytes = 64 * 1024 * 1024;
constexpr int64_t kLeastRowBytes = 150;  // a digest of 64 digits and the names of seven keys

[[noreturn]] void Refuse(int status, std::string_view detail) {
  throw Refusal{MakeProblem(status, detail)};
}

[[noreturn]] void RefuseLarge(const NamedSnapshot& snapshot) {
  const std::string id = std::to_string(snapshot.info.id);
  Refuse(413, "snapshot " + id + " (" + std::to_string(snapshot.info.rows) +
                  " rows) is larger than the " + std::to_string(kMostBytes >> 20) +
                  " MiB of an answer: rebound-labels snapshot export " + id + " FILE writes it");
}

// Throws kTooLarge rather than hold more than kMostBytes.
class BoundedBuffer : public std::streambuf {
 public:
  explicit BoundedBuffer(std::string* out) : out_(out) {}

 protected:
  std::streamsize xsputn(const char* bytes, std::streamsize count) override {
    if (static_cast<int64_t>(out_->size()) + count > kMostBytes) {
      throw Error(ErrorCode::kTooLarge, "more than an answer holds");
    }
    out_->append(bytes, static_cast<size_t>(count));
    return count;
  }
  int overflow(int byte) override {
    const char only = static_cast<char>(byte);
    xsputn(&only, 1);
    return byte;
  }

 private:
  std::string* const out_;
};

void WriteSnapshot(const SnapshotInfo& snapshot, JsonWriter& w) {
  w.Key("count").Int(snapshot.rows);
  w.Key("snapshot").StartObject().Key("id").Int(snapshot.id);
  w.Key("digest").String(snapshot.digest);
  w.Key("created_at").String(snapshot.created_at).EndObject();
}

}  // namespace

void SnapshotRoutes::AddTo(Router* router) const {
  const bool slow = contributions_ != nullptr;
  const auto add = [&](std::string_view method, std::string_view path, auto answer, Lane lane) {
    router->Add({method, path, Scope::kAdmin,
                 [this, answer](const Call& call) {
                   StoreOrRefuse(contributions_);
                   CheckQuery(call.target, {});
                   return (this->*answer)(call);
                 },
                 slow && lane != Lane::kAlone, lane});
  };
  add(kPost, "/admin/api/export", &SnapshotRoutes::Make, Lane::kBulk);
  add(kGet, "/admin/api/export", &SnapshotRoutes::MadeLast, Lane::kAlone);  // asks no store
  add(kGet, "/admin/api/snapshots", &SnapshotRoutes::List, Lane::kReview);
  add(kGet, "/admin/api/snapshots/{id}/export", &SnapshotRoutes::Rows, Lane::kBulk);
}

Response SnapshotRoutes::Make(const Call& call) const {
  CheckEmptyBody(call);
  const auto status = contributions_->snapshots.Start(contributions_->pool.patience());
  if (!status) Refuse(409, "a snapshot is being made already: GET /admin/api/export tells of it");
  if (status->error) RefuseFor(*status->error, call);
  Response response;
  if (status->running) response.status = 202;
  JsonWriter(&response.body).Object([&](JsonWriter& w) {
    w.Key("ok").Bool(true);
    if (status->snapshot) return WriteSnapshot(*status->snapshot, w);
    w.Key("running").Bool(true).Key("started_at").String(status->started_at);
  });
  return response;
}

Response SnapshotRoutes::MadeLast(const Call&) const {
  const SnapshotJob::Status status = contributions_->snapshots.Look();
  Response response;
  JsonWriter(&response.body).Object([&](JsonWriter& w) {
    w.Key("running").Bool(status.running);
    if (!status.started_at.empty()) w.Key("started_at").String(status.started_at);
    if (!status.ended_at.empty()) w.Key("ended_at").String(status.ended_at);
    if (status.snapshot) WriteSnapshot(*status.snapshot, w);
    if (!status.error) return;
    const std::string right = MissingRight(*status.error);
    w.Key("problem").String(right.empty() ? "it was not made; the log tells more" : right);
  });
  return response;
}

Response SnapshotRoutes::List(const Call& call) const {
  return AskStore(contributions_, call, [](StorePool::Lease& session) {
    const std::vector<NamedSnapshot> snapshots = session->snapshots().Newest(kMostListed);
    Response response;
    JsonWriter(&response.body).Object([&](JsonWriter& w) {
      w.Key("snapshots").StartArray();
      for (const NamedSnapshot& snapshot : snapshots) {
        w.StartObject().Key("id").Int(snapshot.info.id);
        w.Key("digest").String(snapshot.info.digest).Key("rows").Int(snapshot.info.rows);
        w.Key("names").StartArray();
        for (const std::string& name : snapshot.names) w.String(name);
        w.EndArray().Key("created_at").String(snapshot.info.created_at).EndObject();
      }
      w.EndArray();
    });
    return response;
  });
}

Response SnapshotRoutes::Rows(const Call& call) const {
  const std::string reference(call.parameter);
  if (!IsValidUtf8(reference) || reference.find('\0') != std::string::npos) {
    Refuse(404, "no snapshot of this id, name or digest");
  }
  StorePool::Lease session = contributions_->pool.Take(StoreUse::kBulk);
  std::optional<NamedSnapshot> snapshot;
  try {
    SnapshotCatalog& catalog = session->snapshots();
    snapshot = catalog.Find(reference);
    if (snapshot->info.rows > kMostBytes / kLeastRowBytes) RefuseLarge(*snapshot);
    Response response;
    BoundedBuffer buffer(&response.body);
    std::ostream out(&buffer);
    out.exceptions(std::ios::badbit);  // what the buffer throws comes through
    catalog.Export(snapshot->info.id, out);
    response.content_type = "application/x-ndjson";
    response.headers.emplace_back("Content-Disposition",
                                  "attachment; filename=\"rebound-snapshot-" +
                                      std::to_string(snapshot->info.id) + ".jsonl\"");
    return response;
  } catch (const Error& e) {
    if (e.code() == ErrorCode::kTooLarge) RefuseLarge(*snapshot);
    const std::string_view what = e.what();
    if (e.code() == ErrorCode::kNotFound && what.starts_with("no snapshot ")) {
      Refuse(404, "no snapshot of this id, name or digest: GET /admin/api/snapshots lists them");
    }
    if (e.code() == ErrorCode::kConflict) {
      Refuse(409, "several snapshots have digests that begin so: give more digits");
    }
    RefuseFor(e, call);
  }
}

}  // namespace rebound
