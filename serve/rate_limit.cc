#include "serve/rate_limit.h"

#include <algorithm>
#include <charconv>
#include <string>

#include "base/error.h"

namespace rebound {
namespace {

constexpr double kNanoseconds = 1e9;
constexpr double kMostTokens = 1e9;
constexpr double kLongestDebt = 1e18;  // nanoseconds: thirty years, and no overflow

// How long `tokens` take to come.
int64_t TimeOf(double tokens, const Rate& rate) {
  return static_cast<int64_t>(std::min(tokens * (kNanoseconds / rate.per_second), kLongestDebt));
}

int64_t Ticks(RateTable::Clock::time_point time) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
}

// A whole number from 1 on; nullopt for anything else.
std::optional<double> ParseCount(std::string_view text) {
  uint64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (count < 1 || static_cast<double>(count) > kMostTokens) return std::nullopt;
  return static_cast<double>(count);
}

}  // namespace

Rate ParseRate(std::string_view text) {
  if (text == "none") return {};
  const size_t slash = text.find('/');
  const std::string_view unit = slash == std::string_view::npos ? "" : text.substr(slash + 1);
  const double seconds = unit == "s" ? 1 : unit == "m" ? 60 : unit == "h" ? 3600 : 0;
  const auto count = ParseCount(text.substr(0, slash));
  if (seconds == 0 || !count) {
    throw Error(
        ErrorCode::kInvalidArgument,
        "a rate is N/s, N/m, N/h or none, such as 100/s; it is '" + std::string(text) + "'");
  }
  return {*count / seconds, *count};
}

double ParseBurst(std::string_view text) {
  if (const auto count = ParseCount(text)) return *count;
  throw Error(ErrorCode::kInvalidArgument,
              "a burst is a whole number from 1 on; it is '" + std::string(text) + "'");
}

RateTable::RateTable(size_t callers)
    : secret_(NewSipSecret()),
      sets_(std::max<size_t>(1, (callers + kShards * kWays - 1) / (kShards * kWays))),
      shards_(kShards) {}

RateTable::Slot& RateTable::SlotOf(const SipHash& caller, Shard* shard) const {
  shard->slots.resize(sets_ * kWays);  // at the first use: who has no limits pays no memory
  const auto first = shard->slots.begin() + static_cast<int64_t>((caller.high % sets_) * kWays);
  const auto last = first + static_cast<int64_t>(kWays);
  const auto known = std::find_if(
      first, last, [&](const Slot& slot) { return slot.full_at != 0 && slot.caller == caller; });
  if (known != last) return *known;
  Slot& slot = *std::min_element(
      first, last, [](const Slot& a, const Slot& b) { return a.full_at < b.full_at; });
  slot = {caller, 0};
  return slot;
}

// The one number of a bucket is the time at which it is full again: a token taken moves it on by
// the time that a token takes to come, and the burst is how far ahead of now it may stand.
std::optional<RateTable::Clock::duration> RateTable::Take(std::string_view caller, const Rate& rate,
                                                          Clock::time_point now) {
  if (!rate.limited()) return std::nullopt;
  const SipHash hash = HashOf(secret_, caller);
  const int64_t ticks = Ticks(now);
  const int64_t ahead = TimeOf(rate.burst - 1, rate);
  Shard& shard = ShardOf(hash);
  const std::lock_guard lock(shard.mutex);
  Slot& slot = SlotOf(hash, &shard);
  const int64_t full_at = std::max(slot.full_at, ticks);
  if (full_at - ticks > ahead) return std::chrono::nanoseconds(full_at - ticks - ahead);
  slot.full_at = full_at + TimeOf(1, rate);
  return std::nullopt;
}

void RateTable::Owe(std::string_view caller, const Rate& rate, size_t more, Clock::time_point now) {
  if (!rate.limited() || more == 0) return;
  const SipHash hash = HashOf(secret_, caller);
  const int64_t ticks = Ticks(now);
  Shard& shard = ShardOf(hash);
  const std::lock_guard lock(shard.mutex);
  Slot& slot = SlotOf(hash, &shard);
  const int64_t debt = std::max(slot.full_at - ticks, int64_t{0});
  const int64_t more_debt = TimeOf(static_cast<double>(more), rate);
  slot.full_at = ticks + std::min(debt + more_debt, static_cast<int64_t>(kLongestDebt));
}

}  // namespace rebound
