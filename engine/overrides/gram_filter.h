// Tells fast that none of many patterns is in a text: of each pattern one run of 2, 4, 8 or 16
// bytes, the rarest that it has, is looked for; where no run is there, no pattern is.
//
// Costs about a nanosecond a byte, however many patterns there are, which the automaton behind it
// does not reach: its memory does not fit into the cache. Immutable.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rebound {

class GramFilter {
 public:
  // Without patterns: nothing may be there.
  GramFilter() = default;
  // Of each pattern the pieces that a text must hold, all of them; REQUIRES: none is empty. A
  // pattern without a piece of two bytes makes the filter let everything pass.
  explicit GramFilter(const std::vector<std::vector<std::string>>& patterns);

  // False: no pattern can be in the text. True: one may be.
  bool MayMatch(std::string_view text) const;

  size_t bytes() const;

 private:
  // The runs of one length. A bit by hash first, which stays in the cache, then the run itself.
  struct Grams {
    size_t length = 0;
    unsigned bits_log2 = 0;
    std::vector<uint64_t> bits;  // two a run, in one word
    unsigned slots_log2 = 0;
    std::vector<uint64_t> slots;  // the runs' numbers, by open addressing; 0 is free
    bool has_zero = false;        // a slot cannot hold the number 0

    void Fill(const std::vector<uint64_t>& grams);
    bool Contains(uint64_t gram) const;
    template <size_t kLength>
    bool AnyIn(std::string_view text) const;
  };

  bool lets_all_pass_ = false;
  std::array<Grams, 4> grams_;  // of 16, 8, 4 and 2 bytes
};

}  // namespace rebound
