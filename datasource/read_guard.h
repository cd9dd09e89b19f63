// Holds one Read to its limits and words what goes beyond them, the same for every source.
// Thread-compatible.
#pragma once

#include <chrono>
#include <span>
#include <string>
#include <string_view>

#include "datasource/datasource.h"

namespace rebound {

class ReadGuard {
 public:
  // The time starts now.
  ReadGuard(const DatasourceLimits& limits, std::string description);

  // Counts a row, then tells it. Throws kTooLarge; kUnavailable past the deadline.
  void Tell(std::span<const std::string_view> fields, const Datasource::Row& row);

  // At least 0.
  std::chrono::milliseconds left() const;
  bool is_over() const { return left().count() == 0; }

  // Throws kUnavailable past the deadline.
  void CheckTime() const;
  // Throws kInvalidArgument unless the query gives `wanted` columns.
  void CheckColumns(size_t given, size_t wanted) const;
  // Throws kTooLarge where `bytes` more would be too many: for fields that arrive in pieces.
  void CheckBytes(size_t bytes) const;
  [[noreturn]] void ThrowTimeout() const;

 private:
  DatasourceLimits limits_;
  std::string description_;
  std::chrono::steady_clock::time_point deadline_;
  size_t rows_ = 0;
  size_t bytes_ = 0;
};

}  // namespace rebound
