#include "serve/docs_routes.h"

#include <string>

#include "serve/problem.h"
#include "serve/web_files.h"

namespace rebound {
namespace {

// Scripts, styles and calls of this server alone: no inline script, no frame, no form elsewhere.
constexpr std::string_view kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

std::string_view TypeOf(std::string_view name) {
  const std::string_view ending = name.substr(name.rfind('.') + 1);
  if (ending == "html") return "text/html; charset=utf-8";
  if (ending == "js") return "text/javascript; charset=utf-8";
  if (ending == "css") return "text/css; charset=utf-8";
  if (ending == "svg") return "image/svg+xml";
  return "application/json";
}

Response Answer(std::string_view name) {
  for (const WebFile& file : WebFiles()) {
    if (file.name != name) continue;
    Response response;
    response.content_type = TypeOf(name);
    response.headers.emplace_back("Content-Security-Policy", kPolicy);
    response.headers.emplace_back("X-Content-Type-Options", "nosniff");
    response.headers.emplace_back("Referrer-Policy", "no-referrer");
    response.headers.emplace_back("Cache-Control", "no-cache");
    response.body = file.bytes;
    return response;
  }
  return MakeProblem(404, "there is no such file");
}

}  // namespace

void DocsRoutes::AddTo(Router* router) {
  const auto add = [&](std::string_view path, std::string_view name) {
    router->Add({kGet, path, Scope::kOpen, [name](const Call&) { return Answer(name); }});
  };
  add("/", "index.html");
  add("/contributions", "contributions.html");
  add("/review", "review.html");
  add("/docs", "docs.html");
  add("/openapi.json", "openapi.json");
  router->Add(
      {kGet, "/web/{file}", Scope::kOpen, [](const Call& call) { return Answer(call.parameter); }});
}

}  // namespace rebound
