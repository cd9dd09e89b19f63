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
// Throws Refusal: what an Error of the store is to a client. The log gets the cause.
[[noreturn]] void RefuseFor(const Error& error, const Call& call);

// The labels that a body names. Throws Refusal (422) for one that there is not.
LabelChoice ReadLabels(const JsonValue& body);

// ?page, limit, status, and with `is_admin` sort. Throws Refusal (400).
ProposalQuery ReadProposalQuery(const Target& target, bool is_admin);

// A proposal, an object. `is_admin`: with what is of use to reviewers alone.
void WriteProposalView(const ProposalView& view, bool is_admin, JsonWriter* writer);
// The labels: "proposed_label", "proposed_bnac"...; "model_label" and "model_confidence".
void WriteChoice(std::string_view prefix, const LabelChoice& labels, JsonWriter* writer);
void WriteModelLabel(const ModelAnswers& model, JsonWriter* writer);
Response WriteProposalPage(const ProposalPage& page, const ProposalQuery& query, bool is_admin);

}  // namespace rebound
