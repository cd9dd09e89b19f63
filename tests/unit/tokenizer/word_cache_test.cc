#include "tokenizer/word_cache.h"

#include <gtest/gtest.h>

#include <string>

namespace rebound {
namespace {

size_t Read(std::string text, WordCache::Word* word) {
  return WordCache::ReadWord(text.append(WordCache::kReadAhead, ' ').data(), word);
}

WordCache::Word WordOf(const std::string& text) {
  WordCache::Word word;
  Read(text, &word);
  return word;
}

// True where there was room.
bool Put(WordCache* cache, const std::string& text, int32_t id, uint32_t encoder = 1) {
  WordCache::Entry* const entry = cache->Admit(WordOf(text), encoder);
  if (entry != nullptr) entry->ids[0] = id;
  return entry != nullptr;
}

int32_t Get(WordCache* cache, const std::string& text, uint32_t encoder = 1) {
  const WordCache::Entry* const entry = cache->Find(WordOf(text), encoder);
  return entry == nullptr ? -1 : entry->ids[0];
}

TEST(WordCache, ReadsAWordOfAnyLengthUpToTheBlank) {
  for (size_t size = 0; size <= WordCache::kMaxBytes; ++size) {
    WordCache::Word word;
    WordCache::Word alone;
    const std::string text(size, '!');  // the byte behind the blank: a borrow must not reach it
    EXPECT_EQ(Read(text + " !!! more", &word), size);
    EXPECT_EQ(Read(text, &alone), size);
    EXPECT_EQ(word, alone);
  }
  WordCache::Word word;
  EXPECT_GT(Read(std::string(WordCache::kMaxBytes + 1, 'x'), &word), WordCache::kMaxBytes);
  EXPECT_EQ(Read("\xa0\xa0 x", &word), 2U);
}

TEST(WordCache, GivesAWordToTheEncoderThatPutItAlone) {
  WordCache cache;
  EXPECT_EQ(Get(&cache, "full"), -1);
  EXPECT_TRUE(Put(&cache, "full", 7));
  EXPECT_TRUE(Put(&cache, "full", 8, 2));
  EXPECT_EQ(Get(&cache, "full"), 7);
  EXPECT_EQ(Get(&cache, "full", 2), 8);
  EXPECT_EQ(Get(&cache, "ful"), -1);
}

// As a text would: true where the word was there.
bool Ask(WordCache* cache, const std::string& text) {
  if (Get(cache, text) != -1) return true;
  Put(cache, text, 1);
  return false;
}

TEST(WordCache, KeepsWordsInUseThroughAFloodOfWordsThatComeOnce) {
  constexpr int kWords = 1000;
  constexpr int kFlood = 10;  // words that come once for each that comes again
  WordCache cache;
  int hits = 0;
  for (int i = 0; i < 100 * kWords; ++i) {
    if (Ask(&cache, "word" + std::to_string(i % kWords))) ++hits;
    for (int j = 0; j < kFlood; ++j) Ask(&cache, "once" + std::to_string(i * kFlood + j));
  }
  EXPECT_GT(hits, 90 * kWords);
}

TEST(WordCache, TurnsToOtherWordsWhereTheOldOnesComeNoMore) {
  constexpr size_t kWords = WordCache::kSlots / 2;
  WordCache cache;
  size_t hits = 0;
  for (const std::string name : {"old", "new"}) {
    for (int round = 0; round < 50; ++round) {
      hits = 0;
      for (size_t i = 0; i < kWords; ++i) {
        if (Ask(&cache, name + std::to_string(i))) ++hits;
      }
    }
    EXPECT_GT(hits, kWords * 9 / 10) << name;
  }
}

}  // namespace
}  // namespace rebound
