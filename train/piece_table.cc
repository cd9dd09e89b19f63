#include "train/piece_table.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>

namespace rebound {

PieceTable::PieceTable(const Encoder& encoder) {
  const auto size = static_cast<size_t>(encoder.size());
  has_digit_.resize(size);
  splits_.resize(size);
  std::unordered_map<std::string_view, int32_t> ids;
  for (int32_t id = 0; id < encoder.size(); ++id) ids.emplace(encoder.piece(id), id);
  for (int32_t id = 0; id < encoder.size(); ++id) {
    const std::string_view piece = encoder.piece(id);
    const auto at = static_cast<size_t>(id);
    has_digit_[at] =
        std::any_of(piece.begin(), piece.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (piece.find("__") != std::string_view::npos) continue;
    for (size_t cut = 1; cut < piece.size(); ++cut) {
      const auto left = ids.find(piece.substr(0, cut));
      const auto right = ids.find(piece.substr(cut));
      if (left != ids.end() && right != ids.end()) {
        splits_[at].emplace_back(left->second, right->second);
      }
    }
  }
}

}  // namespace rebound
