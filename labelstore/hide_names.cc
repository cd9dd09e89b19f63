#include "labelstore/hide_names.h"

#include <algorithm>
#include <vector>

#include "base/text.h"
#include "labelstore/name_phrase.h"
#include "labelstore/server_words.h"
#include "labelstore/text_cuts.h"
#include "tokenizer/characters.h"

namespace rebound {
namespace {

constexpr std::string_view kEmail = "__email__";
constexpr size_t kLongestName = 80;

size_t SkipBlanks(std::string_view text, size_t i) {
  while (i < text.size() && (text[i] == ' ' || text[i] == '\t')) ++i;
  return i;
}

size_t SkipBlanksBack(std::string_view text, size_t i) {
  while (i > 0 && (text[i - 1] == ' ' || text[i - 1] == '\t')) --i;
  return i;
}

// The last `c` before `end`, near enough to open a name and on the same line; npos without one.
size_t OpenBefore(std::string_view text, size_t end, char c) {
  const size_t from = end > kLongestName ? end - kLongestName : 0;
  const std::string_view near = text.substr(from, end - from);
  const size_t open = near.rfind(c);
  if (open == std::string_view::npos || near.find('\n', open) != std::string_view::npos) {
    return std::string_view::npos;
  }
  return from + open;
}

bool IsOneToken(std::string_view text) {
  return !text.empty() && text.find("__") == std::string_view::npos &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return IsWordByte(c) || std::string_view(".+-'").find(c) != std::string_view::npos;
         });
}

// --- beside an address ---------------------------------------------------------------------------

// What opens the address at `at`: "<", "(", "[mailto:".
size_t OpeningOf(std::string_view text, size_t at) {
  size_t open = at;
  for (const std::string_view opening : {"mailto:", "smtp:", "SMTP:"}) {
    if (text.substr(0, open).ends_with(opening)) open -= opening.size();
  }
  if (open > 0 && std::string_view("<([").find(text[open - 1]) != std::string_view::npos) --open;
  return open;
}

struct Span {
  size_t begin = 0, end = 0;
  bool empty() const { return begin == end; }
};

Span QuotedName(std::string_view text, size_t last) {
  const size_t open = OpenBefore(text, last - 1, text[last - 1]);
  if (open == std::string_view::npos) return {};
  const std::string_view inside = text.substr(open + 1, last - open - 2);
  const bool is_token = IsOneToken(inside) && !AreServerWords(inside);
  if (is_token || !FindNameAhead(inside, 0, true).empty()) return {open, last};
  const NamePhrase name = FindNameBefore(inside, inside.size());
  return {open + 1 + name.begin, open + 1 + name.end};
}

// The name before an address that opens at `open`.
Span NameBefore(std::string_view text, size_t open, bool in_brackets) {
  size_t last = SkipBlanksBack(text, open);
  if (last == 0) return {};
  if (text[last - 1] == '"' || text[last - 1] == '\'') {
    const Span span = QuotedName(text, last);
    return span.end == last ? Span{span.begin, open} : span;
  }
  if (text[last - 1] == ')') {  // Jane Roe (Sales) <...>
    const size_t comment = OpenBefore(text, last, '(');
    if (comment == std::string_view::npos) return {};
    last = SkipBlanksBack(text, comment);
  } else {
    const size_t from = last > kLongestName ? last - kLongestName : 0;
    const size_t via = text.substr(from, last - from).rfind(" via ");
    if (via != std::string_view::npos) {
      const NamePhrase name = FindNameBefore(text, from + via);
      if (!name.empty() && text.find('\n', name.begin) > open) return {name.begin, open};
    }
  }
  const NamePhrase name = FindNameBefore(text, last);
  const bool is_sure = name.has_given_name || (name.words > 1 && !name.is_caseless);
  if (name.empty() || (!in_brackets && !is_sure)) return {};
  return {name.begin, SkipBlanks(text, name.end)};
}

