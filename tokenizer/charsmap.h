// SentencePiece's precompiled normalisation map (nmt_nfkc and its like): a darts-clone trie from
// byte strings to offsets into a block of NUL-ended replacements. Immutable, Thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rebound {

class Charsmap {
 public:
  Charsmap() = default;  // identity
  // Throws kCorrupt where the map is cut short.
  explicit Charsmap(std::string_view blob);

  bool empty() const { return units_.empty(); }

  // Bytes of the longest rule that `text` starts with, 0 where none does; `*replacement` is its
  // right side. A map whose links leave its bounds matches nothing there.
  size_t LongestRule(std::string_view text, std::string_view* replacement) const;

  // Whether a rule starts with this byte and is ASCII as far as its second byte: such a byte can
  // not be copied unseen, even where ASCII follows it. REQUIRES: c < 0x80.
  bool RewritesAscii(unsigned char c) const;

 private:
  std::vector<uint32_t> units_;
  std::string replacements_;  // ends with NUL
};

}  // namespace rebound
