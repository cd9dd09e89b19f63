// One contributor's proposals of a call, on their way into an open transaction. Used by
// proposal_writer.cc alone, which has locked the contributor. Thread-compatible.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "labelstore/proposal_writer.h"

namespace rebound {

class ContributorWriter {
 public:
  // `own`: the positions of one contributor, in order. REQUIRES: not empty.
  ContributorWriter(SqlTransaction& sql, const LabelCatalog& catalog,
                    const std::vector<Proposal>& proposals,
                    const std::vector<CheckedProposal>& checked, std::vector<size_t> own,
                    const ProposalStoreOptions& settings);

  // Fills the items of its positions. False where the contributor is over a limit: result->problem
  // says which, and the caller rolls back.
  bool Write(bool limited, ProposeResult* result);

 private:
  // What the contributor says about a text.
  struct Standing {
    int64_t id = 0;  // 0: nothing yet
    ProposalStatus status = ProposalStatus::kPending;
    LabelChoice labels;
    bool is_new = false;      // since the last Flush
    bool is_changed = false;  // since the last Flush
    size_t last = 0;          // the position that says what it is now
  };
  struct Text {
    int64_t id = 0;
    int64_t cluster_id = 0;
  };

  Standing& StandingOf(size_t at) { return standings_[texts_.at(checked_[at].message.digest).id]; }
  // What was delivered before keeps its answer and leaves `own_`.
  void TakeKnownDeliveries(ProposeResult* result);
  void ReadTexts(const SqlValue& digests);
  void WriteTexts();
  // The open proposal of each text, else the last decided one.
  void ReadStandings();
  // What a shadow proposed about near copies before: there is one a cluster.
  void ReadShadowed();
  bool IsShadowed(size_t at, ProposeResult* result);
  void Apply(size_t at, ProposeResult* result);
  // Writes what Apply noted. False where a limit is passed.
  bool Flush(bool limited, ProposeResult* result);
  // Ids are drawn many at once; some may stay unused.
  int64_t NextId();
  ProposalScores ScoresOf(const Standing& standing) const;
  std::vector<Standing*> Moved();
  // As it will be with this call.
  void ReadActivity();
  bool IsOverLimit(std::string* problem) const;
  // The rule that sets aside what is new; empty: none. A new hit is recorded, and holds the
  // contributor until someone releases it.
  std::string HoldReason();
  void WriteNew(const std::string& hold);
  void WriteChanged(const std::string& hold);
  void WriteLabels();
  void WriteDeliveries(const ProposeResult& result);
  void CountVolume();

  SqlTransaction& sql_;
  const LabelCatalog& catalog_;
  const std::vector<Proposal>& proposals_;
  const std::vector<CheckedProposal>& checked_;
  const ProposalStoreOptions& settings_;
  std::vector<size_t> own_;
  const std::string contributor_;
  std::unordered_map<std::string, Text> texts_;      // by digest
  std::unordered_map<int64_t, Standing> standings_;  // by text
  std::unordered_map<int64_t, int64_t> shadowed_;    // by cluster the text that leads it
  std::vector<size_t> fresh_, changed_;  // the positions that made a new one or changed an old one
  std::vector<int64_t> ids_;
  ContributorActivity activity_;
  int64_t open_ = 0;
};

}  // namespace rebound
