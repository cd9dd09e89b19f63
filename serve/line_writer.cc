#include "serve/line_writer.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "base/log.h"

namespace rebound {
namespace {

using Clock = std::chrono::steady_clock;

// A pipe that poll(2) calls writable takes this many bytes without blocking.
constexpr size_t kPiece = 4096;
// Lines are gathered, so that not each of them wakes the writer.
constexpr size_t kBatch = 64 * 1024;
constexpr std::chrono::milliseconds kGather(50);
constexpr std::chrono::seconds kPatience(1);
constexpr std::chrono::minutes kSilence(1);

bool IsStandardOutput(const std::filesystem::path& path) { return path == "-"; }

int Open(const std::filesystem::path& path) {
  if (IsStandardOutput(path)) return STDOUT_FILENO;
  return ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
                0640);
}

}  // namespace

LineWriter::LineWriter(std::filesystem::path path, size_t max_waiting_bytes)
    : path_(std::move(path)), max_waiting_bytes_(max_waiting_bytes), fd_(Open(path_)) {
  if (fd_ < 0) {
    throw Error(ErrorCode::kInvalidArgument,
                "cannot append to " + path_.string() + ": " + std::strerror(errno));
  }
  thread_ = std::thread([this] { Run(); });
}

LineWriter::~LineWriter() {
  {
    const std::lock_guard lock(mutex_);
    give_up_at_ = Clock::now() + kPatience;
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
  if (!IsStandardOutput(path_)) ::close(fd_);
}

void LineWriter::Put(std::string_view line) {
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() + line.size() > max_waiting_bytes_) {
      ++dropped_;
      return;
    }
    const size_t before = waiting_.size();
    waiting_.append(line);
    ++waiting_lines_;
    wake = before == 0 || (before < kBatch && waiting_.size() >= kBatch);
  }
  if (wake) changed_.notify_all();
}

void LineWriter::Reopen() {
  {
    const std::lock_guard lock(mutex_);
    reopen_ = !IsStandardOutput(path_);
  }
  changed_.notify_all();
}

void LineWriter::Flush() {
  std::unique_lock lock(mutex_);
  ++hurried_;
  changed_.notify_all();
  changed_.wait(lock, [&] { return waiting_.empty() && !reopen_ && !working_; });
  --hurried_;
}

bool LineWriter::Next(std::string* lines, uint64_t* count, bool* reopen) {
  std::unique_lock lock(mutex_);
  working_ = false;
  changed_.notify_all();
  const auto hurried = [&] { return stopping_ || reopen_ || hurried_ > 0; };
  changed_.wait(lock, [&] { return stopping_ || reopen_ || !waiting_.empty(); });
  changed_.wait_for(lock, kGather, [&] { return hurried() || waiting_.size() >= kBatch; });
  lines->clear();
  waiting_.swap(*lines);
  *count = std::exchange(waiting_lines_, 0);
  *reopen = std::exchange(reopen_, false);
  working_ = true;
  return !lines->empty() || *reopen;
}

void LineWriter::Run() {
  std::string lines;
  uint64_t count = 0;
  bool reopen = false;
  while (Next(&lines, &count, &reopen)) {
    // How many lines of a batch that failed in its midst arrived is not known: all count as lost.
    if (!Write(lines)) dropped_ += count;
    if (reopen) OpenAgain();
    TellOfLoss();
  }
}

void LineWriter::TellOfLoss() {
  const uint64_t lost = dropped_;
  const auto now = Clock::now();
  if (lost == told_ || now < tell_at_) return;
  told_ = lost;
  tell_at_ = now + kSilence;
  Log(LogLevel::kWarning, "log lines are lost",
      {{"file", path_.string()}, {"lines", std::to_string(lost)}, {"cause", cause_}});
}

void LineWriter::OpenAgain() {
  const int fd = Open(path_);
  if (fd < 0) {
    Log(LogLevel::kError, "log file cannot be opened again: the old one is kept",
        {{"file", path_.string()}, {"cause", std::strerror(errno)}});
    return;
  }
  ::close(std::exchange(fd_, fd));
  within_line_ = false;
}

bool LineWriter::Write(std::string_view bytes) {
  std::string_view rest = bytes;
  // What is left of a line that was cut must not run into the next one.
  if (within_line_ && !rest.empty() && ::write(fd_, "\n", 1) == 1) within_line_ = false;
  while (!rest.empty()) {
    if (!WaitWritable()) return false;
    const ssize_t written = ::write(fd_, rest.data(), std::min(rest.size(), kPiece));
    if (written > 0) {
      within_line_ = rest[static_cast<size_t>(written) - 1] != '\n';
      rest.remove_prefix(static_cast<size_t>(written));
      continue;
    }
    if (written < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    cause_ = std::strerror(errno);
    return false;
  }
  return true;
}

// False where the writer ends and nobody takes its lines.
bool LineWriter::WaitWritable() {
  constexpr int kStepMs = 100;
  pollfd writable{fd_, POLLOUT, 0};
  for (;;) {
    if (poll(&writable, 1, kStepMs) > 0) return true;
    if (stopping_ && Clock::now() >= give_up_at_) return false;
  }
}

}  // namespace rebound
