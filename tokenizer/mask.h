// A bounce text without what is personal, still readable: what the store, goldens and samples hold.
//
// Addresses, IPs, host names of nobody known, URLs' personal parts, ids and numbers become the
// tokens of normaliser.h; hosts of known providers, filters and lists keep a name (`__host__
// spamhaus`). Case, punctuation and line structure stay. Invariants (fuzzed): Mask(Mask(x)) ==
// Mask(x) and Normalise(Mask(x)) == Normalise(x). Thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace rebound {

std::string Mask(std::string_view text);

}  // namespace rebound
