// Bounces in words: who wrote them, which recipients they name, and the lines about each. One
// reading for all families of servers: a line that is an address opens a block, and of a block the
// lines with codes and words of failure are its reason; so unknown servers and other languages are
// read as far as their structure shows. docs/messages.md names the families. Pure, linear,
// Thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "engine/mail/human_text.h"

namespace rebound {

// What opens a family's text. `delayed`: it says that delivery goes on being tried.
struct FreeFormAgent {
  std::string_view name;  // "qmail"; empty: none of the known families
  bool delayed = false;
};
FreeFormAgent FindAgent(const std::vector<std::string_view>& lines);

struct FreeFormRecipient {
  std::string address;           // empty: the reason of a text that names nobody
  std::string original_address;  // "(generated from ...)", "(expanded from ...)"
  std::string reason;            // as RecipientReport::text
  std::string remote_mta;
  int score = 0;  // how much its reason looks like one; 0: no reason
  bool delayed = false;
};

// What the rest of the message knows of addresses (lower case).
struct KnownAddresses {
  std::unordered_set<std::string> others;      // that the text may name for another cause
  std::unordered_set<std::string> recipients;  // perhaps not all
};
// Every recipient once, in the order of the text. Sentences name helpdesks too: where one names a
// known recipient, only known ones are taken from sentences.
std::vector<FreeFormRecipient> ReadFreeForm(const HumanText& text, const KnownAddresses& known);

// From this score on a reason shows a bounce by itself: it holds a status or a reply code.
inline constexpr int kSureReason = 6;
// From this one it has words of failure.
inline constexpr int kLikelyReason = 3;

}  // namespace rebound
