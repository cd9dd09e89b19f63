#include "engine/overrides/gram_filter.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace rebound {
namespace {

constexpr std::array<size_t, 3> kLengths = {8, 4, 2};
constexpr uint64_t kMultiplier = 0x9e3779b97f4a7c15;

uint64_t HashOf(uint64_t gram, unsigned bits) { return (gram * kMultiplier) >> (64 - bits); }

uint64_t GramAt(std::string_view text, size_t at, size_t length) {
  if (length == 8) {
    uint64_t word = 0;
    std::memcpy(&word, text.data() + at, 8);
    return word;
  }
  if (length == 4) {
    uint32_t word = 0;
    std::memcpy(&word, text.data() + at, 4);
    return word;
  }
  uint16_t word = 0;
  std::memcpy(&word, text.data() + at, 2);
  return word;
}

// A run of 4 bytes stands in more texts than one of 8 that as many patterns have.
constexpr std::array<uint64_t, 3> kWeights = {1, 16, 256};

template <class Each>
void ForEachGram(const std::vector<std::string>& pieces, size_t length, Each each) {
  for (const std::string& piece : pieces) {
    for (size_t at = 0; at + length <= piece.size(); ++at) each(GramAt(piece, at, length));
  }
}

}  // namespace

GramFilter::GramFilter(const std::vector<std::vector<std::string>>& patterns) {
  // How many patterns have a run, nearly: two runs may share a counter.
  size_t all = 0;
  for (const auto& pieces : patterns) {
    for (const std::string& piece : pieces) all += piece.size();
  }
  const auto counter_bits =
      static_cast<unsigned>(std::clamp<int>(static_cast<int>(std::bit_width(all)) + 1, 8, 22));
  std::array<std::vector<uint32_t>, 3> counters;
  for (size_t which = 0; which < kLengths.size(); ++which) {
    counters[which].resize(size_t{1} << counter_bits);
    for (const auto& pieces : patterns) {
      ForEachGram(pieces, kLengths[which],
                  [&](uint64_t gram) { ++counters[which][HashOf(gram, counter_bits)]; });
    }
  }
  std::array<std::vector<uint64_t>, 3> chosen;
  for (const auto& pieces : patterns) {
    uint64_t best = 0;
    size_t best_class = kLengths.size();
    uint64_t least = UINT64_MAX;
    for (size_t which = 0; which < kLengths.size(); ++which) {
      ForEachGram(pieces, kLengths[which], [&](uint64_t gram) {
        const uint64_t cost = counters[which][HashOf(gram, counter_bits)] * kWeights[which];
        if (cost >= least) return;
        least = cost;
        best = gram;
        best_class = which;
      });
    }
    if (best_class == kLengths.size()) {
      lets_all_pass_ = true;
      return;
    }
    chosen[best_class].push_back(best);
  }
  for (size_t which = 0; which < kLengths.size(); ++which) {
    grams_[which].length = kLengths[which];
    grams_[which].Fill(chosen[which]);
  }
}

void GramFilter::Grams::Fill(const std::vector<uint64_t>& grams) {
  if (grams.empty()) return;
  const auto width = static_cast<unsigned>(std::bit_width(grams.size()));
  bits_log2 = std::clamp(width + 5, 9U, 22U);
  bits.assign((size_t{1} << bits_log2) / 64, 0);
  slots_log2 = width + 1;
  slots.assign(size_t{1} << slots_log2, 0);
  const size_t mask = slots.size() - 1;
  for (const uint64_t gram : grams) {
    const uint64_t bit = HashOf(gram, bits_log2);
    bits[bit / 64] |= uint64_t{1} << bit % 64;
    if (gram == 0) has_zero = true;
    size_t slot = HashOf(gram, slots_log2);
    while (slots[slot] != 0 && slots[slot] != gram) slot = (slot + 1) & mask;
    slots[slot] = gram;
  }
}

bool GramFilter::Grams::Contains(uint64_t gram) const {
  if (gram == 0) return has_zero;
  const size_t mask = slots.size() - 1;
  size_t slot = HashOf(gram, slots_log2);
  while (slots[slot] != 0 && slots[slot] != gram) slot = (slot + 1) & mask;
  return slots[slot] == gram;
}

template <class Word>
bool GramFilter::Grams::AnyIn(std::string_view text) const {
  if (bits.empty()) return false;
  for (size_t at = 0; at + sizeof(Word) <= text.size(); ++at) {
    Word word;
    std::memcpy(&word, text.data() + at, sizeof word);
    const uint64_t bit = HashOf(word, bits_log2);
    if ((bits[bit / 64] >> bit % 64 & 1) != 0 && Contains(word)) return true;
  }
  return false;
}

bool GramFilter::MayMatch(std::string_view text) const {
  return lets_all_pass_ || grams_[0].AnyIn<uint64_t>(text) || grams_[1].AnyIn<uint32_t>(text) ||
         grams_[2].AnyIn<uint16_t>(text);
}

size_t GramFilter::bytes() const {
  size_t all = sizeof(*this);
  for (const Grams& grams : grams_) all += (grams.bits.capacity() + grams.slots.capacity()) * 8;
  return all;
}

}  // namespace rebound
