#include "serve/door/tls_files.h"

#include <sys/stat.h>

#include <cmath>
#include <string>
#include <utility>

#include "base/error.h"
#include "base/log.h"
#include "base/utc_time.h"

namespace rebound {
namespace {

using SystemClock = std::chrono::system_clock;

constexpr std::chrono::hours kRenew(12);
constexpr std::chrono::hours kRemind(24);
constexpr int kWarnDays = 14;

int DaysLeft(const TlsContext& context, SystemClock::time_point now) {
  const std::chrono::duration<double, std::ratio<86400>> left = context.not_after() - now;
  return static_cast<int>(std::floor(left.count()));
}

void LogExpiry(const TlsContext& context, const std::string& file, bool loaded) {
  const auto now = SystemClock::now();
  const int days = DaysLeft(context, now);
  const auto say = [&](LogLevel level, std::string_view event) {
    Log(level, event,
        {{"file", file},
         {"subject", context.subject()},
         {"not_after", UtcTime(context.not_after())},
         {"days_left", std::to_string(days)}});
  };
  if (loaded) say(LogLevel::kInfo, "TLS certificate loaded");
  if (context.not_after() <= now) {
    say(LogLevel::kError, "TLS certificate has expired: clients will refuse it");
  } else if (context.not_before() > now) {
    say(LogLevel::kError, "TLS certificate is not valid yet: clients will refuse it");
  } else if (days < kWarnDays) {
    say(LogLevel::kWarning, "TLS certificate expires soon");
  }
}

void LogRevocations(const TlsContext& context, const std::string& file) {
  constexpr std::chrono::hours kSoon(24);
  if (!context.crl_ends()) return;
  const auto now = SystemClock::now();
  if (*context.crl_ends() <= now) {
    Log(LogLevel::kError, "a TLS revocation list is out of date: its clients are refused",
        {{"file", file}, {"ended", UtcTime(*context.crl_ends())}});
  } else if (*context.crl_ends() - now < kSoon) {
    Log(LogLevel::kWarning, "a TLS revocation list ends soon",
        {{"file", file}, {"ends", UtcTime(*context.crl_ends())}});
  }
}

void WarnOfOpenKey(const std::filesystem::path& key) {
  struct stat info {};
  if (::stat(key.c_str(), &info) == 0 && (info.st_mode & S_IROTH) != 0) {
    Log(LogLevel::kWarning, "TLS key is readable by everybody: chmod 600",
        {{"file", key.string()}});
  }
}

}  // namespace

TlsFiles::TlsFiles(const TlsOptions& options) : options_(options), tried_(Identify()) {
  seen_ = tried_;
  Take(std::make_shared<const TlsContext>(options_));
  WarnOfOpenKey(options_.key);
}

std::shared_ptr<const TlsContext> TlsFiles::Current() const {
  const std::lock_guard lock(mutex_);
  return current_;
}

bool TlsFiles::Reload() {
  const std::lock_guard lock(load_mutex_);
  return Load(Identify());
}

void TlsFiles::Look(Clock::time_point now) {
  const std::lock_guard lock(load_mutex_);
  const Identity found = Identify();
  const bool still = found == std::exchange(seen_, found);
  if (found != tried_ && still) {
    Load(found);
  } else if (now >= renew_at_ && found == tried_) {
    Load(found);
  } else if (now >= remind_at_) {
    remind_at_ = now + kRemind;
    LogExpiry(*Current(), options_.certificate.string(), false);
    LogRevocations(*Current(), options_.client_crl.string());
  }
}

TlsFiles::Identity TlsFiles::Identify() const {
  Identity identity{};
  const std::filesystem::path* files[] = {&options_.certificate, &options_.key, &options_.client_ca,
                                          &options_.client_crl};
  for (size_t i = 0; i < identity.size(); ++i) {
    struct stat info {};
    if (files[i]->empty() || ::stat(files[i]->c_str(), &info) != 0) continue;
    identity[i] = {static_cast<int64_t>(info.st_dev), static_cast<int64_t>(info.st_ino),
                   static_cast<int64_t>(info.st_size), static_cast<int64_t>(info.st_mtim.tv_sec),
                   static_cast<int64_t>(info.st_mtim.tv_nsec)};
  }
  return identity;
}

bool TlsFiles::Load(const Identity& identity) {
  tried_ = identity;
  try {
    auto context = std::make_shared<const TlsContext>(options_);
    const auto now = SystemClock::now();
    if (context->not_after() <= now && Current()->not_after() > now) {
      throw Error(ErrorCode::kInvalidArgument, "TLS: " + options_.certificate.string() +
                                                   ": the certificate expired on " +
                                                   UtcTime(context->not_after()));
    }
    Take(std::move(context));
    return true;
  } catch (const std::exception& e) {
    renew_at_ = Clock::now() + kRenew;
    Log(LogLevel::kError, "TLS files refused; the certificate loaded before stays",
        {{"cause", e.what()}});
    return false;
  }
}

void TlsFiles::Take(std::shared_ptr<const TlsContext> context) {
  LogExpiry(*context, options_.certificate.string(), true);
  LogRevocations(*context, options_.client_crl.string());
  renew_at_ = Clock::now() + kRenew;
  remind_at_ = Clock::now() + kRemind;
  const std::lock_guard lock(mutex_);
  current_ = std::move(context);
}

}  // namespace rebound
