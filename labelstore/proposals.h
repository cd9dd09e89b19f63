// Contributions: what people propose about texts, and what becomes of it.
//
// A proposal is one contributor's labels for one text. Texts are masked before anything is written
// (contributed_text.h); a text is unique by the digest of its normalised form and the normaliser's
// version. While a proposal is open another label of the same contributor changes it, audited; once
// it is decided it is a new proposal. Proposals train nothing: reviewers turn them into labels
// (reviews.h). Thread-compatible: one object a thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "datasource/postgres.h"
#include "labelstore/trust.h"

namespace rebound {

// "pending", "disputed" (reviewers disagree), "quarantined", "approved", "rejected", "skipped".
enum class ProposalStatus : uint8_t {
  kPending,
  kDisputed,
  kQuarantined,
  kApproved,
  kRejected,
  kSkipped
};
std::string_view StatusName(ProposalStatus status);
std::optional<ProposalStatus> ParseProposalStatus(std::string_view name);
inline bool IsOpen(ProposalStatus status) { return status <= ProposalStatus::kQuarantined; }

// Whose idea it was: a contributor's, the label-error finder's, a shadow model's. Of a shadow's the
// store keeps one a cluster: a near copy of one that it proposed before, decided or not, is a
// duplicate of that.
enum class ProposalSource : uint8_t { kContribution, kSuspect, kShadow };
std::string_view SourceName(ProposalSource source);
std::optional<ProposalSource> ParseProposalSource(std::string_view name);

// Whose proposals a candidate's disagreements are: "shadow:bnac:7".
std::string ShadowContributor(Task task, int version);
// The version in it; nullopt where the name is none of these.
std::optional<int> ShadowVersion(std::string_view contributor);

struct Proposal {
  std::string text;         // as it came
  std::string contributor;  // a key's name
  LabelChoice labels;       // at least one
  std::string comment;      // masked as the text is
  ModelAnswers model;       // what the models say now; empty where they were not asked
  // A UUID that the sender gives once: delivered again, it changes nothing and gets the same
  // answer. Empty: none.
  std::string delivery_id;
  ProposalSource source = ProposalSource::kContribution;
  double suspicion = 0;  // of the finder; of a shadow how sure it is; 0 otherwise
};

inline constexpr size_t kMaxCommentBytes = 1000;

// Why the store would refuse it ("has a blank text"), or nullopt. What bulk routes report by row.
std::optional<std::string> FaultOf(const Proposal& proposal);

// A UUID made of any text that names one delivery: the same text, the same id.
std::string MakeDeliveryId(std::string_view name);

enum class ProposeOutcome : uint8_t { kInserted, kDuplicate, kRelabelled };
std::string_view OutcomeName(ProposeOutcome outcome);  // "inserted", "duplicate", "relabelled"

struct Proposed {
  int64_t id = 0;
  ProposeOutcome outcome = ProposeOutcome::kInserted;
  ProposalStatus status = ProposalStatus::kPending;
  std::string text;  // masked
};

struct ProposeOptions {
  // Of the whole request: the same key with the same request gets the same answer, with another one
  // kKeyReused. Keys belong to a contributor, so all proposals must be of one. Empty: none.
  std::string idempotency_key = {};
  // Acknowledged before (a spool delivers it): limits refuse nothing any more.
  bool acknowledged = false;
};

struct ProposeResult {
  enum class Kind : uint8_t {
    kDone,       // stored, each as `items` says
    kRepeated,   // the answer that this idempotency key got before
    kKeyReused,  // the key came with another request before: nothing was stored
    kOverLimit,  // of the contributor's rows a day or waiting: nothing was stored; `problem` says
  };
  Kind kind = Kind::kDone;
  std::vector<Proposed> items;  // by position; empty where nothing was stored
  std::string problem;
};

struct ProposalLimits {
  int64_t open = 50'000;      // of one contributor, waiting for review
  int64_t per_day = 100'000;  // new or changed, of one contributor
};

// A proposal as it stands.
struct ProposalView {
  int64_t id = 0;
  std::string text;  // masked
  std::string contributor;
  std::string comment;
  std::string source;
  ProposalStatus status = ProposalStatus::kPending;
  std::string reason;  // of the quarantine
  LabelChoice labels;
  LabelChoice decided;  // what reviewers made of it; none before
  ModelAnswers model;   // what the models said then
  ProposalScores scores;
  double suspicion = 0;
  int64_t cluster_id = 0;
  int64_t cluster_volume = 0;          // how often a near copy of the text was proposed
  bool trained = false;                // approved, and in a snapshot since
  std::string created_at, changed_at;  // ISO 8601, UTC
  std::string decided_at;              // empty: not yet
};

enum class ProposalOrder : uint8_t {
  kNewest,
  kDisagreement,
  kUncertainty,
  kVolume,
  kCost,
  kSuspect
};
std::string_view OrderName(ProposalOrder order);  // "newest", ...
std::optional<ProposalOrder> ParseProposalOrder(std::string_view name);

struct ProposalQuery {
  std::string contributor = {};               // empty: of everyone
  std::optional<ProposalStatus> status = {};  // nullopt: any
  bool untrained = false;                     // approved, and in no snapshot yet
  std::optional<int64_t> cluster_id = {};
  std::string source = {};           // empty: any
  LabelChoice labels = {};           // proposed, by task; none: any
  std::string text = {};             // stands in the masked text, in any case; empty: any
  std::string not_reviewed_by = {};  // leaves out what this reviewer decided already
  ProposalOrder order = ProposalOrder::kNewest;
  int64_t page = 1;  // from 1
  int64_t limit = 50;
};
struct ProposalPage {
  std::vector<ProposalView> proposals;
  int64_t total = 0;
};

struct ProposalCounts {
  std::map<std::string, int64_t> by_status;  // every status, also those with 0
  std::map<std::string, int64_t> by_label;   // proposed labels of task action
  int64_t untrained = 0;                     // approved, in no snapshot yet
};

class ProposalStore {
 public:
  virtual ~ProposalStore() = default;

  // All in one transaction, as if one after the other. Throws kInvalidArgument naming the position
  // where FaultOf finds one (nothing is stored then), or where an idempotency key comes with
  // several contributors; kUnavailable.
  virtual ProposeResult Propose(const std::vector<Proposal>& proposals,
                                const ProposeOptions& options = {}) = 0;
  virtual ProposalPage List(const ProposalQuery& query) = 0;
  virtual std::optional<ProposalView> Find(int64_t id) = 0;
  virtual ProposalCounts Count() = 0;
};

struct ProposalStoreOptions {
  ProposalLimits limits;
  TrustRules rules;
  PostgresOptions postgres;  // its time limits
};
// Throws as OpenLabelStore does.
std::unique_ptr<ProposalStore> OpenProposalStore(const std::string& uri,
                                                 ProposalStoreOptions options = {});

}  // namespace rebound
