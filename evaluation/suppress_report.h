// What the answers would do to recipients: who gets no more mail, and who should not have lost it.
// Values; the functions are pure, Thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace rebound {

// The three answers to `suppress`, mildest first.
inline constexpr std::array<std::string_view, 3> kSuppressAnswers = {"no", "after_repeats", "yes"};
inline constexpr size_t kSuppressYes = 2;

// A recipient that would lose its mail, and should not.
struct WrongSuppression {
  std::string id;
  std::string accepted;  // "SPF, ..., auth_failure"
  std::string text;      // masked
};

// Over rows that a careful person was sure of and that are labelled for all three tasks.
struct SuppressReport {
  // What the right labels would have said -> what the answers say, each by kSuppressAnswers.
  std::array<std::array<int64_t, 3>, 3> counts = {};
  int64_t open = 0;  // rows whose accepted labels say several things; not in `counts`
  // Rows whose accepted labels are of one fault, and those of them that are told it.
  int64_t fault_rows = 0;
  int64_t fault_right = 0;
  std::vector<WrongSuppression> wrong;  // in the order of the file

  int64_t Rows() const;
  int64_t RowsOf(size_t wanted) const;
  int64_t AnswersOf(size_t answer) const;
};

std::string WriteSuppressText(const SuppressReport& report);
void WriteSuppressJson(const SuppressReport& report, JsonWriter& w);
// A card of the page.
std::string WriteSuppressHtml(const SuppressReport& report);

}  // namespace rebound
