// The generator of everything random in training: the project's one (base/random.h), with the
// two draws that training needs. The same on every machine and standard library, unlike
// std::shuffle and the std distributions. Thread-compatible.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "base/random.h"

namespace rebound {

class Prng : public Random {
 public:
  using Random::Random;

  // Uniform in [0, 1) with 24 bits: exact in float32.
  float Uniform() { return static_cast<float>(Next() >> 40) * 0x1p-24F; }

  template <class T>
  void Shuffle(std::vector<T>* items) {
    for (size_t i = items->size(); i > 1; --i) std::swap((*items)[i - 1], (*items)[Below(i)]);
  }
};

}  // namespace rebound
