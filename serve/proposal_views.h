// What the routes of contributors and of reviewers share: labels and queries in, proposals out, and
// how a store that cannot be had is told. Thread-safe.
#pragma once

#include <string_view>

#include "base/error.h"
#include "base/json.h"
#include "labelstore/proposals.h"
#include "serve/contributions.h"
#include "serve/router.h"

namespace rebound {

// Everyone who comes without a key, where none is needed.
inline constexpr std::string_view kAnonymous = "anonymous";
inline std::string NameOf(const Principal& caller) {
  return caller.known() ? caller.name : std::string(kAnonymous);
}

// Throws Refusal (503) for null: this server was started without a store.
Contributions& StoreOrRefuse(Contributions* contributions);
// What a right that the server's login lacks is to a reviewer or an operator; "" for another cause.
std::string MissingRight(const Error& error);
// Throws Refusal: what an Error of the store is to a client. The log gets the cause.
[[noreturn]] void RefuseFor(const Error& error, const Call& call);
// Tells the log that the store did not answer.
void LogAway(const Error& error, const Call& call);

// The labels that a body names. Throws Refusal (422) for one that there is not.
LabelChoice ReadLabels(const JsonValue& body);

// ?page, limit, status, and with `is_admin` sort, contributor, source, label, bnac, backoff, q and
// unreviewed. Throws Refusal (400).
ProposalQuery ReadProposalQuery(const Call& call, bool is_admin);
// ?limit; `most` where it is not given. Throws Refusal (400).
int64_t ReadLimit(const Target& target, int64_t most);
// The number in the path. Throws Refusal (404, naming `what`) where it is none.
int64_t ReadId(const Call& call, std::string_view what);
// Throws Refusal where a body is there and is no object.
void CheckEmptyBody(const Call& call);

// What `body` answers, called with a session for what people look at. Throws Refusal.
template <class Body>
Response AskStore(Contributions* contributions, const Call& call, const Body& body) {
  StorePool::Lease session = StoreOrRefuse(contributions).pool.Take(StoreUse::kReview);
  try {
    return body(session);
  } catch (const Error& e) {
    RefuseFor(e, call);
  }
}

// A proposal, an object. `is_admin`: with what is of use to reviewers alone.
void WriteProposalView(const ProposalView& view, bool is_admin, JsonWriter* writer);
// The same without the braces.
void WriteProposalKeys(const ProposalView& view, bool is_admin, JsonWriter* writer);
// The labels: "proposed_label", "proposed_bnac"...; "model_label" and "model_confidence".
void WriteChoice(std::string_view prefix, const LabelChoice& labels, JsonWriter* writer);
void WriteModelLabel(const ModelAnswers& model, JsonWriter* writer);

}  // namespace rebound
