// The public safetensors format: 8-byte little-endian header length, JSON header, raw little-endian
// data that starts on a 64-byte border. No pickle, mappable. Pure, Thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rebound {

// A float32 tensor in somebody else's memory.
struct TensorView {
  std::vector<int64_t> shape;
  std::span<const float> values;  // row-major, product of shape
};

using TensorMap = std::map<std::string, TensorView>;  // by name; also the order in the file

// Deterministic: the same tensors and metadata give the same bytes.
std::string MakeSafetensors(const TensorMap& tensors,
                            const std::map<std::string, std::string>& metadata);

// Views into `bytes` (64-byte aligned memory, such as a mapping), which must outlive them. Throws
// kCorrupt where the header is no JSON, a dtype is not F32, offsets overlap, leave holes or run
// beyond the data, or a shape's product overflows or is not the length.
TensorMap ParseSafetensors(std::string_view bytes);

}  // namespace rebound
