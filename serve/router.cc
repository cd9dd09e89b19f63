#include "serve/router.h"

namespace rebound {
namespace {

// Whether `path` is of the form `pattern`; `*parameter` is what its `{name}` stands for.
bool Fits(std::string_view pattern, std::string_view path, std::string_view* parameter) {
  const size_t open = pattern.find('{');
  if (open == std::string_view::npos) {
    *parameter = {};
    return pattern == path;
  }
  const std::string_view before = pattern.substr(0, open);
  const std::string_view after = pattern.substr(pattern.find('}') + 1);
  if (path.size() <= before.size() + after.size()) return false;
  if (path.substr(0, before.size()) != before) return false;
  if (path.substr(path.size() - after.size()) != after) return false;
  *parameter = path.substr(before.size(), path.size() - before.size() - after.size());
  return parameter->find('/') == std::string_view::npos;
}

}  // namespace

Router::Match Router::Find(std::string_view method, std::string_view path) const {
  const std::string_view wanted = method == "HEAD" ? kGet : method;
  Match match;
  bool exact = false;
  for (const Route& route : routes_) {
    std::string_view parameter;
    if (!Fits(route.path, path, &parameter)) continue;
    if (exact && !parameter.empty()) continue;
    if (!exact && parameter.empty()) {
      match = {};
      exact = true;
    }
    if (route.method == wanted) {
      match.route = &route;
      match.parameter = parameter;
    }
    match.allow += (match.allow.empty() ? "" : ", ") + std::string(route.method);
    if (route.method == kGet) match.allow += ", HEAD";
  }
  return match;
}

}  // namespace rebound
