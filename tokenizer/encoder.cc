#include "tokenizer/encoder.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cfloat>
#include <cmath>
#include <limits>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "tokenizer/charsmap.h"
#include "tokenizer/double_array.h"
#include "tokenizer/model_file.h"
#include "tokenizer/word_cache.h"

namespace rebound {
namespace {

constexpr std::string_view kSpaceSymbol = "\xe2\x96\x81";
constexpr size_t kMaxPieceBytes = 4096;   // the trie's builder recurses once a byte
constexpr float kUnknownPenalty = 10.0F;  // libsentencepiece's kUnkPenalty
constexpr size_t kMaxWordsBytes = 65536;  // of a text that is encoded word by word

[[noreturn]] void Corrupt(const std::string& what) {
  throw Error(ErrorCode::kCorrupt,
              "tokenizer model: " + what + "; make it again with rebound-tokenizer");
}

// As libsentencepiece's OneCharLen: from the first byte alone.
size_t CharLength(char first) {
  return static_cast<size_t>(
      "\1\1\1\1\1\1\1\1\1\1\1\1\2\2\3\4"[static_cast<unsigned char>(first) >> 4]);
}

}  // namespace

struct Encoder::Scratch::State {
  // The best path that ends at one byte.
  struct Node {
    float score;
    float second;   // of the next best last piece
    int32_t start;  // where its last piece starts; -1: no path ends here
    int32_t id;
  };
  std::string normalised;
  std::vector<Node> nodes;

  // Of a text that is encoded word by word.
  std::unique_ptr<WordCache> cache;
  std::string padded;
  std::vector<int32_t> path;  // one id for every unknown character, [tokens] in use
  size_t tokens;
  double magnitude;  // of the sum of the scores of `path`, at most
  float sum;         // of the first `summed` scores of `path`, as libsentencepiece rounds it
  size_t summed;
};

Encoder::Scratch::Scratch() : state_(std::make_unique<State>()) {}
Encoder::Scratch::~Scratch() = default;
Encoder::Scratch::Scratch(Scratch&&) noexcept = default;
Encoder::Scratch& Encoder::Scratch::operator=(Scratch&&) noexcept = default;

struct Encoder::State {
  std::vector<std::string> pieces;
  // What a piece adds to a path. libsentencepiece sums in double and stores float; a user-defined
  // piece gets length * max_score - 0.1.
  std::vector<double> scores;
  DoubleArray trie;
  DoubleArray symbols;  // user-defined pieces: they are matched before the map
  Charsmap charsmap;
  // ASCII bytes but the blank that stand for themselves where no byte beyond ASCII follows.
  std::array<bool, 256> plain{};
  float unknown_score = 0.0F;
  int32_t unknown_id = -1;
  bool has_symbols = false;
  bool add_dummy_prefix = true;
  bool remove_extra_whitespaces = true;
  bool escape_whitespaces = true;
  bool whitespace_as_suffix = false;
  bool by_words = false;
  float largest_score = 0.0F;  // its magnitude
  uint32_t number = 0;         // of this encoder, in word caches

