#include "serve/router.h"

#include <utility>

namespace rebound {
namespace {

// Whether `path` is of the form `pattern`; `*parameter` is what its `{name}` stands for.
bool Fits(std::string_view pattern, std::string_view path, std::string_view* parameter) {
  const size_t open = pattern.find('{');
  const std::string_view before = pattern.substr(0, open);
  const std::string_view after = pattern.substr(pattern.find('}') + 1);
  if (path.size() <= before.size() + after.size()) return false;
  if (!path.starts_with(before) || !path.ends_with(after)) return false;
  *parameter = path.substr(before.size(), path.size() - before.size() - after.size());
  return parameter->find('/') == std::string_view::npos;
}

void AddMethod(std::string_view method, std::string* allow) {
  if (!allow->empty()) *allow += ", ";
  *allow += method;
  if (method == kGet) *allow += ", HEAD";
}

}  // namespace

void Router::Add(Route route) {
  const size_t index = routes_.size();
  if (route.path.find('{') == std::string_view::npos) {
    exact_[route.path].push_back({route.method, index});
  } else {
    patterns_.push_back(index);
  }
  routes_.push_back(std::move(route));
}

Router::Match Router::Find(std::string_view method, std::string_view path) const {
  const std::string_view wanted = method == "HEAD" ? kGet : method;
  Match match;
  if (const auto exact = exact_.find(path); exact != exact_.end()) {
    for (const Choice& choice : exact->second) {
      if (choice.method == wanted) {
        match.route = &routes_[choice.route];
        return match;
      }
    }
    for (const Choice& choice : exact->second) AddMethod(choice.method, &match.allow);
    return match;
  }
  for (const size_t index : patterns_) {
    const Route& route = routes_[index];
    std::string_view parameter;
    if (!Fits(route.path, path, &parameter)) continue;
    if (route.method == wanted) {
      match = {&route, "", parameter};
      return match;
    }
    AddMethod(route.method, &match.allow);
  }
  return match;
}

}  // namespace rebound
