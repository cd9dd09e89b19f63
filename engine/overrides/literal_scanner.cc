#include "engine/overrides/literal_scanner.h"

#include <algorithm>
#include <numeric>

namespace rebound {

LiteralScanner::LiteralScanner(const std::vector<std::string_view>& literals) {
  if (literals.empty()) return;
  BuildTrie(literals);
  BuildFallbacks();
}

void LiteralScanner::BuildTrie(const std::vector<std::string_view>& literals) {
  std::vector<uint32_t> order(literals.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(),
            [&](uint32_t a, uint32_t b) { return literals[a] < literals[b]; });
  struct Range {  // of `order`: the literals that begin with a state's bytes
    uint32_t begin;
    uint32_t end;
  };
  std::vector<Range> level = {{0, static_cast<uint32_t>(order.size())}};
  std::vector<Range> next;
  shorter_.assign(literals.size(), 0);
  bytes_.push_back(0);
  report_.push_back(0);
  uint32_t state = 0;
  for (size_t depth = 0; !level.empty(); ++depth, level.swap(next)) {
    next.clear();
    for (Range range : level) {
      first_child_.push_back(static_cast<uint32_t>(bytes_.size()));
      if (literals[order[range.begin]].size() == depth) report_[state] = 1 + order[range.begin++];
      while (range.begin < range.end) {
        const char byte = literals[order[range.begin]][depth];
        uint32_t end = range.begin + 1;
        while (end < range.end && literals[order[end]][depth] == byte) ++end;
        next.push_back({range.begin, end});
        bytes_.push_back(static_cast<unsigned char>(byte));
        report_.push_back(0);
        range.begin = end;
      }
      ++state;
    }
  }
  first_child_.push_back(static_cast<uint32_t>(bytes_.size()));
  for (uint32_t child = first_child_[0]; child < first_child_[1]; ++child) {
    from_root_[bytes_[child]] = child;
  }
  first_child_.shrink_to_fit();
  bytes_.shrink_to_fit();
  report_.shrink_to_fit();
}

void LiteralScanner::BuildFallbacks() {
  fallback_.assign(bytes_.size(), 0);
  // Level by level: a state's fallback is shorter, so it is ready.
  for (uint32_t state = 0; state < bytes_.size(); ++state) {
    for (uint32_t child = first_child_[state]; child < first_child_[state + 1]; ++child) {
      if (state != 0) fallback_[child] = Next(fallback_[state], bytes_[child]);
      const uint32_t inherited = report_[fallback_[child]];
      if (report_[child] == 0) {
        report_[child] = inherited;
      } else {
        shorter_[report_[child] - 1] = inherited;
      }
    }
  }
}

size_t LiteralScanner::bytes() const {
  return sizeof(*this) + first_child_.capacity() * 4 + bytes_.capacity() +
         fallback_.capacity() * 4 + report_.capacity() * 4 + shorter_.capacity() * 4;
}

}  // namespace rebound
