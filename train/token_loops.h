// The loops over the tokens of a batch, forward and back: what stock operations do ten times
// slower, for they pad every text to the longest. Free of torch. Pure, Thread-safe.
//
// A batch is tokens [N], rows of a table, and offsets [B + 1] into them.
#pragma once

#include <cstddef>
#include <cstdint>

namespace rebound {

struct TokenSpans {
  const int32_t* tokens;
  const int32_t* offsets;
  size_t batch;
};

// pooled[b] += sum of table rows / sqrt(n): table [U, width], pooled [B, width].
void PoolRows(const TokenSpans& spans, const float* table, size_t width, float* pooled);
// gradient [B, width] of pooled; adds to table_gradient [U, width].
void PoolRowsBackward(const TokenSpans& spans, const float* gradient, size_t width,
                      float* table_gradient);

// best[b][f] = max over i of sum over j < window of table[t[i + j]][j F + f], windows running out
// behind the end: table [U, window F], best and argmax [B, F] (argmax: the place of the window;
// what they hold already stays where no window is larger).
void MaximumOfWindows(const TokenSpans& spans, const float* table, size_t window, size_t filters,
                      float* best, int32_t* argmax);
// gradient [B, F] of best; adds to table_gradient [U, window F].
void MaximumOfWindowsBackward(const TokenSpans& spans, const int32_t* argmax, const float* gradient,
                              size_t window, size_t filters, float* table_gradient);

}  // namespace rebound
