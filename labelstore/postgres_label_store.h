// The label store in PostgreSQL. Many rows travel as arrays in one statement, so a single
// submission and a seed of 100,000 take the same path. Thread-compatible.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "datasource/postgres.h"
#include "labelstore/content.h"
#include "labelstore/label_store.h"
#include "labelstore/vote_writer.h"

namespace rebound {

class PostgresLabelStore : public LabelStore {
 public:
  // Throws as OpenLabelStore does.
  explicit PostgresLabelStore(const std::string& uri, PostgresOptions options = {});

  ImportResult Submit(const std::vector<Submission>& submissions) override;
  SnapshotInfo MakeSnapshot() override;
  std::optional<SnapshotInfo> FindSnapshot(int64_t id) override;
  void ReadSnapshot(int64_t id, const std::function<void(const SnapshotRow&)>& row) override;
  // A run holds a lock of the session: where the lock is free and the run is "running", its process
  // died. A run whose connection broke may be called failed too early; FinishRun sets it right.
  int64_t StartRun(const TrainingRun& run) override;
  void FinishRun(const TrainingRun& run) override;
  std::vector<TrainingRun> ReadRuns(size_t limit) override;
  void RegisterModel(Task task, int version, std::string_view weights_sha256,
                     int64_t run_id) override;
  void RecordPromotion(Task task, int version) override;
  int LastVersion(Task task) override;
  std::string StatsJson() override;

 private:
  int64_t TaskId(Task task) const { return catalog_.task_ids[Index(task)]; }
  // The row at `row` of: message id, origin, label id of each task, split group, held out.
  SnapshotRow ReadRow(const SqlRows& rows, size_t row) const;

  PostgresConnection connection_;
  LabelCatalog catalog_;
  std::set<int64_t> own_runs_;  // running, started here
};

}  // namespace rebound
