#include "models/vector_kernels.h"

#include "models/vector_loops.h"

namespace rebound {

#ifdef REBOUND_AVX2_KERNELS
const VectorKernels& Avx2Kernels();  // of vector_kernels_avx2.cc
#endif

const VectorKernels& NarrowKernels() { return VectorLoops<4>::kKernels; }

const VectorKernels& FastestKernels() {
#ifdef REBOUND_AVX2_KERNELS
  static const bool has_avx2 = __builtin_cpu_supports("avx2") != 0;
  if (has_avx2) return Avx2Kernels();
#endif
  return NarrowKernels();
}

}  // namespace rebound
