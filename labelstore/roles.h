// Least privilege in the database: what a program may do is what its role may do.
//
//   rebound_server    proposes and reads: models, bundles, proposals, clusters. It decides nothing,
//                     and cannot touch messages, votes, reviews or the audit.
//   rebound_promoter  reads, uploads and promotes models, and nothing else: beside rebound_server,
//                     for a server whose API may promote.
//   rebound_trainer   reads; writes snapshots, runs, models, bundles and promotions.
//   rebound_reviewer  reads; writes reviews and what follows from them (statuses, votes, records),
//                     and the texts that every model must get right.
//
// They are groups without login. docs/label-store.md has the logins to make and what each may do,
// and a test holds that table. Nobody but the owner changes the schema, and nobody at all changes
// the audit.
#pragma once

#include "datasource/postgres.h"

namespace rebound {

// Makes the roles where they are missing and gives each exactly its rights, also over tables that a
// later migration made: run it after every migrate. Throws kInvalidArgument where the session is
// not the owner's or may not make roles.
void GrantRoles(PostgresConnection* connection);

}  // namespace rebound
