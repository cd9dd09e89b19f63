#include "base/file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>

#include "base/error.h"

namespace rebound {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void ThrowErrno(const char* what, const fs::path& path, int number) {
  const ErrorCode code = number == ENOENT ? ErrorCode::kNotFound : ErrorCode::kUnavailable;
  throw Error(code,
              std::string("cannot ") + what + " " + path.string() + ": " + std::strerror(number));
}

class Descriptor {
 public:
  Descriptor(const fs::path& path, int flags, const char* what, mode_t mode = 0644)
      : fd_(::open(path.c_str(), flags | O_CLOEXEC, mode)) {
    if (fd_ < 0) ThrowErrno(what, path, errno);
  }
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

void WriteAll(int fd, std::string_view bytes, const fs::path& path) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0) {
      if (errno == EINTR) continue;
      ThrowErrno("write", path, errno);
    }
    bytes.remove_prefix(static_cast<size_t>(n));
  }
}

fs::path Parent(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

}  // namespace

std::string ReadFile(const fs::path& path, size_t max_bytes) {
  Descriptor file(path, O_RDONLY, "open");
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) ThrowErrno("read", path, errno);
  if (S_ISDIR(info.st_mode)) ThrowErrno("read", path, EISDIR);
  std::string bytes;
  bytes.reserve(static_cast<size_t>(info.st_size));
  char block[65536];
  while (true) {
    const ssize_t n = ::read(file.get(), block, sizeof block);
    if (n < 0) {
      if (errno == EINTR) continue;
      ThrowErrno("read", path, errno);
    }
    if (n == 0) return bytes;
    bytes.append(block, static_cast<size_t>(n));
    if (bytes.size() > max_bytes) {
      throw Error(ErrorCode::kTooLarge, path.string() + " is larger than the " +
                                            std::to_string(max_bytes) + " bytes allowed here");
    }
  }
}

void SyncPath(const fs::path& path) {
  Descriptor file(path, O_RDONLY, "open");
  if (::fsync(file.get()) != 0) ThrowErrno("sync", path, errno);
}

void WriteFileDurably(const fs::path& path, std::string_view bytes) {
  static std::atomic<unsigned> counter{0};
  const fs::path temp =
      Parent(path) / ("." + path.filename().string() + ".tmp-" + std::to_string(::getpid()) + "-" +
                      std::to_string(counter.fetch_add(1)));
  try {
    Descriptor file(temp, O_WRONLY | O_CREAT | O_TRUNC, "create");
    WriteAll(file.get(), bytes, temp);
    if (::fsync(file.get()) != 0) ThrowErrno("sync", temp, errno);
  } catch (...) {
    ::unlink(temp.c_str());
    throw;
  }
  if (::rename(temp.c_str(), path.c_str()) != 0) {
    const int number = errno;
    ::unlink(temp.c_str());
    ThrowErrno("replace", path, number);
  }
  SyncPath(Parent(path));
}

void PublishFolder(const fs::path& from, const fs::path& to) {
  if (fs::exists(to)) {
    throw Error(ErrorCode::kConflict,
                to.string() + " exists already: a published folder is never changed");
  }
  for (const auto& entry : fs::recursive_directory_iterator(from)) SyncPath(entry.path());
  SyncPath(from);
  if (::rename(from.c_str(), to.c_str()) != 0) {
    if (errno == EEXIST || errno == ENOTEMPTY) {
      throw Error(ErrorCode::kConflict,
                  to.string() + " exists already: a published folder is never changed");
    }
    ThrowErrno("publish", to, errno);
  }
  SyncPath(Parent(to));
}

TempFolder::TempFolder(std::string_view prefix, const fs::path& parent) {
  std::string pattern = (parent / (std::string(prefix) + "XXXXXX")).string();
  if (::mkdtemp(pattern.data()) == nullptr) ThrowErrno("make a folder in", parent, errno);
  path_ = pattern;
}

TempFolder::~TempFolder() {
  if (path_.empty()) return;
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

MappedFile::MappedFile(const fs::path& path) {
  Descriptor file(path, O_RDONLY, "open");
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) ThrowErrno("map", path, errno);
  if (!S_ISREG(info.st_mode)) ThrowErrno("map", path, EISDIR);
  size_ = static_cast<size_t>(info.st_size);
  if (size_ == 0) return;
  void* data = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file.get(), 0);
  if (data == MAP_FAILED) ThrowErrno("map", path, errno);
  data_ = static_cast<const char*>(data);
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<char*>(data_), size_);
}

FileLock::FileLock(const fs::path& path) {
  fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd_ < 0) ThrowErrno("open", path, errno);
  if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
    const int number = errno;
    ::close(fd_);
    fd_ = -1;
    if (number == EWOULDBLOCK) {
      throw Error(ErrorCode::kConflict,
                  path.string() + " is held by another process: wait until it ends");
    }
    ThrowErrno("lock", path, number);
  }
}

FileLock::~FileLock() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace rebound
