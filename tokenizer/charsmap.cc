#include "tokenizer/charsmap.h"

#include "base/error.h"

namespace rebound {
namespace {

uint32_t LittleEndian(std::string_view bytes) {
  uint32_t value = 0;
  for (size_t i = 4; i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

// The bit fields of a darts-clone unit.
bool HasLeaf(uint32_t unit) { return (unit >> 8 & 1) != 0; }
uint32_t Value(uint32_t unit) { return unit & 0x7fffffffU; }
uint32_t Label(uint32_t unit) { return unit & 0x800000ffU; }
uint32_t Offset(uint32_t unit) { return (unit >> 10) << ((unit & 1U << 9) >> 6); }

}  // namespace

Charsmap::Charsmap(std::string_view blob) {
  const auto corrupt = [](const char* what) {
    return Error(ErrorCode::kCorrupt, std::string("tokenizer model: its normalisation map ") +
                                          what + "; make it again with rebound-tokenizer");
  };
  if (blob.empty()) return;
  if (blob.size() <= 4) throw corrupt("is cut short");
  const size_t trie_bytes = LittleEndian(blob);
  blob.remove_prefix(4);
  if (trie_bytes >= blob.size()) throw corrupt("is cut short");
  if (trie_bytes == 0 || trie_bytes % 4 != 0) throw corrupt("has no trie");
  units_.reserve(trie_bytes / 4);
  for (size_t i = 0; i < trie_bytes; i += 4) units_.push_back(LittleEndian(blob.substr(i)));
  replacements_ = blob.substr(trie_bytes);
  if (replacements_.back() != '\0') throw corrupt("has a replacement without an end");
}

size_t Charsmap::LongestRule(std::string_view text, std::string_view* replacement) const {
  if (units_.empty()) return 0;
  size_t longest = 0;
  uint32_t node = Offset(units_[0]);
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    node ^= c;
    if (node >= units_.size()) break;
    const uint32_t unit = units_[node];
    if (Label(unit) != c) break;
    node ^= Offset(unit);
    if (node >= units_.size()) break;
    if (HasLeaf(unit)) {
      const uint32_t at = Value(units_[node]);
      if (at >= replacements_.size()) break;
      longest = i + 1;
      *replacement = std::string_view(replacements_.c_str() + at);
    }
  }
  return longest;
}

bool Charsmap::RewritesAscii(unsigned char c) const {
  if (units_.empty()) return false;
  const uint32_t at = Offset(units_[0]) ^ c;
  if (at >= units_.size() || Label(units_[at]) != c) return false;
  if (HasLeaf(units_[at])) return true;
  for (uint32_t next = 1; next < 0x80; ++next) {
    const uint32_t child = at ^ Offset(units_[at]) ^ next;
    if (child < units_.size() && Label(units_[child]) == next) return true;
  }
  return false;
}

}  // namespace rebound