  void AddPieces(ModelFile* model);
  void FindPlainBytes();
  bool KeepsWordsApart() const;
  std::string_view space() const { return escape_whitespaces ? kSpaceSymbol : " "; }
  std::string_view NextRewrite(std::string_view text, size_t* consumed) const;
  void Rewrite(std::string_view text, std::string* out) const;
  void FindBestPath(std::string_view text, float score,
                    std::vector<Scratch::State::Node>* nodes) const;
  void EncodeWhole(std::string_view text, Scratch::State* s, std::vector<int32_t>* ids) const;
  bool EncodeWords(std::string_view text, Scratch::State* s, std::vector<int32_t>* ids) const;
  void AddWord(std::string_view word, const WordCache::Word* key, Scratch::State* s) const;
  float AddPath(Scratch::State* s) const;
  float LimitOf(float margin, size_t bytes) const;
  float SumOfPath(Scratch::State* s) const;
};

Encoder::Encoder(std::unique_ptr<State> state) : state_(std::move(state)) {}
Encoder::~Encoder() = default;

std::shared_ptr<const Encoder> Encoder::Parse(std::string_view bytes) {
  ModelFile model = ParseModelFile(bytes);
  if (model.model_type != 1) {
    Corrupt("not unigram (type " + std::to_string(model.model_type) + ")");
  }
  if (model.byte_fallback) Corrupt("uses byte fallback, which is not supported");
  auto state = std::make_unique<State>();
  state->add_dummy_prefix = model.add_dummy_prefix;
  state->remove_extra_whitespaces = model.remove_extra_whitespaces;
  state->escape_whitespaces = model.escape_whitespaces;
  state->whitespace_as_suffix = model.whitespace_as_suffix;
  state->charsmap = Charsmap(model.charsmap);
  state->AddPieces(&model);
  state->FindPlainBytes();
  state->by_words = state->KeepsWordsApart();
  static std::atomic<uint32_t> numbers{0};
  state->number = ++numbers;
  return std::shared_ptr<const Encoder>(new Encoder(std::move(state)));
}

void Encoder::State::AddPieces(ModelFile* model) {
  if (model->pieces.size() > size_t{1} << 22) Corrupt("more than 4194304 pieces");
  float min_score = FLT_MAX;
  float max_score = FLT_MIN;  // as libsentencepiece has it: the smallest positive number
  for (size_t id = 0; id < model->pieces.size(); ++id) {
    const ModelPiece& piece = model->pieces[id];
    const std::string name = "piece " + std::to_string(id);
    if (piece.text.empty()) Corrupt(name + " is empty");
    if (piece.text.size() > kMaxPieceBytes) Corrupt(name + " is longer than 4096 bytes");
    if (piece.text.find('\0') != std::string::npos) Corrupt(name + " holds a NUL");
    if (!IsValidUtf8(piece.text)) Corrupt(name + " is no UTF-8");
    if (piece.type == PieceType::kByte) Corrupt(name + " is a byte without byte fallback");
    if (piece.type == PieceType::kNormal) {
      if (!piece.has_score) Corrupt(name + " has no score");
      if (!std::isfinite(piece.score)) Corrupt(name + " has no finite score");
      min_score = std::min(min_score, piece.score);
      max_score = std::max(max_score, piece.score);
    }
    if (piece.type == PieceType::kUnknown) {
      if (unknown_id >= 0) Corrupt("two unknown pieces");
      unknown_id = static_cast<int32_t>(id);
    }
  }
  if (unknown_id < 0) Corrupt("no unknown piece");
  unknown_score = min_score - kUnknownPenalty;
  largest_score = std::abs(unknown_score);

  std::vector<std::pair<std::string_view, int32_t>> keys;
  std::vector<std::pair<std::string_view, int32_t>> symbol_keys;
  for (size_t i = 0; i < model->pieces.size(); ++i) {
    ModelPiece& piece = model->pieces[i];
    pieces.push_back(std::move(piece.text));
    double score = piece.score;
    if (piece.type == PieceType::kUserDefined) {
      score = static_cast<double>(static_cast<float>(pieces.back().size()) * max_score) - 0.1;
    }
    scores.push_back(score);
    largest_score = std::max(largest_score, std::abs(static_cast<float>(score)));
  }
  std::vector<std::string_view> reserved;
  for (size_t i = 0; i < pieces.size(); ++i) {
    const auto id = static_cast<int32_t>(i);
    const PieceType type = model->pieces[i].type;
    // Unused pieces are in libsentencepiece's trie but never chosen; here they are left out of it.
    if (type == PieceType::kNormal || type == PieceType::kUserDefined) {
      keys.emplace_back(pieces[i], id);
    } else {
      reserved.push_back(pieces[i]);
    }
    if (type == PieceType::kUserDefined) symbol_keys.emplace_back(pieces[i], id);
  }
  std::sort(keys.begin(), keys.end());
  std::sort(symbol_keys.begin(), symbol_keys.end());
  std::sort(reserved.begin(), reserved.end());
  for (size_t i = 1; i < keys.size(); ++i) {
    if (keys[i].first == keys[i - 1].first) {
      Corrupt("piece '" + std::string(keys[i].first) + "' stands in it twice");
    }
  }
  if (std::adjacent_find(reserved.begin(), reserved.end()) != reserved.end()) {
    Corrupt("a reserved piece stands in it twice");
  }
  if (keys.empty()) Corrupt("no pieces of text in it");
  trie.Build(keys);
  has_symbols = !symbol_keys.empty();
  if (has_symbols) symbols.Build(symbol_keys);
}

// Whether the ids of a text are those of its words, one after the other: a piece has the white
// space's symbol at its start or not at all, and what stands for a word does not depend on the
// others. So it is for what rebound-tokenizer makes; other models are encoded as a whole.
bool Encoder::State::KeepsWordsApart() const {
  if (!add_dummy_prefix || !remove_extra_whitespaces || !escape_whitespaces) return false;
  if (whitespace_as_suffix || !charsmap.empty()) return false;
  for (const std::string& piece : pieces) {
    if (piece.find(kSpaceSymbol, 1) != std::string::npos) return false;
    if (piece.find(' ') != std::string::npos) return false;
  }
  return !has_symbols || symbols.LongestPrefix(kSpaceSymbol) == 0;
}

void Encoder::State::FindPlainBytes() {
  for (unsigned i = 0; i < 0x80; ++i) {
    const auto c = static_cast<unsigned char>(i);
    const bool starts_symbol = has_symbols && symbols.Step(symbols.Root(), c) != nullptr;
    plain[i] = c != ' ' && !starts_symbol && !charsmap.RewritesAscii(c);
  }
}

std::string_view Encoder::State::NextRewrite(std::string_view text, size_t* consumed) const {
  if (has_symbols) {
    *consumed = symbols.LongestPrefix(text);
    if (*consumed > 0) return text.substr(0, *consumed);
  }
  std::string_view replacement;
  *consumed = charsmap.LongestRule(text, &replacement);
  if (*consumed > 0) return replacement;
  const CodePoint c = DecodeUtf8(text);
  *consumed = c.bytes;
  return c.valid ? text.substr(0, c.bytes) : std::string_view("\xef\xbf\xbd");
}

// libsentencepiece's Normalizer::Normalize, rule by rule.
void Encoder::State::Rewrite(std::string_view text, std::string* out) const {
  out->clear();
  size_t consumed = 0;
  if (remove_extra_whitespaces) {
    while (!text.empty() && NextRewrite(text, &consumed) == " ") text.remove_prefix(consumed);
  }
  if (text.empty()) return;
  if (!whitespace_as_suffix && add_dummy_prefix) out->append(space());
  bool after_space = remove_extra_whitespaces;
  for (size_t i = 0; i < text.size();) {
    size_t end = i;
    while (end < text.size() && plain[static_cast<unsigned char>(text[end])]) ++end;
    // What follows may belong to the last of them: a letter and its combining accent.
    if (end > i && end < text.size() && (text[end] & 0x80) != 0) --end;
    if (end > i) {
      out->append(text.substr(i, end - i));
      after_space = false;
      i = end;
      continue;
    }
    std::string_view piece = NextRewrite(text.substr(i), &consumed);
    i += consumed;
    while (after_space && !piece.empty() && piece.front() == ' ') piece.remove_prefix(1);
    if (!piece.empty()) {
      for (const char b : piece) {
        if (b == ' ') {
          out->append(space());
        } else {
          out->push_back(b);
        }
      }
      after_space = piece.back() == ' ';
    }
    if (!remove_extra_whitespaces) after_space = false;
  }
  if (remove_extra_whitespaces) {
    while (out->ends_with(space())) out->resize(out->size() - space().size());
  }
  if (whitespace_as_suffix && add_dummy_prefix) out->append(space());
}

// libsentencepiece's EncodeOptimized: the best path to every byte, in one pass over the text. Sums
// are double, the stored best is float, and the comparison is between the two: ids depend on it.
// `score`: of the path to the start of `text`.
void Encoder::State::FindBestPath(std::string_view text, float score,
                                  std::vector<Scratch::State::Node>* nodes) const {
  constexpr float kNone = -std::numeric_limits<float>::infinity();
  const size_t size = text.size();
  nodes->assign(size + 1, {0.0F, kNone, -1, -1});
  Scratch::State::Node* best = nodes->data();
  best->score = score;
  const auto offer = [&](size_t start, size_t end, auto candidate, int32_t id) {
    Scratch::State::Node& target = best[end];
    if (target.start == -1) {
      target = {static_cast<float>(candidate), kNone, static_cast<int32_t>(start), id};
    } else if (candidate > target.score) {
      target = {static_cast<float>(candidate), target.score, static_cast<int32_t>(start), id};
    } else {
      target.second = std::max(target.second, static_cast<float>(candidate));
    }
  };
  for (size_t start = 0; start < size;) {
    const float score_here = best[start].score;
    const size_t char_end = std::min(start + CharLength(text[start]), size);
    bool has_char = false;
    const DoubleArray::Unit* unit = trie.Root();
    for (size_t end = start; end < size;) {
      unit = trie.Step(unit, static_cast<unsigned char>(text[end]));
      if (unit == nullptr) break;
      ++end;
      if (unit->value < 0) continue;
      offer(start, end, scores[static_cast<size_t>(unit->value)] + score_here, unit->value);
      has_char = has_char || end == char_end;
    }
    if (!has_char) offer(start, char_end, unknown_score + score_here, unknown_id);
    start = char_end;
  }
}

void Encoder::State::EncodeWhole(std::string_view text, Scratch::State* s,
                                 std::vector<int32_t>* ids) const {
  Rewrite(text, &s->normalised);
  FindBestPath(s->normalised, 0.0F, &s->nodes);
  for (size_t end = s->normalised.size(); end > 0;) {
    ids->push_back(s->nodes[end].id);
    end = static_cast<size_t>(s->nodes[end].start);
  }
  std::reverse(ids->begin(), ids->end());
}

// Appends the best path of `nodes` to `path`. Returns by how much its scores lead the second best
// ones, wherever they lead least; 0 where that is no number.
float Encoder::State::AddPath(Scratch::State* s) const {
  float margin = std::numeric_limits<float>::infinity();
  const size_t before = s->tokens;
  for (size_t end = s->normalised.size(); end > 0;) {
    const Scratch::State::Node& node = s->nodes[end];
    const float lead = node.score - node.second;
    margin = lead > 0 ? std::min(margin, lead) : 0.0F;
    s->path[s->tokens++] = node.id;
    end = static_cast<size_t>(node.start);
  }
  const auto path = s->path.begin();
  std::reverse(path + static_cast<ptrdiff_t>(before), path + static_cast<ptrdiff_t>(s->tokens));
  return margin;
}

// Behind words whose scores sum up to at most this magnitude, a path that leads by `margin` where
// the word stands alone is the best one too, however sums are rounded.
//
// No sum within the word is larger than m = magnitude + bytes * largest_score, so that rounding one
// moves it by u = m / 2^24 at most. A path of d pieces is d * u off, as is its rival, one
// comparison adds 2 u, and the margin itself was measured with as much error: a lead of (4 d + 4) u
// decides. 5 instead of 4 covers what rounding adds to m itself in kMaxWordsBytes.
float Encoder::State::LimitOf(float margin, size_t bytes) const {
  const double reach = static_cast<double>(bytes) * largest_score;
  const double limit =
      static_cast<double>(margin) * 0x1p24 / (5.0 * static_cast<double>(bytes + 1));
  return static_cast<float>(std::clamp(limit - reach, double{-FLT_MAX}, double{FLT_MAX}));
}

// What FindBestPath's node at the end of `path` holds.
float Encoder::State::SumOfPath(Scratch::State* s) const {
  for (; s->summed < s->tokens; ++s->summed) {
    const int32_t id = s->path[s->summed];
    if (id == unknown_id) {
      s->sum = unknown_score + s->sum;
    } else {
      s->sum = static_cast<float>(scores[static_cast<size_t>(id)] + s->sum);
    }
  }
  return s->sum;
}

// Appends the path of a word; puts it into the cache where it has a `key` and is of use there.
void Encoder::State::AddWord(std::string_view word, const WordCache::Word* key,
                             Scratch::State* s) const {
  Rewrite(word, &s->normalised);
  FindBestPath(s->normalised, 0.0F, &s->nodes);
  const size_t before = s->tokens;
  const float limit = LimitOf(AddPath(s), s->normalised.size());
  const float cost = std::abs(s->nodes.back().score);
  const size_t tokens = s->tokens - before;
  if (key != nullptr && tokens <= WordCache::kMaxIds && limit > 0) {
    if (WordCache::Entry* const entry = s->cache->Admit(*key, number)) {
      entry->limit = limit;
      entry->cost = cost;
      entry->tokens = static_cast<uint8_t>(tokens);
      std::copy_n(s->path.data() + before, tokens, entry->ids.data());
    }
  }
  if (!(s->magnitude <= limit)) {
    s->tokens = before;
    FindBestPath(s->normalised, SumOfPath(s), &s->nodes);
    AddPath(s);
  }
  s->magnitude += cost;
}

// False where the text is no such text that its words stand for themselves.
bool Encoder::State::EncodeWords(std::string_view text, Scratch::State* s,
                                 std::vector<int32_t>* ids) const {
  if (text.size() > kMaxWordsBytes || text.find('\0') != std::string_view::npos) return false;
  if (s->cache == nullptr) s->cache = std::make_unique<WordCache>();
  s->padded.assign(text).append(WordCache::kReadAhead, ' ');
  // A word of n bytes has n + 1 characters at most; an entry is copied whole.
  const size_t room = 2 * text.size() + WordCache::kMaxIds;
  if (s->path.size() < room) s->path.resize(room);
  s->tokens = s->summed = 0;
  s->sum = 0.0F;
  s->magnitude = 0;
  const char* at = s->padded.data();
  const char* const end = at + text.size();
  for (;;) {
    while (at < end && *at == ' ') ++at;
    if (at >= end) break;
    WordCache::Word key;
    size_t size = WordCache::ReadWord(at, &key);
    const bool fits = size <= WordCache::kMaxBytes;
    const WordCache::Entry* const known = fits ? s->cache->Find(key, number) : nullptr;
    if (known != nullptr && s->magnitude <= known->limit) {
      std::copy_n(known->ids.begin(), WordCache::kMaxIds, s->path.data() + s->tokens);
      s->tokens += known->tokens;
      s->magnitude += known->cost;
      at += size;
      continue;
    }
    if (!fits) size = static_cast<size_t>(std::find(at, end, ' ') - at);
    const std::string_view word(at, size);
    if (known == nullptr) {
      if (!IsValidUtf8(word) || word.find(kSpaceSymbol) != std::string_view::npos) return false;
    }
    AddWord(word, fits && known == nullptr ? &key : nullptr, s);
    at += size;
  }
  ids->assign(s->path.begin(), s->path.begin() + static_cast<ptrdiff_t>(s->tokens));
  return true;
}

void Encoder::Encode(std::string_view text, Scratch* scratch, std::vector<int32_t>* ids) const {
  ids->clear();
  Scratch::State& s = *scratch->state_;
  if (!state_->by_words || !state_->EncodeWords(text, &s, ids)) {
    state_->EncodeWhole(text, &s, ids);
  }
  // A run of unknown characters is one unknown token.
  const int32_t unknown = state_->unknown_id;
  const auto run = [unknown](int32_t a, int32_t b) { return a == unknown && b == unknown; };
  ids->erase(std::unique(ids->begin(), ids->end(), run), ids->end());
}

int32_t Encoder::size() const { return static_cast<int32_t>(state_->pieces.size()); }

std::string_view Encoder::piece(int32_t id) const {
  return state_->pieces[static_cast<size_t>(id)];
}

int32_t Encoder::unknown_id() const { return state_->unknown_id; }

}  // namespace rebound
