// What a client's address tells. Addresses are text as the door tells them. Pure, Thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "serve/http.h"

namespace rebound {

bool IsLoopback(std::string_view address);

// One user's network: an IPv4 address, or the /64 of an IPv6 address, which one user has for
// itself. The text itself where it is no address.
std::string UserNetwork(std::string_view address);

// The network without the host: "192.0.2.0/24", "2001:db8:1::/48"; "" where it is no address.
std::string MaskAddress(std::string_view address);

// Whether somebody on this machine asks for themselves: a loopback peer, no sign of a proxy that
// asks for another, no Host but this machine (a name that an attacker's DNS turned to 127.0.0.1
// would show there), and no page of another site in a local browser (Origin).
bool IsLocalRequest(const Request& request);

}  // namespace rebound
