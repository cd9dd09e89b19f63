// What stands in a text beside its class: the facts of one answer, from the functions that find
// each. Pure, Thread-safe.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "engine/block_list.h"
#include "engine/provider.h"
#include "engine/retry_after.h"
#include "models/status_code.h"

namespace rebound {

// Views are into the text or into tables.
struct Facts {
  StatusCodes codes;
  std::optional<std::chrono::seconds> retry_after;
  FoundLists lists;    // the most specific first
  std::string listed;  // what stands on the first; empty: not told
  std::string delist;  // the first one's page for `listed`; empty: none
  Provider provider;
};

Facts FindFacts(std::string_view text);

}  // namespace rebound
