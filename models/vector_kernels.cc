#include "models/vector_kernels.h"

#include <array>

#include "models/vector_loops.h"

namespace rebound {

#ifdef REBOUND_X86_KERNELS
const VectorKernels& Avx2Kernels();    // of vector_kernels_avx2.cc
const VectorKernels& Avx512Kernels();  // of vector_kernels_avx512.cc
#endif

namespace {

struct Found {
  std::array<const VectorKernels*, 3> kernels{};
  size_t count = 0;
  void Add(const VectorKernels& more) { kernels[count++] = &more; }
};

Found FindKernels() {
  Found found;
  found.Add(NarrowKernels());
#ifdef REBOUND_X86_KERNELS
  if (__builtin_cpu_supports("avx2") != 0) found.Add(Avx2Kernels());
  // The first machines with AVX-512 slow down where it is used; those with VBMI2 do not.
  if (__builtin_cpu_supports("avx512vl") != 0 && __builtin_cpu_supports("avx512vbmi2") != 0) {
    found.Add(Avx512Kernels());
  }
#endif
  return found;
}

}  // namespace

const VectorKernels& NarrowKernels() { return VectorLoops<4>::kKernels; }

std::span<const VectorKernels* const> MachineKernels() {
  static const Found found = FindKernels();
  return {found.kernels.data(), found.count};
}

const VectorKernels& FastestKernels() {
  static const VectorKernels& fastest = *MachineKernels().back();
  return fastest;
}

}  // namespace rebound
