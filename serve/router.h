// The routes of the server: path, method, who may call it, what answers. Filled at start, then
// read only. Thread-safe once filled.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "serve/http.h"
#include "serve/principal.h"
#include "serve/uri.h"

namespace rebound {

class Metrics;
class Shadow;

// One request at a route.
struct Call {
  const Request& request;
  const Target& target;
  std::string_view parameter;  // what stands in the path for the route's `{name}`; empty: none
  const Principal& caller = kNobody;
  std::string_view request_id = {};
  Metrics* metrics = nullptr;  // null: nothing is counted
  Shadow* shadow = nullptr;    // null: no candidate hears of the answers
};

// Whose threads answer a route that is slow.
enum class Lane : uint8_t {
  kAlone,   // the Api's one thread for rare, heavy work
  kSubmit,  // the label store's: single contributions
  kBulk,    // many of them, snapshots
  kReview,  // what people look at and decide
};

struct Route {
  std::string_view method;  // "GET" answers HEAD too
  std::string_view path;    // "/v3/models"; one segment may be a parameter: "/v3/models/{task}"
  Scope scope = Scope::kClassify;
  // Throws Refusal (serve/texts.h) for what the client did wrong.
  std::function<Response(const Call&)> answer;
  // Takes so long that it would hold up a worker: `answer` is called on a thread of `lane`, and too
  // much of it waiting is answered 503.
  bool slow = false;
  Lane lane = Lane::kAlone;
  // The same for bodies of so many bytes and more alone.
  size_t slow_bytes = std::numeric_limits<size_t>::max();
};

inline constexpr std::string_view kGet = "GET";
inline constexpr std::string_view kPost = "POST";
inline constexpr std::string_view kPatch = "PATCH";
inline constexpr std::string_view kDelete = "DELETE";

class Router {
 public:
  void Add(Route route);

  struct Match {
    const Route* route = nullptr;  // null: the path is there but not for this method, or not at all
    std::string allow;           // where route is null: methods of the path, for the Allow header;
                                 // empty: no such path
    std::string_view parameter;  // view into `path`
  };
  // A path without a parameter wins over one with.
  Match Find(std::string_view method, std::string_view path) const;

  const std::vector<Route>& routes() const { return routes_; }

 private:
  struct Choice {
    std::string_view method;
    size_t route;  // in routes_
  };
  std::vector<Route> routes_;
  std::unordered_map<std::string_view, std::vector<Choice>> exact_;  // by path
  std::vector<size_t> patterns_;                                     // routes with a parameter
};

}  // namespace rebound
