#include "datasource/read_guard.h"

#include <algorithm>
#include <utility>

#include "base/error.h"

namespace rebound {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

ReadGuard::ReadGuard(const DatasourceLimits& limits, std::string description)
    : limits_(limits),
      description_(std::move(description)),
      deadline_(steady_clock::now() + limits.timeout) {}

void ReadGuard::Tell(std::span<const std::string_view> fields, const Datasource::Row& row) {
  CheckTime();
  if (++rows_ > limits_.max_rows) {
    throw Error(ErrorCode::kTooLarge, description_ + " gives more than " +
                                          std::to_string(limits_.max_rows) +
                                          " rows: narrow the query");
  }
  size_t size = 0;
  for (const std::string_view field : fields) size += field.size();
  CheckBytes(size);
  bytes_ += size;
  row(fields);
}

milliseconds ReadGuard::left() const {
  const auto left = std::chrono::ceil<milliseconds>(deadline_ - steady_clock::now());
  return std::max(left, milliseconds(0));
}

void ReadGuard::CheckTime() const {
  if (is_over()) ThrowTimeout();
}

void ReadGuard::CheckColumns(size_t given, size_t wanted) const {
  if (given == wanted) return;
  throw Error(ErrorCode::kInvalidArgument, "the query to " + description_ + " gives " +
                                               std::to_string(given) + " columns where " +
                                               std::to_string(wanted) + " are wanted");
}

void ReadGuard::CheckBytes(size_t bytes) const {
  if (bytes <= limits_.max_bytes - bytes_) return;
  throw Error(ErrorCode::kTooLarge, description_ + " gives more than " +
                                        std::to_string(limits_.max_bytes) +
                                        " bytes: narrow the query");
}

void ReadGuard::ThrowTimeout() const {
  throw Error(ErrorCode::kUnavailable, description_ + " did not answer in full within " +
                                           std::to_string(limits_.timeout.count()) +
                                           " ms: check that it runs, or ask for less");
}

}  // namespace rebound
