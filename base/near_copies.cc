#include "base/near_copies.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <unordered_map>

namespace rebound {

void FindAlike(const std::vector<std::vector<std::string_view>>& words, double least,
               const AlikePair& pair) {
  std::unordered_map<std::string_view, std::vector<size_t>> places;  // where a word stood before
  std::vector<size_t> shared(words.size(), 0);
  for (size_t i = 0; i < words.size(); ++i) {
    std::vector<size_t> touched;
    for (const std::string_view word : words[i]) {
      std::vector<size_t>& earlier = places[word];
      for (const size_t j : earlier) {
        if (shared[j]++ == 0) touched.push_back(j);
      }
      earlier.push_back(i);
    }
    std::sort(touched.begin(), touched.end());
    for (const size_t j : touched) {
      const size_t all = words[i].size() + words[j].size() - shared[j];
      const double similarity = static_cast<double>(shared[j]) / static_cast<double>(all);
      if (similarity >= least) pair(i, j, similarity);
      shared[j] = 0;
    }
  }
}

double Likeness(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  size_t shared = 0;
  for (size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    const int order = a[i].compare(b[j]);
    if (order == 0) ++shared;
    if (order <= 0) ++i;
    if (order >= 0) ++j;
  }
  const size_t all = a.size() + b.size() - shared;
  return all == 0 ? 1 : static_cast<double>(shared) / static_cast<double>(all);
}

namespace {

// The last step of splitmix64: every bit of the input moves every bit of the output.
uint64_t Mix(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

uint64_t HashOf(std::string_view word) {
  uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
  for (const char c : word) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return Mix(hash);
}

}  // namespace

std::vector<uint64_t> LikenessBands(const std::vector<std::string>& words) {
  constexpr size_t kRows = 4;
  std::vector<uint64_t> bands;
  if (words.empty()) return bands;
  std::array<uint64_t, kLikenessBands * kRows> least;
  least.fill(UINT64_MAX);
  for (const std::string& word : words) {
    const uint64_t hash = HashOf(word);
    for (size_t i = 0; i < least.size(); ++i) {
      least[i] = std::min(least[i], Mix(hash + (i + 1) * 0x9e3779b97f4a7c15));
    }
  }
  for (size_t band = 0; band < kLikenessBands; ++band) {
    uint64_t name = band;
    for (size_t row = 0; row < kRows; ++row) name = Mix(name + least[band * kRows + row]);
    bands.push_back(name);
  }
  return bands;
}

DisjointGroups::DisjointGroups(size_t count) : parents_(count) {
  std::iota(parents_.begin(), parents_.end(), size_t{0});
}

void DisjointGroups::Join(size_t a, size_t b) {
  const size_t first = FirstOf(a), second = FirstOf(b);
  parents_[std::max(first, second)] = std::min(first, second);
}

size_t DisjointGroups::FirstOf(size_t at) {
  while (parents_[at] != at) at = parents_[at] = parents_[parents_[at]];
  return at;
}

}  // namespace rebound
