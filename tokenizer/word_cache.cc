#include "tokenizer/word_cache.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace rebound {
namespace {

constexpr uint64_t kOnes = 0x0101010101010101U;
constexpr uint64_t kHighs = 0x8080808080808080U;

// Eight bytes, the first of them lowest.
uint64_t Load(const char* bytes) {
  uint64_t value;
  std::memcpy(&value, bytes, sizeof value);
  if constexpr (std::endian::native == std::endian::big) value = __builtin_bswap64(value);
  return value;
}

// The highest bit of the first blank byte is the lowest bit that is set; 0 where there is none.
uint64_t Blanks(uint64_t bytes) {
  bytes ^= kOnes * ' ';
  return (bytes - kOnes) & ~bytes & kHighs;
}

}  // namespace

size_t WordCache::ReadWord(const char* text, Word* word) {
  word->fill(0);
  for (size_t i = 0; i < word->size(); ++i) {
    const uint64_t bytes = Load(text + 8 * i);
    const uint64_t blanks = Blanks(bytes);
    if (blanks != 0) {
      const auto size = static_cast<size_t>(std::countr_zero(blanks)) / 8;
      (*word)[i] = bytes & ((uint64_t{1} << 8 * size) - 1);
      return 8 * i + size;
    }
    (*word)[i] = bytes;
  }
  return text[kMaxBytes] == ' ' ? kMaxBytes : kMaxBytes + 1;
}

WordCache::WordCache() : entries_(std::make_unique<Entry[]>(kSlots)) {}

WordCache::Entry* WordCache::SetOf(const Word& word) {
  static_assert(sizeof(Entry) == 64 && std::has_single_bit(kSlots));
  constexpr int kShift = 64 - std::countr_zero(kSlots / kWays);
  uint64_t hash = word[0] * 0x9e3779b97f4a7c15U;
  hash ^=
      std::rotl(word[1] * 0xbf58476d1ce4e5b9U, 23) ^ std::rotl(word[2] * 0x94d049bb133111ebU, 41);
  hash = (hash ^ hash >> 32) * 0xd6e8feb86659fd93U;
  return entries_.get() + (hash >> kShift) * kWays;
}

const WordCache::Entry* WordCache::Find(const Word& word, uint32_t encoder) {
  Entry* const set = SetOf(word);
  for (Entry* entry = set; entry != set + kWays; ++entry) {
    if (entry->word != word || entry->encoder != encoder) continue;
    if (entry->uses < kMostUses) ++entry->uses;
    return entry;
  }
  return nullptr;
}

WordCache::Entry* WordCache::Admit(const Word& word, uint32_t encoder) {
  Entry* const set = SetOf(word);
  Entry* victim = nullptr;
  ++turn_;  // so that no place is the first choice for ever
  for (size_t i = 0; i < kWays; ++i) {
    Entry* const entry = set + (turn_ + i) % kWays;
    if (entry->uses > 0) continue;
    if (victim == nullptr || entry->encoder == 0) victim = entry;
  }
  if (victim == nullptr || turn_ % kTurnsAPoint == 0) {
    for (Entry* entry = set; entry != set + kWays; ++entry) {
      if (entry->uses > 0) --entry->uses;
    }
  }
  if (victim == nullptr) return nullptr;
  *victim = Entry{};
  victim->word = word;
  victim->encoder = encoder;
  return victim;
}

}  // namespace rebound
