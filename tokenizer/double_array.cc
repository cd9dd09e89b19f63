#include "tokenizer/double_array.h"

#include "base/error.h"

namespace rebound {
namespace {

constexpr uint32_t kFree = 0x1ff;
constexpr size_t kMaxUnits = size_t{1} << 23;

}  // namespace

struct DoubleArray::Builder {
  const std::vector<std::pair<std::string_view, int32_t>>& keys;
  std::vector<Unit>& units;
  std::vector<bool> used_base;
  size_t first_free = 1;

  struct Child {
    unsigned char label;
    size_t begin;
    size_t end;
  };

  void Grow(size_t size) {
    if (size > kMaxUnits) {
      throw Error(ErrorCode::kTooLarge, "vocabulary needs more than 8388608 trie units");
    }
    units.resize(size, Unit{kFree, -1});
    used_base.resize(size, false);
  }

  bool IsFree(size_t unit) const { return (units[unit].base_and_label & 0x1ff) == kFree; }

  // The first base whose units for all labels are free.
  size_t FindBase(const std::vector<Child>& children) {
    while (first_free < units.size() && !IsFree(first_free)) ++first_free;
    size_t occupied = 0;
    for (size_t unit = first_free;; ++unit) {
      if (unit >= units.size()) Grow(units.size() + 256);
      if (!IsFree(unit)) {
        ++occupied;
        continue;
      }
      const size_t base = unit ^ children.front().label;
      if (used_base[base]) continue;
      bool fits = true;
      for (const Child& child : children) fits = fits && IsFree(base ^ child.label);
      if (!fits) continue;
      // A nearly full stretch is not searched again: keeps building linear in practice.
      if (occupied * 20 > (unit - first_free + 1) * 19) first_free = unit;
      return base;
    }
  }

  // Places the keys [begin, end), which share their first `depth` bytes, below `node`.
  void Place(size_t node, size_t begin, size_t end, size_t depth) {
    if (keys[begin].first.size() == depth) {
      units[node].value = keys[begin].second;
      ++begin;
    }
    if (begin == end) return;
    std::vector<Child> children;
    for (size_t i = begin; i < end; ++i) {
      const auto label = static_cast<unsigned char>(keys[i].first[depth]);
      if (children.empty() || children.back().label != label) children.push_back({label, i, i});
      children.back().end = i + 1;
    }
    const size_t base = FindBase(children);
    used_base[base] = true;
    units[node].base_and_label =
        static_cast<uint32_t>(base << 9) | (units[node].base_and_label & 0x1ff);
    for (const Child& child : children) units[base ^ child.label].base_and_label = child.label;
    for (const Child& child : children) {
      Place(base ^ child.label, child.begin, child.end, depth + 1);
    }
  }
};

void DoubleArray::Build(const std::vector<std::pair<std::string_view, int32_t>>& keys) {
  units_.clear();
  Builder builder{keys, units_, {}, 1};
  builder.Grow(256);
  // No byte leads to the root or to base 0, which leaves without children share.
  units_[0] = Unit{0x100, -1};
  builder.used_base[0] = true;
  if (!keys.empty()) builder.Place(0, 0, keys.size(), 0);
  units_.shrink_to_fit();
}

size_t DoubleArray::LongestPrefix(std::string_view text) const {
  if (empty()) return 0;
  size_t longest = 0;
  const Unit* node = Root();
  for (size_t i = 0; i < text.size(); ++i) {
    node = Step(node, static_cast<unsigned char>(text[i]));
    if (node == nullptr) break;
    if (node->value >= 0) longest = i + 1;
  }
  return longest;
}

}  // namespace rebound
