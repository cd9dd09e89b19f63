// Promoting a version and going back to the one before.
//
// With a label store both go through its registry, so that every server that follows it takes them
// and the history knows who and why; without one a promotion is this server's alone, and there is
// no history to go back by. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/error.h"
#include "labelstore/model_registry.h"
#include "models/task.h"
#include "serve/reload.h"
#include "serve/router.h"

namespace rebound {

struct PromoteOptions {
  std::optional<std::string> store;  // URI; nullopt: there is none
  std::function<void()> promoted;    // called after each promotion; empty: nobody
};

class PromoteRoutes {
 public:
  // `reloader` must outlive the object, and the object the router.
  PromoteRoutes(Reloader* reloader, PromoteOptions options)
      : reloader_(reloader), options_(std::move(options)) {}

  void AddTo(Router* router) const;

 private:
  enum class Stage : uint8_t {
    kOpen,    // the label store is asked what it knows
    kBring,   // the bundle is brought and proven; nothing was changed so far
    kUpload,  // the registry gets files that it lacks
    kRecord,  // the registry is being told: where this fails, nobody knows whether it was
    kTake,    // CURRENT is being written
  };
  // One request: what it is about, and how far it got.
  struct Change {
    const Call& call;
    Task task;
    int version = 0;  // of a roll-back once it is known
    std::string reason;
    bool rollback = false;
    std::optional<int> previous = {};
    Stage stage = Stage::kOpen;
  };

  Response Promote(const Call& call) const;
  Response Rollback(const Call& call) const;
  Change MakeChange(const Call& call, bool rollback) const;
  void Do(Change* change) const;
  void InFolder(Change* change) const;
  void InRegistry(Change* change) const;
  void GoBack(Change* change, const std::string& who, ModelRegistry* registry) const;
  void Bring(Task task, int version, ModelRegistry* registry) const;
  [[noreturn]] void Refuse(const Change& change, const Error& error) const;
  Response Finish(const Change& change) const;

  Reloader* const reloader_;
  const PromoteOptions options_;
};

}  // namespace rebound
