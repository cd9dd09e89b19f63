#include "serve/trainer.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <fstream>
#include <thread>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "base/utc_time.h"

namespace rebound {
namespace {

namespace fs = std::filesystem;

// Runs $1... , then writes its status and the time: `exit` is there whole or not at all. The shell
// outlives the server too. Descriptor 9 is the lock.
constexpr const char* kLauncher =
    "folder=$0; \"$@\" 2>&1 </dev/null; code=$?; "
    "printf '%s %s\\n' \"$code\" \"$(date -u +%Y-%m-%dT%H:%M:%SZ)\" >\"$folder/exit.tmp\" && "
    "mv \"$folder/exit.tmp\" \"$folder/exit\"";
constexpr int kLockDescriptor = 9;

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  const int fd_;
};

[[noreturn]] void Fail(const std::string& what, int error) {
  throw Error(ErrorCode::kUnavailable, what + ": " + std::strerror(error));
}

// "" where it is not there.
std::string ReadIfThere(const fs::path& path) {
  try {
    return ReadFile(path, size_t{1} << 20);
  } catch (const Error&) {
    return "";
  }
}

// The last whole lines of at most `most` bytes.
std::string TailOf(const fs::path& path, size_t most) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return "";
  file.seekg(0, std::ios::end);
  const auto size = static_cast<size_t>(std::max<std::streamoff>(file.tellg(), 0));
  const size_t begin = size > most ? size - most : 0;
  std::string tail(size - begin, '\0');
  file.seekg(static_cast<std::streamoff>(begin));
  file.read(tail.data(), static_cast<std::streamsize>(tail.size()));
  tail.resize(static_cast<size_t>(std::max<std::streamsize>(file.gcount(), 0)));
  if (begin > 0) tail.erase(0, tail.find('\n') + 1);
  return RepairUtf8(tail);
}

std::string LastEvent(std::string_view tail) {
  std::string last;
  for (const std::string_view line : Split(tail, '\n')) {
    if (line.size() > 1 && line.front() == '{' && line.back() == '}') last = line;
  }
  return last;
}

// A lock of the open file description: those that inherit the descriptor hold it too, and it can be
// asked about without being taken.
struct flock WholeFile() {
  struct flock whole {};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  return whole;
}
// True where nobody held the lock; now the caller does, through `fd`.
bool TryLock(int fd) {
  struct flock whole = WholeFile();
  return fcntl(fd, F_OFD_SETLK, &whole) == 0;
}
bool IsLocked(int fd) {
  struct flock whole = WholeFile();
  return fcntl(fd, F_OFD_GETLK, &whole) == 0 && whole.l_type != F_UNLCK;
}

std::string OutcomeOf(const std::optional<int>& exit_code) {
  if (!exit_code) return "killed";
  switch (*exit_code) {
    case 0:
      return "promoted";
    case 3:
      return "not_promoted";
    default:
      return "failed";
  }
}

std::vector<char*> Pointers(std::vector<std::string>* words) {
  std::vector<char*> pointers;
  for (std::string& word : *words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

// Starts the launcher in a session of its own, with the log as its output. Returns its process.
pid_t Spawn(std::vector<std::string> words, std::vector<std::string> variables, int log, int lock) {
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&files);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_adddup2(&files, log, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&files, log, STDERR_FILENO);
  posix_spawn_file_actions_adddup2(&files, lock, kLockDescriptor);
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);  // the server blocks those that it waits for
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  pid_t pid = -1;
  const int error = posix_spawn(&pid, "/bin/sh", &files, &attributes, Pointers(&words).data(),
                                Pointers(&variables).data());
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) Fail("cannot start /bin/sh", error);
  return pid;
}

}  // namespace

Trainer::Trainer(TrainerOptions options) : options_(std::move(options)) {}

bool Trainer::Start(const std::vector<std::string>& more) {
  const std::lock_guard guard(start_mutex_);
  std::error_code failed;
  fs::create_directories(options_.folder, failed);
  const Descriptor lock(
      open((options_.folder / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (lock.get() < 0) Fail("cannot write " + options_.folder.string(), errno);
  if (!TryLock(lock.get())) return false;
  if (access(options_.program.c_str(), X_OK) != 0) {
    Fail("cannot run " + options_.program.string(), errno);
  }
  fs::remove(options_.folder / "exit", failed);
  WriteFileDurably(options_.folder / "started", UtcNow() + "\n");
  const Descriptor log(open((options_.folder / "log").c_str(),
                            O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600));
  if (log.get() < 0) Fail("cannot write " + (options_.folder / "log").string(), errno);

  std::vector<std::string> words = {"/bin/sh", "-c", kLauncher, options_.folder.string(),
                                    options_.program.string()};
  words.insert(words.end(), options_.arguments.begin(), options_.arguments.end());
  words.insert(words.end(), more.begin(), more.end());
  words.emplace_back("--json-log");
  std::vector<std::string> variables = options_.environment;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    // The server's own options and keys are not the trainer's.
    const std::string_view text = *variable;
    if (text.substr(0, 8) == "REBOUND_" || text.substr(0, 8) == "API_KEY=") continue;
    variables.emplace_back(text);
  }
  const pid_t pid = Spawn(std::move(words), std::move(variables), log.get(), lock.get());
  // Collects the child where this server lives longer.
  std::thread([pid] { waitpid(pid, nullptr, 0); }).detach();
  return true;
}

TrainerStatus Trainer::Status() const {
  TrainerStatus status;
  status.started_at = Trim(ReadIfThere(options_.folder / "started"));
  const Descriptor lock(open((options_.folder / "lock").c_str(), O_RDWR | O_CLOEXEC));
  status.running = lock.get() >= 0 && IsLocked(lock.get());
  status.log_tail = TailOf(options_.folder / "log", kLogTail);
  status.last_event = LastEvent(status.log_tail);
  if (status.running || status.started_at.empty()) return status;
  const std::string exit = ReadIfThere(options_.folder / "exit");
  int code = 0;
  const auto read = std::from_chars(exit.data(), exit.data() + exit.size(), code);
  if (read.ec == std::errc()) {
    status.exit_code = code;
    status.ended_at = Trim(exit.substr(static_cast<size_t>(read.ptr - exit.data())));
  }
  status.outcome = OutcomeOf(status.exit_code);
  return status;
}

}  // namespace rebound
