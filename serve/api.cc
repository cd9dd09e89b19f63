#include "serve/api.h"

#include <chrono>
#include <exception>
#include <utility>

#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "serve/docs_routes.h"
#include "serve/metrics_sources.h"
#include "serve/problem.h"
#include "serve/shadow_report.h"
#include "serve/texts.h"
#include "serve/trace.h"

namespace rebound {
namespace {

// What every path may be asked, for `OPTIONS *`.
constexpr std::string_view kAllMethods = "GET, HEAD, POST, PATCH, DELETE, OPTIONS";

constexpr size_t kMostSlowWaiting = 16;

// What the server is to serve, in the order of kTasks.
std::vector<Task> TasksOf(const Reloader& reloader) {
  std::vector<Task> tasks;
  for (const Task task : kTasks) {
    for (const TaskStatus& status : reloader.Statuses()) {
      if (status.task != task) continue;
      tasks.push_back(task);
      break;
    }
  }
  return tasks;
}

std::unique_ptr<Overrides> LoadOverrides(const ApiOptions& options) {
  if (options.overrides.empty()) return nullptr;
  OverrideConfig config = LoadOverrideConfig(options.overrides);
  for (const std::string& warning : config.warnings) {
    Log(LogLevel::kWarning, "overrides", {{"warning", warning}});
  }
  return std::make_unique<Overrides>(std::move(config), options.datasources);
}

PromoteOptions PromoteOptionsOf(const ApiOptions& options, RegistryFollower* follower) {
  PromoteOptions promote;
  if (options.contributions) promote.store = options.contributions->store.uri;
  if (follower != nullptr) promote.promoted = [follower] { follower->Wake(); };
  return promote;
}

RegistryStatuses StatusesOf(const RegistryFollower* follower) {
  return [follower]() -> std::optional<RegistryStatus> {
    if (follower == nullptr) return std::nullopt;
    return follower->Status();
  };
}

Response MethodsOf(std::string_view allow) {
  Response response;
  response.status = 204;
  response.content_type = "";
  response.headers.emplace_back("Allow", allow);
  return response;
}

// The clients of these routes look for `error`.
void AddErrorKey(std::string_view path, Response* response) {
  const auto begins = [&](std::string_view with) { return path.substr(0, with.size()) == with; };
  if (!begins("/api/") && !begins("/admin/api/")) return;
  if (response->content_type != "application/problem+json") return;
  const JsonDocument problem = ParseJson(response->body);
  if (FindJson(problem, "error") != nullptr) return;
  response->body.pop_back();  // the object's end
  response->body += ",\"error\":";
  AppendJsonString(GetJsonString(problem, "detail"), &response->body);
  response->body += "}";
}

}  // namespace

// One request on its way.
struct Api::Exchange {
  explicit Exchange(Request asked) : request(std::move(asked)) {}

