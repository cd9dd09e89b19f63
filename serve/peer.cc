#include "serve/peer.h"

#include <algorithm>
#include <optional>

#include "base/text.h"
#include "serve/address.h"

namespace rebound {
namespace {

// "localhost", "127.0.0.1:8080", "[::1]", ...
bool IsLocalHost(std::string_view authority) {
  if (!authority.empty() && authority.front() == '[') {
    const size_t end = authority.find(']');
    return end != std::string_view::npos && IsLoopback(authority.substr(1, end - 1)) &&
           (end + 1 == authority.size() || authority[end + 1] == ':');
  }
  const std::string host = AsciiLower(authority.substr(0, authority.find(':')));
  return host == "localhost" || IsLoopback(host);
}

bool ShowsAProxy(std::string_view header) {
  constexpr std::string_view kForwarded = "x-forwarded-";
  return header == "forwarded" || header == "via" || header == "x-real-ip" ||
         header.substr(0, kForwarded.size()) == kForwarded;
}

// What stands between "scheme://" and the path; nullopt where there is no scheme.
std::optional<std::string_view> AuthorityOf(std::string_view url) {
  const size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return std::nullopt;
  url.remove_prefix(scheme + 3);
  return url.substr(0, url.find_first_of("/?#"));
}

}  // namespace

bool IsLoopback(std::string_view text) {
  const auto address = ParseAddress(text);
  if (!address) return false;
  if (!address->v6) return address->bytes[0] == 127;
  return address->bytes[15] == 1 && std::all_of(address->bytes.begin(), address->bytes.end() - 1,
                                                [](unsigned char byte) { return byte == 0; });
}

std::string UserNetwork(std::string_view text) {
  const auto address = ParseAddress(text);
  if (!address) return std::string(text);
  return address->v6 ? AddressText(NetworkOf(*address, 64).first) + "/64" : AddressText(*address);
}

std::string MaskAddress(std::string_view text) {
  const auto address = ParseAddress(text);
  if (!address) return "";
  return AddressText(NetworkOf(*address, address->v6 ? 48 : 24).first) +
         (address->v6 ? "/48" : "/24");
}

bool IsLocalRequest(const Request& request) {
  if (!IsLoopback(request.peer)) return false;
  if (request.target.empty() || request.target.front() != '/') {
    const auto authority = AuthorityOf(request.target);
    if (!authority || !IsLocalHost(*authority)) return false;
  }
  const std::string* const host = request.FindHeader("host");
  return std::all_of(request.headers.begin(), request.headers.end(), [&](const auto& header) {
    const auto& [name, value] = header;
    if (ShowsAProxy(name)) return false;
    if (name == "host") return IsLocalHost(value);
    if (name != "origin") return true;
    const auto authority = AuthorityOf(value);
    return host != nullptr && authority && AsciiLower(*authority) == AsciiLower(*host);
  });
}

}  // namespace rebound
