// Writes proposals into an open transaction. Used by the stores of this folder alone.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "labelstore/content.h"
#include "labelstore/label_catalog.h"
#include "labelstore/proposals.h"

namespace rebound {

// A proposal ready to be written.
struct CheckedProposal {
  Message message;
  std::string normalised;
  std::string comment;  // masked
};

// FaultOf, and the message that the proposal becomes where there is none.
std::optional<std::string> CheckProposal(const Proposal& proposal, Message* message);

// Throws kInvalidArgument "proposal 3 has a blank text".
std::vector<CheckedProposal> CheckProposals(const std::vector<Proposal>& proposals);

// The shortest text that reads back to the same float32: a parameter of type real.
std::string SqlReal(double value);

// Who the audit names for what the transaction does from now on.
void SetActor(SqlTransaction& sql, const std::string& actor);

// Retention holds it alone: no text goes while a proposal about it comes. "retain" in ASCII.
inline constexpr int64_t kRetentionLock = 125780170663278;

// Contributors are locked until the end of the transaction, so that what one sends keeps its order.
ProposeResult WriteProposals(SqlTransaction& sql, const LabelCatalog& catalog,
                             const std::vector<Proposal>& proposals,
                             const std::vector<CheckedProposal>& checked,
                             const ProposeOptions& options, const ProposalStoreOptions& settings);

}  // namespace rebound
