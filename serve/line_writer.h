// Lines to a file from many threads, written by a thread of its own.
//
// Whoever has a line never waits for the disk: lines wait in a queue of bounded size, and where it
// is full they are dropped and counted. Lines of one Put stay whole. Thread-safe.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace rebound {

class LineWriter {
 public:
  // Appends to `path`, which is made (mode 0640) where it is missing; "-" is standard output.
  // Throws kInvalidArgument where it cannot be opened.
  explicit LineWriter(std::filesystem::path path, size_t max_waiting_bytes = 4 * 1024 * 1024);
  // Writes what waits, unless nobody takes it for a second.
  ~LineWriter();
  LineWriter(const LineWriter&) = delete;
  LineWriter& operator=(const LineWriter&) = delete;

  // `line` with its line end. Never blocks for longer than it takes to copy it.
  void Put(std::string_view line);
  // Opens the path anew, as log rotation wants it; what was put before goes to the old file. Where
  // that fails the old file is kept, which the log tells.
  void Reopen();
  // Waits until all that was put and asked for before is done.
  void Flush();

  // Lines that were lost: no room in the queue, or a disk that took them not.
  uint64_t dropped() const { return dropped_; }

 private:
  void Run();
  // Takes what waits; false at the end.
  bool Next(std::string* lines, uint64_t* count, bool* reopen);
  void OpenAgain();
  void TellOfLoss();
  bool Write(std::string_view bytes);
  bool WaitWritable();

  const std::filesystem::path path_;
  const size_t max_waiting_bytes_;
  int fd_;
  bool within_line_ = false;  // the last write failed in the midst of one
  std::string cause_ = "they come faster than they can be written";
  uint64_t told_ = 0;  // of the lost lines, by the log
  std::chrono::steady_clock::time_point tell_at_;
  std::atomic<uint64_t> dropped_{0};

  std::mutex mutex_;
  std::condition_variable changed_;
  std::string waiting_;
  uint64_t waiting_lines_ = 0;
  bool reopen_ = false;
  int hurried_ = 0;       // calls of Flush that wait
  bool working_ = false;  // on what was taken from the queue
  std::atomic<bool> stopping_{false};
  std::chrono::steady_clock::time_point give_up_at_;  // set before stopping_
  std::thread thread_;
};

}  // namespace rebound
