// rebound-serve: the models over HTTP.
#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <ctime>
#include <iostream>

#include "base/log.h"
#include "base/program_options.h"
#include "engine/engine.h"
#include "serve/api.h"
#include "serve/cache.h"
#include "serve/door/door.h"
#include "serve/options.h"
#include "serve/reload.h"

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
void RaiseFileLimit(size_t connections) {
  constexpr rlim_t kOwn = 256;
  const rlim_t wanted = 2 * connections + kOwn;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted) return;
  limit.rlim_cur = std::min(wanted, limit.rlim_max);
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < wanted) {
    Log(LogLevel::kWarning, "few open files",
        {{"limit", std::to_string(limit.rlim_cur)}, {"wanted", std::to_string(wanted)}});
  }
}

// Returns at SIGTERM or SIGINT; a SIGHUP looks for new models.
void WaitForStop(const sigset_t& signals, Reloader* reloader) {
  for (;;) {
    int signal = 0;
    if (sigwait(&signals, &signal) != 0) continue;
    if (signal != SIGHUP) return;
    Log(LogLevel::kInfo, "SIGHUP: looking for new models");
    reloader->Wake();
  }
}

// True where nothing is in flight any more; a second SIGTERM or SIGINT ends the wait.
bool Drain(const sigset_t& signals, std::chrono::milliseconds timeout, Door* door) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  constexpr std::chrono::milliseconds kStep(200);
  while (std::chrono::steady_clock::now() < deadline) {
    if (door->WaitDrained(std::min(deadline, std::chrono::steady_clock::now() + kStep)))
      return true;
    const timespec at_once{};
    const int signal = sigtimedwait(&signals, nullptr, &at_once);
    if (signal == SIGTERM || signal == SIGINT) return false;
  }
  return false;
}

int Serve(const ServeOptions& options) {
  const sigset_t signals = BlockSignals();
  SetLog(options.log_level, options.log_format);
  RaiseFileLimit(options.door.max_connections);
  Engine engine;
  Cache cache(options.cache);
  Reloader reloader(options.models, options.tasks, &engine);
  Api api(options.api, &engine, &cache, [&] { return reloader.Statuses(); });
  Door door(options.door,
            [&](Request request, const Done& done) { api.Handle(std::move(request), done); });
  // Probes are answered while the models load; who waits for the line below finds them loaded.
  reloader.LookNow(false);
  reloader.Start();
  std::cout << "listening on " << options.door.host << ":" << door.port() << std::endl;
  WaitForStop(signals, &reloader);
  Log(LogLevel::kInfo, "stopping: finishing what is in flight");
  api.StartDrain();
  door.StartDrain();
  if (Drain(signals, options.drain_timeout, &door)) return 0;
  Log(LogLevel::kWarning, "stopped with requests in flight");
  // Their answers may still be computed on other threads: no destructor may run under them.
  std::_Exit(1);
}

}  // namespace
}  // namespace rebound

int main(int argc, char** argv) {
  return rebound::RunMain("rebound-serve", [&] {
    const auto options = rebound::ParseServeOptions(argc, argv);
    if (!options) return 0;
    if (options->check_config) {
      std::cout << "the configuration is valid" << std::endl;
      return 0;
    }
    return rebound::Serve(*options);
  });
}
