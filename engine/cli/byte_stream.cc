#include "engine/cli/byte_stream.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/error.h"
#include "engine/cli/interrupt.h"

namespace rebound {
namespace {

constexpr std::array<std::string_view, 4> kMagic = {
    std::string_view("\x1F\x8B", 2), std::string_view("BZh", 3),
    std::string_view("\xFD\x37\x7A\x58\x5A\x00", 6), std::string_view("\x28\xB5\x2F\xFD", 4)};
constexpr size_t kLongestMagic = 6;

bool IsPacked(std::string_view first) {
  return std::any_of(kMagic.begin(), kMagic.end(),
                     [&](std::string_view magic) { return first.starts_with(magic); });
}

}  // namespace

std::string InputName(const std::string& path) { return path == "-" ? "standard input" : path; }

int64_t TotalBytes(const std::vector<std::string>& paths) {
  int64_t total = 0;
  for (const std::string& path : paths) {
    std::error_code unknown;
    if (path == "-" || !std::filesystem::is_regular_file(path, unknown)) return 0;
    const auto size = std::filesystem::file_size(path, unknown);
    if (!unknown) total += static_cast<int64_t>(size);
  }
  return total;
}

struct ByteStream::Unpacker {
  explicit Unpacker(ByteStream* from) : stream(*from), owned(archive_read_new()) {
    archive_read_support_filter_gzip(handle);
    archive_read_support_filter_bzip2(handle);
    archive_read_support_filter_xz(handle);
    archive_read_support_filter_zstd(handle);
    archive_read_support_format_raw(handle);
    archive_read_support_format_empty(handle);
    archive_entry* entry = nullptr;
    const int opened = archive_read_open(handle, this, nullptr, More, nullptr);
    if (opened != ARCHIVE_OK) Fail();
    const int header = archive_read_next_header(handle, &entry);
    is_empty = header == ARCHIVE_EOF;
    if (!is_empty && header < ARCHIVE_WARN) Fail();
  }
  Unpacker(const Unpacker&) = delete;
  Unpacker& operator=(const Unpacker&) = delete;

  static la_ssize_t More(archive* of, void* self, const void** bytes) {
    auto* unpacker = static_cast<Unpacker*>(self);
    try {
      const size_t got = unpacker->stream.ReadRaw(unpacker->packed.data(), unpacker->packed.size());
      *bytes = unpacker->packed.data();
      return static_cast<la_ssize_t>(got);
    } catch (const Error& e) {  // not through a library of C
      unpacker->error = std::make_exception_ptr(e);
      archive_set_error(of, EIO, "%s", e.what());
      return ARCHIVE_FATAL;
    }
  }
  size_t Read(char* bytes, size_t size) {
    if (is_empty) return 0;
    const la_ssize_t got = archive_read_data(handle, bytes, size);
    if (IsInterrupted()) return 0;
    if (got < 0) Fail();
    return static_cast<size_t>(got);
  }
  [[noreturn]] void Fail() {
    if (error) std::rethrow_exception(error);
    const char* why = archive_error_string(handle);
    throw Error(ErrorCode::kCorrupt,
                stream.name_ + ": cannot be unpacked: " + (why == nullptr ? "broken" : why));
  }

  struct Free {
    void operator()(archive* of) const { archive_read_free(of); }
  };
  ByteStream& stream;
  const std::unique_ptr<archive, Free> owned;  // also where the constructor throws
  archive* const handle = owned.get();
  std::array<char, size_t{64} << 10> packed;
  std::exception_ptr error;
  bool is_empty = false;
};

ByteStream::ByteStream(const std::string& path) : name_(InputName(path)) {
  fd_ = path == "-" ? ::dup(STDIN_FILENO) : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd_ < 0) {
    const int why = errno;
    throw Error(why == ENOENT ? ErrorCode::kNotFound : ErrorCode::kUnavailable,
                "cannot open " + name_ + ": " + std::strerror(why));
  }
  struct stat info {};
  if (::fstat(fd_, &info) == 0 && S_ISDIR(info.st_mode)) {
    ::close(fd_);
    throw Error(ErrorCode::kUnavailable, "cannot open " + name_ + ": it is a folder");
  }
  is_file_ = S_ISREG(info.st_mode);
}

ByteStream::~ByteStream() { ::close(fd_); }

