#include "serve/api.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <random>
#include <utility>

#include "base/digest.h"
#include "base/error.h"
#include "base/log.h"
#include "base/text.h"
#include "serve/problem.h"
#include "serve/texts.h"

namespace rebound {
namespace {

std::string MakeRequestId() {
  thread_local std::mt19937_64 random{std::random_device{}()};
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string id;
  id.reserve(32);
  for (int half = 0; half < 2; ++half) {
    for (uint64_t bits = random(), i = 0; i < 16; ++i, bits >>= 4) id.push_back(kDigits[bits & 15]);
  }
  return id;
}

// The client's id where it is 1 to 128 printable ASCII characters, else a new one.
std::string RequestIdOf(const Request& request) {
  constexpr size_t kMostBytes = 128;
  const std::string* id = request.FindHeader("x-request-id");
  const auto printable = [](char c) { return c >= ' ' && c <= '~'; };
  if (id != nullptr && !id->empty() && id->size() <= kMostBytes &&
      std::all_of(id->begin(), id->end(), printable)) {
    return *id;
  }
  return MakeRequestId();
}

}  // namespace

Api::Api(const ApiOptions& options, const Engine* engine, Cache* cache, Statuses statuses)
    : key_digest_(options.api_key.empty() ? "" : Sha256Hex(options.api_key)),
      classify_(engine, cache, options.max_batch),
      status_(cache, options.cache, std::move(statuses)) {
  classify_.AddTo(&router_);
  status_.AddTo(&router_);
}

void Api::Handle(Request request, const Done& done) noexcept {
  const auto start = std::chrono::steady_clock::now();
  try {
    const std::string id = RequestIdOf(request);
    Response response;
    try {
      response = Dispatch(request);
    } catch (Refusal& refusal) {
      response = std::move(refusal.response);
    } catch (const std::exception& e) {
      Log(LogLevel::kError, "request failed", {{"request_id", id}, {"cause", e.what()}});
      response = MakeProblem(500, "an internal fault; the log tells more under this request's id");
    }
    if (IsLogged(LogLevel::kDebug)) {
      const std::chrono::duration<double, std::milli> taken =
          std::chrono::steady_clock::now() - start;
      Log(LogLevel::kDebug, "request",
          {{"request_id", id},
           {"method", request.method},
           {"target", request.target},
           {"status", std::to_string(response.status)},
           {"ms", std::to_string(taken.count())}});
    }
    response.headers.emplace_back("X-Request-ID", id);
    done(std::move(response));
  } catch (...) {
    // Memory is short: an answer without a body still fits.
    Response response;
    response.status = 500;
    done(std::move(response));
  }
}

Response Api::Dispatch(const Request& request) const {
  Target target;
  try {
    target = ParseTarget(request.target);
  } catch (const Error& e) {
    return MakeProblem(400, e.what());
  }
  const Router::Match match = router_.Find(request.method, target.path);
  if (match.allow.empty()) return MakeProblem(404, "there is no such route");
  if (match.route == nullptr) {
    Response response = MakeProblem(405, "this route takes " + match.allow);
    response.headers.emplace_back("Allow", match.allow);
    return response;
  }
  if (match.route->scope != Scope::kOpen && !HasKey(request)) {
    return MakeProblem(401, "a valid key is needed: X-API-Key or Authorization: Bearer");
  }
  return match.route->answer({request, target, match.parameter});
}

bool Api::HasKey(const Request& request) const {
  if (key_digest_.empty()) return true;
  // Digests are compared, so neither the key's length nor its bytes show in the time.
  const auto is_key = [&](std::string_view key) {
    return EqualInConstantTime(Sha256Hex(key), key_digest_);
  };
  const std::string* key = request.FindHeader("x-api-key");
  if (key != nullptr && is_key(*key)) return true;
  const std::string* authorization = request.FindHeader("authorization");
  constexpr std::string_view kBearer = "bearer ";
  return authorization != nullptr &&
         AsciiLower(std::string_view(*authorization).substr(0, kBearer.size())) == kBearer &&
         is_key(Trim(std::string_view(*authorization).substr(kBearer.size())));
}

}  // namespace rebound
