#include "labelstore/server_words.h"

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>

#include "base/text.h"
#include "labelstore/word_lists.h"
#include "tokenizer/characters.h"

namespace rebound {
namespace {

constexpr int kLeastTemplates = 2;
constexpr int kCommonTemplates = 40;

// What servers say, and too few templates do.
constexpr std::string_view kMoreWords[] = {
    "administrative", "colleague",    "configuration", "customers", "daemon",
    "exchange",       "exchangelabs", "firstname",     "lastname",  "fydibohf",
    "gentlemen",      "guten",        "tag",           "kong",      "ladies",
    "madam",          "recipients",   "sir",           "sirs",      "spdlt",
    "subsystem",      "undisclosed",  "valued"};

// Letters of scripts without capitals: Hebrew, Arabic, those of India, Georgian and Ethiopic.
bool IsCaseless(char32_t c) {
  return (c >= 0x0590 && c < 0x1c80) || (c >= 0xfb1d && c < 0xfe00) || (c >= 0xfe70 && c < 0xff00);
}

// Words of a list with how well they are known: kCommon up to the first blank line.
std::unordered_map<std::string_view, Familiarity> MakeFamiliar(std::string_view list) {
  std::unordered_map<std::string_view, Familiarity> words;
  Familiarity familiarity = Familiarity::kCommon;
  for (const std::string_view line : Split(list, '\n')) {
    if (line.empty()) {
      familiarity = Familiarity::kRare;
    } else {
      words.emplace(line, familiarity);
    }
  }
  return words;
}

// Names of a list: those behind its blank line are words as well.
std::unordered_map<std::string_view, GivenName> MakeNames(std::string_view list) {
  std::unordered_map<std::string_view, GivenName> names;
  GivenName kind = GivenName::kOnly;
  for (const std::string_view line : Split(list, '\n')) {
    if (line.empty()) kind = GivenName::kToo;
    for (const std::string_view name : Split(line, ' ')) {
      if (!name.empty()) names.emplace(name, kind);
    }
  }
  return names;
}

// The pairs of neighbours in a run of characters; the character itself where it stands alone.
std::vector<std::string_view> PairsOf(std::string_view run) {
  std::vector<size_t> starts;
  for (size_t i = 0; i < run.size(); i += DecodeUtf8(run.substr(i)).bytes) starts.push_back(i);
  starts.push_back(run.size());
  if (starts.size() < 3) return {run};
  std::vector<std::string_view> pairs;
  for (size_t i = 0; i + 2 < starts.size(); ++i) {
    pairs.push_back(run.substr(starts[i], starts[i + 2] - starts[i]));
  }
  return pairs;
}

bool IsUnspacedServerRun(std::string_view run) {
  const std::vector<std::string_view> pairs = PairsOf(run);
  const auto known = std::count_if(pairs.begin(), pairs.end(), [](std::string_view pair) {
    return FamiliarityOf(pair) != Familiarity::kUnknown;
  });
  return 2 * static_cast<size_t>(known) > pairs.size();
}

}  // namespace

Familiarity FamiliarityOf(std::string_view word) {
  static const auto* const kWords =
      new std::unordered_map<std::string_view, Familiarity>(MakeFamiliar(ServerWordList()));
  const auto found = kWords->find(LowerUtf8(word));
  return found == kWords->end() ? Familiarity::kUnknown : found->second;
}

GivenName GivenNameOf(std::string_view word) {
  static const auto* const kNames =
      new std::unordered_map<std::string_view, GivenName>(MakeNames(GivenNameList()));
  const auto found = kNames->find(LowerUtf8(word));
  return found == kNames->end() ? GivenName::kNone : found->second;
}

Letter FirstLetter(std::string_view text) {
  if (text.empty()) return {};
  if (!IsHigh(text[0])) {
    return IsLetter(text[0]) ? Letter{1, IsUpper(text[0]), false, false} : Letter{};
  }
  const HighChar c = ClassifyHigh(text);
  if (c.kind == HighKind::kUnspaced) return {c.bytes, false, true, true};
  if (c.kind != HighKind::kSpaced) return {};
  const char32_t value = DecodeUtf8(text).value;
  const bool is_upper = LowerCase(value) != value;
  return {c.bytes, is_upper, !is_upper && IsCaseless(value), false};
}

void ForEachWord(std::string_view text, const std::function<void(TextWord)>& word) {
  for (size_t i = 0; i < text.size();) {
    Letter letter = FirstLetter(text.substr(i));
    if (letter.bytes == 0) {
      ++i;
      continue;
    }
    const size_t begin = i;
    const bool is_unspaced = letter.is_unspaced;
    while (letter.bytes > 0 && letter.is_unspaced == is_unspaced) {
      i += letter.bytes;
      letter = FirstLetter(text.substr(i));
    }
    word({begin, i, is_unspaced});
  }
}

bool AreServerWords(std::string_view text) {
  bool all = true;
  ForEachWord(text, [&](TextWord word) {
    if (!all) return;
    const std::string_view letters = text.substr(word.begin, word.end - word.begin);
    all = word.is_unspaced ? IsUnspacedServerRun(letters)
                           : FamiliarityOf(letters) != Familiarity::kUnknown;
  });
  return all;
}

std::string WriteServerWords(const std::vector<Template>& templates) {
  std::map<std::string, int> counts;
  for (const Template& each : templates) {
    std::set<std::string> words;
    const auto add = [&](std::string_view text) {
      ForEachWord(text, [&](TextWord word) {
        const std::string_view letters = text.substr(word.begin, word.end - word.begin);
        if (!word.is_unspaced) {
          words.insert(LowerUtf8(letters));
          return;
        }
        for (const std::string_view pair : PairsOf(letters)) words.emplace(pair);
      });
    };
    for (const Piece& piece : each.pieces) {
      if (piece.kind == Piece::Kind::kText) add(piece.text);
      for (const std::string& choice : piece.choices) add(choice);
    }
    for (const std::string& word : words) ++counts[word];
  }
  std::set<std::string> common, others;
  for (const auto& [word, count] : counts) {
    if (count >= kCommonTemplates) {
      common.insert(word);
    } else if (count >=
               (GivenNameOf(word) == GivenName::kNone ? kLeastTemplates : kLeastTemplates + 1)) {
      others.insert(word);
    }
  }
  for (const std::string_view word : kMoreWords) {
    if (!common.contains(std::string(word))) others.emplace(word);
  }
  std::string out;
  for (const std::string& word : common) out += word + '\n';
  out += '\n';
  for (const std::string& word : others) out += word + '\n';
  return out;
}

}  // namespace rebound
