// Keeps a TlsContext on what the certificate files hold, without a restart.
//
// What cannot be used is refused and told once; the old one stays. Connections keep the context
// that they began with. Thread-safe.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>

#include "serve/door/tls.h"

namespace rebound {

class TlsFiles {
 public:
  using Clock = std::chrono::steady_clock;

  // Loads now. Throws kInvalidArgument where that cannot be.
  explicit TlsFiles(const TlsOptions& options);

  std::shared_ptr<const TlsContext> Current() const;

  // Loads now; false where the files were refused, which the log tells. Never throws.
  bool Reload();
  // Loads where the files changed and then stood still from one look to the next, so that a
  // certificate is not taken before its key; renews the tickets' key twice a day, and warns once a
  // day of a certificate or a revocation list about to expire. Call every few seconds. Never
  // throws.
  void Look(Clock::time_point now);

 private:
  // Device, inode, size and time of change of the four files.
  using Identity = std::array<std::array<int64_t, 5>, 4>;

  Identity Identify() const;
  bool Load(const Identity& identity);
  void Take(std::shared_ptr<const TlsContext> context);

  const TlsOptions options_;
  std::mutex load_mutex_;  // one load at a time; held before mutex_
  Identity tried_{};       // what was loaded or refused last
  Identity seen_{};        // by the last look
  Clock::time_point renew_at_;
  Clock::time_point remind_at_;
  mutable std::mutex mutex_;
  std::shared_ptr<const TlsContext> current_;
};

}  // namespace rebound
