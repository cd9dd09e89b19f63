// What the tests of this folder share: errors as text, one value of a database, a few rows.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "base/error.h"
#include "datasource/postgres.h"
#include "labelstore/label_store.h"
#include "tests/support/bundles.h"
#include "tests/support/postgres.h"

namespace rebound {

// "code: message" of the Error that `body` throws.
template <class Body>
std::string ErrorOf(Body body) {
  try {
    body();
  } catch (const Error& e) {
    return std::string(ErrorCodeName(e.code())) + ": " + e.what();
  }
  return "no error";
}

inline void Change(const std::string& uri, const std::string& script) {
  PostgresConnection(uri).Transact(SqlIsolation::kReadCommitted,
                                   [&](SqlTransaction& sql) { sql.ExecuteScript(script); });
}

inline std::string Value(const std::string& uri, const std::string& query) {
  std::string value;
  PostgresConnection(uri).Transact(SqlIsolation::kReadCommitted, [&](SqlTransaction& sql) {
    value = sql.Execute(query).Text(0, 0);
  });
  return value;
}

inline Submission Says(std::string text, Task task, std::string_view label,
                       std::string contributor = "alice") {
  Submission submission;
  submission.text = std::move(text);
  submission.labels[Index(task)] = FindLabel(task, label).value();
  submission.contributor = std::move(contributor);
  return submission;
}

// Publishes a small bundle of bnac into `bundles` and returns its folder.
inline std::filesystem::path Publish(BundleStore* bundles, uint64_t variant = 0) {
  test::TestBundle bundle;
  bundle.variant = variant;
  const auto made = test::MakeTestDraft(bundle);
  return bundles->BundleFolder(Task::kBnac, bundles->Publish(made->draft));
}

}  // namespace rebound
