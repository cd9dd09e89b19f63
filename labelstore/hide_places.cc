#include "labelstore/hide_places.h"

#include <algorithm>
#include <unordered_set>

#include "base/text.h"
#include "labelstore/login.h"
#include "labelstore/server_words.h"
#include "tokenizer/characters.h"

namespace rebound {
namespace {

bool IsIn(std::string_view set, char c) { return set.find(c) != std::string_view::npos; }

// --- folders -------------------------------------------------------------------------------------

// Folders that hold one folder or file a person.
bool HoldsPeople(std::string_view name) {
  static const auto* const kSet = new std::unordered_set<std::string_view>{
      "home",      "homes",   "users",    "mail",     "vmail",  "mailboxes",
      "mailspool", "spool",   "maildirs", "virtual",  "vhosts", "mailstore",
      "vpopmail",  "domains", "userhome", "accounts", "mbox"};
  return kSet->contains(AsciiLower(name));
}

bool IsPathByte(char c) { return IsWordByte(c) || IsIn(".-+@~$%/\\:", c); }

std::string HidePath(std::string_view path) {
  std::string out;
  bool inside = path[0] == '~';
  for (size_t i = 0; i < path.size();) {
    if (path[i] == '/' || path[i] == '\\' || path[i] == ':') {
      out += path[i++];
      continue;
    }
    size_t end = i;
    while (end < path.size() && !IsIn("/\\:", path[end])) ++end;
    const std::string_view part = path.substr(i, end - i);
    if (inside && !IsServersLogin(part)) {
      const size_t dot = part.rfind('.');
      const bool is_file = dot != std::string_view::npos && IsFileType(part.substr(dot + 1));
      out.append("__id__").append(is_file ? part.substr(dot) : "");
    } else {
      out.append(part);
    }
    inside = inside || HoldsPeople(part);
    i = end;
  }
  return out;
}

// --- telephones ----------------------------------------------------------------------------------

bool IsTelephoneWord(std::string_view before) {
  // The word before, whole: "ring", not "string".
  while (!before.empty() && (IsBlank(before.back()) || IsIn(":.(", before.back())))
    before.remove_suffix(1);
  size_t begin = before.size();
  while (begin > 0 && before.size() - begin < 10 && IsLetter(before[begin - 1])) --begin;
  const std::string word = AsciiLower(before.substr(begin));
  constexpr std::string_view kWords[] = {"tel",  "phone",  "telephone", "call",
                                         "fax",  "mobile", "mobil",     "telefon",
                                         "ring", "cell",   "dial",      "whatsapp"};
  return std::find(std::begin(kWords), std::end(kWords), word) != std::end(kWords);
}

// The bytes of a telephone number at `begin`, or 0.
size_t MatchTelephone(std::string_view text, size_t begin) {
  size_t end = begin, last = begin, digits = 0, blanks = 0;
  for (; end < text.size() && end - begin < 32; ++end) {
    const char c = text[end];
    if (IsDigit(c)) {
      ++digits;
      last = end + 1;
      blanks = 0;
    } else if (!IsIn(" ()-./", c) && !(c == '+' && end == begin)) {
      break;
    } else if (++blanks > 3 || (c == '.' && end + 1 < text.size() && text[end + 1] == ' ')) {
      break;
    }
  }
  if (digits < 7 || digits > 15 || (last < text.size() && IsWordByte(text[last]))) return 0;
  const std::string_view number = text.substr(begin, last - begin);
  if (number.size() > 6 && number[3] == ' ' && number[5] == '.') return 0;  // 550 5.7.1
  if (std::count(number.begin(), number.end(), '.') == 3 &&
      number.find(' ') == std::string_view::npos)
    return 0;  // an IP
  if (number[0] == '+' && number.size() > 1 && (IsDigit(number[1]) || number[1] == '('))
    return number.size();
  const bool has_joint = number.find_first_of(" -/(") != std::string_view::npos;
  if (IsTelephoneWord(text.substr(0, begin))) return number.size();
  // (555) 438-2291, and nothing that could be codes.
  const bool american =
      has_joint && digits == 10 && number[0] == '(' && number.size() > 5 && number[4] == ')';
  return american ? number.size() : 0;
}

// --- machines ------------------------------------------------------------------------------------

bool IsPersonalMachine(std::string_view word) {
  const std::string lower = AsciiLower(word);
  for (const std::string_view start : {"desktop-", "laptop-", "macbook-", "iphone-", "ipad-"}) {
    if (lower.starts_with(start) && lower.size() > start.size() + 3 &&
        !AreServerWords(std::string_view(lower).substr(start.size()))) {
      return true;
    }
    if (lower.starts_with(start) && lower.size() > start.size() + 3 && IsDigit(lower.back()))
      return true;
  }
  for (const std::string_view end :
       {"-pc", "-laptop", "-desktop", "-macbook", "-macbook-pro", "-macbook-air", "-imac", "-mbp",
        "-iphone", "-ipad", "-notebook", "-thinkpad", "-surface", "-workstation"}) {
    if (lower.ends_with(end) && lower.size() > end.size()) return true;
  }
  return false;
}

}  // namespace

std::string HidePaths(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size();) {
    size_t end = i;
    while (end < text.size() && IsPathByte(text[end])) ++end;
    const std::string_view run = text.substr(i, end - i);
    // From the root, a home (~jane/) or a drive; an address of the web is masked whole.
    const size_t begin = run.find_first_of("/\\~");
    const bool is_path = begin != std::string_view::npos &&
                         run.find("://") == std::string_view::npos &&
                         (begin == 0 || run[begin - 1] == ':') &&
                         run.find_first_of("/\\", begin + 1) != std::string_view::npos;
    if (is_path) {
      out.append(run.substr(0, begin)).append(HidePath(run.substr(begin)));
    } else if (end > i) {
      out.append(run);
    } else {
      out += text[end++];
    }
    i = end;
  }
  return out;
}

std::string HideTelephones(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size();) {
    const bool starts = (IsDigit(text[i]) || text[i] == '+' || text[i] == '(') &&
                        (i == 0 || !(IsWordByte(text[i - 1]) || IsIn("+.-/(:", text[i - 1])));
    const size_t bytes = starts ? MatchTelephone(text, i) : 0;
    if (bytes > 0) {
      out.append("__num__");
      i += bytes;
    } else {
      out += text[i++];
    }
  }
  return out;
}

std::string HideMachines(std::string_view text) {
  const auto is_part = [](char c) { return IsLetter(c) || IsDigit(c) || c == '-' || c == '_'; };
  std::string out;
  for (size_t i = 0; i < text.size();) {
    size_t end = i;
    while (end < text.size() && is_part(text[end])) ++end;
    const std::string_view word = text.substr(i, end - i);
    // A part of a whole host name is masked as one.
    const bool alone = (end == text.size() || text[end] != '.' || end + 1 == text.size() ||
                        !is_part(text[end + 1])) &&
                       (i == 0 || (text[i - 1] != '.' && text[i - 1] != '@'));
    if (!word.empty()) {
      out.append(alone && IsPersonalMachine(word) ? "__host__" : word);
    } else {
      out += text[end++];
    }
    i = end;
  }
  return out;
}

}  // namespace rebound
