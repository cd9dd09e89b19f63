#include "base/near_copies.h"

#include <algorithm>
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
