// Writes submissions into an open transaction, block by block. Used by what writes votes
// in PostgreSQL.
#pragma once

#include <vector>

#include "datasource/postgres.h"
#include "labelstore/content.h"
#include "labelstore/label_catalog.h"
#include "labelstore/label_store.h"

namespace rebound {

// Writes all of `submissions` (`messages` stands beside them) as if one after the other.
ImportResult WriteSubmissions(SqlTransaction& sql, const LabelCatalog& catalog,
                              const std::vector<Submission>& submissions,
                              const std::vector<Message>& messages);

}  // namespace rebound
