// How proposals are read back: one SELECT that every reader shares. Used by the stores of this
// folder alone.
#pragma once

#include <string>
#include <vector>

#include "labelstore/label_catalog.h"
#include "labelstore/proposals.h"

namespace rebound {

// The proposals of a query, with their labels.
ProposalPage ReadProposalPage(SqlTransaction& sql, const LabelCatalog& catalog,
                              const ProposalQuery& query);
// By id, in that order; unknown ids are left out.
std::vector<ProposalView> ReadProposals(SqlTransaction& sql, const LabelCatalog& catalog,
                                        const std::vector<int64_t>& ids);
ProposalCounts ReadProposalCounts(SqlTransaction& sql);

}  // namespace rebound