// The name in parentheses behind an address that ends at `end`.
Span NameBehind(std::string_view text, size_t end) {
  size_t open = SkipBlanks(text, end < text.size() && text[end] == '>' ? end + 1 : end);
  if (open > end && open < text.size() && IsLetter(text[open])) {  // __email__ gmail (...)
    while (open < text.size() && (IsLetter(text[open]) || text[open] == '>')) ++open;
    open = SkipBlanks(text, open);
  }
  if (open >= text.size() || text[open] != '(') return {};
  const std::string_view inside =
      text.substr(open + 1, std::min(text.find(')', open), open + kLongestName) - open - 1);
  const size_t shift = open + 1;
  const NamePhrase name = FindNameAhead(inside, 0, true);
  if (name.empty() || (name.words < 2 && !name.has_given_name)) return {};
  if (name.end == inside.size() && shift + name.end < text.size())
    return {end, shift + name.end + 1};
  return {shift + name.begin, shift + name.end};
}

// --- introduced by a word ------------------------------------------------------------------------

using WordSet = std::unordered_set<std::string_view>;

// Words after which a person is called by name.
const WordSet& Salutations() {
  static const auto* const kSet = new WordSet{
      "dear",       "hello",     "hi",       "hey",         "mr",         "mrs",
      "ms",         "miss",      "mx",       "dr",          "prof",       "professor",
      "lieber",     "liebe",     "hallo",    "herr",        "herrn",      "frau",
      "bonjour",    "cher",      "chère",    "monsieur",    "madame",     "mademoiselle",
      "mme",        "mlle",      "estimado", "estimada",    "hola",       "señor",
      "señora",     "sr",        "sra",      "srta",        "don",        "doña",
      "caro",       "cara",      "gentile",  "egregio",     "egregia",    "signor",
      "signora",    "sig",       "dott",     "dottor",      "dottoressa", "prezado",
      "prezada",    "olá",       "senhor",   "senhora",     "beste",      "geachte",
      "heer",       "mevrouw",   "mijnheer", "kära",        "käre",       "hej",
      "kjære",      "kære",      "hei",      "hyvä",        "herra",      "rouva",
      "szanowny",   "szanowna",  "pan",      "pani",        "pana",       "panu",
      "drogi",      "droga",     "vážený",   "vážená",      "pane",       "paní",
      "milý",       "milá",      "tisztelt", "kedves",      "stimate",    "stimată",
      "dragă",      "domnule",   "domnul",   "doamnă",      "doamna",     "sayın",
      "merhaba",    "bay",       "bayan",    "уважаемый",   "уважаемая",  "здравствуйте",
      "дорогой",    "дорогая",   "господин", "госпожа",     "шановний",   "шановна",
      "пан",        "пані",      "уважаеми", "уважаема",    "αγαπητέ",    "αγαπητή",
      "κύριε",      "κύριος",    "κυρία",    "κ",           "dragi",      "draga",
      "poštovani",  "poštovana", "gospodin", "gospodine",   "gospođa",    "gospođo",
      "spoštovani", "gerbiamas", "gerbiama", "cienījamais", "cienījamā",  "lugupeetud",
      "härra",      "proua",     "kính",     "anh",         "chị",        "bapak",
      "ibu",        "yth",       "kepada",   "encik",       "puan",       "عزيزي",
      "عزيزتي",     "السيد",     "السيدة",   "מר",          "גברת",       "שלום",
      "प्रिय",       "श्री",       "श्रीमती",   "آقای",        "خانم",       "ბატონო",
      "ქალბატონო"};
  return *kSet;
}

// Names of headers and fields that hold one name: before a colon.
const WordSet& Fields() {
  static const auto* const kSet = new WordSet{
      "from",    "to",       "cc",        "bcc",      "sender", "name", "contact", "owner",
      "user",    "username", "recipient", "employee", "von",    "an",   "de",      "para",
      "da",      "à",        "do",        "od",       "от",     "кому", "login",   "nachname",
      "vorname", "nom",      "prénom",    "nombre",   "nome",   "attn"};
  return *kSet;
}

