#include "engine/overrides/pattern_matcher.h"

#include <algorithm>
#include <cstring>
#include <unordered_map>
#include <utility>

#include "base/text.h"
#include "engine/overrides/flat_map.h"
#include "engine/overrides/fold.h"
#include "engine/overrides/gram_filter.h"
#include "engine/overrides/literal_scanner.h"

namespace rebound {
namespace {

constexpr uint32_t kNoRule = std::numeric_limits<uint32_t>::max();
constexpr uint32_t kNoNode = 0;  // the root, which is never asked for
// Up to so many rules each is looked for by itself. Lists with rules for many domains are made of
// such small groups, which must be small in memory too.
constexpr size_t kFewRules = 6;

using Pieces = std::vector<std::string>;

bool HasInOrder(std::string_view text, const Pieces& pieces) {
  for (const std::string& piece : pieces) {
    const void* found = memmem(text.data(), text.size(), piece.data(), piece.size());
    if (found == nullptr) return false;
    const auto at = static_cast<size_t>(static_cast<const char*>(found) - text.data());
    text.remove_prefix(at + piece.size());
  }
  return true;
}

uint64_t DepthBit(uint32_t depth) { return uint64_t{1} << std::min(depth, 63U); }
uint64_t Edge(uint32_t node, uint32_t piece) { return uint64_t{node} << 32 | piece; }

}  // namespace

std::vector<std::string> PiecesOf(std::string_view rule) {
  const std::string folded = Fold(rule);
  Pieces pieces;
  for (const std::string_view piece : Split(folded, '|')) {
    if (!piece.empty()) pieces.emplace_back(piece);
  }
  return pieces;
}

struct PatternMatcher::Few {
  std::vector<Pieces> rules;

  size_t Find(std::string_view text) const {
    for (size_t i = 0; i < rules.size(); ++i) {
      if (HasInOrder(text, rules[i])) return i;
    }
    return kNone;
  }
};

// Globs as a trie of their pieces. A node is a beginning of a glob; it is reached at the earliest
// position where its pieces stand in order, which is the best for all that follows.
struct PatternMatcher::Many {
  struct Piece {
    uint32_t length = 0;
    uint32_t rule = kNoRule;        // the first that is this piece alone
    uint32_t least = kNoRule;       // the first that has this piece
    uint32_t first_node = kNoNode;  // the node of globs that begin with it
    uint32_t parents_begin = 0;     // in `parents`: nodes that it continues
    uint32_t parents_end = 0;
    uint64_t depths = 0;  // bit d: it continues a node of depth d
  };
  struct Node {
    uint32_t rule = kNoRule;   // the first that ends here
    uint32_t least = kNoRule;  // the first that ends here or below
    uint32_t depth = 0;
    uint64_t children = 0;  // bit p % 64: a piece p continues it
  };
  // How far the globs have come in one text.
  struct Progress {
    struct Reached {
      uint32_t node;
      uint32_t depth;
      uint64_t children;
      size_t end;
    };
    std::vector<Reached> reached;  // ends never fall
    FlatMap<uint32_t> position;    // of a node in `reached`
    FlatMap<uint32_t> looked_at;   // by 1 + piece: how many of `reached`

    void Clear() {
      reached.clear();
      position.Clear();
      looked_at.Clear();
    }
  };

  explicit Many(const std::vector<Pieces>& rules);
  void AddGlob(uint32_t rule, const std::vector<uint32_t>& ids,
               std::vector<std::vector<uint32_t>>* parents_of);
  uint32_t Find(std::string_view text, uint32_t best) const;
  void Advance(uint32_t piece, size_t end, Progress* progress, uint32_t* best) const;
  void Reach(uint32_t node, size_t end, Progress* progress, uint32_t* best) const;

