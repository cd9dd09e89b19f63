#include "models/bundle_store.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <memory>
#include <system_error>
#include <thread>

#include "base/digest.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"

namespace rebound {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kTempPrefix = ".publish-";
constexpr int kLastVersion = 999999;

// "000007"
std::string FolderName(int version) {
  char name[16];
  std::snprintf(name, sizeof name, "%06d", version);
  return name;
}

std::optional<int> ParseNumber(std::string_view digits) {
  int number = 0;
  const char* const end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, number);
  if (error != std::errc() || stop != end || number < 1 || number > kLastVersion) return {};
  return number;
}

std::optional<int> ParseFolderName(const std::string& name) {
  const std::optional<int> number = ParseNumber(name);
  if (!number || FolderName(*number) != name) return {};
  return number;
}

void MakeFolders(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) {
    throw Error(ErrorCode::kUnavailable,
                "cannot make the folder " + folder.string() + ": " + error.message());
  }
}

// Names in `folder`; none where it is not there.
std::vector<fs::path> EntriesOf(const fs::path& folder) {
  std::vector<fs::path> entries;
  std::error_code error;
  fs::directory_iterator it(folder, error);
  for (; !error && it != fs::directory_iterator(); it.increment(error)) {
    entries.push_back(it->path());
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    throw Error(ErrorCode::kUnavailable, "cannot list " + folder.string() + ": " + error.message());
  }
  return entries;
}

// Writers of one task work one after the other; whoever dies gives the lock back to the kernel.
std::unique_ptr<FileLock> LockTask(const fs::path& folder) {
  constexpr auto kPatience = std::chrono::seconds(60);
  constexpr auto kPause = std::chrono::milliseconds(5);
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (true) {
    try {
      return std::make_unique<FileLock>(folder / ".lock");
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kConflict || std::chrono::steady_clock::now() > deadline) {
        throw;
      }
    }
    std::this_thread::sleep_for(kPause);
  }
}

// The version that a file such as CURRENT names; nullopt where it is not there. Throws kCorrupt.
std::optional<int> ReadVersion(const fs::path& path) {
  std::string text;
  try {
    text = ReadFile(path, 4096);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kNotFound) return std::nullopt;
    if (error.code() == ErrorCode::kTooLarge) throw Error(ErrorCode::kCorrupt, error.what());
    throw;
  }
  const std::optional<int> version = ParseNumber(Trim(text));
  if (!version) {
    throw Error(
        ErrorCode::kCorrupt,
        path.string() + " holds no version number: write one of the folders' names into it");
  }
  return version;
}

// True where it was there.
bool RemoveDurably(const fs::path& path) {
  std::error_code error;
  const bool removed = fs::remove(path, error);
  if (error) {
    throw Error(ErrorCode::kUnavailable, "cannot remove " + path.string() + ": " + error.message());
  }
  if (removed) SyncPath(path.parent_path());
  return removed;
}

// What a killed writer left. REQUIRES: the task's lock is held, so no writer of these is alive.
void RemoveLeftovers(const fs::path& folder) {
  for (const fs::path& entry : EntriesOf(folder)) {
    const std::string name = entry.filename().string();
    if (name.starts_with(kTempPrefix) || name.starts_with(".CURRENT.tmp-") ||
        name.starts_with(".SHADOW.tmp-")) {
      std::error_code ignored;  // a leftover that stays does no harm
      fs::remove_all(entry, ignored);
    }
  }
}

// The highest number that a folder or CURRENT bears, damaged ones included: a number never names
// two bundles, and CURRENT never comes to name one that nobody promoted.
int LastNumber(const BundleStore& store, Task task) {
  int last = 0;
  try {
    last = store.Current(task).value_or(0);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kCorrupt) throw;  // a damaged CURRENT names no bundle
  }
  for (const fs::path& entry : EntriesOf(store.TaskFolder(task))) {
    last = std::max(last, ParseFolderName(entry.filename().string()).value_or(0));
  }
  return last;
}

// PublishFolder syncs it with the rest.
void WriteNewFile(const fs::path& path, std::string_view bytes) {
  std::ofstream file(path, std::ios::binary);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.close();
  if (!file) {
    throw Error(ErrorCode::kUnavailable,
                "cannot write " + path.string() + ": is the disk full or read-only?");
  }
}

std::string Join(const std::vector<std::string>& words) {
  std::string joined;
  for (const std::string& word : words) {
    if (!joined.empty()) joined += ',';
    joined += word;
  }
  return joined;
}

