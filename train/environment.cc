#include "train/environment.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/error.h"

extern char** environ;

namespace rebound {
namespace {

constexpr const char* kMark = "REBOUND_TRAIN_PINNED";

bool HasAvx2() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0;
#else
  return false;
#endif
}

bool IsX86() {
#if defined(__x86_64__)
  return true;
#else
  return false;
#endif
}

}  // namespace

std::map<std::string, std::string> PinnedEnvironment(int threads) {
  std::map<std::string, std::string> pinned = {
      {"OPENBLAS_NUM_THREADS", "1"},
      {"OMP_NUM_THREADS", std::to_string(threads)},
      {"OMP_WAIT_POLICY", "passive"},
      {"OMP_DYNAMIC", "false"},
      {"ATEN_CPU_CAPABILITY", HasAvx2() ? "avx2" : "default"},
  };
  if (IsX86()) pinned["OPENBLAS_CORETYPE"] = HasAvx2() ? "Haswell" : "Nehalem";
  return pinned;
}

bool IsPinned(int threads) {
  for (const auto& [name, value] : PinnedEnvironment(threads)) {
    const char* now = std::getenv(name.c_str());
    if (now == nullptr || now != value) return false;
  }
  return true;
}

std::vector<std::string> PinnedVariables(int threads) {
  const std::map<std::string, std::string> pinned = PinnedEnvironment(threads);
  std::vector<std::string> variables;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    if (!pinned.contains(text.substr(0, text.find('=')))) variables.push_back(text);
  }
  for (const auto& [name, value] : pinned) variables.push_back(name + "=" + value);
  return variables;
}

void ExecutePinned(char* const* argv, int threads) {
  if (IsPinned(threads)) return;
  if (std::getenv(kMark) != nullptr) {
    throw Error(ErrorCode::kInternal,
                "the environment for reproducible training did not survive exec");
  }
  std::vector<std::string> variables = PinnedVariables(threads);
  variables.push_back(std::string(kMark) + "=1");
  std::vector<char*> pointers;
  for (std::string& variable : variables) pointers.push_back(variable.data());
  pointers.push_back(nullptr);
  execve("/proc/self/exe", argv, pointers.data());
  throw Error(ErrorCode::kInternal,
              std::string("cannot execute /proc/self/exe again: ") + std::strerror(errno));
}

}  // namespace rebound
