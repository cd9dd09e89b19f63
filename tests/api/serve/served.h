// An Api with models, as a test wants it.
#pragma once

#include <filesystem>
#include <future>
#include <memory>
#include <vector>

#include "base/file.h"
#include "engine/engine.h"
#include "serve/api.h"
#include "serve/cache.h"
#include "serve/reload.h"

namespace rebound::test {

class Served {
 public:
  struct Options {
    ApiOptions api;
    CacheOptions cache;
    std::filesystem::path models;
    std::vector<Task> tasks = {kTasks.begin(), kTasks.end()};
  };
  explicit Served(Options options)
      : cache_(options.cache),
        reloader_(options.models, options.tasks, &engine_),
        api_(WithSize(options), &engine_, &cache_, &reloader_) {
    reloader_.LookNow(false);
  }

  // Waits for an answer that comes from another thread.
  Response Ask(Request request) {
    if (request.peer.empty()) request.peer = "127.0.0.1";
    std::promise<Response> answer;
    api_.Handle(std::move(request),
                [&](Response response) { answer.set_value(std::move(response)); });
    return answer.get_future().get();
  }
  Response Ask(std::string method, std::string target, std::string body = "",
               HeaderList headers = {}) {
    Request request;
    request.method = std::move(method);
    request.target = std::move(target);
    request.headers = std::move(headers);
    request.body = std::move(body);
    return Ask(std::move(request));
  }

  Api& api() { return api_; }
  Cache& cache() { return cache_; }
  Engine& engine() { return engine_; }
  Reloader& reloader() { return reloader_; }

 private:
  static ApiOptions WithSize(const Options& options) {
    ApiOptions api = options.api;
    api.cache.max_bytes = options.cache.max_bytes;
    return api;
  }

  Engine engine_;
  Cache cache_;
  Reloader reloader_;
  Api api_;
};

}  // namespace rebound::test
