// What the tests of contributions and reviews share.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "datasource/postgres.h"
#include "labelstore/proposals.h"

namespace rebound {

inline size_t LabelOf(Task task, std::string_view name) { return FindLabel(task, name).value(); }

// `label` is of task action.
inline Proposal Proposes(std::string text, std::string_view label, std::string who = "key-a") {
  Proposal proposal;
  proposal.text = std::move(text);
  proposal.contributor = std::move(who);
  proposal.labels[Index(Task::kAction)] = LabelOf(Task::kAction, label);
  return proposal;
}

inline Proposal& WithModel(Proposal&& proposal, std::string_view label, float probability) {
  proposal.model[Index(Task::kAction)] = ModelAnswer{LabelOf(Task::kAction, label), probability, 7};
  return proposal;
}

// The first column of a query, one row a line.
inline std::string Column(const std::string& uri, const std::string& query) {
  std::string lines;
  PostgresConnection(uri).Transact(SqlIsolation::kReadCommitted, [&](SqlTransaction& sql) {
    lines.clear();
    const SqlRows rows = sql.Execute(query);
    for (size_t row = 0; row < rows.size(); ++row) {
      lines += (row == 0 ? "" : "\n") + std::string(rows.Text(row, 0));
    }
  });
  return lines;
}

// A word that is no number, for texts that must differ.
inline std::string WordOf(size_t number) {
  std::string word = "w";
  do {
    word += static_cast<char>('a' + number % 26);
    number /= 26;
  } while (number > 0);
  return word + "x";
}

}  // namespace rebound
