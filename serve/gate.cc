#include "serve/gate.h"

#include <algorithm>
#include <string>

#include "serve/peer.h"
#include "serve/problem.h"

namespace rebound {
namespace {

constexpr size_t kPeers = 65536;

Response TooMany(RateTable::Clock::duration wait) {
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(wait).count();
  Response response =
      MakeProblem(429, "more than the rate that you are granted; Retry-After tells when to come");
  for (auto& [name, value] : response.headers) {
    if (name == "Retry-After") value = std::to_string(std::max<int64_t>(seconds, 1));
  }
  return response;
}

std::optional<Response> RefusalOf(const Access& access, Scope scope) {
  switch (access.verdict) {
    case Access::Verdict::kGranted:
      return std::nullopt;
    case Access::Verdict::kNoKey:
      if (scope == Scope::kAdmin) {
        return MakeProblem(401,
                           "a key of the scope admin is needed: X-API-Key or Authorization: "
                           "Bearer; where no key is configured, clients on the server's own "
                           "machine need none");
      }
      return MakeProblem(401, "a valid key is needed: X-API-Key or Authorization: Bearer");
    case Access::Verdict::kExpired:
      return MakeProblem(401, "the key has expired");
    case Access::Verdict::kWrongScope:
      break;
  }
  return MakeProblem(403, "the key is not good for the scope " + std::string(ScopeName(scope)));
}

bool IsCounted(Scope scope) { return scope != Scope::kOpen && scope != Scope::kMetrics; }

}  // namespace

// Where a caller's tokens are.
struct Gate::Bucket {
  RateTable* table;
  std::string name;
  Rate rate;
};

Gate::Gate(const GateOptions& options)
    : keys_(options.keys),
      rate_(options.rate),
      proxies_(options.proxies),
      cors_(options.cors),
      by_key_(4 * kMostKeys),
      by_peer_(kPeers) {
  if (options.access_log) access_log_.emplace(*options.access_log);
  keys_.Start();
}

Gate::Bucket Gate::BucketOf(const Request& request, const Principal& caller) {
  if (caller.known()) return {&by_key_, caller.name, caller.rate.value_or(rate_)};
  return {&by_peer_, rate_.limited() ? UserNetwork(ClientOf(request)) : "", rate_};
}

std::optional<Response> Gate::Refuse(const Request& request, Scope scope, Principal* caller) {
  Access access = keys_.Check(request, scope, Keys::Clock::now());
  *caller = std::move(access.caller);
  const bool granted = access.verdict == Access::Verdict::kGranted;
  // Who tries keys is slowed down too: what is refused costs as much as what passes.
  if (IsCounted(scope) || !granted) {
    const Bucket bucket = BucketOf(request, *caller);
    const auto wait = bucket.table->Take(bucket.name, bucket.rate, RateTable::Clock::now());
    if (wait) return TooMany(*wait);
  }
  return RefusalOf(access, scope);
}

void Gate::Count(const Request& request, Scope scope, const Principal& caller, size_t texts) {
  if (!IsCounted(scope) || texts <= 1) return;  // one was taken at the gate
  const Bucket bucket = BucketOf(request, caller);
  bucket.table->Owe(bucket.name, bucket.rate, texts - 1, RateTable::Clock::now());
}

bool Gate::Reload() {
  if (access_log_) access_log_->Reopen();
  return keys_.Reload();
}

}  // namespace rebound
