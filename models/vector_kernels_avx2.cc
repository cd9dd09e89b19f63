// Compiled with AVX2, without fused multiplication (models/CMakeLists.txt).
#include "models/vector_loops.h"

namespace rebound {

const VectorKernels& Avx2Kernels();
const VectorKernels& Avx2Kernels() { return VectorLoops<8>::kKernels; }

}  // namespace rebound
