// Every implementation of LabelStore, by name: the same sentences must hold for all of them.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "labelstore/label_store.h"
#include "tests/support/postgres.h"

namespace rebound {

using MakeStore = std::unique_ptr<LabelStore> (*)();

inline std::unique_ptr<LabelStore> MakePostgres() {
  return OpenLabelStore(test::SharedCluster().NewStore());
}

class LabelStoreContract : public testing::TestWithParam<std::pair<const char*, MakeStore>> {
 protected:
  LabelStoreContract() : store_(GetParam().second()) {}
  std::unique_ptr<LabelStore> store_;
};

inline const auto kStores =
    testing::Values(std::pair<const char*, MakeStore>("Memory", MakeMemoryLabelStore),
                    std::pair<const char*, MakeStore>("Postgres", MakePostgres));

inline std::string StoreName(
    const testing::TestParamInfo<std::pair<const char*, MakeStore>>& info) {
  return info.param.first;
}

inline size_t Bnac(std::string_view name) { return FindLabel(Task::kBnac, name).value(); }
inline size_t Backoff(std::string_view name) { return FindLabel(Task::kBackoff, name).value(); }

inline Submission Says(std::string text, std::string_view bnac, std::string contributor = "alice",
                       LabelOrigin origin = LabelOrigin::kContribution) {
  Submission submission;
  submission.text = std::move(text);
  submission.labels[Index(Task::kBnac)] = Bnac(bnac);
  submission.origin = origin;
  submission.contributor = std::move(contributor);
  return submission;
}

inline std::vector<SnapshotRow> Rows(LabelStore* store, int64_t id) {
  std::vector<SnapshotRow> rows;
  store->ReadSnapshot(id, [&](const SnapshotRow& row) { rows.push_back(row); });
  return rows;
}

// The bnac label that counts for the only message of the store; "" for none.
inline std::string EffectiveBnac(LabelStore* store) {
  const auto rows = Rows(store, store->MakeSnapshot().id);
  if (rows.empty()) return "";
  EXPECT_EQ(rows.size(), 1u);
  const int16_t label = rows[0].labels[Index(Task::kBnac)];
  return label < 0 ? "" : std::string(TaskLabels(Task::kBnac)[static_cast<size_t>(label)]);
}

template <class Body>
void ExpectError(ErrorCode code, const std::string& message, Body body) {
  try {
    body();
    ADD_FAILURE() << "no error; expected: " << message;
  } catch (const Error& e) {
    EXPECT_EQ(ErrorCodeName(e.code()), ErrorCodeName(code));
    EXPECT_EQ(std::string(e.what()), message);
  }
}

}  // namespace rebound
