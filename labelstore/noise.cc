#include "labelstore/noise.h"

#include <algorithm>
#include <array>
#include <vector>

#include "base/text.h"
#include "labelstore/wrappers.h"

namespace rebound {
namespace {

bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// Calls `change` for each line and joins what it made of them.
template <class Change>
void ChangeLines(std::string* text, Change change) {
  std::string out;
  bool first = true;
  for (const std::string_view line : Split(*text, '\n')) {
    if (!first) out += '\n';
    first = false;
    out += change(line);
  }
  if (!Trim(out).empty()) *text = out;
}

struct Word {
  size_t begin, end;
};

std::vector<Word> FindWords(std::string_view text) {
  std::vector<Word> words;
  size_t at = 0;
  while (at < text.size()) {
    while (at < text.size() && (text[at] == ' ' || text[at] == '\n')) ++at;
    const size_t begin = at;
    while (at < text.size() && text[at] != ' ' && text[at] != '\n') ++at;
    if (at > begin) words.push_back({begin, at});
  }
  return words;
}

// --- words ---------------------------------------------------------------------------------------

// Two letters swapped, one lost or one doubled, inside one longer word.
void Typo(NoiseContext& context, std::string* text) {
  std::vector<Word> candidates;
  for (const Word& word : FindWords(*text)) {
    const auto begin = text->begin() + static_cast<std::ptrdiff_t>(word.begin);
    const auto end = text->begin() + static_cast<std::ptrdiff_t>(word.end);
    if (word.end - word.begin >= 5 && std::all_of(begin, end, IsLetter)) candidates.push_back(word);
  }
  if (candidates.empty()) return;
  const Word word = context.random->Pick(candidates);
  const size_t at = word.begin + 1 + context.random->Below(word.end - word.begin - 3);
  switch (context.random->Below(3)) {
    case 0:
      std::swap((*text)[at], (*text)[at + 1]);
      break;
    case 1:
      text->erase(at, 1);
      break;
    default:
      text->insert(at, 1, (*text)[at]);
  }
}

// One word that says nothing.
void DropWord(NoiseContext& context, std::string* text) {
  static constexpr std::array<std::string_view, 17> kEmpty = {
      "the",  "a",   "an", "your", "is",   "to", "for", "please", "has",
      "been", "was", "be", "this", "that", "of", "are", "you"};
  std::vector<Word> candidates;
  for (const Word& word : FindWords(*text)) {
    const std::string lower =
        AsciiLower(std::string_view(*text).substr(word.begin, word.end - word.begin));
    if (std::find(kEmpty.begin(), kEmpty.end(), lower) != kEmpty.end()) candidates.push_back(word);
  }
  if (candidates.empty()) return;
  const Word word = context.random->Pick(candidates);
  text->erase(word.begin, std::min(word.end + 1, text->size()) - word.begin);
}

// One mark between words becomes another or goes.
void SwapPunctuation(NoiseContext& context, std::string* text) {
  struct Swap {
    std::string_view from, to;
  };
  static constexpr std::array<Swap, 10> kSwaps = {{{"; ", ", "},
                                                   {": ", " - "},
                                                   {": ", " "},
                                                   {" - ", ", "},
                                                   {", ", " "},
                                                   {". ", "; "},
                                                   {". ", " "},
                                                   {"\"", ""},
                                                   {"'", ""},
                                                   {"...", "."}}};
  const size_t start = context.random->Below(kSwaps.size());
  for (size_t i = 0; i < kSwaps.size(); ++i) {
    const Swap& swap = kSwaps[(start + i) % kSwaps.size()];
    const size_t at = text->find(swap.from);
    if (at == std::string::npos) continue;
    text->replace(at, swap.from.size(), swap.to);
    return;
  }
}

// --- codes ---------------------------------------------------------------------------------------

void DropReplyCode(NoiseContext&, std::string* text) {
  ChangeLines(text, [](std::string_view line) {
    return std::string(LeadingReplyCode(line).empty() ? line : line.substr(4));
  });
}

std::string ReplaceEnhanced(std::string_view line, std::string_view with) {
  const std::string_view code = LeadingEnhancedCode(line);
  if (code.empty()) return std::string(line);
  const auto at = static_cast<size_t>(code.data() - line.data());
  std::string out(line.substr(0, at));
  out += with;
  size_t rest = at + code.size();
  if (with.empty() && rest < line.size() && line[rest] == ' ') ++rest;
  return out.append(line.substr(rest));
}

void DropEnhancedCode(NoiseContext&, std::string* text) {
  ChangeLines(text, [](std::string_view line) { return ReplaceEnhanced(line, ""); });
}

// Another code of the same hundred, as careless servers give it.
void ReplaceReplyCode(NoiseContext& context, std::string* text) {
  static constexpr std::array<const char*, 4> kPassing = {"421", "450", "451", "452"};
  static constexpr std::array<const char*, 5> kLasting = {"550", "551", "552", "553", "554"};
  const std::string_view code = LeadingReplyCode(*text);
  if (code.empty() || (code.front() != '4' && code.front() != '5')) return;
  const char hundred = code.front();
  const std::string other =
      hundred == '4' ? context.random->Pick(kPassing) : context.random->Pick(kLasting);
  ChangeLines(text, [&](std::string_view line) {
    const std::string_view old = LeadingReplyCode(line);
    if (old.empty() || old.front() != hundred) return std::string(line);
    return other + std::string(line.substr(3));
  });
}

// 5.1.1 becomes 5.0.0, as servers write that know no better, or now and then the code of another
// subject, as careless ones do: the words decide, and the class of the code stays.
void ReplaceEnhancedCode(NoiseContext& context, std::string* text) {
  static constexpr std::array<const char*, 5> kWrong = {".1.0", ".2.0", ".3.0", ".5.0", ".7.1"};
  if (LeadingEnhancedCode(*text).empty()) return;
  const std::string other = context.random->Chance(600) ? ".0.0" : context.random->Pick(kWrong);
  ChangeLines(text, [&](std::string_view line) {
    const std::string_view code = LeadingEnhancedCode(line);
    return code.empty() ? std::string(line) : ReplaceEnhanced(line, code.front() + other);
  });
}

// --- shape ---------------------------------------------------------------------------------------

// A one-line reply becomes 550-... 550 ..., a reply of several lines one line.
void MultiLine(NoiseContext& context, std::string* text) {
  if (text->find('\n') != std::string::npos) {
    const char* joint = context.random->Chance(500) ? " " : "\r\n";
    std::string out;
    for (const std::string_view line : Split(*text, '\n')) {
      if (!out.empty()) out += joint;
      out += line;
    }
    *text = out;
    return;
  }
  const std::string reply(LeadingReplyCode(*text));
  const std::vector<Word> words = FindWords(*text);
  if (reply.empty() || words.size() < 8) return;
  std::string enhanced(LeadingEnhancedCode(*text));
  if (!enhanced.empty()) enhanced += ' ';
  const char* joint = context.random->Chance(700) ? "\n" : " ";
  const size_t lines = 2 + context.random->Below(2);
  (*text)[3] = '-';
  for (size_t line = lines - 1; line > 0; --line) {
    const size_t at = words[words.size() * line / lines].begin;
    const char* separator = line == lines - 1 ? " " : "-";
    text->replace(at - 1, 1, joint + reply + separator + enhanced);
  }
}

void CutFirstWords(NoiseContext& context, std::string* text) {
  const std::vector<Word> words = FindWords(*text);
  if (words.size() < 10) return;
  text->erase(0, words[1 + context.random->Below(3)].begin);
}

// The end is lost, at a word or inside one.
void Truncate(NoiseContext& context, std::string* text) {
  const std::vector<Word> words = FindWords(*text);
  if (words.size() < 8) return;
  const size_t keep = words.size() * static_cast<size_t>(context.random->Between(65, 95)) / 100;
  size_t end = words[keep - 1].end;
  if (context.random->Chance(300)) end -= (words[keep - 1].end - words[keep - 1].begin) / 2;
  *text = CutUtf8(*text, end);
  if (context.random->Chance(200)) *text += "...";
}

void UpperCase(NoiseContext&, std::string* text) {
  for (char& c : *text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
}

void LowerCaseAll(NoiseContext&, std::string* text) { *text = AsciiLower(*text); }

void DoubleSpaces(NoiseContext& context, std::string* text) {
  std::string out;
  for (const char c : *text) {
    out += c;
    if (c == ' ' && context.random->Chance(300)) out += context.random->Chance(800) ? ' ' : '\t';
  }
  *text = out;
}

// What servers add for their own help desk.
void TrailingId(NoiseContext& context, std::string* text) {
  Scene& scene = *context.scene;
  switch (context.random->Below(5)) {
    case 0:
      *text += " [" + scene.Value(Slot::kId) + "]";
      break;
    case 1:
      *text += " (id: " + scene.Value(Slot::kId) + ")";
      break;
    case 2:
      *text += " " + scene.Value(Slot::kUrl);
      break;
    case 3:
      *text += " - " + scene.Value(Slot::kId) + " - " + scene.Value(Slot::kHost);
      break;
    default:
      *text += " [" + scene.Value(Slot::kHost) + "]";
  }
}

// --- escapes -------------------------------------------------------------------------------------

void HtmlEntities(NoiseContext&, std::string* text) {
  std::string out;
  for (const char c : *text) {
    switch (c) {
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '&':
        out += "&amp;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  *text = out;
}

// Left over from a delivery status report: =3D, =C3=A9 and lines broken after 60 characters.
void QuotedPrintable(NoiseContext&, std::string* text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  size_t column = 0;
  for (const char c : *text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '=' || byte >= 0x80) {
      out += '=';
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
      column += 3;
      continue;
    }
    out += c;
    column = c == '\n' ? 0 : column + 1;
    if (c == ' ' && column >= 60) {
      out += "=\n";
      column = 0;
    }
  }
  *text = out;
}

constexpr std::array<Noise, 17> kTable = {{
    // name                light medium heavy codes
    {"typo", 0, 60, 150, false, Typo},
    {"drop_word", 20, 150, 300, false, DropWord},
    {"swap_punctuation", 40, 200, 300, false, SwapPunctuation},
    {"replace_reply_code", 0, 40, 80, true, ReplaceReplyCode},
    {"replace_enhanced_code", 0, 40, 80, true, ReplaceEnhancedCode},
    {"drop_enhanced_code", 60, 150, 250, true, DropEnhancedCode},
    {"multi_line", 50, 120, 200, false, MultiLine},
    {"drop_reply_code", 60, 150, 250, true, DropReplyCode},
    {"cut_first_words", 0, 60, 200, true, CutFirstWords},
    {"truncate", 20, 120, 300, false, Truncate},
    {"upper_case", 10, 40, 80, false, UpperCase},
    {"lower_case", 60, 120, 150, false, LowerCaseAll},
    {"double_spaces", 20, 80, 150, false, DoubleSpaces},
    {"trailing_id", 60, 150, 200, false, TrailingId},
    {"wrap", 250, 450, 550, false, WrapText},
    {"html_entities", 10, 60, 120, false, HtmlEntities},
    {"quoted_printable", 0, 40, 100, false, QuotedPrintable},
}};

bool Keeps(const std::string& text, const std::set<std::string>& keep,
           const std::set<std::string>& all) {
  const std::set<std::string> words = WordsOf(text);
  const auto has = [&](const std::string& word) { return words.count(word) != 0; };
  if (!std::all_of(keep.begin(), keep.end(), has)) return false;
  const auto kept = static_cast<double>(std::count_if(all.begin(), all.end(), has));
  return kept >= kLeastWordsKept * static_cast<double>(all.size());
}

int RateOf(const Noise& noise, Damage damage) {
  switch (damage) {
    case Damage::kLight:
      return noise.light;
    case Damage::kMedium:
      return noise.medium;
    case Damage::kHeavy:
      break;
  }
  return noise.heavy;
}

}  // namespace

std::span<const Noise> NoiseTable() { return kTable; }

Damage DrawDamage(Random* random) {
  const size_t at = random->Below(100);
  return at < 45 ? Damage::kLight : at < 82 ? Damage::kMedium : Damage::kHeavy;
}

std::string Distort(const CleanText& clean, Damage damage, NoiseContext& context) {
  const std::set<std::string> all = WordsOf(clean.text);
  std::string text = clean.text;
  for (const Noise& noise : kTable) {
    if (!context.random->Chance(RateOf(noise, damage))) continue;
    if (noise.touches_codes && clean.codes_decide) continue;
    std::string changed = text;
    noise.function(context, &changed);
    if (changed != text && Keeps(changed, clean.keep, all)) text = std::move(changed);
  }
  return text;
}

}  // namespace rebound