// Whatever else decides an answer stands beside the weights, so that the digest of this one file
// names the model: bundles that answer differently never share a hash.
std::string MakeWeights(const BundleDraft& draft) {
  std::string temperature;
  JsonWriter(&temperature).Double(draft.config.temperature);
  return MakeSafetensors(draft.weights,
                         {{"task", std::string(TaskName(draft.config.task))},
                          {"labels", Join(draft.config.labels)},
                          {"network", draft.config.network},
                          {"normaliser_version", std::to_string(draft.config.normaliser_version)},
                          {"temperature", temperature},
                          {"tokenizer_sha256", Sha256Hex(draft.tokenizer_model)}});
}

// A temp folder is private; the server may run as somebody else.
void OpenToReaders(const fs::path& folder) {
  std::error_code error;
  fs::permissions(folder, fs::perms(0755), error);
  if (error) {
    throw Error(ErrorCode::kUnavailable,
                "cannot open " + folder.string() + " to readers: " + error.message());
  }
}

void CheckFiles(Task task, int version, const std::map<std::string, std::string>& files) {
  const std::string name = std::string(TaskName(task)) + " version " + std::to_string(version);
  const auto config_file = files.find("config.json");
  if (config_file == files.end()) throw Error(ErrorCode::kCorrupt, name + " has no config.json");
  const BundleConfig config = ParseBundleConfig(config_file->second);
  if (config.task != task || config.version != version) {
    throw Error(ErrorCode::kInvalidArgument,
                "config.json is of " + std::string(TaskName(config.task)) + " version " +
                    std::to_string(config.version) + ", not of " + name);
  }
  for (const auto& [file, bytes] : files) {
    if (file.empty() || file.front() == '.' || file.find('/') != std::string::npos) {
      throw Error(ErrorCode::kCorrupt, "'" + file + "' of " + name + " is no file of a bundle");
    }
  }
  for (const auto& [file, digest] : config.sha256) {
    const auto found = files.find(file);
    if (found == files.end() || Sha256Hex(found->second) != digest) {
      throw Error(ErrorCode::kCorrupt,
                  file + " of " + name + " is " + (found == files.end() ? "missing" : "damaged"));
    }
  }
}

// Whether `folder` holds exactly these bytes.
bool HoldsFiles(const fs::path& folder, const std::map<std::string, std::string>& files) {
  for (const auto& [name, bytes] : files) {
    try {
      if (ReadFile(folder / name) != bytes) return false;
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kNotFound) throw;
      return false;
    }
  }
  return true;
}

}  // namespace

BundleStore::BundleStore(fs::path root) : root_(std::move(root)) {}

fs::path BundleStore::TaskFolder(Task task) const { return root_ / TaskName(task); }

fs::path BundleStore::BundleFolder(Task task, int version) const {
  return TaskFolder(task) / FolderName(version);
}

std::vector<int> BundleStore::Versions(Task task) const {
  std::vector<int> versions;
  for (const fs::path& entry : EntriesOf(TaskFolder(task))) {
    const std::optional<int> version = ParseFolderName(entry.filename().string());
    std::error_code error;
    if (version && fs::is_regular_file(entry / "config.json", error)) versions.push_back(*version);
  }
  std::sort(versions.begin(), versions.end());
  return versions;
}

std::optional<int> BundleStore::Current(Task task) const {
  return ReadVersion(TaskFolder(task) / "CURRENT");
}

std::optional<int> BundleStore::Shadow(Task task) const {
  const std::optional<int> shadow = ReadVersion(TaskFolder(task) / "SHADOW");
  return shadow && shadow != Current(task) ? shadow : std::nullopt;
}

int BundleStore::Publish(const BundleDraft& draft, int later_than) {
  const Task task = draft.config.task;
  const fs::path folder = TaskFolder(task);
  MakeFolders(folder);
  const std::unique_ptr<FileLock> lock = LockTask(folder);
  RemoveLeftovers(folder);

  BundleConfig config = draft.config;
  config.version = std::max(LastNumber(*this, task), later_than) + 1;
  if (config.version > kLastVersion) {
    throw Error(ErrorCode::kTooLarge, folder.string() + " has no version number left");
  }

  const std::map<std::string, std::string> files = {
      {"weights.safetensors", MakeWeights(draft)},   {"tokenizer.model", draft.tokenizer_model},
      {"golden.jsonl", WriteGoldens(draft.goldens)}, {"scorecard.json", draft.scorecard_json},
      {"MODEL_CARD.md", draft.model_card},
  };
  TempFolder temp(kTempPrefix, folder);
  config.sha256.clear();
  for (const auto& [name, bytes] : files) {
    config.sha256[name] = Sha256Hex(bytes);
    WriteNewFile(temp.path() / name, bytes);
  }
  WriteNewFile(temp.path() / "config.json", WriteBundleConfig(config));
  OpenToReaders(temp.path());
  PublishFolder(temp.path(), BundleFolder(task, config.version));
  temp.Release();
  return config.version;
}