  uint32_t everything = kNoRule;  // the first that matches every text
  GramFilter filter;
  LiteralScanner scanner;
  std::vector<Piece> pieces;
  std::vector<Node> nodes = std::vector<Node>(1);
  std::vector<uint32_t> parents;
  FlatMap<uint64_t> edges;  // (node, piece) to node, for nodes but the root
};

PatternMatcher::Many::Many(const std::vector<Pieces>& rules) : filter(rules) {
  std::unordered_map<std::string_view, uint32_t> known;
  std::vector<std::string_view> literals;
  std::vector<std::vector<uint32_t>> parents_of;
  std::vector<uint32_t> ids;
  for (uint32_t rule = 0; rule < rules.size(); ++rule) {
    ids.clear();
    for (const std::string& piece : rules[rule]) {
      const auto [it, is_new] = known.emplace(piece, static_cast<uint32_t>(literals.size()));
      if (is_new) {
        literals.push_back(piece);
        pieces.emplace_back().length = static_cast<uint32_t>(piece.size());
      }
      pieces[it->second].least = std::min(pieces[it->second].least, rule);
      ids.push_back(it->second);
    }
    if (ids.empty()) {
      everything = std::min(everything, rule);
    } else if (ids.size() == 1) {
      pieces[ids[0]].rule = std::min(pieces[ids[0]].rule, rule);
    } else {
      parents_of.resize(literals.size());
      AddGlob(rule, ids, &parents_of);
    }
  }
  for (size_t piece = 0; piece < parents_of.size(); ++piece) {
    pieces[piece].parents_begin = static_cast<uint32_t>(parents.size());
    parents.insert(parents.end(), parents_of[piece].begin(), parents_of[piece].end());
    pieces[piece].parents_end = static_cast<uint32_t>(parents.size());
  }
  scanner = LiteralScanner(literals);
}

void PatternMatcher::Many::AddGlob(uint32_t rule, const std::vector<uint32_t>& ids,
                                   std::vector<std::vector<uint32_t>>* parents_of) {
  uint32_t node = 0;
  for (const uint32_t piece : ids) {
    uint32_t& next =
        node == 0 ? pieces[piece].first_node : edges.Insert(Edge(node, piece), kNoNode);
    if (next == kNoNode) {
      next = static_cast<uint32_t>(nodes.size());
      const uint32_t depth = nodes[node].depth;
      if (node != 0) {
        (*parents_of)[piece].push_back(node);
        pieces[piece].depths |= DepthBit(depth);
      }
      nodes[node].children |= uint64_t{1} << piece % 64;
      nodes.emplace_back().depth = depth + 1;
    }
    node = next;
    nodes[node].least = std::min(nodes[node].least, rule);
  }
  nodes[node].rule = std::min(nodes[node].rule, rule);
}

uint32_t PatternMatcher::Many::Find(std::string_view text, uint32_t best) const {
  thread_local Progress progress;  // empty between texts
  bool has_progress = false;
  scanner.Scan(text, [&](uint32_t id, size_t end) {
    const Piece& piece = pieces[id];
    if (piece.least >= best) return;
    best = std::min(best, piece.rule);
    if (piece.first_node != kNoNode || piece.parents_begin != piece.parents_end) {
      has_progress = true;
      Advance(id, end, &progress, &best);
    }
  });
  if (has_progress) progress.Clear();
  return best;
}

void PatternMatcher::Many::Advance(uint32_t id, size_t end, Progress* progress,
                                   uint32_t* best) const {
  const Piece& piece = pieces[id];
  const size_t start = end - piece.length;
  if (piece.parents_begin != piece.parents_end) {
    auto& reached = progress->reached;
    const auto after =
        std::upper_bound(reached.begin(), reached.end(), start,
                         [](size_t at, const Progress::Reached& r) { return at < r.end; });
    const auto until = static_cast<size_t>(after - reached.begin());
    uint32_t& looked_at = progress->looked_at.Insert(1 + id, 0);
    const size_t from = std::exchange(looked_at, static_cast<uint32_t>(until));
    // Of the beginnings that are new since this piece was seen last, those that it continues: by
    // the shorter of the two lists.
    if (until - from <= piece.parents_end - piece.parents_begin) {
      for (size_t i = from; i < until; ++i) {
        // Without a look at memory most are known not to be continued by this piece.
        if ((piece.depths & DepthBit(reached[i].depth)) == 0) continue;
        if ((reached[i].children >> id % 64 & 1) == 0) continue;
        const uint32_t* next = edges.Find(Edge(reached[i].node, id));
        if (next != nullptr) Reach(*next, end, progress, best);
      }
    } else {
      for (uint32_t i = piece.parents_begin; i < piece.parents_end; ++i) {
        const uint32_t* at = progress->position.Find(parents[i]);
        if (at == nullptr || *at < from || *at >= until) continue;
        Reach(*edges.Find(Edge(parents[i], id)), end, progress, best);
      }
    }
  }
  if (piece.first_node != kNoNode && progress->position.Find(piece.first_node) == nullptr) {
    Reach(piece.first_node, end, progress, best);
  }
}

void PatternMatcher::Many::Reach(uint32_t id, size_t end, Progress* progress,
                                 uint32_t* best) const {
  const Node& node = nodes[id];
  if (node.least >= *best) return;
  *best = std::min(*best, node.rule);
  if (node.children == 0) return;
  progress->position.Insert(id, static_cast<uint32_t>(progress->reached.size()));
  progress->reached.push_back({id, node.depth, node.children, end});
}

PatternMatcher::PatternMatcher(const std::vector<std::string_view>& rules) {
  std::vector<Pieces> pieces;
  pieces.reserve(rules.size());
  for (const std::string_view rule : rules) pieces.push_back(PiecesOf(rule));
  if (rules.size() <= kFewRules) {
    few_ = std::make_unique<const Few>(Few{std::move(pieces)});
  } else {
    many_ = std::make_unique<const Many>(pieces);
  }
}

PatternMatcher::~PatternMatcher() = default;
PatternMatcher::PatternMatcher(PatternMatcher&&) noexcept = default;
PatternMatcher& PatternMatcher::operator=(PatternMatcher&&) noexcept = default;

size_t PatternMatcher::Find(std::string_view folded) const {
  if (few_) return few_->Find(folded);
  if (many_->everything == kNoRule && !many_->filter.MayMatch(folded)) return kNone;
  return FindUnfiltered(folded);
}

size_t PatternMatcher::FindUnfiltered(std::string_view folded) const {
  if (few_) return few_->Find(folded);
  const uint32_t found = many_->Find(folded, many_->everything);
  return found == kNoRule ? kNone : found;
}

size_t PatternMatcher::bytes() const {
  size_t all = sizeof(*this);
  if (few_) {
    for (const Pieces& rule : few_->rules) {
      all += sizeof rule;
      for (const std::string& piece : rule) all += sizeof piece + piece.capacity();
    }
    return all;
  }
  return all + many_->filter.bytes() + many_->scanner.bytes() +
         many_->pieces.capacity() * sizeof(Many::Piece) +
         many_->nodes.capacity() * sizeof(Many::Node) + many_->parents.capacity() * 4 +
         many_->edges.bytes();
}

}  // namespace rebound
