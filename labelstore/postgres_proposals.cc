#include "labelstore/proposal_rows.h"
#include "labelstore/proposal_writer.h"
#include "labelstore/proposals.h"
#include "labelstore/schema.h"

namespace rebound {
namespace {

class PostgresProposalStore : public ProposalStore {
 public:
  PostgresProposalStore(const std::string& uri, ProposalStoreOptions options)
      : options_(std::move(options)), connection_(uri, options_.postgres) {
    RequireSchema(&connection_);
    connection_.Transact(SqlIsolation::kReadCommitted,
                         [&](SqlTransaction& sql) { catalog_ = LoadCatalog(sql); });
  }

  ProposeResult Propose(const std::vector<Proposal>& proposals,
                        const ProposeOptions& options) override {
    const std::vector<CheckedProposal> checked = CheckProposals(proposals);
    ProposeResult result;
    // A commit in doubt may be repeated: what it did is there, and the same again is a duplicate.
    connection_.Transact(SqlIsolation::kReadCommitted, [&](SqlTransaction& sql) {
      result = WriteProposals(sql, catalog_, proposals, checked, options, options_);
    });
    return result;
  }

  ProposalPage List(const ProposalQuery& query) override {
    ProposalPage page;
    connection_.Transact(SqlIsolation::kRepeatableRead, [&](SqlTransaction& sql) {
      page = ReadProposalPage(sql, catalog_, query);
    });
    return page;
  }

  std::optional<ProposalView> Find(int64_t id) override {
    std::vector<ProposalView> found;
    connection_.Transact(SqlIsolation::kRepeatableRead,
                         [&](SqlTransaction& sql) { found = ReadProposals(sql, catalog_, {id}); });
    if (found.empty()) return std::nullopt;
    return std::move(found.front());
  }

  ProposalCounts Count() override {
    ProposalCounts counts;
    connection_.Transact(SqlIsolation::kRepeatableRead,
                         [&](SqlTransaction& sql) { counts = ReadProposalCounts(sql); });
    return counts;
  }

 private:
  const ProposalStoreOptions options_;
  PostgresConnection connection_;
  LabelCatalog catalog_;
};

}  // namespace

std::unique_ptr<ProposalStore> OpenProposalStore(const std::string& uri,
                                                 ProposalStoreOptions options) {
  return std::make_unique<PostgresProposalStore>(uri, std::move(options));
}

}  // namespace rebound