// What closes a letter: before a comma or a line's end.
const WordSet& Closings() {
  static const auto* const kSet = new WordSet{
      "regards",     "sincerely",    "thanks",      "cheers",    "greetings",    "best",
      "yours",       "grüßen",       "grüße",       "gruß",      "gruss",        "cordialement",
      "salutations", "saludos",      "atentamente", "saluti",    "cumprimentos", "atenciosamente",
      "groet",       "groeten",      "hälsningar",  "hilsen",    "terveisin",    "pozdrawiam",
      "poważaniem",  "pozdravem",    "pozdravom",   "pozdrav",   "üdvözlettel",  "respect",
      "stimă",       "saygılarımla", "saygılar",    "уважением", "повагою",      "εκτίμηση",
      "trân",        "hormat"};
  return *kSet;
}

// Whether the word is one by itself, no part of an address, a host or a path.
bool StandsAlone(std::string_view text, const TextWord& word) {
  constexpr std::string_view kJoints = "@._-+=/\\%&#~*";
  const auto joins = [&](char c) {
    return kJoints.find(c) != std::string_view::npos || IsDigit(c);
  };
  if (word.begin > 0 && joins(text[word.begin - 1])) return false;
  if (word.end == text.size()) return true;
  const char next = text[word.end];
  if (next == '.' || next == '-') {  // the end of a sentence
    return word.end + 1 == text.size() || !IsWordByte(text[word.end + 1]);
  }
  return !joins(next);
}

NamePhrase NameAfterColon(std::string_view text, size_t colon) {
  const NamePhrase name = FindNameAhead(text, SkipBlanks(text, colon + 1), false);
  if (name.empty()) return {};
  const size_t next = SkipBlanks(text, name.end);
  const bool is_whole = next == text.size() ||
                        std::string_view("\r\n<,;()\"[").find(text[next]) != std::string_view::npos;
  return is_whole ? name : NamePhrase();
}

NamePhrase NameAfterClosing(std::string_view text, size_t end) {
  size_t i = end;
  while (i < text.size() && i - end < 8 && (IsBlank(text[i]) || text[i] == ',')) ++i;
  const std::string_view between = text.substr(end, i - end);
  if (between.find_first_of(",\n") == std::string_view::npos) return {};
  return FindNameAhead(text, i, true);
}

// The name that `word` introduces or starts.
NamePhrase NameOf(std::string_view text, const TextWord& word) {
  const std::string lower = LowerUtf8(text.substr(word.begin, word.end - word.begin));
  if (Salutations().contains(lower)) {
    size_t begin = word.end;
    if (begin < text.size() && text[begin] == '.') ++begin;
    const NamePhrase name = FindNameAhead(text, SkipBlanks(text, begin), true);
    const bool is_sure = !name.is_caseless || name.has_given_name || name.words > 1;
    if (begin < text.size() && text[begin] == ' ' && !name.empty() && is_sure) return name;
  }
  if (word.end < text.size() && text[word.end] == ':' && Fields().contains(lower)) {
    const NamePhrase name = NameAfterColon(text, word.end);
    if (!name.empty()) return name;
  }
  if (Closings().contains(lower)) {
    const NamePhrase name = NameAfterClosing(text, word.end);
    if (!name.empty()) return name;
  }
  const Letter first = FirstLetter(text.substr(word.begin));
  if ((first.is_upper || first.is_caseless) && GivenNameOf(lower) == GivenName::kOnly) {
    NamePhrase name = FindNameAhead(text, word.begin, false);
    if (name.empty()) return {};
    // Roe, Jane
    if (word.begin > 2 && text.substr(word.begin - 2, 2) == ", ") {
      const NamePhrase before = FindNameBefore(text, word.begin);
      if (before.end == word.begin - 1 && before.words == 1) name.begin = before.begin;
    }
    return name;
  }
  return {};
}

}  // namespace

