// What rebound-labels review prints: for people, or one JSON object a call. Thread-compatible.
#pragma once

#include <string>

#include "labelstore/reviews.h"

namespace rebound {

class ReviewPrinter {
 public:
  explicit ReviewPrinter(bool json) : json_(json) {}

  void List(const ProposalPage& page, const ProposalQuery& query) const;
  // `in_cluster`: proposals of its cluster, itself included.
  void Show(const ProposalView& view, int64_t in_cluster) const;
  void Decided(const ReviewResult& result) const;
  void History(const std::vector<HistoryEntry>& history) const;
  void Agreement(const std::vector<TaskAgreement>& agreement) const;
  void Contributors(const std::vector<ContributorRecord>& records) const;
  void Hits(const std::vector<QuarantineHit>& hits) const;
  // One or two named numbers; `words` stands between or behind them. `second` "": none.
  void Number(const char* first, int64_t value, const char* second, int64_t other,
              const std::string& words) const;

 private:
  const bool json_;
};

}  // namespace rebound
