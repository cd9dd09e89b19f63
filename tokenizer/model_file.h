// The fields of SentencePiece's `.model` (a protobuf message) that encoding needs, read by hand:
// the server has no protobuf library, and a second one beside LibTorch's would crash the process.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rebound {

enum class PieceType : int32_t {
  kNormal = 1,
  kUnknown = 2,
  kControl = 3,
  kUserDefined = 4,
  kUnused = 5,
  kByte = 6,
};

struct ModelPiece {
  std::string text;
  float score = 0.0F;
  bool has_score = false;
  PieceType type = PieceType::kNormal;
};

struct ModelFile {
  std::vector<ModelPiece> pieces;  // position = id
  int64_t model_type = 1;          // 1 unigram, 2 BPE, 3 word, 4 char
  bool byte_fallback = false;
  bool whitespace_as_suffix = false;
  std::string charsmap;  // precompiled normalisation; empty for identity
  bool add_dummy_prefix = true;
  bool remove_extra_whitespaces = true;
  bool escape_whitespaces = true;
};

// Throws kCorrupt naming what is wrong with the bytes. Pure, Thread-safe.
ModelFile ParseModelFile(std::string_view bytes);

}  // namespace rebound
