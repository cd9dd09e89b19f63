#include "train/environment.h"

#include <gnu/libc-version.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>

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

Environment PinnedEnvironment(int threads) {
  Environment pinned = {
      {"OPENBLAS_NUM_THREADS", "1"},
      {"OMP_NUM_THREADS", std::to_string(threads)},
      {"OMP_WAIT_POLICY", "passive"},
      {"OMP_DYNAMIC", "false"},
      {"ATEN_CPU_CAPABILITY", HasAvx2() ? "avx2" : "default"},
  };
  if (IsX86()) pinned["OPENBLAS_CORETYPE"] = HasAvx2() ? "Haswell" : "Nehalem";
  return pinned;
}

Environment PinnedLike(const Environment& recorded, int threads) {
  Environment pinned = PinnedEnvironment(threads);
  for (auto& [name, value] : pinned) {
    const auto then = recorded.find(name);
    if (then == recorded.end()) continue;
    const bool wide = then->second == "avx2" || then->second == "Haswell";
    if (!wide || HasAvx2()) value = then->second;
  }
  return pinned;
}

bool IsPinned(const Environment& pinned) {
  for (const auto& [name, value] : pinned) {
    const char* now = std::getenv(name.c_str());
    if (now == nullptr || now != value) return false;
  }
  return true;
}

namespace {

// This process's variables with the pinned ones set.
std::vector<std::string> VariablesWith(const Environment& pinned) {
  std::vector<std::string> variables;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    if (!pinned.contains(text.substr(0, text.find('=')))) variables.push_back(text);
  }
  for (const auto& [name, value] : pinned) variables.push_back(name + "=" + value);
  return variables;
}

}  // namespace

std::vector<std::string> PinnedVariables(int threads) {
  return VariablesWith(PinnedEnvironment(threads));
}

void ExecutePinned(char* const* argv, const Environment& pinned) {
  if (IsPinned(pinned)) return;
  if (std::getenv(kMark) != nullptr) {
    throw Error(ErrorCode::kInternal,
                "the environment for reproducible training did not survive exec");
  }
  std::vector<std::string> variables = VariablesWith(pinned);
  variables.push_back(std::string(kMark) + "=1");
  std::vector<char*> pointers;
  for (std::string& variable : variables) pointers.push_back(variable.data());
  pointers.push_back(nullptr);
  execve("/proc/self/exe", argv, pointers.data());
  throw Error(ErrorCode::kInternal,
              std::string("cannot execute /proc/self/exe again: ") + std::strerror(errno));
}

Environment LoadedLibraries() {
  Environment libraries = {{"compiler", __VERSION__}, {"glibc", gnu_get_libc_version()}};
  std::ifstream maps("/proc/self/maps");
  std::string line;
  while (std::getline(maps, line)) {
    const size_t slash = line.rfind('/');
    if (slash == std::string::npos) continue;
    const std::string file = line.substr(slash + 1);
    for (const char* name : {"libtorch_cpu", "libtorch_cuda", "libopenblas", "libgomp", "libmkl"}) {
      if (file.starts_with(name)) libraries[name] = file;
    }
  }
  return libraries;
}

std::vector<std::string> CompareEnvironments(const Environment& recorded, const Environment& now) {
  std::vector<std::string> differences;
  for (const auto& [name, then] : recorded) {
    const auto found = now.find(name);
    const std::string is = found == now.end() ? "not there" : found->second;
    if (is != then) differences.push_back(name + " was " + then + " and is " + is);
  }
  return differences;
}

}  // namespace rebound
