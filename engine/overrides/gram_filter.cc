#include "engine/overrides/gram_filter.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace rebound {
namespace {

constexpr std::array<size_t, 4> kLengths = {16, 8, 4, 2};
// A short run stands in more texts than a long one that as many patterns have.
constexpr std::array<uint64_t, 4> kWeights = {1, 16, 256, 4096};
constexpr uint64_t kMultiplier = 0x9e3779b97f4a7c15;

uint64_t HashOf(uint64_t gram, unsigned bits) { return (gram * kMultiplier) >> (64 - bits); }

// The word of the table, and the two bits in it.
struct Place {
  uint64_t word;
  uint64_t mask;
};
Place PlaceOf(uint64_t gram, unsigned bits_log2) {
  const uint64_t hash = gram * kMultiplier;
  return {hash >> (64 - bits_log2 + 6),
          uint64_t{1} << (hash & 63) | uint64_t{1} << (hash >> 6 & 63)};
}

template <class Word>
uint64_t Load(const char* at) {
  Word word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

// A run as a number: itself, but for one of 16 bytes, of which others may have the same.
template <size_t kLength>
uint64_t GramAt(const char* at) {
  if constexpr (kLength == 16) {
    return (Load<uint64_t>(at) * 0xff51afd7ed558ccd) ^ std::rotl(Load<uint64_t>(at + 8), 29);
  } else if constexpr (kLength == 8) {
    return Load<uint64_t>(at);
  } else if constexpr (kLength == 4) {
    return Load<uint32_t>(at);
  } else {
    return Load<uint16_t>(at);
  }
}

uint64_t GramAt(const char* at, size_t length) {
  return length == 16  ? GramAt<16>(at)
         : length == 8 ? GramAt<8>(at)
         : length == 4 ? GramAt<4>(at)
                       : GramAt<2>(at);
}

template <class Each>
void ForEachGram(const std::vector<std::string>& pieces, size_t length, Each each) {
  for (const std::string& piece : pieces) {
    for (size_t at = 0; at + length <= piece.size(); ++at) each(GramAt(piece.data() + at, length));
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
  std::array<std::vector<uint32_t>, kLengths.size()> counters;
  for (size_t which = 0; which < kLengths.size(); ++which) {
    counters[which].resize(size_t{1} << counter_bits);
    for (const auto& pieces : patterns) {
      ForEachGram(pieces, kLengths[which],
                  [&](uint64_t gram) { ++counters[which][HashOf(gram, counter_bits)]; });
    }
  }
  std::array<std::vector<uint64_t>, kLengths.size()> chosen;
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
    const Place place = PlaceOf(gram, bits_log2);
    bits[place.word] |= place.mask;
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

template <size_t kLength>
bool GramFilter::Grams::AnyIn(std::string_view text) const {
  if (bits.empty()) return false;
  for (size_t at = 0; at + kLength <= text.size(); ++at) {
    const uint64_t gram = GramAt<kLength>(text.data() + at);
    const Place place = PlaceOf(gram, bits_log2);
    if ((bits[place.word] & place.mask) == place.mask && Contains(gram)) return true;
  }
  return false;
}

bool GramFilter::MayMatch(std::string_view text) const {
  return lets_all_pass_ || grams_[0].AnyIn<16>(text) || grams_[1].AnyIn<8>(text) ||
         grams_[2].AnyIn<4>(text) || grams_[3].AnyIn<2>(text);
}

size_t GramFilter::bytes() const {
  size_t all = sizeof(*this);
  for (const Grams& grams : grams_) all += (grams.bits.capacity() + grams.slots.capacity()) * 8;
  return all;
}

}  // namespace rebound
