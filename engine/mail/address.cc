#include "engine/mail/address.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace rebound {
namespace {

constexpr size_t kLongestLocal = 128;
constexpr size_t kLongestDomain = 255;

bool IsAlnum(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool IsAtext(char c) {
  return IsAlnum(c) || std::string_view("!#$%&'*+-/=?^_`{|}~.").find(c) != std::string_view::npos;
}
bool IsDomainChar(char c) { return IsAlnum(c) || c == '.' || c == '-' || c == '_'; }
bool IsHigh(char c) { return static_cast<unsigned char>(c) >= 0x80; }

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Where the local part begins that ends before `at`; `at` where there is none.
size_t LocalBegin(std::string_view text, size_t from, size_t at) {
  const size_t floor = std::max(from, at > kLongestLocal ? at - kLongestLocal : 0);
  if (at > floor && text[at - 1] == '"') {
    size_t begin = at - 1;
    while (begin > floor && text[begin - 1] != '"' && text[begin - 1] != '\n') --begin;
    return begin > floor && text[begin - 1] == '"' && begin < at - 1 ? begin - 1 : at;
  }
  size_t begin = at;
  while (begin > floor && IsAtext(text[begin - 1])) --begin;
  if (begin > floor && IsHigh(text[begin - 1])) {  // an international address, only in brackets
    size_t wide = begin;
    while (wide > floor && (IsAtext(text[wide - 1]) || IsHigh(text[wide - 1]))) --wide;
    if (wide > from && text[wide - 1] == '<') return wide;
  }
  while (begin < at && (text[begin] == '.' || text[begin] == '\'' || text[begin] == '*')) ++begin;
  return begin;
}

// Where the domain ends that begins at `begin`.
size_t DomainEnd(std::string_view text, size_t begin) {
  const size_t ceiling = std::min(text.size(), begin + kLongestDomain);
  size_t end = begin;
  if (end < ceiling && text[end] == '[') {
    const size_t close = text.substr(0, ceiling).find(']', end);
    const size_t stop = text.substr(0, ceiling).find_first_of(" \t\n<>", end);
    return close != std::string_view::npos && close < stop ? close + 1 : begin;
  }
  while (end < ceiling && (IsDomainChar(text[end]) || IsHigh(text[end]))) ++end;
  if (end == text.size() || text[end] != '>') {  // words of other scripts may follow directly
    end = begin;
    while (end < ceiling && IsDomainChar(text[end])) ++end;
  }
  while (end > begin && (text[end - 1] == '.' || text[end - 1] == '-' || text[end - 1] == '_')) {
    --end;
  }
  return end;
}

std::string_view WithoutType(std::string_view value) {
  const size_t semicolon = value.find(';');
  const size_t at = value.find('@');
  if (semicolon != std::string_view::npos && (at == std::string_view::npos || semicolon < at)) {
    value.remove_prefix(semicolon + 1);
  }
  return Trim(value);
}

// RFC 6533: "\x{20AC}".
std::string DecodeBraced(std::string_view value) {
  std::string out;
  for (size_t i = 0; i < value.size();) {
    const size_t close = value.substr(i, 11).find('}');
    if (value.substr(i, 3) == "\\x{" && close != std::string_view::npos && close > 3) {
      char32_t code = 0;
      bool good = close <= 9;
      for (size_t j = i + 3; j < i + close && good; ++j) {
        const int digit = HexDigit(value[j]);
        good = digit >= 0;
        code = code * 16 + static_cast<char32_t>(digit);
      }
      if (good && code >= 0x20 && code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF)) {
        AppendUtf8(code, &out);
        i += close + 1;
        continue;
      }
    }
    out += value[i++];
  }
  return out;
}

std::string DecodeXtext(const std::string& value) {
  std::string out;
  for (size_t i = 0; i < value.size(); ++i) {
    if (value[i] != '+') {
      out += value[i];
      continue;
    }
    const int high = i + 2 < value.size() ? HexDigit(value[i + 1]) : -1;
    const int low = i + 2 < value.size() ? HexDigit(value[i + 2]) : -1;
    const int code = high * 16 + low;
    if (high < 0 || low < 0 || code <= 0x20 || code >= 0x7F) return value;
    out += static_cast<char>(code);
    i += 2;
  }
  return out;
}

}  // namespace

std::optional<FoundAddress> FindAddress(std::string_view text, size_t from) {
  size_t floor = from;
  for (size_t at = text.find('@', from); at != std::string_view::npos;
       at = text.find('@', at + 1)) {
    const size_t begin = LocalBegin(text, floor, at);
    const size_t end = DomainEnd(text, at + 1);
    floor = at + 1;
    if (begin == at || end == at + 1) continue;
    FoundAddress found{text.substr(begin, end - begin), begin, end};
    if (begin > 0 && end < text.size()) {
      const char before = text[begin - 1];
      const char after = text[end];
      const bool quoted = (before == '<' && after == '>') || (before == '"' && after == '"') ||
                          (before == '\'' && after == '\'') || (before == '(' && after == ')');
      if (quoted) {
        found.begin = begin - 1;
        found.end = end + 1;
      }
    }
    return found;
  }
  return std::nullopt;
}

std::string AddressOfField(std::string_view value) {
  const bool international = AsciiLower(value.substr(0, 5)) == "utf-8";
  std::string_view address = WithoutType(value);
  const size_t open = address.find('<');
  const size_t close = address.rfind('>');
  if (open != std::string_view::npos && close != std::string_view::npos && open < close) {
    address = Trim(address.substr(open + 1, close - open - 1));
  }
  const size_t comment = address.find(" (");
  if (comment != std::string_view::npos && comment > 0) address = Trim(address.substr(0, comment));
  if (address.starts_with("SMTP:") || address.starts_with("smtp:")) address.remove_prefix(5);
  if (international) return RepairUtf8(DecodeBraced(address));
  return RepairUtf8(address);
}

std::string OriginalAddressOfField(std::string_view value) {
  return DecodeXtext(AddressOfField(value));
}

std::string DomainOfAddress(std::string_view address) {
  const size_t at = address.rfind('@');
  if (at == std::string_view::npos) return "";
  std::string_view domain = address.substr(at + 1);
  while (domain.ends_with('.')) domain.remove_suffix(1);
  return AsciiLower(domain);
}

bool IsMailSystem(std::string_view address) {
  static constexpr std::array<std::string_view, 9> kNames = {
      "mailer-daemon", "postmaster",  "mail-daemon",
      "mailerdaemon",  "mdaemon",     "maildaemon",
      "bounce",        "mail_system", "microsoftexchange329e71ec88ae4615bbc36ab6ce41109e"};
  const std::string local = AsciiLower(address.substr(0, address.find('@')));
  return std::find(kNames.begin(), kNames.end(), local) != kNames.end();
}

}  // namespace rebound
