// What reviewers and operators look at: history, agreement, records. Used by postgres_reviews.cc
// alone.
#pragma once

#include <vector>

#include "labelstore/label_catalog.h"
#include "labelstore/reviews.h"

namespace rebound {

std::vector<HistoryEntry> ReadHistory(SqlTransaction& sql, int64_t proposal);
std::vector<TaskAgreement> ReadAgreement(SqlTransaction& sql, const LabelCatalog& catalog);
ClusterView ReadCluster(SqlTransaction& sql, const LabelCatalog& catalog, int64_t proposal,
                        int64_t most);
std::vector<ContributorRecord> ReadContributors(SqlTransaction& sql);
std::vector<QuarantineHit> ReadQuarantineHits(SqlTransaction& sql);

}  // namespace rebound
