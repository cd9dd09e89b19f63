// Small .model files made by hand, byte by byte, for tests without libsentencepiece.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace rebound {

// One protobuf field.
std::string VarintField(int number, uint64_t value);
std::string BytesField(int number, std::string_view bytes);
std::string FloatField(int number, float value);

// A piece of ModelProto; type as in PieceType (1 normal, 2 unknown, 4 user-defined ...).
std::string PieceField(std::string_view text, float score, int type = 1);

// Unigram with identity normalisation: <unk>, __num__ (user-defined), ▁, and pieces of "mailbox
// full".
std::string MakeModel();
// The same with a map that turns "A" into "a" and "ﬁ" into "fi".
std::string MakeModelWithMap();

}  // namespace rebound
