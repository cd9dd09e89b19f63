// A CSV of proposals, as bulk routes get it: the header names `message` and at least one of label,
// bnac, backoff, in any order (`comment` where it has one; other columns are passed over). Read as
// a stream; a bad row is reported by its number and the others are kept. Pure, Thread-safe.
#pragma once

#include <cstdint>
#include <istream>
#include <string>
#include <vector>

#include "labelstore/proposals.h"

namespace rebound {

struct ProposalCsv {
  struct BadRow {
    int64_t row;  // the header is row 1
    std::string why;
  };
  std::vector<Proposal> proposals;
  std::vector<int64_t> rows;  // of each proposal
  std::vector<BadRow> bad;
};

inline constexpr size_t kMaxCsvRows = 10'000;

// Throws kInvalidArgument where the header is wrong or missing, kTooLarge beyond `max_rows` rows.
ProposalCsv ReadProposalCsv(std::istream& input, const std::string& contributor,
                            size_t max_rows = kMaxCsvRows);

}  // namespace rebound
