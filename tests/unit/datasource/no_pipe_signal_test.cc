#include "datasource/no_pipe_signal.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>

namespace rebound {
namespace {

bool IsPipeSignalBlocked() {
  sigset_t blocked;
  pthread_sigmask(SIG_BLOCK, nullptr, &blocked);
  return sigismember(&blocked, SIGPIPE) == 1;
}

TEST(NoPipeSignal, AWriteToAClosedPipeIsAnErrorAndNoSignalComesAfterwards) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  ::close(ends[0]);
  {
    const NoPipeSignal no_pipe_signal;
    EXPECT_EQ(::write(ends[1], "x", 1), -1);
    EXPECT_EQ(errno, EPIPE);
  }
  ::close(ends[1]);
  EXPECT_FALSE(IsPipeSignalBlocked());
  sigset_t pending;
  sigpending(&pending);
  EXPECT_EQ(sigismember(&pending, SIGPIPE), 0);
}

}  // namespace
}  // namespace rebound
