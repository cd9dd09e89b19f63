// FindListed: which address or domain of a text it is that stands on a list.
#include <arpa/inet.h>

#include <algorithm>
#include <array>

#include "engine/block_list.h"
#include "models/status_code.h"
#include "tokenizer/known_names.h"

namespace rebound {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsAlnum(char c) { return IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool IsHex(char c) { return IsDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
char At(std::string_view text, size_t i) { return i < text.size() ? text[i] : '\0'; }

bool IsAddress(int family, std::string_view text) {
  std::array<char, 48> name{};
  std::array<unsigned char, 16> address{};
  if (text.size() >= name.size()) return false;
  std::copy(text.begin(), text.end(), name.begin());
  return inet_pton(family, name.data(), address.data()) == 1;
}

// The IP address that is the whole of the run of hex digits, colons and dots at `*at`; moves `*at`
// behind the run.
std::string_view AddressAt(std::string_view text, size_t* at) {
  size_t end = *at;
  size_t colons = 0;
  size_t dots = 0;
  while (IsHex(At(text, end)) || At(text, end) == ':' || At(text, end) == '.') {
    colons += text[end] == ':' ? 1 : 0;
    dots += text[end] == '.' ? 1 : 0;
    ++end;
  }
  size_t start = *at;
  *at = std::max(end, start + 1);
  if (IsAlnum(At(text, end)) || At(text, end) == '-') return {};
  if (start > 0 && (text[start - 1] == 'v' || text[start - 1] == 'V')) {  // "IPv6:2001:db8::1"
    const size_t colon = text.find(':', start);
    if (colon >= end) return {};
    start = colon + 1;
  } else if (start > 0 && (IsAlnum(text[start - 1]) || text[start - 1] == '-')) {
    return {};
  }
  while (end > start && (text[end - 1] == '.' || text[end - 1] == ':')) --end;
  std::string_view run = text.substr(start, end - start);
  if (dots == 3 && colons <= 1) {
    run = run.substr(0, run.find(':'));  // with a port
    return IsAddress(AF_INET, run) ? run : std::string_view();
  }
  if (dots > 3) return {};
  return colons >= 2 && run.size() > 5 && IsAddress(AF_INET6, run) ? run : std::string_view();
}

// Where the server's own words begin: what stands before the reply code names the server.
size_t StartOfReply(std::string_view text) {
  const StatusCodes codes = FindStatusCodes(text);
  if (codes.reply.empty()) return 0;
  return static_cast<size_t>(codes.reply.data() - text.data());
}

std::string_view ListedAddress(std::string_view text) {
  const size_t reply = StartOfReply(text);
  std::string_view before;
  for (size_t i = 0; i < text.size();) {
    if (!IsHex(text[i]) && text[i] != ':') {
      ++i;
      continue;
    }
    const size_t start = i;
    const std::string_view address = AddressAt(text, &i);
    if (address.empty() || address.starts_with("127.") || address.starts_with("0.")) continue;
    if (start >= reply) return address;
    const std::string_view behind = text.substr(i);
    if (!behind.starts_with(" said") && !behind.starts_with("] said") &&
        !behind.starts_with("]: ") && !behind.starts_with("): ")) {
      before = address;
    }
  }
  return before;
}

// The address that "7.2.0.192.zen.spamhaus.org" asks for.
std::string ReversedAddress(std::string_view host) {
  std::array<std::string_view, 4> parts;
  for (std::string_view& part : parts) {
    size_t digits = 0;
    while (IsDigit(At(host, digits))) ++digits;
    if (digits == 0 || digits > 3 || At(host, digits) != '.') return "";
    part = host.substr(0, digits);
    host.remove_prefix(digits + 1);
  }
  std::string address;
  for (size_t i = 4; i-- > 0;) address.append(parts[i]).append(i > 0 ? "." : "");
  return address;
}

bool EndsInOneOf(std::string_view text, std::initializer_list<std::string_view> words) {
  while (!text.empty() && !IsAlnum(text.back()) && text.back() != '=') text.remove_suffix(1);
  return std::any_of(words.begin(), words.end(), [&](std::string_view word) {
    if (text.size() < word.size()) return false;
    const std::string_view end = text.substr(text.size() - word.size());
    return std::equal(end.begin(), end.end(), word.begin(), [](char a, char b) {
      return (a >= 'A' && a <= 'Z' ? static_cast<char>(a + 32) : a) == b;
    });
  });
}

// Whether a line of a longer reply begins here: "550-example.com is listed".
bool IsContinued(std::string_view text, size_t i) {
  return (i == 0 || text[i - 1] == '\n') && (text[i] == '4' || text[i] == '5') &&
         IsDigit(At(text, i + 1)) && IsDigit(At(text, i + 2)) && At(text, i + 3) == '-' &&
         IsAlnum(At(text, i + 4));
}

std::string_view ListedDomain(std::string_view text) {
  const size_t reply = StartOfReply(text);
  std::string_view first;
  std::string_view of_address;
  for (size_t i = reply; i < text.size();) {
    if (!IsAlnum(text[i])) {
      ++i;
      continue;
    }
    if (IsContinued(text, i)) i += 4;
    const size_t start = i;
    size_t last_dot = 0;
    while (IsAlnum(At(text, i)) ||
           ((At(text, i) == '.' || At(text, i) == '-') && IsAlnum(At(text, i + 1)))) {
      if (text[i] == '.') last_dot = i;
      ++i;
    }
    if (last_dot == 0 || i - start > 253) continue;
    const std::string_view host = text.substr(start, i - start);
    const std::string_view tld = text.substr(last_dot + 1, i - last_dot - 1);
    if (IsDigit(tld[0]) || !IsTopLevelDomain(tld) || !NameOfHost(host).empty()) continue;
    const std::string_view left = text.substr(0, start);
    if (left.ends_with('@')) {
      if (of_address.empty()) of_address = host;
    } else if (EndsInOneOf(left, {"domain", "domain=", "uris", "uri", "url", "helo", "contains",
                                  "link", "host", "hostname"})) {
      return host;
    } else if (first.empty()) {
      first = host;
    }
  }
  return first.empty() ? of_address : first;
}

}  // namespace

std::string FindListed(std::string_view text, const FoundList& found) {
  // "Error: open resolver": the receiver may not ask, and nobody is listed.
  if (text.find("/returnc/") != std::string_view::npos) return "";
  if (found.host) {
    std::string reversed = ReversedAddress(text.substr(std::min(found.at, text.size())));
    if (!reversed.empty()) return reversed;
  }
  if (found.list->kind == ListedKind::kIp) return std::string(ListedAddress(text));
  return std::string(ListedDomain(text));
}

}  // namespace rebound
