// Turns reviews into statuses, weights and votes inside an open transaction. Used by
// postgres_reviews.cc alone.
#pragma once

#include <cstdint>
#include <vector>

#include "labelstore/label_catalog.h"
#include "labelstore/reviews.h"

namespace rebound {

// Locks proposals in order of id. Throws kNotFound naming one that does not exist.
void LockProposals(SqlTransaction& sql, const std::vector<int64_t>& ids);

// The open proposals with the same labels in the clusters of `ids`, and `ids`; ascending.
std::vector<int64_t> WithCluster(SqlTransaction& sql, const std::vector<int64_t>& ids);

// Those of `proposals` that the request says something new about: not where this reviewer said the
// same (with other notes it is not the same) and it stands.
std::vector<ProposalView> Unsaid(SqlTransaction& sql, const LabelCatalog& catalog,
                                 const ReviewRequest& request,
                                 const std::vector<ProposalView>& proposals);

// One review a proposal; an earlier one of the same reviewer is superseded.
void WriteReviews(SqlTransaction& sql, const LabelCatalog& catalog, const ReviewRequest& request,
                  const std::vector<ProposalView>& proposals, int64_t batch);

// Brings status, decided labels, the contributors' records and the votes of the store to what the
// reviews now say. REQUIRES: the proposals are locked.
void ApplyReviews(SqlTransaction& sql, const LabelCatalog& catalog, const std::vector<int64_t>& ids,
                  size_t overlap);

// Takes back the reviewers' votes about texts ($1, a bigint[]) that rest on no approved proposal
// any more. Returns how many.
int64_t WithdrawVotes(SqlTransaction& sql, const SqlValue& texts);

}  // namespace rebound
