// What the store forgets: old proposals that train nothing, and one contributor's on request.
//
// Works in blocks of a transaction each, so that contributions go on meanwhile; what was cut short
// is finished by the next call. Delivery ids outlive their proposals, so that what a spool delivers
// late is not stored a second time. The audit (which holds no text), votes' history, snapshots,
// promotions and the contributors' records stay. Thread-compatible.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "datasource/postgres.h"

namespace rebound {

// How long a spool may hold what it delivered already: a server that died between the store's
// commit and its own has it still when it starts again. Younger delivery ids are never forgotten.
inline constexpr int64_t kDeliveryDays = 90;

struct RetentionRules {
  int64_t days = 0;                                    // at least 1
  std::string by;                                      // whom the audit names
  bool dry_run = false;                                // count alone
  std::function<void(int64_t rows)> on_progress = {};  // rows removed so far; may be empty
};
struct Retention {
  int64_t proposals = 0;  // rejected, skipped and quarantined ones
  int64_t texts = 0;      // that no proposal speaks of any more
  int64_t clusters = 0;
  int64_t deliveries = 0;  // ids older than `days` and than kDeliveryDays
  int64_t idempotency_keys = 0;
  int64_t runs = 0;  // failed training runs, which made no model
};
// Removes what was decided or set aside (and has not changed) for `days` and trains nothing, with
// its texts, comments and reviews; idempotency keys, failed runs and delivery ids as old go too.
// What was approved or is open stays. Throws kInvalidArgument for less than a day.
Retention RetainStore(PostgresConnection* connection, const RetentionRules& rules);

struct Erasure {
  int64_t proposals = 0;  // of any status
  int64_t votes = 0;      // of the contributor, and of reviewers that rest on their proposals alone
  int64_t texts = 0;      // that nobody else proposed
  int64_t messages = 0;   // that nobody else labelled and no snapshot holds
  // Likewise, but a snapshot holds them: their masked text stays, without a label and without the
  // contributor, so no later snapshot takes them.
  int64_t frozen = 0;
};
// Removes what one contributor sent, all or nothing. Their name stays in the audit and in the
// record that says how far to believe them: to be erased is no way out of a quarantine. Throws
// kNotFound where nothing is known of them.
Erasure EraseContributor(PostgresConnection* connection, const std::string& contributor,
                         const std::string& by, bool dry_run);

}  // namespace rebound