std::string HideDisplayNames(std::string_view masked) {
  TextCuts cuts(masked);
  for (size_t at = 0; (at = masked.find(kEmail, at)) != std::string_view::npos;
       at += kEmail.size()) {
    const size_t open = OpeningOf(masked, at);
    const Span before = NameBefore(masked, open, open < at);
    if (!before.empty()) cuts.Replace(before.begin, before.end, "");
    const Span behind = NameBehind(masked, at + kEmail.size());
    if (!behind.empty()) cuts.Replace(behind.begin, behind.end, "");
  }
  return cuts.Finish();
}

std::string HideEncodedWords(std::string_view text) {
  TextCuts cuts(text);
  for (size_t at = 0; (at = text.find("=?", at)) != std::string_view::npos; at += 2) {
    if (at < cuts.done()) continue;
    const size_t charset = text.find('?', at + 2);
    if (charset == std::string_view::npos) break;
    if (charset + 2 >= text.size() || text[charset + 2] != '?') continue;
    const size_t close = text.find("?=", charset + 3);
    if (close == std::string_view::npos) break;
    if (close - at > 200 ||
        text.substr(at, close - at).find_first_of(" \r\n") != std::string_view::npos)
      continue;
    const size_t next = SkipBlanks(text, close + 2);
    const bool goes_on = text.substr(next).starts_with("<") || text.substr(next).starts_with("=?");
    cuts.Replace(at, goes_on ? next : close + 2, goes_on ? "" : kEmail);
  }
  return cuts.Finish();
}

std::string HideAddressedNames(std::string_view masked) {
  TextCuts cuts(masked);
  ForEachWord(masked, [&](TextWord word) {
    if (word.begin < cuts.done() || !StandsAlone(masked, word)) return;
    const NamePhrase name = NameOf(masked, word);
    if (!name.empty()) cuts.Replace(name.begin, name.end, kEmail);
  });
  return cuts.Finish();
}

std::string HideUnknownNames(std::string_view masked) {
  TextCuts cuts(masked);
  ForEachWord(masked, [&](TextWord word) {
    if (word.begin < cuts.done() || word.is_unspaced || !StandsAlone(masked, word)) return;
    const std::string_view letters = masked.substr(word.begin, word.end - word.begin);
    if (FamiliarityOf(letters) != Familiarity::kUnknown) return;
    const Letter first = FirstLetter(letters);
    const bool is_acronym = letters.size() <= 5 && AsciiLower(letters) != letters &&
                            std::all_of(letters.begin(), letters.end(), IsUpper);
    if (GivenNameOf(letters) != GivenName::kOnly &&
        (!first.is_upper || is_acronym || letters.size() == first.bytes)) {
      return;
    }
    const NamePhrase name = FindNameAhead(masked, word.begin, true);
    cuts.Replace(word.begin, name.empty() ? word.end : name.end, kEmail);
  });
  return cuts.Finish();
}

void AddOwnersOfAddresses(std::string_view text, std::unordered_set<std::string>* words) {
  constexpr size_t kShortest = 3;
  for (size_t at = 0; (at = text.find('@', at)) != std::string_view::npos; ++at) {
    size_t begin = at;
    while (begin > 0 && at - begin < kLongestName &&
           (IsWordByte(text[begin - 1]) ||
            std::string_view("._-+='").find(text[begin - 1]) != std::string_view::npos)) {
      --begin;
    }
    const std::string_view local = text.substr(begin, at - begin);
    ForEachWord(local, [&](TextWord word) {
      const std::string_view letters = local.substr(word.begin, word.end - word.begin);
      if (word.is_unspaced || letters.size() < kShortest || AreServerWords(letters)) return;
      words->insert(LowerUtf8(letters));
    });
  }
}

std::string HideWords(std::string_view masked, const std::unordered_set<std::string>& words) {
  if (words.empty()) return std::string(masked);
  TextCuts cuts(masked);
  ForEachWord(masked, [&](TextWord word) {
    if (!StandsAlone(masked, word)) return;
    if (!words.contains(LowerUtf8(masked.substr(word.begin, word.end - word.begin)))) return;
    cuts.Replace(word.begin, word.end, kEmail);
  });
  return cuts.Finish();
}

}  // namespace rebound
