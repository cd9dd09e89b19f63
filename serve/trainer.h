// The training run that the API starts: one rebound-train at a time, as a child that outlives this
// server.
//
// All that is known of a run stands in its folder: `log` (the events of --json-log and what it said
// on standard error), `started` and `exit` (its status, once it ended). `lock` is held by the child
// and all that it starts for as long as one of them lives, however they die, so that a server that
// was started anew, or a second one, sees a run that goes on. Thread-safe.
#pragma once

#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace rebound {

struct TrainerOptions {
  std::filesystem::path program;         // rebound-train
  std::filesystem::path folder;          // of the run; made where it is missing
  std::vector<std::string> arguments;    // for every run: --store, --models, ...
  std::vector<std::string> environment;  // "NAME=value"; besides this process's own
};

struct TrainerStatus {
  bool running = false;
  std::string started_at;        // ISO 8601, UTC; empty: there was no run yet
  std::string ended_at;          // empty: it runs, or was killed
  std::optional<int> exit_code;  // 0 promoted, 3 trained but not promoted, 130 ended by a signal...
  std::string outcome;           // "promoted", "not_promoted", "failed", "killed"; empty: it runs
  std::string last_event;        // the last JSON object of the log; empty: none yet
  std::string log_tail;          // the end of the log, whole lines
};

class Trainer {
 public:
  static constexpr size_t kLogTail = 16 * 1024;

  explicit Trainer(TrainerOptions options);

  // Starts a run with `more` arguments. False where one is running, of this server or another.
  // Throws kUnavailable where the folder cannot be written or the program cannot be started.
  bool Start(const std::vector<std::string>& more);

  TrainerStatus Status() const;

 private:
  const TrainerOptions options_;
  std::mutex start_mutex_;
};

}  // namespace rebound
