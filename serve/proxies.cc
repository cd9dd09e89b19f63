#include "serve/proxies.h"

#include <algorithm>
#include <optional>

#include "base/error.h"
#include "base/text.h"

namespace rebound {
namespace {

// Proxies behind each other; beyond, the trail is not followed.
constexpr size_t kMostHops = 32;

// Does a port stand behind an address: digits, or RFC 7239's "_name"?
bool IsPort(std::string_view text) {
  if (text.starts_with('_')) return text.size() > 1;
  return !text.empty() && text.size() <= 5 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// "192.0.2.1", "192.0.2.1:4711", "2001:db8::1", "[2001:db8::1]", "[2001:db8::1]:4711".
std::optional<Address> ParseNode(std::string_view text) {
  text = Trim(text);
  if (text.starts_with('[')) {
    const size_t end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view rest = text.substr(end + 1);
    if (!rest.empty() && (rest[0] != ':' || !IsPort(rest.substr(1)))) return std::nullopt;
    const auto address = ParseAddress(text.substr(1, end - 1));
    return address && text.find(':') < end ? address : std::nullopt;
  }
  const size_t colon = text.find(':');
  if (colon != std::string_view::npos && colon == text.rfind(':')) {
    if (!IsPort(text.substr(colon + 1))) return std::nullopt;
    text = text.substr(0, colon);
  }
  return ParseAddress(text);
}

// The last entries of X-Forwarded-For, the last first; nullopt for what is no address.
using Trail = std::vector<std::optional<Address>>;

void AddList(std::string_view value, Trail* trail) {
  while (trail->size() < kMostHops) {
    const size_t comma = value.rfind(',');
    trail->push_back(ParseNode(value.substr(comma == std::string_view::npos ? 0 : comma + 1)));
    if (comma == std::string_view::npos) return;
    value = value.substr(0, comma);
  }
}

// Takes one value of Forwarded apart at `separator`, but not within quotes. nullopt where a quote
// has no end.
std::optional<std::vector<std::string_view>> SplitQuoted(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  size_t begin = 0;
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (quoted && text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      quoted = !quoted;
    } else if (!quoted && text[i] == separator) {
      parts.push_back(text.substr(begin, i - begin));
      begin = i + 1;
    }
  }
  if (quoted) return std::nullopt;
  parts.push_back(text.substr(begin));
  return parts;
}

// The address in `for=192.0.2.60;proto=http;by=…`. An address needs no escape.
std::optional<Address> NodeOfElement(std::string_view element) {
  const auto pairs = SplitQuoted(element, ';');
  std::optional<std::string_view> node;
  if (!pairs) return std::nullopt;
  for (const std::string_view pair : *pairs) {
    const size_t equals = pair.find('=');
    if (equals == std::string_view::npos || AsciiLower(Trim(pair.substr(0, equals))) != "for") {
      continue;
    }
    if (node) return std::nullopt;  // twice: who knows which
    node = Trim(pair.substr(equals + 1));
  }
  if (!node) return std::nullopt;
  if (node->size() >= 2 && node->front() == '"') node = node->substr(1, node->size() - 2);
  return ParseNode(*node);
}

void AddForwarded(std::string_view value, Trail* trail) {
  const auto elements = SplitQuoted(value, ',');
  if (!elements) {
    trail->push_back(std::nullopt);
    return;
  }
  for (auto it = elements->rbegin(); it != elements->rend() && trail->size() < kMostHops; ++it) {
    trail->push_back(NodeOfElement(*it));
  }
}

// Of all headers of a name, which are one list; nullopt where there is none.
std::optional<Trail> TrailOf(const Request& request, std::string_view name,
                             void (*add)(std::string_view, Trail*)) {
  std::optional<Trail> trail;
  for (auto it = request.headers.rbegin(); it != request.headers.rend(); ++it) {
    if (it->first != name) continue;
    if (!trail) trail.emplace();
    if (trail->size() < kMostHops) add(it->second, &*trail);
  }
  return trail;
}

Address Follow(const TrustedProxies& proxies, const Address& peer, const Trail& trail) {
  Address last = peer;
  for (const std::optional<Address>& node : trail) {
    if (!node) return last;
    last = *node;
    if (!proxies.Trust(last)) return last;
  }
  return last;
}

}  // namespace

TrustedProxies TrustedProxies::Parse(std::string_view list) {
  TrustedProxies proxies;
  if (Trim(list).empty()) return proxies;
  for (const std::string_view part : Split(list, ',')) {
    const Network network = ParseNetwork(Trim(part));
    if (network.bits == 0) {
      throw Error(ErrorCode::kInvalidArgument,
                  "'" + std::string(Trim(part)) +
                      "' would believe everybody: name the networks of the proxies");
    }
    proxies.networks_.push_back(network);
  }
  return proxies;
}

bool TrustedProxies::Trust(const Address& address) const {
  return std::any_of(networks_.begin(), networks_.end(),
                     [&](const Network& network) { return network.Holds(address); });
}

std::string TrustedProxies::ClientOf(const Request& request) const {
  if (empty()) return request.peer;
  const auto peer = ParseAddress(request.peer);
  if (!peer || !Trust(*peer)) return request.peer;
  const auto by_list = TrailOf(request, "x-forwarded-for", AddList);
  const auto by_forwarded = TrailOf(request, "forwarded", AddForwarded);
  const Address client = Follow(*this, *peer, by_list ? *by_list : by_forwarded.value_or(Trail()));
  // A proxy that writes one of them may let a client's own other one through.
  if (by_list && by_forwarded && Follow(*this, *peer, *by_forwarded) != client) {
    return request.peer;
  }
  return AddressText(client);
}

}  // namespace rebound
