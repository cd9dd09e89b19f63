#include "engine/facts.h"

namespace rebound {

Facts FindFacts(std::string_view text) {
  Facts facts;
  facts.codes = FindStatusCodes(text);
  facts.retry_after = FindRetryAfter(text);
  facts.lists = FindBlockLists(text);
  facts.provider = FindProvider(text);
  if (facts.lists.count == 0) return facts;
  const FoundList& first = facts.lists.all[0];
  facts.listed = FindListed(text, first);
  // Who may not ask a list is told so by a page of it: nobody is to be taken off.
  if (text.find("/returnc/") == std::string_view::npos) {
    facts.delist = DelistPage(*first.list, facts.listed);
  }
  return facts;
}

}  // namespace rebound
