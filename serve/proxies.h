// Whose request it is that comes through proxies.
//
// A proxy adds the address that it was asked from at the end of X-Forwarded-For, or of Forwarded
// (RFC 7239), so an entry is as good as who wrote it: the peer of the connection wrote the last
// one, and each entry that names a trusted proxy vouches for the one before it. The first from the
// right that names nobody trusted is the client; what stands left of it may be anybody's invention.
// Immutable, Thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "serve/address.h"
#include "serve/http.h"

namespace rebound {

class TrustedProxies {
 public:
  TrustedProxies() = default;  // nobody
  // "10.0.0.0/8, 2001:db8::7"; "" is nobody. Throws kInvalidArgument.
  static TrustedProxies Parse(std::string_view list);

  bool empty() const { return networks_.empty(); }
  size_t size() const { return networks_.size(); }
  bool Trust(const Address& address) const;

  // The client's address: the peer's own where it is no trusted proxy. Where the trail ends in what
  // is no address, or the two headers tell two stories, the last trusted proxy is all that is
  // known.
  std::string ClientOf(const Request& request) const;

 private:
  std::vector<Network> networks_;
};

}  // namespace rebound
