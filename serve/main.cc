// rebound-serve: the models over HTTP.
#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <ctime>
#include <iostream>
#include <optional>
#include <vector>

#include "base/code_version.h"
#include "base/error.h"
#include "base/log.h"
#include "base/program_options.h"
#include "engine/engine.h"
#include "serve/api.h"
#include "serve/cache.h"
#include "serve/cache_saver.h"
#include "serve/config_check.h"
#include "serve/door/door.h"
#include "serve/metrics_sources.h"
#include "serve/options.h"
#include "serve/registry_follower.h"
#include "serve/reload.h"
#include "serve/service_notify.h"

namespace rebound {
namespace {

// Blocked before the first thread starts, so that only WaitForSignal sees them.
sigset_t BlockSignals() {
  std::signal(SIGPIPE, SIG_IGN);
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

// Room for the connections, as many again that are being refused or finished, and our own files.
// Where the system gives less, fewer connections are let in.
void FitFileLimit(size_t* connections) {
  constexpr rlim_t kOwn = 256;
  const rlim_t wanted = 2 * *connections + kOwn;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted) return;
  limit.rlim_cur = std::min(wanted, limit.rlim_max);
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur >= wanted) return;
  const auto room = static_cast<int64_t>(limit.rlim_cur) - static_cast<int64_t>(kOwn);
  *connections = static_cast<size_t>(std::max<int64_t>(room / 2, 8));
  Log(LogLevel::kWarning, "few open files are allowed: fewer connections are let in",
      {{"limit", std::to_string(limit.rlim_cur)},
       {"wanted", std::to_string(wanted)},
       {"max_connections", std::to_string(*connections)}});
}

// The next signal; 0 where none came for `patience`.
int AwaitSignal(const sigset_t& signals, std::chrono::nanoseconds patience) {
  const timespec time{static_cast<time_t>(patience.count() / 1'000'000'000),
                      static_cast<long>(patience.count() % 1'000'000'000)};
  const int signal = sigtimedwait(&signals, nullptr, &time);
  return std::max(signal, 0);
}

struct Service {
  const sigset_t signals;
  const ServiceNotifier notifier;
  std::string status;  // what the service manager shows
};

void Reload(const Service& service, Reloader* reloader, RegistryFollower* follower, Api* api,
            Door* door) {
  Log(LogLevel::kInfo, "SIGHUP: looking for new models, keys, policies and certificates");
  service.notifier.Reloading();
  reloader->Wake();
  if (follower != nullptr) follower->Wake();
  api->Reload();
  door->ReloadTls();
  service.notifier.Ready(service.status);
}

// Returns at SIGTERM or SIGINT; a SIGHUP looks for what is new. The service manager hears that the
// service lives for as long as its workers come round.
void WaitForStop(const Service& service, Reloader* reloader, RegistryFollower* follower, Api* api,
                 Door* door) {
  const auto watchdog = service.notifier.watchdog();
  const auto step = watchdog ? *watchdog / 3 : std::chrono::hours(1);
  for (;;) {
    const int signal = AwaitSignal(service.signals, step);
    if (signal == SIGTERM || signal == SIGINT) return;
    if (signal == SIGHUP) Reload(service, reloader, follower, api, door);
    if (watchdog && door->Stats().wait < *watchdog) service.notifier.Alive();
  }
}

// True where nothing is in flight any more; a second SIGTERM or SIGINT ends the wait.
bool Drain(const Service& service, const ServeOptions& options, Door* door) {
  using Clock = std::chrono::steady_clock;
  constexpr std::chrono::milliseconds kStep(200);
  const auto stopped = [&](std::chrono::milliseconds patience) {
    const int signal = AwaitSignal(service.signals, patience);
    return signal == SIGTERM || signal == SIGINT;
  };
  door->StartDrain();
  for (const auto end = Clock::now() + options.drain_grace; Clock::now() < end;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now());
    if (stopped(std::min(left, kStep))) break;
  }
  door->StopAccepting();
  for (const auto deadline = Clock::now() + options.drain_timeout; Clock::now() < deadline;) {
    if (door->WaitDrained(std::min(deadline, Clock::now() + kStep))) return true;
    if (stopped(std::chrono::milliseconds(0))) return false;
  }
  return false;
}

// The models whose outputs are worth keeping; empty where one is missing, as then nobody knows.
std::vector<uint16_t> CachedModels(const Engine& engine, const Cache& cache,
                                   const std::vector<Task>& tasks) {
  const ModelSet models = engine.Take();
  std::vector<uint16_t> cached;
  for (const Task task : tasks) {
    if (models.Get(task) == nullptr) return {};
    cached.push_back(cache.ModelOf(task, models.Get(task)->hash()));
  }
  return cached;
}

int Serve(ServeOptions options) {
  Service service{BlockSignals(), ServiceNotifier(), ""};
  SetLog(options.log_level, options.log_format);
  FitFileLimit(&options.door.max_connections);
  Engine engine;
  const bool saves = options.cache.enabled && !options.cache_saver.folder.empty();
  if (saves) options.cache.secret = CacheSecretOf(options.cache_saver);
  Cache cache(options.cache);
  std::optional<CacheSaver> saver;
  if (saves) {
    saver.emplace(options.cache_saver, &cache, [&engine, &cache, tasks = options.tasks] {
      return CachedModels(engine, cache, tasks);
    });
  }
  Reloader reloader(options.models, options.tasks, &engine);
  std::optional<RegistryFollower> follower;
  if (options.follower) follower.emplace(*options.follower, &reloader);
  RegistryFollower* const follows = follower ? &*follower : nullptr;
  Api api(options.api, &engine, &cache, &reloader, follows);
  options.door.witness = [&](const DoorAnswer& answer) { api.Witness(answer); };
  Door door(options.door,
            [&](Request request, const Done& done) { api.Handle(std::move(request), done); });
  api.metrics().AddSource([&door](MetricsText* text) {
    WriteDoorMetrics(door.Stats(), text);
    WriteBuildMetrics(CodeVersion(), text);
    WriteProcessMetrics(text);
  });
  // Probes are answered while the models load; who waits for the line below finds them loaded.
  reloader.LookNow(false);
  reloader.Start();
  if (follower) follower->Start();
  service.status = "listening on " + options.door.host + ":" + std::to_string(door.port());
  std::cout << service.status << std::endl;
  service.notifier.Ready(service.status);
  WaitForStop(service, &reloader, follows, &api, &door);
  Log(LogLevel::kInfo, "stopping: finishing what is in flight");
  service.notifier.Stopping();
  api.StartDrain();
  if (Drain(service, options, &door)) {
    const bool follower_stopped = !follower || follower->Stop(std::chrono::seconds(1));
    if (api.StopSlowRoutes() && follower_stopped) return 0;
    Log(LogLevel::kWarning, "the label store is silent: what waits in the spool goes next time");
    if (saver) saver->Stop();
    std::_Exit(0);
  }
  Log(LogLevel::kWarning, "stopped with requests in flight");
  if (saver) saver->Stop();
  // Their answers may still be computed on other threads: no destructor may run under them.
  std::_Exit(1);
}

}  // namespace
}  // namespace rebound

int main(int argc, char** argv) {
  return rebound::RunMain("rebound-serve", [&] {
    std::optional<rebound::ServeOptions> options;
    try {
      options = rebound::ParseServeOptions(argc, argv);
    } catch (const rebound::Error& e) {
      // Who asks for a check is told by it, whatever is wrong.
      if (std::find(argv, argv + argc, std::string_view("--check-config")) == argv + argc) throw;
      std::cout << "FAIL  options: " << e.what() << std::endl;
      return 1;
    }
    if (!options) return 0;
    if (options->check_config) return rebound::ChecksOf(*options).Run(&std::cout) ? 0 : 1;
    return rebound::Serve(*options);
  });
}
