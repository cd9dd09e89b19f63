#include "datasource/uri.h"

#include <algorithm>
#include <cstdlib>

#include "base/error.h"

namespace rebound {
namespace {

[[noreturn]] void Refuse(const std::string& why) { throw Error(ErrorCode::kInvalidArgument, why); }

bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// How many characters at the start of `text` make a variable's name.
size_t NameLength(std::string_view text) {
  size_t n = 0;
  while (n < text.size() && (IsLetter(text[n]) || text[n] == '_' || (n > 0 && IsDigit(text[n])))) {
    ++n;
  }
  return n;
}

int HexValue(char c) {
  if (IsDigit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string ExpandEnvironment(std::string_view text, const QuoteVariable& quote) {
  std::string out;
  while (true) {
    const size_t at = text.find("${");
    out += text.substr(0, at);
    if (at == text.npos) return out;
    text.remove_prefix(at + 2);
    const size_t length = NameLength(text);
    if (length == 0 || text.substr(length, 1) != "}") {
      out += "${";
      continue;
    }
    const std::string name(text.substr(0, length));
    const char* value = std::getenv(name.c_str());
    if (value == nullptr || *value == '\0') {
      Refuse("the datasource's address names the environment variable " + name +
             ", which is not set: set it for this program");
    }
    const std::string quoted = quote(value, out);
    out += quoted;
    text.remove_prefix(length + 1);
  }
}

std::string PercentEncode(std::string_view text) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    if (IsLetter(c) || IsDigit(c) || std::string_view("-._~").find(c) != std::string_view::npos) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return out;
}

std::string PercentDecode(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? HexValue(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? HexValue(text[i + 2]) : -1;
    if (high < 0 || low < 0 || high + low == 0) {
      Refuse(
          "a % in the datasource's address is not followed by two hexadecimal digits, or is "
          "%00: write a % itself as %25");
    }
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

Authority ParseAuthority(std::string_view text) {
  Authority parts;
  const size_t slash = text.find('/');
  if (slash != text.npos) parts.rest = text.substr(slash + 1);
  text = text.substr(0, slash);
  // The last @: a login such as user@domain is often written without %40.
  if (const size_t at = text.rfind('@'); at != text.npos) {
    const std::string_view login = text.substr(0, at);
    const size_t colon = login.find(':');
    parts.user = PercentDecode(login.substr(0, colon));
    if (colon != login.npos) parts.password = PercentDecode(login.substr(colon + 1));
    text.remove_prefix(at + 1);
  }
  const size_t bracket = text.rfind(']');
  const size_t colon = text.find(':', bracket == text.npos ? 0 : bracket);
  parts.host = text.substr(0, colon);
  if (colon != text.npos) {
    parts.port = text.substr(colon + 1);
    const bool digits = std::all_of(parts.port.begin(), parts.port.end(), IsDigit);
    if (!digits || parts.port.size() > 5 || std::atoi(parts.port.c_str()) > 65535) {
      Refuse(
          "the port in the datasource's address is no number up to 65535: write it like "
          "ldap://host:389/, and a : or / in a user or password as %3A or %2F");
    }
  }
  return parts;
}

}  // namespace rebound
