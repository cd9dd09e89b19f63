// Finds words of a fixed table by their first two bytes, and the classes of ASCII that scanners of
// words ask for at every byte. An index is made once, then Immutable.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace rebound {

namespace ascii {
enum : uint8_t { kLetter = 1, kDigit = 2, kUpper = 4 };
inline constexpr std::array<uint8_t, 256> kClasses = [] {
  std::array<uint8_t, 256> classes{};
  for (size_t c = 'a'; c <= 'z'; ++c) classes[c] = kLetter;
  for (size_t c = 'A'; c <= 'Z'; ++c) classes[c] = kLetter | kUpper;
  for (size_t c = '0'; c <= '9'; ++c) classes[c] = kDigit;
  return classes;
}();
inline uint8_t ClassOf(char c) { return kClasses[static_cast<unsigned char>(c)]; }
inline bool IsDigit(char c) { return (ClassOf(c) & kDigit) != 0; }
inline bool IsUpper(char c) { return (ClassOf(c) & kUpper) != 0; }
inline bool IsLetter(char c) { return (ClassOf(c) & kLetter) != 0; }
inline bool IsAlnum(char c) { return ClassOf(c) != 0; }
inline char Lower(char c) { return static_cast<char>(c | (ClassOf(c) & kUpper) << 3); }
}  // namespace ascii

// Row has a member `word` of at least two bytes. The longest words of a place come first.
template <class Row>
class WordIndex {
 public:
  explicit WordIndex(std::vector<Row> rows) : rows_(std::move(rows)) {
    std::stable_sort(rows_.begin(), rows_.end(), [](const Row& a, const Row& b) {
      const size_t pa = Place(a.word[0], a.word[1]);
      const size_t pb = Place(b.word[0], b.word[1]);
      return pa != pb ? pa < pb : a.word.size() > b.word.size();
    });
    size_t row = 0;
    for (size_t place = 0; place < kPlaces; ++place) {
      starts_[place] = static_cast<uint16_t>(row);
      while (row < rows_.size() && Place(rows_[row].word[0], rows_[row].word[1]) == place) ++row;
    }
    starts_[kPlaces] = static_cast<uint16_t>(row);
  }

  // The rows whose words may begin with these bytes (in lower case).
  std::span<const Row> Near(char first, char second) const {
    const size_t place = Place(first, second);
    return {rows_.data() + starts_[place], rows_.data() + starts_[place + 1]};
  }

 private:
  static constexpr size_t kPlaces = 4096;
  static size_t Place(char first, char second) {
    return (static_cast<unsigned char>(first) * 67U + static_cast<unsigned char>(second) * 5U) %
           kPlaces;
  }

  std::vector<Row> rows_;
  std::array<uint16_t, kPlaces + 1> starts_;
};

}  // namespace rebound
