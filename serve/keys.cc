#include "serve/keys.h"

#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "serve/peer.h"

namespace rebound {
namespace {

constexpr size_t kMostFileBytes = 8 * 1024 * 1024;
constexpr std::chrono::seconds kLook(1);
constexpr std::string_view kKeyHeaders[] = {"x-api-key", "authorization"};

// All ones where equal, else zero; no branch.
uint64_t MaskOfEqual(const KeyDigest& a, const KeyDigest& b) {
  uint64_t difference = 0;
  for (size_t i = 0; i < a.size(); ++i) difference |= a[i] ^ b[i];
  return ((difference | (~difference + 1)) >> 63) - 1;
}

// What the client presents in this header; nullopt where there is nothing.
std::optional<std::string_view> PresentedKey(const Request& request, std::string_view header) {
  const std::string* const value = request.FindHeader(header);
  if (value == nullptr) return std::nullopt;
  if (header == "x-api-key") return *value;
  constexpr std::string_view kBearer = "bearer ";
  const auto text = std::string_view(*value);
  if (AsciiLower(text.substr(0, kBearer.size())) != kBearer) return std::nullopt;
  return Trim(text.substr(kBearer.size()));
}

void WarnOfOpenFile(const std::filesystem::path& file) {
  struct stat info {};
  if (::stat(file.c_str(), &info) != 0) return;
  if ((info.st_mode & S_IWOTH) != 0) {
    Log(LogLevel::kWarning, "keys file can be changed by everybody: chmod 600",
        {{"file", file.string()}});
  } else if ((info.st_mode & S_IROTH) != 0) {
    Log(LogLevel::kWarning, "keys file is readable by everybody: chmod 600",
        {{"file", file.string()}});
  }
}

int64_t Nanoseconds(const timespec& time) {
  return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

// The keys of one state of the file. Immutable.
class Keys::Ring {
 public:
  explicit Ring(std::vector<KeyEntry> entries) : entries_(std::move(entries)) {
    for (size_t i = 0; i < entries_.size(); ++i) {
      if (entries_[i].digest) keys_.push_back({*entries_[i].digest, i});
    }
  }

  bool empty() const { return entries_.empty(); }
  size_t size() const { return entries_.size(); }

  // Compares with all keys in one and the same way, whichever it is. Null: none.
  const KeyEntry* FindKey(const KeyDigest& presented) const {
    uint64_t found = 0;  // index + 1
    for (const auto& [digest, index] : keys_) {
      // The first wins: a later one with the same digest changes nothing.
      found |= (index + 1) & MaskOfEqual(digest, presented) & (((found | (~found + 1)) >> 63) - 1);
    }
    return found == 0 ? nullptr : &entries_[found - 1];
  }

  // A subject is no secret.
  const KeyEntry* FindSubject(std::string_view subject) const {
    const auto it = std::find_if(entries_.begin(), entries_.end(), [&](const KeyEntry& entry) {
      return !entry.digest && entry.subject == subject;
    });
    return it == entries_.end() ? nullptr : &*it;
  }

  const KeyEntry* Find(const Request& request) const {
    for (const std::string_view header : kKeyHeaders) {
      const auto key = PresentedKey(request, header);
      if (!key) continue;
      if (const KeyEntry* const entry = FindKey(DigestOfKey(*key))) return entry;
    }
    return request.client_subject.empty() ? nullptr : FindSubject(request.client_subject);
  }

 private:
  struct Key {
    KeyDigest digest;
    uint64_t index;  // of its entry
  };
  const std::vector<KeyEntry> entries_;
  std::vector<Key> keys_;
};

Keys::Keys(const KeysOptions& options) : options_(options) {
  tried_ = seen_ = StateOfFile();
  ring_ = Load();
}

Keys::~Keys() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stop_changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

Access Keys::Check(const Request& request, Scope scope, Clock::time_point now) const {
  using Verdict = Access::Verdict;
  if (scope == Scope::kOpen || (scope == Scope::kMetrics && !options_.metrics_key)) {
    return {Verdict::kGranted, {}};
  }
  const auto ring = this->ring();
  if (scope == Scope::kMetrics) {
    if (IsMetricsKey(request)) return {Verdict::kGranted, {}};
    scope = Scope::kAdmin;  // who may change everything may look, too
  } else if (ring->empty()) {
    const bool open = scope != Scope::kAdmin || IsLocalRequest(request);
    return {open ? Verdict::kGranted : Verdict::kNoKey, {}};
  }
  const KeyEntry* const entry = ring->Find(request);
  if (entry == nullptr) return {Verdict::kNoKey, {}};
  if (entry->not_after && now >= *entry->not_after) return {Verdict::kExpired, entry->caller};
  return {entry->scopes.Has(scope) ? Verdict::kGranted : Verdict::kWrongScope, entry->caller};
}

bool Keys::IsMetricsKey(const Request& request) const {
  for (const std::string_view header : kKeyHeaders) {
    const auto key = PresentedKey(request, header);
    if (key && MaskOfEqual(DigestOfKey(*key), *options_.metrics_key) != 0) return true;
  }
  return false;
}

bool Keys::Reload() {
  if (options_.file.empty()) return true;
  const std::lock_guard lock(load_mutex_);
  return Reload(StateOfFile());
}

void Keys::Look() {
  if (options_.file.empty()) return;
  const std::lock_guard lock(load_mutex_);
  const FileState found = StateOfFile();
  // Somebody may be writing it: what changed since the last look waits for the next.
  const bool still = found == std::exchange(seen_, found);
  if (still && found != tried_) Reload(found);
}

void Keys::Start() {
  if (!options_.file.empty()) thread_ = std::thread([this] { Watch(); });
}

void Keys::Watch() {
  std::unique_lock lock(mutex_);
  while (!stop_changed_.wait_for(lock, kLook, [&] { return stopping_; })) {
    lock.unlock();
    Look();
    lock.lock();
  }
}

Keys::FileState Keys::StateOfFile() const {
  struct stat info {};
  if (options_.file.empty() || ::stat(options_.file.c_str(), &info) != 0) return {};
  return {info.st_dev, info.st_ino, info.st_size, Nanoseconds(info.st_mtim),
          Nanoseconds(info.st_ctim)};
}

std::shared_ptr<const Keys::Ring> Keys::Load() const {
  std::vector<KeyEntry> entries;
  if (!options_.file.empty()) {
    WarnOfOpenFile(options_.file);
    try {
      entries = ParseKeyFile(ReadFile(options_.file, kMostFileBytes), options_.file.string());
    } catch (const Error& e) {
      throw Error(ErrorCode::kInvalidArgument, "--keys: " + std::string(e.what()));
    }
  }
  if (options_.api_key) {
    KeyEntry entry;
    entry.caller.name = kApiKeyName;
    entry.scopes.Add(Scope::kClassify);
    entry.scopes.Add(Scope::kContribute);
    entry.digest = options_.api_key;
    entries.push_back(std::move(entry));
  }
  return std::make_shared<const Ring>(std::move(entries));
}

bool Keys::Reload(const FileState& found) {
  tried_ = seen_ = found;
  try {
    auto loaded = Load();
    Log(LogLevel::kInfo, "keys loaded",
        {{"file", options_.file.string()}, {"keys", std::to_string(loaded->size())}});
    const std::lock_guard lock(mutex_);
    ring_.swap(loaded);
    return true;
  } catch (const std::exception& e) {
    Log(LogLevel::kError, "keys refused: the ones before stay", {{"cause", e.what()}});
    return false;
  }
}

std::shared_ptr<const Keys::Ring> Keys::ring() const {
  const std::lock_guard lock(mutex_);
  return ring_;
}

}  // namespace rebound
