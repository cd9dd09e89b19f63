#include "serve/dead_letter_routes.h"

#include <array>
#include <string>

#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "serve/prediction.h"
#include "serve/problem.h"
#include "serve/proposal_views.h"
#include "serve/texts.h"

namespace rebound {
namespace {

constexpr size_t kMostShown = 1000;

[[noreturn]] void Refuse(int status, std::string_view detail) {
  throw Refusal{MakeProblem(status, detail)};
}

// What the disk says is the operator's, and passes.
[[noreturn]] void RefuseForDisk(const Error& error, const Call& call) {
  Log(LogLevel::kError, "the spool did not answer",
      {{"request_id", std::string(call.request_id)}, {"cause", error.what()}});
  Refuse(503, "the spool's disk cannot be used at this moment; the log tells more");
}

Response Ok() {
  Response response;
  response.body = R"({"ok":true})";
  return response;
}

}  // namespace

void DeadLetterRoutes::AddTo(Router* router) const {
  const bool slow = contributions_ != nullptr;
  const auto add = [&](std::string_view method, std::string_view path, auto answer) {
    router->Add({method, path, Scope::kAdmin,
                 [this, answer](const Call& call) {
                   StoreOrRefuse(contributions_);
                   return (this->*answer)(call);
                 },
                 slow, Lane::kAlone});
  };
  add(kGet, "/admin/api/dead-letters", &DeadLetterRoutes::List);
  add(kPost, "/admin/api/dead-letters/{id}/retry", &DeadLetterRoutes::Retry);
  add(kDelete, "/admin/api/dead-letters/{id}", &DeadLetterRoutes::Discard);
}

Response DeadLetterRoutes::List(const Call& call) const {
  CheckQuery(call.target, {});
  try {
    const std::vector<DeadLetter> letters = contributions_->spool.DeadLetters(kMostShown);
    Response response;
    JsonWriter(&response.body).Object([&](JsonWriter& w) {
      w.Key("dead").StartArray();
      for (const DeadLetter& letter : letters) {
        w.StartObject().Key("id").Int(letter.entry.id).Key("died_at").String(letter.died_at);
        w.Key("contributor").String(letter.entry.contributor);
        w.Key("proposals").Int(letter.entry.proposals).Key("why").String(letter.why).EndObject();
      }
      w.EndArray();
    });
    return response;
  } catch (const Error& e) {
    RefuseForDisk(e, call);
  }
}

Response DeadLetterRoutes::Retry(const Call& call) const {
  CheckQuery(call.target, {});
  CheckEmptyBody(call);
  const int64_t id = ReadId(call, "dead letter");
  try {
    if (!contributions_->spool.Revive(id)) Refuse(404, "no dead letter " + std::to_string(id));
  } catch (const Error& e) {
    if (e.code() != ErrorCode::kConflict) RefuseForDisk(e, call);
    Refuse(409, "another request with the idempotency key of dead letter " + std::to_string(id) +
                    " waits in the spool: try again when that one has left");
  }
  Log(LogLevel::kInfo, "a contribution that was set aside is tried again",
      {{"request_id", std::string(call.request_id)},
       {"entry", std::to_string(id)},
       {"by", NameOf(call.caller)}});
  return Ok();
}

Response DeadLetterRoutes::Discard(const Call& call) const {
  constexpr std::array<std::string_view, 1> kKnown = {"confirm"};
  CheckQuery(call.target, kKnown);
  const bool is_sure = QueryBool(call.target, "confirm");
  const int64_t id = ReadId(call, "dead letter");
  if (!is_sure) {
    Refuse(422, "this throws an acknowledged contribution away for good: say confirm=true");
  }
  std::optional<DeadLetter> letter;
  try {
    letter = contributions_->spool.Discard(id);
  } catch (const Error& e) {
    RefuseForDisk(e, call);
  }
  if (!letter) Refuse(404, "no dead letter " + std::to_string(id));
  Log(LogLevel::kWarning, "a contribution that was acknowledged and set aside is thrown away",
      {{"request_id", std::string(call.request_id)},
       {"entry", std::to_string(id)},
       {"by", NameOf(call.caller)},
       {"contributor", letter->entry.contributor},
       {"proposals", std::to_string(letter->entry.proposals)},
       {"accepted_at", letter->entry.spooled_at},
       {"why", letter->why}});
  return Ok();
}

}  // namespace rebound
