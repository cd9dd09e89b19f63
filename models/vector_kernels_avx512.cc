// Compiled with AVX-512, without fused multiplication (models/CMakeLists.txt).
#include "models/vector_loops.h"

namespace rebound {

const VectorKernels& Avx512Kernels();
const VectorKernels& Avx512Kernels() { return VectorLoops<16>::kKernels; }

}  // namespace rebound
