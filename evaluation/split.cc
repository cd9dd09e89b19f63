#include "evaluation/split.h"

#include <algorithm>
#include <array>
#include <map>

#include "base/digest.h"
#include "base/text.h"

namespace rebound {
namespace {

// Han, kana, Thai and their neighbours.
bool WritesNoSpaces(char32_t point) {
  return (point >= 0x0E00 && point <= 0x0EFF) || (point >= 0x2E80 && point <= 0x9FFF) ||
         (point >= 0xF900 && point <= 0xFAFF);
}

bool HasLetter(std::string_view token) {
  return std::any_of(token.begin(), token.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c & 0x80) != 0;
  });
}

void AddToken(std::string_view token, std::vector<std::string>* words) {
  std::string word;
  const auto end_word = [&] {
    if (!word.empty()) words->push_back(word);
    word.clear();
  };
  while (!token.empty()) {
    const CodePoint point = DecodeUtf8(token);
    if (WritesNoSpaces(point.value)) {
      end_word();
      words->emplace_back(token.substr(0, point.bytes));
    } else {
      word += token.substr(0, point.bytes);
    }
    token.remove_prefix(point.bytes);
  }
  end_word();
}

}  // namespace

std::vector<std::string> SplitWords(std::string_view normalised) {
  std::vector<std::string> words, others;
  for (const std::string_view token : Split(normalised, ' ')) {
    if (token.empty()) continue;
    if (token.substr(0, 2) != "__" && HasLetter(token)) {
      AddToken(token, &words);
    } else {
      others.emplace_back(token);
    }
  }
  if (words.empty()) words = std::move(others);
  std::sort(words.begin(), words.end());
  words.erase(std::unique(words.begin(), words.end()), words.end());
  return words;
}

std::vector<bool> FirstHalf(const std::vector<std::vector<std::string>>& words,
                            const std::vector<size_t>& groups) {
  std::map<size_t, std::vector<size_t>> members;
  for (size_t i = 0; i < groups.size(); ++i) members[groups[i]].push_back(i);
  std::vector<std::pair<uint64_t, size_t>> order;
  for (const auto& [group, texts] : members) {
    std::string name;
    for (const std::string& word : words[group]) name += word + " ";
    order.emplace_back(StableHash(name), group);
  }
  std::sort(order.begin(), order.end());
  std::vector<bool> first(groups.size(), false);
  std::array<size_t, 2> sizes = {0, 0};
  for (const auto& [hash, group] : order) {
    const bool to_first = sizes[0] <= sizes[1];
    sizes[to_first ? 0 : 1] += members[group].size();
    for (const size_t text : members[group]) first[text] = to_first;
  }
  return first;
}

}  // namespace rebound
