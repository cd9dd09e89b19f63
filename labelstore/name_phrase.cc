#include "labelstore/name_phrase.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "base/text.h"
#include "labelstore/server_words.h"
#include "tokenizer/characters.h"

namespace rebound {
namespace {

constexpr size_t kMostWords = 6;
constexpr size_t kMostCaselessWords = 4;
constexpr int kMostBehind = 2;
constexpr size_t kMostUnspaced = 6 * 3;  // bytes of Han, kana and Hangul
constexpr size_t kMostOfMarks = 24 * 3;  // bytes of Thai and its like, which write vowels apart
constexpr size_t kLongestWord = 64;

enum class Kind {
  kStop,      // ends a phrase
  kName,      // unknown to servers
  kGiven,     // unknown to servers, and people are called so
  kEither,    // people are called so, and servers use it
  kRare,      // capitalised, and servers use it rarely
  kServer,    // capitalised, and servers use it
  kInitial,   // J.
  kTitle,     // Dr.
  kParticle,  // van
};
struct Word {
  size_t begin, end;
  Kind kind;
  bool is_caseless;
  bool ends_with_comma = false;
};

bool IsOneOf(std::string_view word, const auto& list) {
  return std::any_of(list.begin(), list.end(),
                     [&](std::string_view known) { return EqualsLower(word, known); });
}

constexpr std::array<std::string_view, 29> kParticles = {
    "van",  "von", "de",  "der", "den", "del", "della", "di",  "da",  "do",
    "dos",  "du",  "des", "la",  "le",  "el",  "al",    "bin", "ibn", "ben",
    "bint", "y",   "e",   "zu",  "zum", "ter", "ten",   "af",  "av"};
constexpr std::array<std::string_view, 28> kTitles = {
    "mr",  "mrs", "ms",   "miss", "mx",  "dr",  "prof", "sir", "herr", "frau",
    "hr",  "fr",  "mme",  "mlle", "sr",  "sra", "srta", "sig", "dott", "ing",
    "mgr", "pan", "pani", "jr",   "phd", "rev", "dipl", "lic"};

// The joints that a word of a name may hold or end with.
bool IsInsideName(char c) { return c == '-' || c == '\'' || c == '.'; }

// What a character of a word is; nothing where it ends words.
enum class Script { kNone, kSpaced, kUnspaced };
Script ScriptAt(std::string_view text) {
  if (!IsHigh(text[0])) {
    return IsLetter(text[0]) || IsInsideName(text[0]) ? Script::kSpaced : Script::kNone;
  }
  const HighKind kind = ClassifyHigh(text).kind;
  if (kind == HighKind::kUnspaced) return Script::kUnspaced;
  return kind == HighKind::kInvalid || kind == HighKind::kSeparator ? Script::kNone
                                                                    : Script::kSpaced;
}

// A word is of one kind of script: "Vries" in "Vries\u306f".
size_t WordEnd(std::string_view text, size_t begin) {
  if (begin >= text.size() || IsInsideName(text[begin])) return begin;
  const Script script = ScriptAt(text.substr(begin));
  size_t i = begin;
  while (i < text.size() && i - begin <= kLongestWord && script != Script::kNone &&
         ScriptAt(text.substr(i)) == script) {
    i += DecodeUtf8(text.substr(i)).bytes;
  }
  return i;
}

// Where the word that ends at `end` starts.
size_t WordStart(std::string_view text, size_t end) {
  size_t begin = end;
  Script script = Script::kNone;
  while (begin > 0 && end - begin <= kLongestWord) {
    size_t start = begin - 1;
    while (start > 0 && (text[start] & 0xc0) == 0x80) --start;
    const Script here = ScriptAt(text.substr(start));
    if (here == Script::kNone || (script != Script::kNone && here != script)) break;
    script = here;
    begin = start;
  }
  while (begin < end && FirstLetter(text.substr(begin)).bytes == 0) ++begin;
  return begin;
}

// Whether what stands before a word leaves it whole: no number, address or token.
bool IsBorder(char before) {
  return IsHigh(before) ||
         std::string_view(" \t\r\n\"'(<[:;,").find(before) != std::string_view::npos;
}

bool IsUnspacedName(std::string_view word) {
  // Han, kana and Hangul; the particles between words of Japanese are in no name.
  const bool marks = DecodeUtf8(word).value < 0x1100 || DecodeUtf8(word).value / 0x80 == 0x2f;
  if (word.size() > (marks ? kMostOfMarks : kMostUnspaced)) return false;
  for (const std::string_view particle : {"の", "を", "は", "が", "に", "的", "で"}) {
    if (!marks && word.find(particle) != std::string_view::npos) return false;
  }
  return !AreServerWords(word);
}

// RemoteDelivery, not McArthur.
bool IsCamelCase(std::string_view word) {
  for (size_t i = 1; i < word.size(); ++i) {
    if (IsUpper(word[i]) && word[i - 1] >= 'a' && word[i - 1] <= 'z') return i > 3;
  }
  return false;
}

// A host, a file or a login: dots between more than initials.
bool IsDotted(std::string_view word) {
  const size_t dot = word.find('.', 2);
  return dot != std::string_view::npos && dot + 2 < word.size();
}

Kind KindOf(std::string_view word, const Letter& first) {
  while (!word.empty() && IsInsideName(word.back())) word.remove_suffix(1);
  if (word.empty() || IsDotted(word)) return Kind::kStop;
  if (first.is_unspaced) return IsUnspacedName(word) ? Kind::kName : Kind::kStop;
  const GivenName given = GivenNameOf(word);
  if (first.is_caseless) {
    if (AreServerWords(word)) return Kind::kStop;
    return given == GivenName::kOnly ? Kind::kGiven : Kind::kName;
  }
  if (IsOneOf(word, kTitles)) return Kind::kTitle;
  if (!first.is_upper) return IsOneOf(word, kParticles) ? Kind::kParticle : Kind::kStop;
  if (word.size() == first.bytes) return Kind::kInitial;
  if (IsCamelCase(word)) return Kind::kServer;
  if (!AreServerWords(word)) return given == GivenName::kOnly ? Kind::kGiven : Kind::kName;
  if (given != GivenName::kNone) return Kind::kEither;
  return FamiliarityOf(word) == Familiarity::kRare ? Kind::kRare : Kind::kServer;
}

Word MakeWord(std::string_view text, size_t begin, size_t end) {
  const Letter first = FirstLetter(text.substr(begin));
  Word word{begin, end, Kind::kStop, first.is_caseless};
  if (first.bytes > 0) word.kind = KindOf(text.substr(begin, end - begin), first);
  return word;
}

bool IsOfName(Kind kind) { return kind != Kind::kStop && kind != Kind::kServer; }
bool IsProper(Kind kind) {
  return kind == Kind::kName || kind == Kind::kGiven || kind == Kind::kEither ||
         kind == Kind::kRare;
}

// Whether a name may start with word `i`.
bool StartsName(const std::vector<Word>& words, size_t i, bool is_addressed) {
  const Kind kind = words[i].kind;
  const Kind next = i + 1 < words.size() ? words[i + 1].kind : Kind::kStop;
  switch (kind) {
    case Kind::kName:
    case Kind::kGiven:
      return true;
    case Kind::kEither:
      return is_addressed || (IsProper(next) && next != Kind::kEither) || next == Kind::kInitial;
    case Kind::kInitial:
    case Kind::kParticle:
      return next == Kind::kName || next == Kind::kGiven;
    case Kind::kTitle:
      return IsProper(next) || next == Kind::kInitial;
    default:
      return false;
  }
}

NamePhrase PhraseFrom(const std::vector<Word>& words, size_t first) {
  NamePhrase phrase;
  phrase.begin = phrase.end = words[first].begin;
  size_t caseless = 0;
  for (size_t i = first; i < words.size() && IsOfName(words[i].kind); ++i) {
    const Kind kind = words[i].kind;
    // Behind the comma of "Roe, Jane" the other name stands, no word of a server.
    if (i > first && words[i - 1].ends_with_comma &&
        (i > first + 2 || kind == Kind::kParticle || kind == Kind::kRare)) {
      break;
    }
    caseless += words[i].is_caseless ? 1 : 0;
    if (kind == Kind::kParticle) continue;  // ends no name
    phrase.end = words[i].end;
    if (IsProper(kind)) ++phrase.words;
    phrase.has_given_name = phrase.has_given_name || kind == Kind::kGiven || kind == Kind::kEither;
    phrase.is_caseless = phrase.is_caseless || words[i].is_caseless;
  }
  if (phrase.words > kMostWords || caseless > kMostCaselessWords) return {};
  return phrase;
}

}  // namespace

NamePhrase FindNameBefore(std::string_view text, size_t end) {
  std::vector<Word> words;
  while (words.size() <= kMostWords) {
    while (end > 0 && text[end - 1] == ' ') --end;
    // A comma parts the names of "Roe, Jane".
    const size_t comma = end > 0 && text[end - 1] == ',' ? 1 : 0;
    const size_t last = end - comma;
    const size_t begin = WordStart(text, last);
    if (begin == last || (begin > 0 && !IsBorder(text[begin - 1]))) break;
    Word word = MakeWord(text, begin, last);
    if (word.kind == Kind::kStop) break;
    word.end = end;
    word.ends_with_comma = comma > 0;
    words.push_back(word);
    if (begin > 0 && text[begin - 1] != ' ') break;
    end = begin;
  }
  if (words.size() > kMostWords) return {};
  std::reverse(words.begin(), words.end());
  for (size_t i = 0; i < words.size(); ++i) {
    if (!StartsName(words, i, false)) continue;
    const NamePhrase phrase = PhraseFrom(words, i);
    // Far from the end it belongs to something else.
    const auto behind = std::count_if(words.begin(), words.end(),
                                      [&](const Word& word) { return word.begin >= phrase.end; });
    return behind <= kMostBehind ? phrase : NamePhrase();
  }
  return {};
}

NamePhrase FindNameAhead(std::string_view text, size_t begin, bool is_addressed) {
  std::vector<Word> words;
  while (words.size() <= kMostWords && begin < text.size()) {
    const size_t end = WordEnd(text, begin);
    if (end == begin) break;
    size_t last = end;
    // A full stop ends a sentence but for that of an initial or a title.
    while (last > begin && IsInsideName(text[last - 1])) --last;
    Word word = MakeWord(text, begin, last);
    if (word.kind == Kind::kStop) break;
    const bool abbreviated = word.kind == Kind::kInitial || word.kind == Kind::kTitle;
    if (abbreviated) word.end = end;
    words.push_back(word);
    if (!abbreviated && last != end) break;
    begin = end;
    while (begin < text.size() && text[begin] == ' ') ++begin;
    if (begin == end && !abbreviated) break;
  }
  if (words.empty() || !StartsName(words, 0, is_addressed)) return {};
  return PhraseFrom(words, 0);
}

}  // namespace rebound
