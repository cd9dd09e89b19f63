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

constexpr std::string_view kGet = "GET";
constexpr std::string_view kPost = "POST";

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

const std::vector<Api::Route>& Api::Routes() {
  static const std::vector<Route> routes = {
      {kPost, "/v1/bnac/single", false, &Api::BnacSingleV1},
      {kPost, "/v2/bnac/single", false, &Api::BnacSingleV2},
      {kPost, "/v1/bnac", false, &Api::BnacV1},
      {kPost, "/v2/bnac", false, &Api::BnacV2},
      {kPost, "/v1/bnac/batch", false, &Api::BnacBatch},
      {kPost, "/v1/backoff", false, &Api::Backoff},
      {kPost, "/normalise", false, &Api::NormaliseTexts},
      {kPost, "/normalize", false, &Api::NormaliseTexts},
      {kGet, "/v1/cache/stats", false, &Api::CacheStatistics},
      {kGet, "/v1/cache/info", false, &Api::CacheInfo},
      {kGet, "/v3/models", false, &Api::Models},
      {kGet, "/livez", true, &Api::Livez},
      {kGet, "/healthz", true, &Api::Livez},
      {kGet, "/readyz", true, &Api::Readyz},
  };
  return routes;
}

Api::Api(const ApiOptions& options, const Engine* engine, Cache* cache, Statuses statuses)
    : options_(options),
      key_digest_(options.api_key.empty() ? "" : Sha256Hex(options.api_key)),
      engine_(engine),
      cache_(cache),
      statuses_(std::move(statuses)) {}

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
  const std::string_view method =
      request.method == "HEAD" ? kGet : std::string_view(request.method);
  const Route* route = nullptr;
  std::string allow;
  for (const Route& candidate : Routes()) {
    if (candidate.path != target.path) continue;
    if (candidate.method == method) route = &candidate;
    allow += (allow.empty() ? "" : ", ") + std::string(candidate.method);
    if (candidate.method == kGet) allow += ", HEAD";
  }
  if (allow.empty()) return MakeProblem(404, "there is no such route");
  if (route == nullptr) {
    Response response = MakeProblem(405, "this route takes " + allow);
    response.headers.emplace_back("Allow", allow);
    return response;
  }
  if (!route->open && !HasKey(request)) {
    return MakeProblem(401, "a valid key is needed: X-API-Key or Authorization: Bearer");
  }
  return (this->*route->answer)({request, target});
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
