// Who may call what: keys of a file and of the environment, client certificates, and what is open
// where no key is configured.
//
// Keys are held as SHA-256 digests alone. A presented key is compared with every one of them, so
// that the time tells neither how near it came nor which one it is. The file is read again when it
// changes and when Reload is called; one that is bad is refused, which the log tells with file and
// line, and the keys before it stay. Thread-safe.
#pragma once

#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "serve/http.h"
#include "serve/key_file.h"
#include "serve/principal.h"

namespace rebound {

struct KeysOptions {
  std::filesystem::path file;            // empty: none
  std::optional<KeyDigest> api_key;      // a key of the scopes classify and contribute
  std::optional<KeyDigest> metrics_key;  // good for kMetrics alone; without one that is open
};

// The principal of KeysOptions::api_key.
inline constexpr std::string_view kApiKeyName = "API_KEY";

struct Access {
  enum class Verdict { kGranted, kNoKey, kExpired, kWrongScope };
  Verdict verdict = Verdict::kNoKey;
  Principal caller;  // unknown for kNoKey, and where everything is open
};

class Keys {
 public:
  using Clock = std::chrono::system_clock;

  // Throws what ParseKeyFile throws, and kInvalidArgument where the file cannot be read.
  explicit Keys(const KeysOptions& options);
  ~Keys();
  Keys(const Keys&) = delete;
  Keys& operator=(const Keys&) = delete;

  // Whose request this is and whether `scope` is theirs. A valid X-API-Key counts first, then a
  // valid Authorization: Bearer, then the client's certificate. With no key configured everything
  // is granted but kAdmin, which asks for IsLocalRequest (serve/peer.h).
  Access Check(const Request& request, Scope scope, Clock::time_point now) const;

  // Reads the file now; false where it is refused.
  bool Reload();
  // Reads the file where it has changed and has stood still since the last look.
  void Look();
  // Looks every second, on a thread of its own.
  void Start();

 private:
  class Ring;
  struct FileState {
    uint64_t device = 0, inode = 0;
    int64_t bytes = 0, modified = 0, changed = 0;
    bool operator==(const FileState&) const = default;
  };

  bool IsMetricsKey(const Request& request) const;
  FileState StateOfFile() const;
  std::shared_ptr<const Ring> Load() const;
  bool Reload(const FileState& found);
  std::shared_ptr<const Ring> ring() const;
  void Watch();

  const KeysOptions options_;
  std::mutex load_mutex_;  // one load at a time; held before mutex_
  FileState tried_;        // what was loaded last, or refused
  FileState seen_;         // by the last look
  mutable std::mutex mutex_;
  std::condition_variable stop_changed_;
  bool stopping_ = false;
  std::shared_ptr<const Ring> ring_;
  std::thread thread_;
};

}  // namespace rebound
