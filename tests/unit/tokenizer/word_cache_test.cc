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

TEST(WordCache, KeepsWordsInUseThroughAFloodOfWordsThatComeOnce) {
  constexpr int kWords = 1000;
  WordCache cache;
  for (int i = 0; i < kWords; ++i) {
    Put(&cache, "word" + std::to_string(i), i);
    for (int j = 0; j < 3; ++j) Get(&cache, "word" + std::to_string(i));
  }
  for (int i = 0; i < 1'000'000; ++i) {
    const std::string once = "once" + std::to_string(i);
    if (Get(&cache, once) == -1) Put(&cache, once, -2);
    if (i % 10 == 0) Get(&cache, "word" + std::to_string(i / 10 % kWords));
  }
  int kept = 0;
  for (int i = 0; i < kWords; ++i) kept += Get(&cache, "word" + std::to_string(i)) == i ? 1 : 0;
  EXPECT_GT(kept, kWords * 97 / 100);
}

TEST(WordCache, TurnsToOtherWordsWhereTheOldOnesComeNoMore) {
  constexpr size_t kWords = WordCache::kSlots / 2;
  WordCache cache;
  size_t hits = 0;
  for (const std::string name : {"old", "new"}) {
    for (int round = 0; round < 20; ++round) {
      hits = 0;
      for (size_t i = 0; i < kWords; ++i) {
        const std::string word = name + std::to_string(i);
        if (Get(&cache, word) != -1) {
          ++hits;
        } else {
          Put(&cache, word, 1);
        }
      }
    }
    EXPECT_GT(hits, kWords * 9 / 10) << name;
  }
}

}  // namespace
}  // namespace rebound
