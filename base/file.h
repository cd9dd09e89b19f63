// Files that survive a crash: what these functions return from is on disk, whole or not at all.
//
// A durable write is temp file, fsync, rename, fsync of the folder. Readers therefore see the old
// bytes or the new ones. All functions are Thread-safe; two writers of one path: the last one wins.
// All throw Error: kNotFound where the path is missing, kUnavailable for the rest (names the path
// and the system's reason, such as a full disk).
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

namespace rebound {

// The whole file. Throws kTooLarge beyond `max_bytes`.
std::string ReadFile(const std::filesystem::path& path, size_t max_bytes = size_t{1} << 30);

// Replaces `path` atomically. On any error the old file stays and no temp file is left.
void WriteFileDurably(const std::filesystem::path& path, std::string_view bytes);

// fsync of one file or folder.
void SyncPath(const std::filesystem::path& path);

// Renames the complete folder `from` to `to` after syncing all it holds. `to` must not exist:
// kConflict. Both must lie on one file system.
void PublishFolder(const std::filesystem::path& from, const std::filesystem::path& to);

// A folder of its own, made new and removed with all it holds when the object goes.
// Thread-compatible.
class TempFolder {
 public:
  // In `parent`, which must exist; by default the system's temporary folder.
  explicit TempFolder(std::string_view prefix = "rebound-",
                      const std::filesystem::path& parent = std::filesystem::temp_directory_path());
  ~TempFolder();
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  // Keeps the folder: it was renamed away or is wanted for a post-mortem.
  void Release() { path_.clear(); }

 private:
  std::filesystem::path path_;
};

// A file mapped read-only. Immutable; the bytes live as long as the object. Never overwrite a
// mapped file in place: replace it.
class MappedFile {
 public:
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::string_view bytes() const { return {data_, size_}; }

 private:
  const char* data_ = nullptr;
  size_t size_ = 0;
};

// Holds an exclusive flock(2) on `path` (made where missing) until it goes, so that of several
// processes one works; the kernel drops it when the process dies, however it dies.
class FileLock {
 public:
  // Throws kConflict at once where another process holds it.
  explicit FileLock(const std::filesystem::path& path);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  int fd_ = -1;
};

}  // namespace rebound
