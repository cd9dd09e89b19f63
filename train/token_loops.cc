#include "train/token_loops.h"

#include <algorithm>
#include <cmath>
#include <vector>

// The inner loops have no sums across lanes, so wider vectors give the same bits.
#if defined(__x86_64__)
#define REBOUND_VECTORISED __attribute__((target_clones("avx2", "default")))
#else
#define REBOUND_VECTORISED
#endif

namespace rebound {
namespace {

REBOUND_VECTORISED void AddRow(const float* from, float scale, size_t width, float* to) {
  for (size_t i = 0; i < width; ++i) to[i] += scale * from[i];
}

REBOUND_VECTORISED void KeepMaximum(const float* sums, int32_t position, size_t width, float* best,
                                    int32_t* argmax) {
  for (size_t i = 0; i < width; ++i) {
    argmax[i] = sums[i] > best[i] ? position : argmax[i];
    best[i] = sums[i] > best[i] ? sums[i] : best[i];
  }
}

float PoolScale(int32_t tokens) {
  return 1.0F / std::sqrt(static_cast<float>(std::max(tokens, 1)));
}

}  // namespace

void PoolRows(const TokenSpans& spans, const float* table, size_t width, float* pooled) {
  for (size_t b = 0; b < spans.batch; ++b) {
    const float scale = PoolScale(spans.offsets[b + 1] - spans.offsets[b]);
    for (int32_t i = spans.offsets[b]; i < spans.offsets[b + 1]; ++i) {
      AddRow(table + static_cast<size_t>(spans.tokens[i]) * width, scale, width,
             pooled + b * width);
    }
  }
}

void PoolRowsBackward(const TokenSpans& spans, const float* gradient, size_t width,
                      float* table_gradient) {
  for (size_t b = 0; b < spans.batch; ++b) {
    const float scale = PoolScale(spans.offsets[b + 1] - spans.offsets[b]);
    for (int32_t i = spans.offsets[b]; i < spans.offsets[b + 1]; ++i) {
      AddRow(gradient + b * width, scale, width,
             table_gradient + static_cast<size_t>(spans.tokens[i]) * width);
    }
  }
}

void MaximumOfWindows(const TokenSpans& spans, const float* table, size_t window, size_t filters,
                      float* best, int32_t* argmax) {
  std::vector<float> sums(filters);
  for (size_t b = 0; b < spans.batch; ++b) {
    const int32_t end = spans.offsets[b + 1];
    for (int32_t i = spans.offsets[b]; i < end; ++i) {
      std::fill(sums.begin(), sums.end(), 0.0F);
      for (int32_t j = 0; j < static_cast<int32_t>(window) && i + j < end; ++j) {
        const size_t at =
            static_cast<size_t>(spans.tokens[i + j]) * window + static_cast<size_t>(j);
        AddRow(table + at * filters, 1.0F, filters, sums.data());
      }
      KeepMaximum(sums.data(), i, filters, best + b * filters, argmax + b * filters);
    }
  }
}

void MaximumOfWindowsBackward(const TokenSpans& spans, const int32_t* argmax, const float* gradient,
                              size_t window, size_t filters, float* table_gradient) {
  for (size_t b = 0; b < spans.batch; ++b) {
    const int32_t end = spans.offsets[b + 1];
    for (size_t f = 0; f < filters; ++f) {
      const float g = gradient[b * filters + f];
      const int32_t i = argmax[b * filters + f];
      if (g == 0.0F || i < 0) continue;
      for (int32_t j = 0; j < static_cast<int32_t>(window) && i + j < end; ++j) {
        const size_t at =
            static_cast<size_t>(spans.tokens[i + j]) * window + static_cast<size_t>(j);
        table_gradient[at * filters + f] += g;
      }
    }
  }
}

}  // namespace rebound