  const Request request;
  const std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
  const std::string id = RequestIdOf(request);
  Target target;
  const Route* route = nullptr;  // null: none was found
  std::string parameter;         // of the route
  bool slow = false;             // may pass, but the route is slow
  Principal caller;
  std::string allow;  // of OPTIONS
};

Api::Api(const ApiOptions& options, const Engine* engine, Cache* cache, Reloader* reloader,
         RegistryFollower* follower)
    : gate_(options.gate),
      policy_(options.backoff_policy),
      overrides_(LoadOverrides(options)),
      text_rules_(options.text_rules),
      classify_(engine, cache, &policy_, rules(), options.max_batch),
      answers_(engine, cache, &policy_, rules(), TasksOf(*reloader)),
      classify_v3_(&answers_, options.max_batch),
      dsn_(&answers_, options.max_batch),
      labels_(engine, rules(), options.max_batch),
      contributions_(options.contributions ? std::make_unique<Contributions>(*options.contributions)
                                           : nullptr),
      reloader_(reloader),
      shadow_(options.shadow, reloader->store(), TasksOf(*reloader), engine,
              MakeReviewSink(contributions_.get())),
      models_(reloader, StatusesOf(follower), &shadow_),
      promote_(reloader, PromoteOptionsOf(options, follower)),
      shadow_routes_(reloader, &shadow_),
      trainer_(options.trainer ? std::make_unique<Trainer>(*options.trainer) : nullptr),
      retrain_(trainer_.get()),
      proposals_(contributions_.get(), engine),
      reviews_(contributions_.get()),
      desk_(contributions_.get()),
      snapshots_(contributions_.get()),
      dead_letters_(contributions_.get()),
      override_routes_(overrides_.get(), &text_rules_),
      status_(
          cache, options.cache, [reloader] { return reloader->Statuses(); }, StatusesOf(follower)),
      background_(kMostSlowWaiting) {
  classify_.AddTo(&router_);
  classify_v3_.AddTo(&router_);
  dsn_.AddTo(&router_);
  labels_.AddTo(&router_);
  models_.AddTo(&router_);
  promote_.AddTo(&router_);
  shadow_routes_.AddTo(&router_);
  retrain_.AddTo(&router_);
  proposals_.AddTo(&router_);
  reviews_.AddTo(&router_);
  desk_.AddTo(&router_);
  snapshots_.AddTo(&router_);
  dead_letters_.AddTo(&router_);
  override_routes_.AddTo(&router_);
  status_.AddTo(&router_);
  DocsRoutes::AddTo(&router_);
  metrics_.emplace(&router_);
  metrics_->AddSource([cache](MetricsText* text) { WriteCacheMetrics(*cache, text); });
  metrics_->AddSource(
      [reloader](MetricsText* text) { WriteModelMetrics(reloader->Statuses(), text); });
  if (follower != nullptr) {
    metrics_->AddSource([reloader, follower](MetricsText* text) {
      WriteRegistryMetrics(follower->Status(), reloader->Statuses(),
                           std::chrono::system_clock::now(), text);
    });
  }
  metrics_->AddSource([this](MetricsText* text) {
    WriteShadowMetrics(shadow_.Statuses(), shadow_.dropped(), text);
  });
  if (contributions_ != nullptr) {
    metrics_->AddSource([this](MetricsText* text) { contributions_->WriteMetrics(text); });
  }
  metrics_->AddSource(
      [this](MetricsText* text) { WriteRuleMetrics(overrides_.get(), text_rules_, text); });
  if (AccessLog* const log = gate_.access_log(); log != nullptr) {
    metrics_->AddSource([log](MetricsText* text) {
      text->Counter("rebound_access_log_lost_lines_total",
                    "Lines that came faster than they could be written.", log->dropped());
    });
  }
  shadow_.Start();
  reloader_->SetListener([this](bool forced) { shadow_.Look(forced); });
}

void Api::Handle(Request request, const Done& done) noexcept {
  try {
    Exchange exchange(std::move(request));
    Response response = Answer(&exchange, &Api::Dispatch);
    if (exchange.slow) {
      if (Defer(exchange, done)) return;
      response = MakeProblem(503, "too many requests of this kind wait already");
    }
    Finish(exchange, &response);
    done(std::move(response));
  } catch (...) {
    // Memory is short: an answer without a body still fits.
    Response response;
    response.status = 500;
    done(std::move(response));
  }
}

bool Api::StopSlowRoutes() {
  reloader_->SetListener(nullptr);
  shadow_.Stop();
  background_.Stop();
  return contributions_ == nullptr || contributions_->Stop();
}

// Leaves a slow request to the threads of its lane; false where they have enough to do.
bool Api::Defer(const Exchange& exchange, const Done& done) {
  const Lane lane = exchange.route->lane;
  std::function<void()> work = [this, lane, later = std::make_shared<Exchange>(exchange), done] {
    try {
      Response response =
          lane != Lane::kAlone &&
                  contributions_->pool.IsLate(lane, std::chrono::steady_clock::now() - later->start)
              ? MakeProblem(503, "the label store is slow; try again later")
              : Answer(later.get(), &Api::Run);
      Finish(*later, &response);
      done(std::move(response));
    } catch (...) {
      Response response;
      response.status = 500;
      done(std::move(response));
    }
  };
  return lane == Lane::kAlone ? background_.Post(std::move(work))
                              : contributions_->pool.Post(lane, std::move(work));
}

Response Api::Answer(Exchange* exchange, Step step) {
  try {
    return (this->*step)(exchange);
  } catch (Refusal& refusal) {
    return std::move(refusal.response);
  } catch (const std::exception& e) {
    Log(LogLevel::kError, "request failed", {{"request_id", exchange->id}, {"cause", e.what()}});
    return MakeProblem(500, "an internal fault; the log tells more under this request's id");
  }
}

Response Api::Dispatch(Exchange* exchange) {
  const Request& request = exchange->request;
  const bool asks_methods = request.method == "OPTIONS";
  if (asks_methods && request.target == "*") return MethodsOf(kAllMethods);
  try {
    exchange->target = ParseTarget(request.target);
  } catch (const Error& e) {
    return MakeProblem(400, e.what());
  }
  const Router::Match match = router_.Find(request.method, exchange->target.path);
  if (match.route == nullptr) {
    if (match.allow.empty()) return MakeProblem(404, "there is no such route");
    const std::string allow = match.allow + ", OPTIONS";
    if (asks_methods) {
      exchange->allow = allow;
      return MethodsOf(allow);
    }
    Response response = MakeProblem(405, "this route takes " + match.allow);
    response.headers.emplace_back("Allow", allow);
    return response;
  }
  exchange->route = match.route;
  const Scope scope = match.route->scope;
  if (auto refusal = gate_.Refuse(request, scope, &exchange->caller)) return std::move(*refusal);
  exchange->parameter = match.parameter;
  exchange->slow = match.route->slow || request.body.size() >= match.route->slow_bytes;
  return exchange->slow ? Response() : Run(exchange);
}

Response Api::Run(Exchange* exchange) {
  const Request& request = exchange->request;
  Response response =
      exchange->route->answer({request, exchange->target, exchange->parameter, exchange->caller,
                               exchange->id, &*metrics_, &shadow_});
  gate_.Count(request, exchange->route->scope, exchange->caller, response.texts);
  return response;
}

bool Api::Reload() {
  const bool gate = gate_.Reload();
  const bool policy = policy_.Look();
  bool rules = text_rules_.Look();
  if (overrides_ != nullptr) {
    for (const OverrideListStatus& list : overrides_->Reload()) {
      rules = rules && list.last_error.empty();
    }
  }
  return gate && policy && rules;
}

// What every answer bears, and the line that tells of it.
void Api::Finish(const Exchange& exchange, Response* response) {
  const Request& request = exchange.request;
  AddErrorKey(exchange.target.path, response);
  AddCorsHeaders(gate_.cors(), request, exchange.allow, &response->headers);
  response->headers.emplace_back("X-Request-ID", exchange.id);
  const auto taken = std::chrono::steady_clock::now() - exchange.start;
  metrics_->CountRequest(exchange.route, response->status, taken);
  if (IsLogged(LogLevel::kDebug)) {
    Log(LogLevel::kDebug, "request",
        {{"request_id", exchange.id},
         {"method", request.method},
         {"target", request.target},
         {"status", std::to_string(response->status)},
         {"ms", std::to_string(std::chrono::duration<double, std::milli>(taken).count())}});
  }
  AccessLog* const log = gate_.access_log();
  if (log == nullptr || !log->Takes(response->status)) return;
  AccessRecord record;
  record.time = std::chrono::system_clock::now();
  record.taken = taken;
  record.request_id = exchange.id;
  record.trace = TraceParentOf(request);
  record.method = request.method;
  if (exchange.route != nullptr) record.route = exchange.route->path;
  record.status = response->status;
  record.bytes_in = request.body.size();
  record.bytes_out = response->body.size();
  record.texts = response->texts;
  record.key = exchange.caller.name;
  const std::string client = gate_.ClientOf(request);
  record.peer = client;
  record.tls = request.tls;
  log->Write(record);
}

void Api::Witness(const DoorAnswer& answer) noexcept {
  metrics_->CountDoorAnswer(answer.status);
  AccessLog* const log = gate_.access_log();
  if (log == nullptr || !log->Takes(answer.status)) return;
  try {
    AccessRecord record;
    record.time = std::chrono::system_clock::now();
    record.taken = answer.taken;
    record.request_id = answer.request_id;
    std::string client(answer.peer);
    if (answer.request != nullptr) {
      record.trace = TraceParentOf(*answer.request);
      record.method = answer.request->method;
      client = gate_.ClientOf(*answer.request);
    }
    record.status = answer.status;
    record.bytes_in = answer.bytes_in;
    record.bytes_out = answer.bytes_out;
    record.peer = client;
    record.tls = answer.tls;
    log->Write(record);
  } catch (...) {
    // Memory is short: the answer goes on its way without a line.
  }
}

}  // namespace rebound
