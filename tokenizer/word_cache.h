// The ids of words seen before, in half a megabyte that never grows: open addressing in sets of
// four, one cache line a word. Entries bear their encoder's number, so that encoders of one thread
// share a cache and none sees another's words.
//
// A flood of words that come once does not wash out the others: a new word takes the place of one
// that nobody asked for again. Where a set has none, and at every eighth new word, all words of the
// set lose one of up to seven points that asking for them gives, so that the old make room at last.
// Thread-compatible.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace rebound {

class WordCache {
 public:
  static constexpr size_t kMaxBytes = 24;
  static constexpr size_t kMaxIds = 6;
  static constexpr size_t kSlots = 8192;
  static constexpr size_t kReadAhead = kMaxBytes + 8;

  using Word = std::array<uint64_t, kMaxBytes / 8>;  // its bytes, then zeros

  struct alignas(64) Entry {
    Word word;
    uint32_t encoder;  // 0: free
    uint8_t uses;
    uint8_t tokens;
    float limit;                       // of the encoder: how far the ids can be trusted
    float cost;                        // of the encoder: what the word adds to a path
    std::array<int32_t, kMaxIds> ids;  // [tokens], then anything
  };

  // Bytes of the word that starts at `text` and ends before the first blank; more than kMaxBytes
  // (and `*word` unspecified) where it is too long for an entry. REQUIRES: kReadAhead bytes, no
  // NUL in the word.
  static size_t ReadWord(const char* text, Word* word);

  WordCache();

  // Null where it is not there; valid until the next Admit.
  const Entry* Find(const Word& word, uint32_t encoder);
  // An entry for a word that is not there, its ids, limit and cost to be filled; null where the set
  // gives none up this time. REQUIRES: encoder > 0.
  Entry* Admit(const Word& word, uint32_t encoder);

 private:
  static constexpr size_t kWays = 4;
  static constexpr uint8_t kMostUses = 7;
  static constexpr size_t kTurnsAPoint = 8;
  Entry* SetOf(const Word& word);

  std::unique_ptr<Entry[]> entries_;
  size_t turn_ = 0;
};

}  // namespace rebound
