#include "tests/unit/tokenizer/model_maker.h"

#include <bit>
#include <vector>

namespace rebound {
namespace {

std::string Varint(uint64_t value) {
  std::string out;
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
  return out;
}

std::string Little(uint32_t value) {
  std::string out;
  for (int i = 0; i < 4; ++i) out.push_back(static_cast<char>(value >> 8 * i));
  return out;
}

std::string Pieces() {
  std::string out = PieceField("<unk>", 0.0F, 2) + PieceField("__num__", 0.0F, 4);
  float score = -2.0F;
  for (const std::string_view text : {"\xe2\x96\x81", "\xe2\x96\x81mailbox",
                                      "\xe2\x96\x81"
                                      "full",
                                      "mail", "box", "fu", "ll", "a", "b", "f", "i", "l", "m", "o",
                                      "u", "x", "5_7_1", "\xc3\xa9"}) {
    out += PieceField(text, score);
    score -= 0.25F;
  }
  return out + PieceField("unused", -1.0F, 5);
}

// A darts-clone unit: a link to `offset` for `label`, or a value.
uint32_t Link(unsigned char label, uint32_t offset, bool leaf) {
  return offset << 10 | (leaf ? 0x100U : 0U) | label;
}
uint32_t Value(uint32_t value) { return value | 0x80000000U; }

// Rules: "A" -> "a", U+FB01 (ef ac 81) -> "fi".
std::string Map() {
  std::vector<uint32_t> units(1024, Link(0, 0, false) | 0x80000000U);
  const uint32_t base = 256;
  units[0] = Link(0, base, false);
  units[base ^ 'A'] = Link('A', (base ^ 'A') ^ 512U, true);
  units[512] = Value(0);
  units[base ^ 0xefU] = Link(0xef, (base ^ 0xefU) ^ 768U, false);
  units[768 ^ 0xacU] = Link(0xac, (768 ^ 0xacU) ^ 513U, false);
  units[513 ^ 0x81U] = Link(0x81, (513 ^ 0x81U) ^ 514U, true);
  units[514] = Value(2);
  std::string trie;
  for (const uint32_t unit : units) trie += Little(unit);
  return Little(static_cast<uint32_t>(trie.size())) + trie + std::string("a\0fi\0", 5);
}

}  // namespace

std::string VarintField(int number, uint64_t value) {
  return Varint(static_cast<uint64_t>(number) << 3) + Varint(value);
}

std::string BytesField(int number, std::string_view bytes) {
  return Varint(static_cast<uint64_t>(number) << 3 | 2) + Varint(bytes.size()) + std::string(bytes);
}

std::string FloatField(int number, float value) {
  return Varint(static_cast<uint64_t>(number) << 3 | 5) + Little(std::bit_cast<uint32_t>(value));
}

std::string PieceField(std::string_view text, float score, int type) {
  return BytesField(1, BytesField(1, text) + FloatField(2, score) +
                           (type == 1 ? "" : VarintField(3, static_cast<uint64_t>(type))));
}

std::string MakeModel() { return Pieces() + BytesField(2, VarintField(3, 1)); }

std::string MakeModelWithMap() { return MakeModel() + BytesField(3, BytesField(2, Map())); }

}  // namespace rebound