void BundleStore::Install(Task task, int version, const std::map<std::string, std::string>& files) {
  CheckFiles(task, version, files);
  const fs::path folder = TaskFolder(task);
  MakeFolders(folder);
  const std::unique_ptr<FileLock> lock = LockTask(folder);
  RemoveLeftovers(folder);
  const fs::path target = BundleFolder(task, version);
  std::error_code error;
  if (fs::exists(target, error)) {
    if (HoldsFiles(target, files)) return;
    if (fs::is_regular_file(target / "config.json", error) &&
        !HoldsFiles(target, {*files.find("config.json")})) {
      throw Error(ErrorCode::kConflict,
                  target.string() + " holds another bundle: move it away to take this one");
    }
  }
  TempFolder temp(kTempPrefix, folder);
  for (const auto& [name, bytes] : files) WriteNewFile(temp.path() / name, bytes);
  OpenToReaders(temp.path());
  TempFolder damaged(kTempPrefix, folder);
  if (fs::exists(target, error)) {
    fs::rename(target, damaged.path() / "damaged", error);
    if (error) {
      throw Error(ErrorCode::kUnavailable,
                  "cannot move the damaged " + target.string() + " away: " + error.message());
    }
  }
  PublishFolder(temp.path(), target);
  temp.Release();
}

void BundleStore::CheckExists(Task task, int version) const {
  std::error_code error;
  if (fs::is_regular_file(BundleFolder(task, version) / "config.json", error)) return;
  throw Error(ErrorCode::kNotFound, "task " + std::string(TaskName(task)) + " has no version " +
                                        std::to_string(version) + " in " + root_.string());
}

void BundleStore::Promote(Task task, int version) {
  CheckExists(task, version);  // before there is a folder to lock
  const fs::path folder = TaskFolder(task);
  const std::unique_ptr<FileLock> lock = LockTask(folder);
  CheckExists(task, version);  // no Remove was faster
  // First, so that after a kill in between it is not the shadow of what serves after it.
  std::optional<int> shadow;
  try {
    shadow = ReadVersion(folder / "SHADOW");
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kCorrupt) throw;  // a damaged SHADOW keeps nobody from serving
  }
  if (shadow == version) RemoveDurably(folder / "SHADOW");
  WriteFileDurably(folder / "CURRENT", FolderName(version) + "\n");
}

void BundleStore::SetShadow(Task task, int version) {
  CheckExists(task, version);  // before there is a folder to lock
  const fs::path folder = TaskFolder(task);
  const std::unique_ptr<FileLock> lock = LockTask(folder);
  CheckExists(task, version);
  if (Current(task) == version) {
    throw Error(ErrorCode::kConflict, "version " + std::to_string(version) + " of task " +
                                          std::string(TaskName(task)) +
                                          " serves already: only another one can run beside it");
  }
  WriteFileDurably(folder / "SHADOW", FolderName(version) + "\n");
}

bool BundleStore::EndShadow(Task task) {
  const fs::path folder = TaskFolder(task);
  std::error_code error;
  if (!fs::exists(folder, error)) return false;
  const std::unique_ptr<FileLock> lock = LockTask(folder);
  return RemoveDurably(folder / "SHADOW");
}

void BundleStore::Remove(Task task, int version) {
  const fs::path target = BundleFolder(task, version);
  std::error_code error;
  if (!fs::exists(target, error)) return;
  const fs::path folder = TaskFolder(task);
  const std::unique_ptr<FileLock> lock = LockTask(folder);
  if (Current(task) == version) {
    throw Error(ErrorCode::kConflict, target.string() + " serves: promote another version first");
  }
  if (Shadow(task) == version) {
    throw Error(ErrorCode::kConflict, target.string() + " is the shadow: end it first");
  }
  TempFolder removed(kTempPrefix, folder);
  fs::rename(target, removed.path() / "removed", error);
  if (error && error != std::errc::no_such_file_or_directory) {
    throw Error(ErrorCode::kUnavailable,
                "cannot remove " + target.string() + ": " + error.message());
  }
}

}  // namespace rebound
