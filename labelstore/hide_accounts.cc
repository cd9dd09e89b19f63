#include "labelstore/hide_accounts.h"

#include <algorithm>
#include <unordered_set>

#include "base/text.h"
#include "labelstore/login.h"
#include "labelstore/name_phrase.h"
#include "labelstore/server_words.h"
#include "labelstore/text_cuts.h"
#include "tokenizer/characters.h"

namespace rebound {
namespace {

using WordSet = std::unordered_set<std::string_view>;

constexpr std::string_view kEmail = "__email__";
constexpr size_t kLongestValue = 80;

bool IsIn(std::string_view set, char c) { return set.find(c) != std::string_view::npos; }

// --- key=value -----------------------------------------------------------------------------------

const WordSet& PersonKeys() {
  static const auto* const kSet = new WordSet{"user",
                                              "username",
                                              "usr",
                                              "uid",
                                              "uname",
                                              "login",
                                              "logname",
                                              "loginname",
                                              "account",
                                              "acct",
                                              "mailbox",
                                              "mbox",
                                              "owner",
                                              "name",
                                              "cn",
                                              "sn",
                                              "gn",
                                              "dn",
                                              "givenname",
                                              "surname",
                                              "displayname",
                                              "fullname",
                                              "firstname",
                                              "lastname",
                                              "realname",
                                              "nickname",
                                              "alias",
                                              "samaccountname",
                                              "userprincipalname",
                                              "upn",
                                              "mailnickname",
                                              "sasl_username",
                                              "sasl_sender",
                                              "auth_user",
                                              "authuser",
                                              "auth_id",
                                              "authid",
                                              "ruser",
                                              "userid",
                                              "user_id",
                                              "recipient",
                                              "rcpt",
                                              "sender",
                                              "member",
                                              "manager",
                                              "employee",
                                              "dc",
                                              "profile",
                                              "principal"};
  return *kSet;
}

// Keys of directories, whose values hold blanks.
bool IsDirectoryKey(std::string_view key) {
  constexpr std::string_view kKeys[] = {"cn",       "sn",        "gn",          "o",
                                        "ou",       "givenname", "displayname", "fullname",
                                        "realname", "name",      "g",           "s"};
  return std::find(std::begin(kKeys), std::end(kKeys), key) != std::end(kKeys);
}

// Where the value from `begin` ends.
size_t ValueEnd(std::string_view text, size_t begin, bool is_directory) {
  const size_t limit = std::min(text.size(), begin + kLongestValue);
  if (!is_directory) return std::min(LoginEnd(text, begin), limit);
  const size_t stop = text.substr(0, limit).find_first_of(",;/+)(\"'<>|&=\r\n", begin);
  if (stop != std::string_view::npos && text[stop] != '=') return stop;
  const NamePhrase name = FindNameAhead(text, begin, true);
  return std::max(name.end, LoginEnd(text, begin));
}

// The key that ends before the '=' at `at`, in lower case; "" where it is none.
std::string KeyBefore(std::string_view text, size_t at) {
  size_t begin = at;
  while (begin > 0 && at - begin < 24 && (IsLetter(text[begin - 1]) || text[begin - 1] == '_')) {
    --begin;
  }
  if (begin == at || (begin > 0 && (IsWordByte(text[begin - 1]) || IsIn(".-@", text[begin - 1]))))
    return "";
  const std::string_view key = text.substr(begin, at - begin);
  // X.400: G=Jane;S=Roe. In lower case these are something else (a selector of DKIM).
  if (key == "G" || key == "S") return AsciiLower(key);
  const std::string lower = AsciiLower(key);
  return PersonKeys().contains(lower) ? lower : "";
}

// --- logins in prose -----------------------------------------------------------------------------

// What may be called by a login.
const WordSet& AccountNouns() {
  static const auto* const kSet = new WordSet{
      "user",           "users",        "username",     "account",    "mailbox",   "login",
      "recipient",      "alias",        "userid",       "member",     "id",        "inbox",
      "addressee",      "owner",        "benutzer",     "empfänger",  "postfach",  "konto",
      "usuario",        "destinatario", "cuenta",       "buzón",      "utente",    "casella",
      "utilisateur",    "compte",       "destinataire", "usuário",    "conta",     "gebruiker",
      "gebruikersnaam", "użytkownik",   "skrzynka",     "uživatel",   "schránka",  "felhasználó",
      "användare",      "bruker",       "käyttäjä",     "utilizator", "kullanıcı", "пользователь",
      "ящик",           "користувач",   "χρήστης"};
  return *kSet;
}

// What is said of a login right behind it.
const WordSet& Verbs() {
  static const auto* const kSet =
      new WordSet{"unknown", "is",           "isn",        "has",      "hasn",      "does",
                  "doesn",   "not",          "cannot",     "can",      "exceeded",  "exceeds",
                  "doesnt",  "was",          "wasn",       "disabled", "suspended", "unbekannt",
                  "ist",     "nicht",        "existiert",  "hat",      "existe",    "desconocido",
                  "inconnu", "inexistant",   "est",        "non",      "esiste",    "sconosciuto",
                  "è",       "desconhecido", "não",        "onbekend", "bestaat",   "niet",
                  "nie",     "istnieje",     "neexistuje", "finns",    "finnes",    "nu",
                  "не",      "nem"};
  return *kSet;
}

bool IsVerbAt(std::string_view text, size_t begin) {
  size_t end = begin;
  while (end < text.size() && (IsLetter(text[end]) || IsHigh(text[end]))) ++end;
  const std::string verb = AsciiLower(text.substr(begin, end - begin));
  if (verb != "not") return Verbs().contains(verb);
  for (const std::string_view told : {" found", " known", " exist", " local", " here", " listed"}) {
    if (text.substr(end).starts_with(told)) return true;
  }
  return false;
}

bool IsTag(std::string_view word) {
  static const auto* const kSet =
      new WordSet{"a",  "b",   "body", "br",     "center", "div",   "em",   "font", "h1",
                  "h2", "h3",  "head", "hr",     "html",   "i",     "img",  "li",   "meta",
                  "p",  "pre", "span", "strong", "style",  "table", "td",   "th",   "title",
                  "tr", "tt",  "u",    "ul",     "cr",     "lf",    "crlf", "nul",  "null"};
  return kSet->contains(AsciiLower(word));
}

// Whether the login of `text` from `begin` to `end` is one, going by what stands around it.
bool IsLogin(std::string_view text, size_t begin, size_t end) {
  const std::string_view login = text.substr(begin, end - begin);
  if (login.size() < 2 || IsServersLogin(login)) return false;
  const char before = begin > 0 ? text[begin - 1] : ' ';
  if (before == '<' && end < text.size() && text[end] == '>') return !IsTag(login);
  if (!IsBlank(before) && !IsIn("<('\":,;", before) && !IsHigh(before)) return false;
  // jroe... User unknown
  if (text.substr(end).starts_with("... ") && end + 4 < text.size() && IsUpper(text[end + 4])) {
    return true;
  }
  if (end < text.size() && IsIn("@=/\\%", text[end])) return false;
  return IsDottedLogin(login);
}

// The login that the noun which ends at `end` has beside it: user "jroe", user jroe unknown.
bool FindLogin(std::string_view text, size_t end, size_t* begin, size_t* login_end) {
  size_t i = end;
  while (i < text.size() && i - end < 5 && (text[i] == ' ' || IsIn("\"':<(=[", text[i]))) ++i;
  const std::string_view joint = text.substr(end, i - end);
  const size_t stop = LoginEnd(text, i);
  if (joint.empty() || stop - i < 2) return false;
  const std::string_view login = text.substr(i, stop - i);
  if (IsServersLogin(login)) return false;
  *begin = i;
  *login_end = stop;
  const char after = stop < text.size() ? text[stop] : '\n';
  if (IsIn(joint, '=')) return true;
  if (IsIn(joint, '"') || IsIn(joint, '\'')) return after == '"' || after == '\'';
  if (IsIn(joint, '<')) return after == '>';
  const bool mixed =
      std::any_of(login.begin(), login.end(), IsDigit) || IsIn(login, '.') || IsIn(login, '_');
  if (IsIn(joint, '(') || IsIn(joint, '[')) return mixed && (after == ')' || after == ']');
  if (IsIn(joint, ':')) return mixed || !IsBlank(after) || after == '\n' || after == '\r';
  return mixed || (after == ' ' && IsVerbAt(text, stop + 1));
}

// NoSuchUser: its words by their capitals.
bool IsServersPage(std::string_view page) {
  std::string parted;
  for (size_t i = 0; i < page.size(); ++i) {
    if (i > 0 && IsUpper(page[i]) && !IsUpper(page[i - 1])) parted += ' ';
    parted += page[i];
  }
  bool known = false;
  ForEachWord(parted, [&](TextWord word) {
    known =
        known || AreServerWords(std::string_view(parted).substr(word.begin, word.end - word.begin));
  });
  return known;
}

}  // namespace

std::string HideFields(std::string_view text) {
  TextCuts cuts(text);
  for (size_t at = 0; (at = text.find('=', at)) != std::string_view::npos; ++at) {
    if (at < cuts.done()) continue;
    const std::string key = KeyBefore(text, at);
    if (key.empty()) continue;
    size_t begin = at + 1;
    if (begin < text.size() && IsIn("\"'", text[begin])) ++begin;
    const size_t end = ValueEnd(text, begin, IsDirectoryKey(key));
    const std::string_view value = text.substr(begin, end - begin);
    if (value.empty()) continue;
    // A part of X.400 has its separator behind it.
    const bool is_part = end < text.size() && IsIn(";/,", text[end]) && IsLetter(text[begin]);
    if (key.size() == 1 && !is_part) continue;
    // name="x.exe": only where someone's name stands there.
    if (key == "name" && (FindNameAhead(value, 0, true).end != value.size() ||
                          (end < text.size() && text[end] == '/'))) {
      continue;
    }
    if (IsServersLogin(value) || value.find('@') != std::string_view::npos) continue;
    if (end < text.size() && text[end] == '@') continue;  // an address, which Mask hides whole
    cuts.Replace(begin, end, kEmail);
  }
  return cuts.Finish();
}

std::string HideLogins(std::string_view masked) {
  TextCuts cuts(masked);
  for (size_t i = 0; i < masked.size();) {
    // No login starts with a joint: a row of dots is looked at once.
    const bool starts = IsWordByte(masked[i]) || masked[i] == '*';
    const size_t end = starts ? LoginEnd(masked, i) : i;
    if (end == i) {
      ++i;
      continue;
    }
    size_t begin = 0, login_end = 0;
    const std::string noun = end - i < 32 ? LowerUtf8(masked.substr(i, end - i)) : "";
    if (AccountNouns().contains(noun) && FindLogin(masked, end, &begin, &login_end)) {
      cuts.Replace(begin, login_end, kEmail);
    } else if (IsLogin(masked, i, end)) {
      cuts.Replace(i, end, kEmail);
    }
    i = end;
  }
  return cuts.Finish();
}

std::string HidePages(std::string_view masked) {
  constexpr std::string_view kUrl = "__url__ ";
  TextCuts cuts(masked);
  for (size_t at = 0; (at = masked.find(kUrl, at)) != std::string_view::npos; at += kUrl.size()) {
    const auto word_end = [&](size_t i) {
      while (i < masked.size() && (IsLetter(masked[i]) || IsDigit(masked[i]))) ++i;
      return i;
    };
    const size_t site = word_end(at + kUrl.size());
    if (site == at + kUrl.size() || site >= masked.size() || masked[site] != ' ') continue;
    const size_t page = word_end(site + 1);
    const std::string_view name = masked.substr(site + 1, page - site - 1);
    // A page is written in capitals inside; what follows in prose is not.
    if (name.size() < 2 || std::none_of(name.begin() + 1, name.end(), IsUpper)) continue;
    if (IsServersPage(name)) continue;
    cuts.Replace(site, page, "");
  }
  return cuts.Finish();
}

}  // namespace rebound