size_t ByteStream::ReadRaw(char* bytes, size_t size) {
  if (!first_.empty()) {
    const size_t count = std::min(size, first_.size());
    std::memcpy(bytes, first_.data(), count);
    first_.erase(0, count);
    return count;
  }
  while (!IsInterrupted()) {
    const ssize_t got = ::read(fd_, bytes, size);
    if (got >= 0) {
      position_ += got;
      return static_cast<size_t>(got);
    }
    if (errno != EINTR) {
      throw Error(ErrorCode::kUnavailable, "cannot read " + name_ + ": " + std::strerror(errno));
    }
  }
  return 0;
}

void ByteStream::Sniff() {
  std::array<char, kLongestMagic> bytes;
  std::string first;
  // No more than it takes to know that it is none: a pipe may have a single byte for now.
  while (first.size() < kLongestMagic && !IsPacked(first)) {
    const bool may_be = std::any_of(kMagic.begin(), kMagic.end(), [&](std::string_view magic) {
      return magic.starts_with(first);
    });
    if (!may_be) break;
    const size_t got = ReadRaw(bytes.data(), kLongestMagic - first.size());
    if (got == 0) break;
    first.append(bytes.data(), got);
  }
  const bool is_packed = IsPacked(first);
  first_ = std::move(first);
  if (is_packed) unpacker_ = std::make_unique<Unpacker>(this);
}

size_t ByteStream::Read(char* bytes, size_t size) {
  if (position_ == 0) Sniff();
  if (unpacker_ != nullptr) return IsInterrupted() ? 0 : unpacker_->Read(bytes, size);
  return ReadRaw(bytes, size);
}

bool ByteStream::WouldWait() const {
  if (is_file_) return false;
  pollfd asked{fd_, POLLIN, 0};
  return ::poll(&asked, 1, 0) == 0;
}

bool LineReader::Fill() {
  if (is_over_) return false;
  if (begin_ > 0 && begin_ == end_) begin_ = end_ = looked_ = 0;
  if (end_ == buffer_.size() && begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    looked_ -= begin_;
    begin_ = 0;
  }
  if (end_ == buffer_.size()) buffer_.resize(2 * buffer_.size());
  const size_t got = stream_.Read(buffer_.data() + end_, buffer_.size() - end_);
  is_over_ = got == 0;
  end_ += got;
  return got > 0;
}

bool LineReader::Next(std::string_view* line) {
  while (true) {
    const char* const from = buffer_.data() + looked_;
    const auto* const found = static_cast<const char*>(std::memchr(from, '\n', end_ - looked_));
    if (found != nullptr) {
      *line = {buffer_.data() + begin_, static_cast<size_t>(found - buffer_.data()) - begin_};
      begin_ = looked_ = static_cast<size_t>(found - buffer_.data()) + 1;
      if (line->size() > longest_) *line = line->substr(0, longest_ + 1);
      return true;
    }
    looked_ = end_;
    if (end_ - begin_ > longest_) {
      const std::string kept = buffer_.substr(begin_, longest_ + 1);
      PassOver();
      // The rest of the buffer is behind the LF; the line is put before it.
      const std::string behind = buffer_.substr(begin_, end_ - begin_);
      if (buffer_.size() < kept.size() + behind.size()) buffer_.resize(kept.size() + behind.size());
      buffer_.replace(0, kept.size(), kept).replace(kept.size(), behind.size(), behind);
      begin_ = looked_ = kept.size();
      end_ = kept.size() + behind.size();
      *line = {buffer_.data(), kept.size()};
      return true;
    }
    if (Fill()) continue;
    if (begin_ == end_) return false;
    *line = {buffer_.data() + begin_, end_ - begin_};
    begin_ = looked_ = end_;
    return true;
  }
}

void LineReader::PassOver() {
  do {
    const auto* const found =
        static_cast<const char*>(std::memchr(buffer_.data() + begin_, '\n', end_ - begin_));
    if (found != nullptr) {
      begin_ = looked_ = static_cast<size_t>(found - buffer_.data()) + 1;
      return;
    }
    begin_ = looked_ = end_;
  } while (Fill());
}

bool LineReader::WouldWait() const {
  if (is_over_ || stream_.IsFile()) return false;
  const bool has_line = std::memchr(buffer_.data() + looked_, '\n', end_ - looked_) != nullptr;
  return !has_line && stream_.WouldWait();
}

ByteStreamBuffer::int_type ByteStreamBuffer::underflow() {
  const size_t got = stream_.Read(buffer_.data(), buffer_.size());
  if (got == 0) return traits_type::eof();
  setg(buffer_.data(), buffer_.data(), buffer_.data() + got);
  return traits_type::to_int_type(buffer_[0]);
}

}  // namespace rebound
