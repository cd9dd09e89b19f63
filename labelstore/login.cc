#include "labelstore/login.h"

#include <algorithm>
#include <unordered_set>

#include "base/text.h"
#include "labelstore/server_words.h"
#include "tokenizer/characters.h"

namespace rebound {
namespace {

// A character of a login: letters of any script, digits, . _ - + and the stars of a hidden half.
bool IsLoginByte(char c) {
  return IsWordByte(c) || std::string_view(".+-*").find(c) != std::string_view::npos;
}

}  // namespace

bool IsServersLogin(std::string_view login) {
  const bool has_letter =
      std::any_of(login.begin(), login.end(), [](char c) { return IsLetter(c) || IsHigh(c); });
  return !has_letter || login.find("__") != std::string_view::npos || AreServerWords(login);
}

size_t LoginEnd(std::string_view text, size_t begin) {
  // Of one kind of script: "h.schmidt" in "h.schmidt\uc744".
  const auto is_unspaced = [&](size_t at) {
    return IsHigh(text[at]) && ClassifyHigh(text.substr(at)).kind == HighKind::kUnspaced;
  };
  size_t end = begin;
  while (end < text.size() && IsLoginByte(text[end]) && is_unspaced(end) == is_unspaced(begin)) {
    end += IsHigh(text[end]) ? ClassifyHigh(text.substr(end)).bytes : 1;
  }
  while (end > begin && std::string_view(".-+").find(text[end - 1]) != std::string_view::npos)
    --end;
  return end;
}

bool IsFileType(std::string_view piece) {
  static const auto* const kSet = new std::unordered_set<std::string_view>{
      "ace",  "apk",  "arj",  "bat",  "bin",  "bz2",  "cab", "chm", "cmd", "com",  "conf", "cpl",
      "db",   "dll",  "doc",  "docm", "docx", "eml",  "exe", "gz",  "hta", "img",  "inf",  "ini",
      "iso",  "jar",  "jpg",  "js",   "lnk",  "lock", "log", "lzh", "mdb", "msc",  "msg",  "msi",
      "pdf",  "pif",  "png",  "ppt",  "pst",  "ps1",  "py",  "rar", "reg", "rtf",  "scr",  "sh",
      "sys",  "tar",  "tgz",  "tmp",  "txt",  "url",  "vbe", "vbs", "wsf", "xlam", "xll",  "xls",
      "xlsb", "xlsm", "xlsx", "xml",  "z",    "zip",  "7z",  "ade", "adp", "jse",  "shs",  "vxd",
      "wsh",  "ocx",  "ppam", "pptm", "r00",  "one"};
  return kSet->contains(AsciiLower(piece));
}

bool IsDottedLogin(std::string_view login) {
  if (!IsLetter(login[0]) && !IsHigh(login[0])) return false;
  if (IsFileType(login.substr(login.find_last_of("._") + 1))) return false;
  size_t pieces = 0, known = 0;
  bool has_given_name = false;
  for (size_t i = 0; i <= login.size();) {
    size_t end = i;
    while (end < login.size() && login[end] != '.' && login[end] != '_') ++end;
    const std::string_view piece = login.substr(i, end - i);
    if (piece.empty() || std::any_of(piece.begin(), piece.end(), IsUpper)) return false;
    ++pieces;
    if (piece.size() > 1 && AreServerWords(piece)) ++known;
    has_given_name = has_given_name || (piece.size() > 2 && GivenNameOf(piece) == GivenName::kOnly);
    i = end + 1;
  }
  if (pieces < 2 || pieces > 3) return false;
  return known == 0 || (has_given_name && known < pieces);
}

}  // namespace rebound
