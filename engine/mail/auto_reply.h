// Automatic answers of people's mailboxes: out of office, receipts of a ticket system, and filters
// that want the sender to prove to be human. Pure, Thread-safe.
#pragma once

#include <string_view>
#include <vector>

#include "engine/mail/mime_message.h"

namespace rebound {

// Whether the header shows an answer that a program wrote (RFC 3834 and what came before it), or
// the subject says so in one of the languages of docs/messages.md. Bounces do too: ask those first.
bool IsAutoReply(const MimeMessage& message);

// Whether an answer asks its sender to confirm the message. `lines`: its words.
bool IsChallenge(const MimeMessage& message, const std::vector<std::string_view>& lines);

// Whether a subject is one that bounces bear, in any of the known languages.
bool IsBounceSubject(std::string_view subject);

}  // namespace rebound
