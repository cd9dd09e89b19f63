// While it lives, a write to a connection that the other side has closed is an error of that write
// and no signal that ends the program: libldap and ODBC drivers leave SIGPIPE on. For one thread,
// the one that makes it. Thread-compatible.
#pragma once

#include <csignal>
#include <ctime>

namespace rebound {

class NoPipeSignal {
 public:
  NoPipeSignal() {
    sigset_t pending;
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &Pipe(), &before_);
  }
  ~NoPipeSignal() {
    // One that came meanwhile is ours: it is taken away before it can be delivered.
    constexpr timespec kNow{0, 0};
    if (!was_pending_) {
      while (sigtimedwait(&Pipe(), nullptr, &kNow) == SIGPIPE) {
      }
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  NoPipeSignal(const NoPipeSignal&) = delete;
  NoPipeSignal& operator=(const NoPipeSignal&) = delete;

 private:
  static const sigset_t& Pipe() {
    static const sigset_t set = [] {
      sigset_t one;
      sigemptyset(&one);
      sigaddset(&one, SIGPIPE);
      return one;
    }();
    return set;
  }

  bool was_pending_ = false;
  sigset_t before_;
};

}  // namespace rebound
