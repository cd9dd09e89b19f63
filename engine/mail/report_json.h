// What a whole message says, as fields of the answer of POST /v3/dsn. What it does not tell is
// absent. Pure, Thread-safe.
#pragma once

#include "base/json.h"
#include "engine/mail/message.h"

namespace rebound {

// `kind`, `reason`, `agent`, ... of the message, into an object that is open.
void WriteReport(const BounceReport& report, JsonWriter* writer);
// `recipient`, `action`, `status`, ... `source` of one recipient, likewise.
void WriteRecipient(const RecipientReport& recipient, JsonWriter* writer);

}  // namespace rebound
